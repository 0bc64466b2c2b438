// What a checker needs of the process around it. Tests give their own.

import { readSync, writeSync } from 'node:fs';

export interface CheckIo {
  readonly stderrIsTerminal: boolean;
  /** Writes byte text (one character per byte) to standard output. */
  write(text: string): void;
  /** Writes text to standard error. */
  writeError(text: string): void;
  /** The next line of standard input without its end; null at its end. */
  readLine(): string | null;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Any unpredictable integer. */
  randomSeed(): number;
}

/** Thrown when the reader of our output is gone: the program ends silently. */
export class OutputClosed extends Error {}

/** The process itself. Output is written synchronously, so that ending the program loses none of it. */
export function processIo(): CheckIo {
  return {
    stderrIsTerminal: process.stderr.isTTY === true,
    write: (text) => writeAll(1, Buffer.from(text, 'latin1')),
    writeError: (text) => writeAll(2, Buffer.from(text, 'utf8')),
    readLine,
    nowMs: () => Date.now(),
    randomSeed: () => Math.floor(Math.random() * 0x7fffffff),
  };
}

/** Reads until `into` has at least one byte more; returns the count, 0 at the end. Waits on non-blocking descriptors. */
export function readSome(fd: number, into: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

function readLine(): string | null {
  const byte = new Uint8Array(1);
  let line = '';
  while (line.length < 1024) {
    if (readSome(0, byte) === 0) return line === '' ? null : line;
    if (byte[0] === 10) break;
    line += String.fromCharCode(byte[0] ?? 0);
  }
  return line;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length; ) {
    try {
      from += writeSync(fd, bytes, from);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new OutputClosed();
      if (code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

/** A slow other end of a pipe: try again in a millisecond. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}
