// The ACL file: one `user NAME RULE ...` a line, nothing else. It counts as a whole or not at all.

import { AclProblem } from '../commands/acl-permissions.ts';
import { type AclDefaults, AclUser, mergeSelectors } from '../commands/acl-user.ts';

const NOTHING_CHANGED = 'WARNING: ACL errors detected, no change to the previously active ACL rules was performed';

/** The users in the file's text (byte text), or everything that is wrong with it as one text. */
export function parseUserFile(text: string, path: string, defaults: AclDefaults): AclUser[] | string {
  const users = new Map<string, AclUser>();
  let errors = '';
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
    if (trimmed === '') continue;
    const place = `${path}:${index + 1}`;
    const [keyword, name, ...args] = trimmed.split(' ');
    if (keyword !== 'user' || name === undefined) {
      errors += `${place} should start with user keyword followed by the username. `;
    } else if (name.includes('\0')) errors += `${place}: username '${name}' contains invalid characters. `;
    else if (users.has(name)) errors += `WARNING: Duplicate user '${name}' found on line ${index + 1}. `;
    else {
      const user = new AclUser(name, defaults);
      errors += applyRules(user, args, place);
      users.set(name, user);
    }
  }
  return errors === '' ? [...users.values()] : errors + NOTHING_CHANGED;
}

function applyRules(user: AclUser, args: readonly string[], place: string): string {
  const merged = mergeSelectors(args);
  if ('unmatched' in merged) return `${place}: Unmatched parenthesis in selector definition.`;
  let errors = '';
  let told = false;
  for (const rule of merged.rules) {
    const problem = user.apply(rule);
    if (problem === null) continue;
    // Names of commands are no secrets; other rules may be passwords, and one error may lead to others.
    if (problem === AclProblem.unknownCommand) {
      errors += `${place}: Error in applying operation '${rule}': ${problem}. `;
    } else if (!told) {
      errors += `${place}: ${problem}. `;
      told = true;
    }
  }
  user.simplify();
  return errors;
}
