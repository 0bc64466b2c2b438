// Writes whole dumps and snapshots into files. A snapshot is driven from the event loop in short turns; there is no child
// process.

import type { DumpSink } from '../formats/rdb/sink.ts';
import { RdbWriter } from '../formats/rdb/writer.ts';
import { CommandDump } from './command-dump.ts';
import { type DumpFacts, type DumpTarget, DumpWriter, dumpKeyspace, type UsageHints } from './dump-writer.ts';
import { FIELD_EXPIRY_SINCE } from './encode-value.ts';
import type { Environment } from './environment.ts';
import { OutputFile } from './output-file.ts';
import { Snapshot } from './snapshot.ts';

/** Time for the snapshot in one turn of the event loop, ms: the less, the more others ask for; and while they wait for it. */
const SLICE_MS_MAX = 1;
const SLICE_MS_MIN = 0.1;
const AWAITED_SLICE_MS = 2;
/** The snapshot's time as a part of what others have used since its last turn. */
const SHARE = 0.5;
const FILE_MODE = 0o640;
/** While slowed down, how often to look whether the delay has changed, ms; and what a pause may be too short by. */
const DELAY_LOOK_MS = 20;
const DELAY_GRAIN_MS = 0.5;
const CHUNK_BYTES = 1 << 17;

/** AUX fields: what a dump says of itself. */
export type Aux = readonly (readonly [name: string, value: string | number])[];

/** A snapshot on its way. One at a time: dumps, rewrites of the log and dumps for replicas exclude each other. */
export interface BackgroundJob {
  readonly kind: 'rdb' | 'aof' | 'sync';
  readonly file: DumpSink;
  readonly snapshot: Snapshot;
  readonly startedMs: number;
  /** The job's end: null when the file is complete and on the disk. Not called for a job that was stopped. */
  readonly done: (error: unknown) => void;
  stopped: boolean;
  /** Everything has been written; only the file is still on its way to the disk. */
  complete: boolean;
}

/** Writes snapshots and whole dumps into files, whatever becomes of them then. */
export class Dumper {
  job: BackgroundJob | null = null;
  /** Bytes that changes have had the last snapshot of each kind write ahead. */
  readonly lastAheadBytes = { rdb: 0, aof: 0, sync: 0 };
  private readonly environment: Environment;
  private scheduled = false;
  /** When the next key may be written (rdb-key-save-delay), and how many have been waited for. */
  private nextKeyMs = 0;
  private keysWaitedFor = 0;
  private dump: DumpTarget | null = null;
  /** When the snapshot's last turn ended. */
  private lastTurnMs = 0;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** The same of the running one. */
  get aheadBytes(): number {
    return this.job?.snapshot.aheadBytes ?? 0;
  }

  /** Keys the running snapshot has written. */
  get keysWritten(): number {
    return this.dump?.keys ?? 0;
  }

  /** Writes everything to a new file at once. Throws what the system says; the file is gone then. */
  writeNow(path: string, aux: Aux, asCommands = false): void {
    const file = new OutputFile(path, { mode: FILE_MODE, incrementalSync: false, disk: this.environment.disk });
    try {
      const delayMs = this.keyDelayMs();
      dumpKeyspace(
        this.target((chunk) => file.writeNow(chunk), aux, asCommands),
        this.environment.keyspace,
        () => {
          if (delayMs > 0) sleep(delayMs);
        },
      );
      file.finishNow();
    } catch (error) {
      file.discard();
      throw error;
    }
  }

  /** Begins a snapshot into a new file, which is moved to `finalPath` when it is complete. Throws when it can't be made. */
  start(
    kind: BackgroundJob['kind'],
    path: string,
    aux: Aux,
    done: (error: unknown) => void,
    { asCommands = false, finalPath }: { asCommands?: boolean; finalPath?: string } = {},
  ): BackgroundJob {
    const { rdbSaveIncrementalFsync, aofRewriteIncrementalFsync } = this.environment.settings;
    const incrementalSync = kind === 'aof' ? aofRewriteIncrementalFsync : rdbSaveIncrementalFsync;
    const { disk } = this.environment;
    const file = new OutputFile(path, { mode: FILE_MODE, incrementalSync, finalPath, disk });
    return this.startInto(kind, file, aux, done, asCommands);
  }

  /** Begins a snapshot into a sink. */
  startInto(
    kind: BackgroundJob['kind'],
    file: DumpSink,
    aux: Aux,
    done: (error: unknown) => void,
    asCommands = false,
  ): BackgroundJob {
    const { environment } = this;
    file.onDrain = () => this.schedule();
    const dump = this.target((chunk) => file.write(chunk), aux, asCommands);
    this.dump = dump;
    const snapshot = new Snapshot(environment.keyspace, dump, environment.monotonicMs);
    this.job = { kind, file, snapshot, startedMs: environment.now(), done, stopped: false, complete: false };
    this.nextKeyMs = 0;
    this.keysWaitedFor = 0;
    environment.jobStarted();
    this.schedule();
    return this.job;
  }

  /** Stops the running job and removes its file. */
  stop(): void {
    const { job } = this;
    if (job === null) return;
    this.job = null;
    job.stopped = true;
    job.snapshot.abort();
    this.tellWritten(job);
    job.file.discard();
  }

  /** Lets the running job fail, unless everything has been written. */
  failJob(reason: Error): void {
    if (this.job !== null && !this.job.complete) this.fail(this.job, reason);
  }

  private schedule(): void {
    if (this.scheduled || this.job === null) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.turn();
    });
  }

  private turn(): void {
    const { job } = this;
    if (job === null || job.complete) return;
    if (job.file.error !== null) {
      this.fail(job, job.file.error);
      return;
    }
    const delayMs = this.keyDelayMs();
    if (delayMs > 0 && !job.snapshot.waiting) {
      this.slowTurn(job, delayMs);
      return;
    }
    let complete: boolean;
    try {
      complete = job.snapshot.slice(this.sliceMs(job.snapshot));
    } catch (error) {
      this.fail(job, error);
      return;
    }
    this.lastTurnMs = this.environment.monotonicMs();
    this.tellWritten(job);
    if (complete) this.complete(job);
    // Whoever waits for a value does not wait for the disk as well.
    else if (!job.file.congested || job.snapshot.waiting) this.schedule();
  }

  private sliceMs(snapshot: Snapshot): number {
    if (snapshot.waiting) return AWAITED_SLICE_MS;
    const othersMs = this.environment.monotonicMs() - this.lastTurnMs;
    return Math.max(SLICE_MS_MIN, Math.min(SLICE_MS_MAX, othersMs * SHARE));
  }

  /** Changes that waited for the snapshot are tried again, after whatever runs now. */
  private tellWritten(job: BackgroundJob): void {
    if (!job.snapshot.written) return;
    job.snapshot.written = false;
    setImmediate(() => this.environment.keyspace.whenWritten());
  }

  /**
   * rdb-key-save-delay: a key (or, for short delays, a few) and then a pause; a changed delay counts at once. Keys that
   * changes had written ahead take their time as well, or a busy server would be done before one that is idle.
   */
  private slowTurn(job: BackgroundJob, delayMs: number): void {
    const { monotonicMs } = this.environment;
    this.waitForKeys(delayMs);
    if (monotonicMs() >= this.nextKeyMs - DELAY_GRAIN_MS) {
      const complete = job.snapshot.slice(SLICE_MS_MAX, Math.max(1, Math.floor(1 / delayMs)));
      this.tellWritten(job);
      if (complete) {
        this.complete(job);
        return;
      }
      this.waitForKeys(delayMs);
    }
    this.scheduled = true;
    const timer = setTimeout(
      () => {
        this.scheduled = false;
        if (this.keyDelayMs() < delayMs) this.nextKeyMs = 0;
        this.turn();
      },
      Math.min(Math.max(0, this.nextKeyMs - monotonicMs()), DELAY_LOOK_MS),
    );
    timer.unref();
  }

  /** Puts the next key off for each that was written since. */
  private waitForKeys(delayMs: number): void {
    const keys = this.keysWritten - this.keysWaitedFor;
    if (keys === 0) return;
    this.keysWaitedFor = this.keysWritten;
    this.nextKeyMs = Math.max(this.nextKeyMs, this.environment.monotonicMs()) + keys * delayMs;
  }

  private complete(job: BackgroundJob): void {
    job.complete = true;
    job.file.finish().then(
      () => this.finish(job, null),
      (error) => this.finish(job, error),
    );
  }

  private fail(job: BackgroundJob, error: unknown): void {
    job.snapshot.abort();
    this.tellWritten(job);
    this.finish(job, error);
  }

  private finish(job: BackgroundJob, error: unknown): void {
    if (job.stopped) return;
    if (error !== null) job.file.discard();
    this.lastAheadBytes[job.kind] = job.snapshot.aheadBytes;
    this.job = null;
    this.dump = null;
    job.done(error);
  }

  private target(sink: (chunk: Uint8Array) => void, aux: Aux, asCommands: boolean): DumpTarget {
    if (asCommands) {
      const { settings, libraries, now } = this.environment;
      const seconds = settings.aofTimestampEnabled ? Math.floor(now() / 1000) : null;
      return new CommandDump(sink, libraries.all(), seconds);
    }
    const { rdbcompression, rdbchecksum } = this.environment.settings;
    const options = { compression: rdbcompression, checksum: rdbchecksum, chunkBytes: CHUNK_BYTES };
    return new DumpWriter(new RdbWriter(sink, options), this.facts(aux));
  }

  private facts(aux: Aux): DumpFacts {
    const { environment } = this;
    const { settings } = environment;
    const nowMs = environment.now();
    return {
      version: Math.max(Number(settings.rdbVersion), environment.hasExpiringFields() ? FIELD_EXPIRY_SINCE : 0),
      aux: [
        ['redis-ver', environment.redisVersion] as const,
        ['redis-bits', 64] as const,
        ['ctime', Math.floor(nowMs / 1000)] as const,
        ['used-mem', environment.usedMemory()] as const,
        ...aux,
      ],
      libraries: environment.libraries.all(),
      hints: usageHints(settings.maxmemoryPolicy),
      nowMs,
      decayMinutes: Number(settings.lfuDecayTime),
    };
  }

  private keyDelayMs(): number {
    return Number(this.environment.settings.rdbKeySaveDelay) / 1000;
  }
}

/** Which use of keys a dump notes, by maxmemory-policy. */
function usageHints(policy: string): UsageHints {
  if (policy.endsWith('lfu')) return 'frequency';
  return policy.endsWith('lru') ? 'idle' : 'none';
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
