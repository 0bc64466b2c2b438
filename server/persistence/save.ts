// Dumps on disk: SAVE, BGSAVE, save points. A dump is written to a temporary file in the same directory, flushed, renamed
// and the rename flushed, so the old dump stays whole until the new one is.

import { basename, join } from 'node:path';
import type { Dumper } from './dumper.ts';
import { type Environment, reason } from './environment.ts';
import { moveIntoPlace, removeQuietly, temporaryPath } from './output-file.ts';

/** After a failed save the next one is not tried for this long. */
const RETRY_SECONDS = 5;

/** LASTSAVE, SAVE, BGSAVE, save points and what INFO tells of them. */
export class Saver {
  /** Seconds since 1970. */
  lastSaveSeconds: number;
  lastOk = true;
  /** Duration of the last background save, s; -1 before the first. */
  lastDurationSeconds = -1;
  saves = 0;
  scheduled = false;
  /** Told when a save has succeeded or failed. */
  onResult: (ok: boolean) => void = () => undefined;
  /** Told when a background save has ended or was given up. */
  onEnded: (ok: boolean) => void = () => undefined;
  private lastTrySeconds = 0;
  private dirtyAtStart = 0;
  private readonly environment: Environment;
  private readonly dumper: Dumper;

  constructor(environment: Environment, dumper: Dumper) {
    this.environment = environment;
    this.dumper = dumper;
    this.lastSaveSeconds = Math.floor(environment.now() / 1000);
  }

  get inProgress(): boolean {
    return this.dumper.job?.kind === 'rdb';
  }

  /** Saves at once; whether it worked (the log tells why not). Who asked is told: writes go on if it did not. */
  save(): boolean {
    const { environment } = this;
    const path = this.path();
    const temporary = temporaryPath(path, environment.randomBytes, '.rdb');
    this.saves++;
    try {
      this.dumper.writeNow(temporary, environment.replicationAux());
    } catch (error) {
      this.logFailure(error, temporary);
      return false;
    }
    if (!this.move(temporary, path)) return false;
    environment.log('notice', 'DB saved on disk');
    environment.keyspace.dirty = 0;
    this.lastSaveSeconds = Math.floor(environment.now() / 1000);
    this.setResult(true);
    return true;
  }

  /** Begins a background save; whether it began (the log tells why not). */
  start(): boolean {
    const { environment, dumper } = this;
    const path = this.path();
    const temporary = temporaryPath(path, environment.randomBytes, '.rdb');
    this.saves++;
    this.scheduled = false;
    this.dirtyAtStart = environment.keyspace.dirty;
    this.lastTrySeconds = Math.floor(environment.now() / 1000);
    try {
      const done = (error: unknown) => this.onEnded(this.ended(error, path, temporary));
      dumper.start('rdb', temporary, environment.replicationAux(), done, { finalPath: path });
    } catch (error) {
      this.logFailure(error, temporary);
      this.setResult(false);
      return false;
    }
    environment.log('notice', `Background saving started by pid ${process.pid}`);
    return true;
  }

  /** A running background save is given up. */
  stop(): void {
    if (!this.inProgress) return;
    this.dumper.stop();
    this.onEnded(false);
  }

  /** Begins a save when a save point or a scheduled BGSAVE asks for it. */
  cron(nowMs: number): void {
    if (this.dumper.job !== null) return;
    const { settings, keyspace, log } = this.environment;
    const now = Math.floor(nowMs / 1000);
    const mayTry = this.lastOk || now - this.lastTrySeconds > RETRY_SECONDS;
    // While a failed save keeps writes out, no change would ever reach a save point: it is tried again whatever the time.
    const keepsWritesOut = !this.lastOk && settings.stopWritesOnBgsaveError;
    for (const { seconds, changes } of settings.save) {
      if (!mayTry) break;
      if (!keepsWritesOut && (keyspace.dirty < changes || now - this.lastSaveSeconds <= seconds)) continue;
      log('notice', keepsWritesOut ? 'Trying to save again...' : `${changes} changes in ${seconds} seconds. Saving...`);
      this.start();
      return;
    }
    if (this.scheduled && mayTry) this.start();
  }

  /** Seconds the running save has taken so far, -1 when there is none. */
  currentSeconds(): number {
    const { job } = this.dumper;
    return job?.kind === 'rdb' ? Math.floor((this.environment.now() - job.startedMs) / 1000) : -1;
  }

  private path(): string {
    return join(this.directory(), this.environment.settings.string('dbfilename'));
  }

  private directory(): string {
    return this.environment.settings.string('dir');
  }

  private ended(error: unknown, path: string, temporary: string): boolean {
    const { environment } = this;
    const nowSeconds = Math.floor(environment.now() / 1000);
    this.lastDurationSeconds = nowSeconds - this.lastTrySeconds;
    if (error !== null) {
      if ((error as NodeJS.ErrnoException).syscall === 'rename') this.logMoveFailure(error, temporary, path);
      else this.logFailure(error, temporary);
      environment.log('warning', 'Background saving error');
      this.setResult(false);
      return false;
    }
    environment.log('notice', 'DB saved on disk');
    environment.log('notice', 'Background saving terminated with success');
    environment.keyspace.dirty -= this.dirtyAtStart;
    this.lastSaveSeconds = nowSeconds;
    this.setResult(true);
    return true;
  }

  private move(temporary: string, path: string): boolean {
    try {
      moveIntoPlace(temporary, path, this.environment.disk);
      return true;
    } catch (error) {
      this.logMoveFailure(error, temporary, path);
      removeQuietly(temporary);
      return false;
    }
  }

  private logMoveFailure(error: unknown, temporary: string, path: string): void {
    this.environment.log(
      'warning',
      `Error moving temp DB file ${basename(temporary)} on the final destination ${basename(path)} (in server root dir ${this.directory()}): ${reason(error)}`,
    );
  }

  private logFailure(error: unknown, temporary: string): void {
    const { syscall } = error as NodeJS.ErrnoException;
    const text =
      syscall === 'open'
        ? `Failed opening the temp RDB file ${basename(temporary)} (in server root dir ${this.directory()}) for saving: ${reason(error)}`
        : `Write error saving DB on disk(${syscall ?? 'write'}): ${reason(error)}`;
    this.environment.log('warning', text);
  }

  private setResult(ok: boolean): void {
    this.lastOk = ok;
    this.onResult(ok);
  }
}
