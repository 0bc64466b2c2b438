// The ACL file: taken as a whole, or everything that is wrong with it told.

import { describe, expect, it } from 'vitest';
import { AclCatalog } from '../../../server/commands/acl-catalog.ts';
import { parseUserFile } from '../../../server/runtime/acl-file.ts';

const defaults = { catalog: new AclCatalog(), allChannels: () => false };
const parse = (text: string) => parseUserFile(text, '/users.acl', defaults);

describe('an ACL file', () => {
  it('gives its users, whatever the white space', () => {
    const users = parse('\n  user a on   ~x  (~y +get)  \r\nuser b off\n');
    if (typeof users === 'string') throw new Error(users);
    expect(users.map((user) => user.describe())).toEqual([
      'a on ~x resetchannels -@all (~y resetchannels -@all +get)',
      'b off resetchannels -@all',
    ]);
  });

  it('is refused with all that is wrong, and without secrets', () => {
    const end = 'WARNING: ACL errors detected, no change to the previously active ACL rules was performed';
    expect(parse('user a on\nuser a off\n')).toBe(`WARNING: Duplicate user 'a' found on line 2. ${end}`);
    expect(parse('user a >secret on foo\nuser b bar\n')).toBe(
      `/users.acl:1: Syntax error. /users.acl:2: Syntax error. ${end}`,
    );
    expect(parse('# no comments\n')).toBe(
      `/users.acl:1 should start with user keyword followed by the username. ${end}`,
    );
    expect(parse('user a +nosuch\n')).toBe(
      `/users.acl:1: Error in applying operation '+nosuch': Unknown command or category name in ACL. ${end}`,
    );
  });
});
