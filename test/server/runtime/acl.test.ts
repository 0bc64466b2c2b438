// Users at run time: logging in, what happens to connections when users change, the ACL file, the log.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../../server/commands/session.ts';
import { createSettings } from '../../../server/config/settings.ts';
import { AccessControl, type AclHost, checkUserLine } from '../../../server/runtime/acl.ts';

let directory: string;
let killed: Session[];
let sessions: Map<number, Session>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsredis-acl-'));
  killed = [];
  sessions = new Map();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function access(directives: Readonly<Record<string, string>> = {}, users: string[][] = []): AccessControl {
  const settings = createSettings({ currentDirectory: () => '/', changeDirectory: () => undefined });
  for (const [name, value] of Object.entries(directives)) settings.assign(name, [value], true);
  settings.users.push(...users);
  const host = {
    settings,
    clients: { all: sessions, kill: (session: Session) => killed.push(session), describe: () => 'id=7' },
    context: { text: () => 'AUTH', inTransaction: false, session: null },
    now: () => 1000,
    randomBytes: (bytes: number) => Buffer.alloc(bytes, 1),
    log: () => undefined,
  };
  return new AccessControl(host as unknown as AclHost);
}

function connect(control: AccessControl): Session {
  const empty = { channels: new Set(), patterns: new Set(), shardChannels: new Set(), queued: null };
  const session = { id: sessions.size + 1, ...empty } as unknown as Session;
  sessions.set(session.id, session);
  control.logout(session);
  return session;
}

describe('logging in', () => {
  it('needs no password until there is one', () => {
    const control = access();
    expect(control.start()).toBeNull();
    const session = connect(control);
    expect([session.authenticated, session.permissions]).toEqual([true, null]);
    control.setDefaultPassword('secret');
    expect([control.openToAll, control.defaultHasNoPassword]).toEqual([false, false]);
    expect(connect(control).authenticated).toBe(false);
    control.setDefaultPassword('');
    expect(control.openToAll).toBe(true);
  });

  it('with requirepass takes that password alone, and notes the others', () => {
    const control = access({ requirepass: 'secret' });
    control.start();
    const session = connect(control);
    expect(control.authenticate(session, 'default', Buffer.from('wrong'))).toBe(false);
    expect(control.authenticate(session, 'nobody', Buffer.from('secret'))).toBe(false);
    expect(session.authenticated).toBe(false);
    expect(control.denied.auth).toBe(2);
    expect(control.log.entries[1]).toMatchObject({ reason: 'auth', user: 'default', object: 'AUTH', client: 'id=7' });
    expect(control.authenticate(session, 'default', Buffer.from('secret'))).toBe(true);
    expect(session.authenticated).toBe(true);
  });

  it('gives a session the permissions of its user, none for one that may do everything', () => {
    const control = access();
    control.start();
    control.setUser('some', ['on', 'nopass', '+get', '~a*']);
    control.setUser('all', ['on', 'nopass', '+@all', '~*', '&*']);
    const session = connect(control);
    control.authenticate(session, 'some', Buffer.from('x'));
    expect([session.user, session.permissions]).toEqual(['some', control.find('some')]);
    control.authenticate(session, 'all', Buffer.from('x'));
    expect([session.user, session.permissions]).toEqual(['all', null]);
    control.setUser('all', ['-flushall']);
    expect(session.permissions).toBe(control.find('all'));
  });
});

describe('changes of users', () => {
  it('happen with all rules or none', () => {
    const control = access();
    expect(control.setUser('u', ['on', 'nonsense'])).toBe("ERR Error in ACL SETUSER modifier 'nonsense': Syntax error");
    expect(control.find('u')).toBeUndefined();
    expect(control.setUser('a b', [])).toBe("ERR Usernames can't contain spaces or null characters");
    expect(control.setUser('u', ['(+get'])).toBe("ERR Unmatched parenthesis in acl selector starting at '(+get'.");
  });

  it('close the connections of deleted users', () => {
    const control = access();
    control.setUser('u', ['on', 'nopass']);
    const [mine, other] = [connect(control), connect(control)];
    control.authenticate(mine, 'u', Buffer.from(''));
    expect(control.deleteUsers(['u', 'nobody', 'default'])).toBe(1);
    expect(killed).toEqual([mine]);
    expect([mine.user, mine.authenticated, other.authenticated]).toEqual(['default', false, true]);
  });

  it('close subscribers of channels that are not theirs any more', () => {
    const control = access();
    control.setUser('u', ['on', 'nopass', 'resetchannels', '&a', '&b*']);
    const [a, b, pattern] = [connect(control), connect(control), connect(control)];
    for (const session of [a, b, pattern]) control.authenticate(session, 'u', Buffer.from(''));
    a.channels.add('a');
    b.shardChannels.add('b1');
    pattern.patterns.add('b*');
    control.setUser('u', ['&c']);
    expect(killed).toEqual([]);
    control.setUser('u', ['resetchannels', '&b?']);
    expect(killed).toEqual([a, pattern]);
  });
});

describe('the ACL file', () => {
  it('is written and read again as a whole', () => {
    const path = join(directory, 'users.acl');
    writeFileSync(path, 'user alice on nopass ~* &* +@all\n', { mode: 0o600 });
    const control = access({ aclfile: path, requirepass: 'unused' });
    expect(control.start()).toBeNull();
    expect(control.openToAll).toBe(true);
    control.setUser('bob', ['on', '>pw', '+get', '~b*']);
    expect(control.save()).toBeNull();
    const text = readFileSync(path, 'latin1');
    expect(text.split('\n').map((line) => line.split(' ')[1])).toEqual(['alice', 'bob', 'default', undefined]);
    expect(text).not.toContain('pw');
    expect(statSync(path).mode & 0o777).toBe(0o600);

    const [bob, anyone] = [connect(control), connect(control)];
    control.authenticate(bob, 'bob', Buffer.from('pw'));
    expect(control.load()).toBeNull();
    expect(killed).toEqual([bob]);
    expect(anyone.authenticated).toBe(true);

    writeFileSync(path, 'user alice on foo\n');
    expect(control.load()).toContain(`ERR ${path}:1: Syntax error.`);
    expect(control.users().map((user) => user.name)).toEqual(['alice', 'bob', 'default']);
  });

  it('is missed with a reason', () => {
    expect(access().load()).toContain('not configured to use an ACL file');
    expect(access().save()).toContain('not configured to use an ACL file');
    expect(access({ aclfile: join(directory, 'none') }).start()).toBe(
      `Aborting Redis startup because of ACL errors: Error loading ACLs, opening file '${join(directory, 'none')}': No such file or directory`,
    );
    expect(access({ aclfile: 'x' }, [['u', 'on']]).start()).toContain('please define either an ACL file');
  });
});

describe('user lines of the configuration', () => {
  it('make users, the default one from nothing', () => {
    const control = access({ requirepass: 'secret' }, [
      ['default', 'on', '+ping', '>other'],
      ['u', 'on', '(+get', '~a)'],
    ]);
    expect(control.start()).toBeNull();
    expect(control.ruleLines()?.map((line) => line.replace(/#[0-9a-f]{64}/, '#'))).toEqual([
      'default on sanitize-payload # resetchannels -@all +ping',
      'u on resetchannels -@all (~a resetchannels -@all +get)',
    ]);
  });

  it('are checked while the file is read', () => {
    expect(checkUserLine(['u', 'on', '+get'])).toBeUndefined();
    expect(checkUserLine(['u', 'nonsense'])).toBe('Syntax error');
    expect(checkUserLine(['a b'])).toBe('Syntax error');
  });
});
