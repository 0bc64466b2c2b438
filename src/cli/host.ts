// What the command line client needs of the process around it: streams, environment, clock. Tests give their own.
import { readFileSync, readSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

export interface CliHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** Prints latin1 text, one character per byte. */
  write(text: string): void;
  writeBytes(bytes: Uint8Array): void;
  /** Prints UTF-8 text to standard error. */
  writeError(text: string): void;
  /** Standard input, opened at the first call. */
  stdin(): NodeJS.ReadStream;
  stdout(): NodeJS.WriteStream;
  /** Everything in standard input until its end. */
  readStdin(): Buffer;
  /** Monotonic milliseconds with a fraction. */
  nowMs(): number;
  waitMs(milliseconds: number): Promise<void>;
}

/** Ends the program with an exit status, from any depth. */
export class CliExit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

/** The process itself. Output is written synchronously: the program ends by process.exit without losing any. */
export function processHost(): CliHost {
  return {
    env: process.env,
    stdinIsTerminal: isatty(0),
    stdoutIsTerminal: isatty(1) || process.env['FAKETTY'] !== undefined,
    write: (text) => writeAll(1, Buffer.from(text, 'latin1')),
    writeBytes: (bytes) => writeAll(1, bytes),
    writeError: (text) => writeAll(2, Buffer.from(text, 'utf8')),
    stdin: () => process.stdin,
    stdout: () => process.stdout,
    readStdin: () => readAll(0),
    nowMs: () => performance.now(),
    waitMs: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}

/** Writes all of it; waits when the other end of a non-blocking pipe is slow. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length; ) {
    try {
      from += writeSync(fd, bytes, from);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new CliExit(141);
      if (code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

function readAll(fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(65536);
    try {
      const length = readSync(fd, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return Buffer.concat(chunks);
      if (code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

/** Sleeps a little without giving up the turn. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}

/**
 * The program's arguments as bytes. Node decodes argv as UTF-8 and loses what is not; where the system still has the
 * bytes (Linux), they are read from there.
 */
export function argumentBytes(argv: readonly string[]): Buffer[] {
  if (argv.some((word) => word.includes('\ufffd'))) {
    try {
      const words = splitZero(readFileSync('/proc/self/cmdline'));
      if (words.length >= argv.length) return words.slice(words.length - argv.length);
    } catch {
      // No such file on this system: what Node made of them has to do.
    }
  }
  return argv.map((word) => Buffer.from(word, 'utf8'));
}

function splitZero(bytes: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0, from);
    words.push(bytes.subarray(from, end < 0 ? bytes.length : end));
    from = (end < 0 ? bytes.length : end) + 1;
  }
  return words;
}
