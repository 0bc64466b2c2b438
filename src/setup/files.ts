// The few file operations of an installation. Nothing is ever written through a name that others could have prepared:
// a file appears under a random new name beside its place, complete and with its owner, and is then renamed into it.
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OpsError } from '../errors.ts';

/** Numeric owner; undefined leaves a new file to whoever runs this. */
export interface Ids {
  readonly userId: number;
  readonly groupId: number;
}

export const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

/** What is at a path itself, links not followed; undefined when nothing is. */
export function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new OpsError('file-not-readable', { path, reason: reasonOf(error) }, { cause: error });
  }
}

/** The bytes of a regular file; undefined when nothing is there. Throws file-not-readable. */
export function readBytes(path: string): Buffer | undefined {
  if (!lookAt(path)?.isFile()) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new OpsError('file-not-readable', { path, reason: reasonOf(error) }, { cause: error });
  }
}

/** Writes a whole file or nothing. */
export function writeWhole(path: string, content: Uint8Array, mode: number, ids: Ids | undefined): void {
  guarded(path, () => {
    const temporary = join(dirname(path), `.tsredis-${randomBytes(9).toString('hex')}`);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = openSync(temporary, flags, 0o600);
    try {
      writeFileSync(file, content);
      if (ids !== undefined) fchownSync(file, ids.userId, ids.groupId);
      fchmodSync(file, mode);
      fsyncSync(file);
      closeSync(file);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** Makes one directory; its parent must be there. */
export function makeDirectory(path: string, mode: number, ids: Ids | undefined): void {
  guarded(path, () => {
    mkdirSync(path, { mode: 0o700 });
    if (ids !== undefined) chownSync(path, ids.userId, ids.groupId);
    chmodSync(path, mode);
  });
}

export function makeLink(path: string, target: string): void {
  guarded(path, () => {
    const temporary = join(dirname(path), `.tsredis-${randomBytes(9).toString('hex')}`);
    symlinkSync(target, temporary);
    renameSync(temporary, path);
  });
}

export function setOwnerAndMode(path: string, mode: number, ids: Ids | undefined): void {
  guarded(path, () => {
    if (ids !== undefined) chownSync(path, ids.userId, ids.groupId);
    chmodSync(path, mode);
  });
}

export const linkTarget = (path: string): string | undefined =>
  lookAt(path)?.isSymbolicLink() ? readlinkSync(path) : undefined;

/** Removes a file or link; nothing happens when it is not there. */
export function removeFile(path: string): void {
  guarded(path, () => rmSync(path, { force: true }));
}

/** Removes a directory if it is empty; tells whether it did. */
export function removeEmptyDirectory(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      return false;
    }
    throw new OpsError('path-not-writable', { path, reason: reasonOf(error) }, { cause: error });
  }
}

function guarded(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new OpsError('path-not-writable', { path, reason: reasonOf(error) }, { cause: error });
  }
}

const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
