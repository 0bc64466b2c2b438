// A file (or standard input) that is read once, front to back, in windows: nothing here holds more than the caller's.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { readSome } from './io.ts';

export class Input {
  /** As the user wrote it; "-" is standard input. */
  readonly name: string;
  /** Bytes in the file, or null for what is no plain file. */
  readonly size: number | null;
  /** Bytes read so far. */
  position = 0;
  readonly #fd: number;
  /** Bytes that were read to look at the beginning, and are handed out first. */
  #head: Uint8Array = new Uint8Array(0);

  /** Opens for reading only. Throws what the system says (ErrnoException). */
  constructor(name: string, path = name) {
    this.name = name;
    this.#fd = name === '-' ? 0 : openSync(path, 'r');
    const stat = fstatSync(this.#fd);
    if (stat.isDirectory()) {
      this.close();
      throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
    }
    this.size = stat.isFile() ? stat.size : null;
  }

  /** The first bytes, `count` unless the file is shorter; they will be read again by read(). */
  peek(count: number): Uint8Array {
    const head = new Uint8Array(count);
    let length = this.#head.length;
    head.set(this.#head.subarray(0, Math.min(length, count)));
    while (length < count) {
      const got = readSome(this.#fd, head.subarray(length));
      if (got === 0) break;
      length += got;
    }
    this.#head = head.subarray(0, length);
    return this.#head;
  }

  /** Fills the beginning of `into`; returns the count, 0 at the end. */
  read(into: Uint8Array): number {
    let count: number;
    if (this.#head.length > 0) {
      count = Math.min(this.#head.length, into.length);
      into.set(this.#head.subarray(0, count));
      this.#head = this.#head.subarray(count);
    } else {
      count = readSome(this.#fd, into);
    }
    this.position += count;
    return count;
  }

  close(): void {
    if (this.#fd !== 0) closeSync(this.#fd);
  }
}

/** What C's strerror() says to the error's code, else the error's own message. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
  EIO: 'Input/output error',
  EMFILE: 'Too many open files',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  EROFS: 'Read-only file system',
  ENOSPC: 'No space left on device',
};
