// The end of the append-only log: commands are collected during a turn of the event loop and leave in one write; when they
// reach the disk depends on appendfsync.
//
//   always    written and flushed before any reply of the turn goes out
//   everysec  written before, flushed about once a second, in the background
//   no        written before, flushed when the system likes

import { AofEncoder } from '../formats/aof/encoder.ts';
import { type Disk, realDisk } from './disk.ts';
import { type Environment, reason } from './environment.ts';
import { FlushProgress } from './flush-progress.ts';

const FILE_MODE = 0o640;
const SYNC_EVERY_MS = 1000;
/**
 * A write waits this long for a background flush of the same file, which it would otherwise wait for in the kernel. With
 * the time between two looks (100 ms) it stays below the two seconds that everysec may lose.
 */
const POSTPONE_MS_MAX = 1800;
const ERROR_LOG_EVERY_MS = 30_000;

export interface WriterHost {
  /** Whether to leave flushing to the system for now (no-appendfsync-on-rewrite while something is being saved). */
  syncPaused(): boolean;
  /** Writing has begun to fail, or works again. */
  onStatus(): void;
  /** Flushing works again. What failed to reach the disk before may be missing there for good. */
  onFlushesAgain(): void;
}

export class AppendWriter {
  /** What the last write or flush failed with; null while all is well. */
  failure: string | null = null;
  /** Bytes of the file being written. */
  size = 0;
  delayedSyncs = 0;
  /** For tests: stops the event loop for this long before every write, ms. */
  flushDelayMs = 0;
  readonly encoder = new AofEncoder();
  readonly progress = new FlushProgress();
  private readonly environment: Environment;
  private readonly host: WriterHost;
  private readonly disk: Disk;
  private fd = -1;
  private selected = -1;
  private scheduled = false;
  /** Background flushes under way: of this file, and of the one before it. */
  private syncs = 0;
  private unsynced = false;
  private lastSyncMs = 0;
  private postponedSinceMs = 0;
  private lastErrorLogMs = Number.NEGATIVE_INFINITY;
  private lastTimestamp = 0;
  /** The failure is one of flushing. */
  private failedSync = false;

  constructor(environment: Environment, host: WriterHost) {
    this.environment = environment;
    this.host = host;
    this.disk = environment.disk ?? realDisk;
  }

  get isOpen(): boolean {
    return this.fd !== -1;
  }

  get syncInProgress(): boolean {
    return this.syncs > 0;
  }

  /** The replication offset up to which everything is on the disk; -1 while nothing is known. */
  get syncedOffset(): number {
    const { progress } = this;
    const isClean = this.encoder.length === 0 && !this.unsynced && this.syncs === 0 && !progress.doubtful;
    // What writes nothing moves the offset on, too.
    return isClean ? this.environment.replicationOffset() : progress.confirmed;
  }

  /** The offset that what is in the files stands for. */
  private get writtenOffset(): number {
    return this.encoder.length === 0 ? this.environment.replicationOffset() : -1;
  }

  /** Goes on at the end of a file, which is created if need be. Throws what the system says. */
  open(path: string, size: number): void {
    const fd = this.disk.openSync(path, 'a', FILE_MODE);
    this.close(this.environment.settings.appendfsync !== 'always');
    this.fd = fd;
    this.size = size;
    this.selected = -1;
    this.unsynced = false;
    this.postponedSinceMs = 0;
    this.failure = null;
  }

  /** Writes and flushes what there is and lets go of the file; flushing may go on in the background. Errors are logged. */
  close(inBackground = false): void {
    if (this.fd === -1) return;
    this.flush(true);
    const { fd } = this;
    this.fd = -1;
    if (inBackground) {
      // Until this is over nothing is written to the file that follows: it must not reach the disk before this one does.
      this.syncs++;
      const flush = this.progress.begin(this.writtenOffset);
      this.disk.fdatasync(fd, (error) => {
        this.syncs--;
        this.progress.end(flush, error === null);
        if (error !== null) this.syncFailed(error);
        else this.environment.logSynced();
        this.disk.close(fd, () => undefined);
      });
      return;
    }
    try {
      this.disk.fdatasyncSync(fd);
    } catch (error) {
      this.progress.fail();
      this.environment.log('warning', `Fail to fsync the AOF file: ${reason(error)}`);
    }
    this.disk.closeSync(fd);
  }

  /** Flushes to the disk now, whatever the policy; whether it worked (the log tells why not). */
  syncForGood(): boolean {
    try {
      this.disk.fdatasyncSync(this.fd);
      return this.encoder.length === 0;
    } catch (error) {
      this.environment.log('warning', `Fail to fsync the AOF file: ${reason(error)}.`);
      return false;
    }
  }

  /** Says what database the command that follows is for (-1: for none); the time, too, if wanted. */
  begin(db: number): void {
    const { encoder, environment } = this;
    if (!this.scheduled) this.schedule();
    if (environment.settings.aofTimestampEnabled) {
      const seconds = Math.floor(environment.now() / 1000);
      if (seconds !== this.lastTimestamp) encoder.timestamp(seconds);
      this.lastTimestamp = seconds;
    }
    if (db !== -1 && this.selected !== db) {
      encoder.command(2);
      encoder.text('SELECT');
      encoder.integer(db);
      this.selected = db;
    }
  }

  private schedule(): void {
    this.scheduled = true;
    this.progress.confirmed = this.syncedOffset;
    // Nobody hears of a write that is not in the log: so it is in Redis with every policy, and tests look.
    this.environment.holdReplies(true);
    setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    this.flush(false);
    this.environment.holdReplies(false);
  };

  /** Background flushes, postponed writes, and writes that failed: ten times a second. */
  tick(): void {
    if (this.fd === -1) return;
    if (this.encoder.length > 0 || this.unsynced) this.flush(false);
  }

  /** Writes what was collected, unless it had better wait. */
  flush(force: boolean): void {
    if (this.fd === -1) return;
    const { encoder } = this;
    const policy = this.environment.settings.appendfsync;
    if (encoder.length > 0) {
      if (policy === 'everysec' && this.syncs > 0 && !force && this.postpone()) return;
      if (!this.write()) return;
    }
    if (!this.unsynced || this.host.syncPaused()) return;
    if (policy === 'always') this.syncNow();
    else if (policy === 'everysec') this.syncIfDue();
  }

  /** Whether the write waits for the flush under way. */
  private postpone(): boolean {
    const nowMs = this.environment.monotonicMs();
    if (this.postponedSinceMs === 0) {
      this.postponedSinceMs = nowMs;
      return true;
    }
    if (nowMs - this.postponedSinceMs < POSTPONE_MS_MAX) return true;
    this.delayedSyncs++;
    this.environment.log(
      'notice',
      'Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down Redis.',
    );
    return false;
  }

  private write(): boolean {
    if (this.flushDelayMs > 0) sleep(this.flushDelayMs);
    const bytes = this.encoder.bytes();
    this.postponedSinceMs = 0;
    let done = 0;
    try {
      while (done < bytes.length) done += this.disk.writeSync(this.fd, bytes, done, bytes.length - done, null);
    } catch (error) {
      this.writeFailed(error, done, bytes.length);
      return false;
    }
    this.size += bytes.length;
    this.encoder.clear();
    this.unsynced = true;
    if (this.failure !== null) {
      this.environment.log('warning', 'AOF write error looks solved, Redis can write again.');
      this.failure = null;
      this.host.onStatus();
    }
    return true;
  }

  /** A command cut in half must not stay: what was written of this batch is taken back, and all of it tried again later. */
  private writeFailed(error: unknown, done: number, expected: number): void {
    const { log, settings, monotonicMs } = this.environment;
    const nowMs = monotonicMs();
    if (nowMs - this.lastErrorLogMs > ERROR_LOG_EVERY_MS) {
      this.lastErrorLogMs = nowMs;
      log('warning', `Error writing to the AOF file: ${reason(error)}`);
      if (done > 0) {
        log('warning', `Short write while writing to the AOF file: (nwritten=${done}, expected=${expected})`);
      }
    }
    if (done > 0) this.takeBack(done);
    if (settings.appendfsync === 'always') {
      log('warning', "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
      this.environment.exit(1);
    }
    this.failure = reason(error);
    this.host.onStatus();
  }

  private takeBack(written: number): void {
    try {
      this.disk.ftruncateSync(this.fd, this.size);
    } catch (error) {
      this.environment.log(
        'warning',
        `Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next time it starts.  ftruncate: ${reason(error)}`,
      );
      // The file keeps the first part: the rest has to follow it.
      this.size += written;
      const rest = Buffer.from(this.encoder.bytes().subarray(written));
      this.encoder.clear();
      this.encoder.raw(rest, 0, rest.length);
    }
  }

  private syncNow(): void {
    try {
      this.disk.fdatasyncSync(this.fd);
    } catch (error) {
      this.environment.log(
        'warning',
        `Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${reason(error)}. Exiting...`,
      );
      this.environment.exit(1);
    }
    this.unsynced = false;
    this.lastSyncMs = this.environment.monotonicMs();
    this.environment.logSynced();
  }

  private syncIfDue(): void {
    const nowMs = this.environment.monotonicMs();
    if (this.syncs > 0 || nowMs - this.lastSyncMs < SYNC_EVERY_MS) return;
    this.syncs++;
    this.unsynced = false;
    this.lastSyncMs = nowMs;
    const { fd } = this;
    const flush = this.progress.begin(this.writtenOffset);
    this.disk.fdatasync(fd, (error) => {
      this.syncs--;
      this.progress.end(flush, error === null);
      // A file that was closed meanwhile has been flushed then.
      if (fd === this.fd) this.syncEnded(error);
      if (error === null) this.environment.logSynced();
    });
  }

  private syncEnded(error: NodeJS.ErrnoException | null): void {
    if (error !== null) this.syncFailed(error);
    else if (this.failedSync) {
      this.failedSync = false;
      this.failure = null;
      this.environment.log('warning', 'AOF fsync error looks solved, Redis can write again.');
      this.host.onStatus();
      this.host.onFlushesAgain();
    }
  }

  private syncFailed(error: Error): void {
    if (this.failure === null) this.environment.log('warning', `Fail to fsync the AOF file: ${reason(error)}`);
    this.unsynced = true;
    this.failure = reason(error);
    this.failedSync = true;
    this.host.onStatus();
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
