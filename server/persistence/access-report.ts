// Why a file may be out of reach: whose it is, who is asking, and what to do about it.

import { statSync } from 'node:fs';
import { userInfo } from 'node:os';

/** One line for the log. */
export function accessReport(path: string): string {
  const me = process.getuid?.() ?? -1;
  let owner: number;
  let mode: number;
  try {
    const stats = statSync(path);
    owner = stats.uid;
    mode = stats.mode & 0o777;
  } catch {
    return `The file is ${path}.`;
  }
  const facts = `The file is ${path}, mode ${mode.toString(8)}, of user ${owner}; the server runs as user ${me} (${myName()}).`;
  if (me === -1 || me === 0 || owner === me) return facts;
  return `${facts} Give it to that user ('chown ${me} ${path}'), or start the server as its owner.`;
}

function myName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'without a name';
  }
}
