// Loads a dump: in slices that leave room for other clients at start, at once for DEBUG RELOAD. What is wrong with a file
// is told with file and place; nothing of it is served then.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { RdbError } from '../formats/rdb/errors.ts';
import { RdbReader } from '../formats/rdb/reader.ts';
import { rdbTypes } from '../formats/rdb/types.ts';
import type { Environment } from './environment.ts';
import { type LoadOptions, LoadVisitor } from './load-visitor.ts';

/** Time for loading in one turn of the event loop, ms. */
const SLICE_MS = 8;
const WINDOW_BYTES = 1 << 19;
/** Bytes per read while key-load-delay slows loading down. */
const SLOW_READ_BYTES = 512;

/** How far loading is, for INFO. */
export interface LoadProgress {
  startedMs: number;
  totalBytes: number;
  loadedBytes: number;
  /** Memory the data took where it was saved; 0 when the file does not say. */
  memoryBytes: number;
}

/** A dump that cannot be loaded. `message` is for the log, several lines. */
export class LoadError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LoadError';
  }
}

/** One dump being loaded. */
export class DumpLoader {
  readonly visitor: LoadVisitor;
  /** Bytes read of the file. */
  bytes = 0;
  private readonly path: string;
  private readonly fd: number;
  private readonly size: number;
  private readonly reader: RdbReader;
  private readonly delayMs: number;
  private readonly monotonicMs: () => number;

  /** Opens the file. Throws what the system says, ENOENT among it. */
  constructor(environment: Environment, path: string, options: LoadOptions) {
    const { settings } = environment;
    this.path = path;
    this.monotonicMs = environment.monotonicMs;
    this.visitor = new LoadVisitor(environment, options);
    this.reader = new RdbReader(this.visitor, {
      integrity: settings.sanitizeDumpPayload === 'yes' ? 'deep' : 'shallow',
      windowBytes: WINDOW_BYTES,
      checksum: settings.rdbchecksum,
      seed: environment.randomBytes(4).readUInt32LE(0),
    });
    this.visitor.reader = this.reader;
    this.delayMs = Number(settings.keyLoadDelay) / 1000;
    if (this.delayMs > 0) this.visitor.eachKey = () => sleep(this.delayMs);
    this.fd = openSync(path, 'r');
    this.size = fstatSync(this.fd).size;
  }

  /** Bytes of the file. */
  get totalBytes(): number {
    return this.size;
  }

  /** Loads in slices: tells after each how many bytes are behind. Throws LoadError. */
  *steps(): Generator<number, void, void> {
    try {
      while (!this.slice(this.monotonicMs() + SLICE_MS)) yield this.bytes;
    } finally {
      closeSync(this.fd);
    }
  }

  /** Loads everything at once. Throws LoadError. */
  runNow(): void {
    const steps = this.steps();
    while (steps.next().done !== true);
  }

  /** Where in the file the dump ends; commands of an append-only file may follow. */
  get endOffset(): number {
    return this.reader.offset;
  }

  /** Loads until `deadline`; true when the dump is complete. */
  private slice(deadline: number): boolean {
    try {
      while (this.monotonicMs() < deadline) {
        if (this.step()) return true;
      }
      return false;
    } catch (error) {
      this.visitor.abandon();
      throw error instanceof RdbError ? this.explain(error) : error;
    }
  }

  /** Reads and loads the next window; true at the end. */
  private step(): boolean {
    const room = this.reader.room();
    const most = this.delayMs > 0 ? Math.min(SLOW_READ_BYTES, room.length) : room.length;
    const count = readSync(this.fd, room, 0, most, null);
    if (count === 0) {
      this.reader.finish();
      return true;
    }
    this.bytes += count;
    this.reader.filled(count);
    return this.reader.run() === 'done';
  }

  private explain(error: RdbError): LoadError {
    const advice = `The file is ${this.path}. Nothing of it was changed. Run 'tsredis-check-rdb ${this.path}' to see all that is wrong with it, and keep a copy before anything else.`;
    if (error.code === 'header') {
      return new LoadError(`${advice}\n${error.message}\nFatal error loading the DB: Invalid argument. Exiting.`);
    }
    const lines: string[] = [];
    if (error.code === 'truncated') lines.push('Short read or OOM loading DB. Unrecoverable error, aborting now.');
    lines.push(
      `Internal error in RDB reading offset ${error.offset}, while doing ${error.activity} -> ${error.message}`,
    );
    // What redis-check-rdb would print: Redis runs it here.
    lines.push(
      '--- RDB ERROR DETECTED ---',
      `[offset ${error.offset}] ${error.message}`,
      `[additional info] While doing: ${error.activity}`,
    );
    if (error.key !== null) lines.push(`[additional info] Reading key '${printable(error.key)}'`);
    const type = rdbTypes(this.reader.flavour)[error.type];
    if (type !== undefined) lines.push(`[additional info] Reading type ${type.number} (${type.name || 'module'})`);
    lines.push(advice, 'Terminating server after rdb file reading failure.');
    return new LoadError(lines.join('\n'));
  }
}

function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 128))
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Stops the event loop (key-load-delay). */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
