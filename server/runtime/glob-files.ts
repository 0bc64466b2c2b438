// Paths that match a glob pattern, for `include`.

import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { globMatch } from '../base/glob.ts';

/** The files that an absolute pattern matches, sorted; wildcards work in every part of the path. */
export function globSync(pattern: string): string[] {
  let paths: string[] = [sep];
  for (const part of pattern.split(sep).filter((word) => word !== '')) {
    paths = paths.flatMap((path) => expand(path, part));
  }
  return paths.sort();
}

function expand(directory: string, part: string): string[] {
  if (!/[*?[]/.test(part)) return [join(directory, part)];
  const wanted = Buffer.from(part);
  return entriesOf(directory)
    .filter((name) => !name.startsWith('.') && globMatch(wanted, Buffer.from(name)))
    .map((name) => join(directory, name));
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
