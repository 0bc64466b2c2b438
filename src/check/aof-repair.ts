// Shortens an AOF to what is sound. A copy of the whole file is made first, beside it.

import { closeSync, constants, copyFileSync, existsSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';

/** Copies `path` to the first free of `path.bak`, `path.bak.1`, … and returns that name. Throws ErrnoException. */
export function backUp(path: string): string {
  let copy = `${path}.bak`;
  for (let number = 1; existsSync(copy); number++) copy = `${path}.bak.${number}`;
  copyFileSync(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  return copy;
}

/** Cuts the file to `bytes` and waits until that is on disk. Throws ErrnoException. */
export function shorten(path: string, bytes: number): void {
  const fd = openSync(path, 'r+');
  try {
    ftruncateSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
