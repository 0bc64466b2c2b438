// Loads the append-only log: base file, then increments, their commands run by the server one after the other. Where a
// file ends in the middle of a command it may be cut there; anything else that is wrong stops the start.

import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { AofError } from '../formats/aof/errors.ts';
import { AofReader, hasRdbPreamble } from '../formats/aof/reader.ts';
import { accessReport } from './access-report.ts';
import type { AppendFiles } from './append-files.ts';
import { type Environment, reason } from './environment.ts';
import { DumpLoader, LoadError } from './load.ts';
import type { LoadVisitor } from './load-visitor.ts';

/** Time for loading in one turn of the event loop, ms. */
const SLICE_MS = 8;
/** Commands between two looks at the clock. */
const COMMANDS_PER_LOOK = 64;
const HEAD_BYTES = 6;

/** Runs the commands of a log; the server makes one for each load. */
export interface Replayer {
  /** Before and after a run of commands without a pause. */
  enter(): void;
  leave(): void;
  /** Runs a command, whose arguments are ranges of `buf`. Returns why it can't be run at all, or null. */
  run(buf: Buffer, pos: Int32Array, len: Int32Array, count: number): string | null;
  /** Drops a transaction that was begun and not finished. */
  discard(): void;
}

/** What loading found. */
export type LogState = 'missing' | 'empty' | 'loaded';

type FileState = 'whole' | 'cut' | 'empty';

export class LogLoader {
  /** Bytes of all files, and how far loading is. */
  totalBytes = 0;
  loadedBytes = 0;
  /** The dump at the beginning, if there was one. */
  dump: LoadVisitor | null = null;
  private readonly environment: Environment;
  private readonly files: AppendFiles;
  private readonly replayer: Replayer;
  private before = 0;
  /** Nothing follows the file being loaded: its end may be taken away. */
  private mayCut = false;
  private pos = new Int32Array(64);
  private len = new Int32Array(64);
  private viewed: Buffer = Buffer.alloc(0);

  constructor(environment: Environment, files: AppendFiles, replayer: Replayer) {
    this.environment = environment;
    this.files = files;
    this.replayer = replayer;
  }

  /** Loads everything; `pause` is called between slices. Throws LoadError. */
  async run(pause: () => Promise<void>): Promise<LogState> {
    const steps = this.steps();
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      await pause();
    }
  }

  /** Loads everything at once. Throws LoadError. */
  runNow(): LogState {
    const steps = this.steps();
    for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
  }

  private *steps(): Generator<void, LogState, void> {
    const { base, incr } = this.files.manifest;
    const all = base === null ? incr : [base, ...incr];
    if (all.length === 0) return 'missing';
    try {
      this.totalBytes = this.files.sizes().total;
    } catch (error) {
      throw this.unreadable((error as NodeJS.ErrnoException).path ?? '', error);
    }
    if (this.totalBytes === 0) return 'empty';
    for (const [at, file] of all.entries()) {
      const started = this.environment.monotonicMs();
      // A power cut may leave a file without its end, and the one that was to follow it without a beginning.
      this.mayCut = all.slice(at + 1).every(({ name }) => this.isEmpty(name));
      const state: FileState = yield* this.file(file.name);
      if (state === 'empty') continue;
      const seconds = ((this.environment.monotonicMs() - started) / 1000).toFixed(3);
      const kind = file.type === 'base' ? 'base' : 'incr';
      this.environment.log('notice', `DB loaded from ${kind} file ${file.name}: ${seconds} seconds`);
    }
    return 'loaded';
  }

  private isEmpty(name: string): boolean {
    return statSync(this.files.path(name)).size === 0;
  }

  private *file(name: string): Generator<void, FileState, void> {
    const path = this.files.path(name);
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      throw this.unreadable(path, error);
    }
    try {
      const { size } = fstatSync(fd);
      if (size === 0) return 'empty';
      const head = Buffer.alloc(HEAD_BYTES);
      readSync(fd, head, 0, HEAD_BYTES, 0);
      let at = 0;
      if (hasRdbPreamble(head)) at = yield* this.preamble(name, path);
      if (at < size) yield;
      const state = yield* this.commands(fd, name, path, at);
      this.before += size;
      this.loadedBytes = this.before;
      return state;
    } finally {
      closeSync(fd);
    }
  }

  /** Loads the dump a file begins with; returns where it ends. */
  private *preamble(name: string, path: string): Generator<void, number, void> {
    const { log } = this.environment;
    const old = !name.endsWith('.rdb');
    log('notice', old ? 'Reading RDB preamble from AOF file...' : 'Reading RDB base file on AOF loading...');
    const loader = new DumpLoader(this.environment, path, { isPreamble: true, replaces: false });
    this.dump = loader.visitor;
    try {
      for (const bytes of loader.steps()) {
        this.loadedBytes = this.before + bytes;
        yield;
      }
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      const what = old ? 'RDB preamble of the AOF file' : 'RDB base file';
      throw new LoadError(`${error.message}\nError reading the ${what} ${name}, AOF loading aborted`);
    }
    loader.visitor.logTotals();
    if (old) log('notice', 'Reading the remaining AOF tail...');
    return loader.endOffset;
  }

  private *commands(fd: number, name: string, path: string, from: number): Generator<void, FileState, void> {
    const reader = new AofReader({ offset: from });
    let filePosition = from;
    let deadline = this.environment.monotonicMs() + SLICE_MS;
    let look = COMMANDS_PER_LOOK;
    this.replayer.enter();
    try {
      for (;;) {
        const item = reader.next();
        if (item === 'end') return 'whole';
        if (item === 'command') this.execute(reader, name, path);
        else if (item === 'more') {
          const room = reader.room();
          const count = readSync(fd, room, 0, room.length, filePosition);
          filePosition += count;
          if (count === 0) reader.finish();
          else reader.filled(count);
        }
        if (--look > 0) continue;
        look = COMMANDS_PER_LOOK;
        if (this.environment.monotonicMs() < deadline) continue;
        this.loadedBytes = this.before + reader.offset;
        this.replayer.leave();
        yield;
        this.replayer.enter();
        deadline = this.environment.monotonicMs() + SLICE_MS;
      }
    } catch (error) {
      if (error instanceof AofError) return this.incomplete(error, reader, name, path);
      throw error;
    } finally {
      this.replayer.leave();
    }
  }

  private execute(reader: AofReader, name: string, path: string): void {
    const count = reader.argumentCount;
    if (count > this.pos.length) {
      this.pos = new Int32Array(count * 2);
      this.len = new Int32Array(count * 2);
    }
    if (count <= 0) throw new AofError('format', '', reader.itemOffset);
    for (let i = 0; i < count; i++) {
      const start = reader.start(i);
      this.pos[i] = start;
      this.len[i] = reader.end(i) - start;
    }
    const problem = this.replayer.run(this.view(reader.buffer), this.pos, this.len, count);
    if (problem !== null) {
      throw new LoadError(`${this.advice(path, reader.itemOffset)}\n${problem} reading the append only file ${name}`);
    }
  }

  /** The reader's memory as a Buffer, made anew only when it has another. */
  private view(bytes: Uint8Array): Buffer {
    if (this.viewed.buffer !== bytes.buffer) this.viewed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.viewed;
  }

  /** The file ends too early, or is no log from some place on. */
  private incomplete(error: AofError, reader: AofReader, name: string, path: string): FileState {
    const { log, settings } = this.environment;
    if (error.code === 'format') {
      throw new LoadError(
        `${this.advice(path, error.offset)}\nBad file format reading the append only file ${name}: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>`,
      );
    }
    if (reader.inTransaction) {
      this.replayer.discard();
      log('warning', `Revert incomplete MULTI/EXEC transaction in AOF file ${name}`);
    }
    if (!settings.aofLoadTruncated) {
      throw new LoadError(
        `${this.advice(path, reader.okUpTo)}\nUnexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.`,
      );
    }
    log('warning', `!!! Warning: short read while loading the AOF file ${name}!!!`);
    if (!this.mayCut) {
      throw new LoadError(`${this.advice(path, reader.okUpTo)}\nFatal error: the truncated file is not the last file`);
    }
    log('warning', `!!! Truncating the AOF ${name} at offset ${reader.okUpTo} !!!`);
    try {
      truncateSync(path, reader.okUpTo);
    } catch (failure) {
      throw new LoadError(`Error truncating the AOF file ${name}: ${reason(failure)}`);
    }
    log('warning', `AOF ${name} loaded anyway because aof-load-truncated is enabled`);
    return 'cut';
  }

  private advice(path: string, offset: number): string {
    const manifest = this.files.path(`${this.files.name}.manifest`);
    return `The file is ${path}, all is well up to byte ${offset}. Run 'tsredis-check-aof ${manifest}' to see what is wrong, and keep a copy before anything else.`;
  }

  private unreadable(path: string, error: unknown): LoadError {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return new LoadError(
        `Unable to obtain the AOF file ${name} length. stat: ${reason(error)}\nThe manifest names a file that is not there: it should be ${path}. Put it back, or run 'tsredis-check-aof' on the manifest.`,
      );
    }
    return new LoadError(
      `${accessReport(path)}\nFatal error: can't open the append log file ${name} for reading: ${reason(error)}`,
    );
  }
}
