// Replaces a file as a whole: written beside it and renamed, so that a crash leaves the old or the new text.

import { closeSync, fsyncSync, openSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Mode of a file that was not there before: it may hold passwords. */
const NEW_FILE_MODE = 0o640;

/** Puts byte text in place of the file's content, keeping its mode; `suffix` makes the name beside it unique. */
export function replaceFile(path: string, text: string, suffix: string): void {
  const temporary = join(dirname(path), `.${suffix}.tmp`);
  const fd = openSync(temporary, 'wx', modeOf(path));
  try {
    try {
      writeFileSync(fd, Buffer.from(text, 'latin1'));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

function modeOf(path: string): number {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return NEW_FILE_MODE;
  }
}
