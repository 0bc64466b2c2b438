// Whether another user could get at a path, judged by owner and mode alone: the service user cannot be asked.
import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Ids } from './files.ts';

/** The first directory on the way to `path` that `who` may not enter, or undefined. `undefined` means any other user. */
export function closedDirectory(path: string, who: Ids | undefined): string | undefined {
  const ancestors: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    ancestors.unshift(at);
    if (dirname(at) === at) break;
  }
  return ancestors.find((directory) => {
    const stats = statOf(directory);
    return stats !== undefined && !may(stats, who, 1);
  });
}

/** Whether `who` may do all of `bits` (4 read, 2 write, 1 enter or run) to what is at the path; false when nothing is. */
export function mayAccess(path: string, who: Ids | undefined, bits: number): boolean {
  const stats = statOf(path);
  return stats !== undefined && may(stats, who, bits);
}

/** Directories that a hardened service does not see. */
export const hiddenFromServices = (path: string): boolean => /^\/(home|root|run\/user)(\/|$)/.test(path);

function may(stats: Stats, who: Ids | undefined, bits: number): boolean {
  if (who?.userId === 0) return true;
  const shift = who?.userId === stats.uid ? 6 : who?.groupId === stats.gid ? 3 : 0;
  return ((stats.mode >> shift) & bits) === bits;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
