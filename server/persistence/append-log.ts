// The append-only log as a whole: on and off, loading, writing, rewriting. A rewrite begins a new increment, writes a
// snapshot of that instant as the new base, and replaces the manifest when the base is complete; whatever happens in
// between, the manifest on the disk names files that together are the data.

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { AofFileInfo } from '../formats/aof/manifest.ts';
import { accessReport } from './access-report.ts';
import { AppendFiles, AppendFilesError } from './append-files.ts';
import { AppendWriter } from './append-writer.ts';
import { type Disk, realDisk } from './disk.ts';
import type { Dumper } from './dumper.ts';
import { type Environment, reason } from './environment.ts';
import { LogLoader, type Replayer } from './load-append.ts';
import { removeInBackground, removeQuietly, syncDirectory, temporaryPath } from './output-file.ts';
import { RewriteLimit } from './rewrite-limit.ts';

const BASE_AUX = [['aof-base', 1]] as const;

/** `waiting`: switched on, but the data set is not in the log before the first rewrite is complete. */
type State = 'off' | 'waiting' | 'on';

export class AppendLog {
  state: State = 'off';
  rewriteScheduled = false;
  lastRewriteOk = true;
  rewrites = 0;
  /** Duration of the last rewrite, s; -1 before the first. */
  lastRewriteSeconds = -1;
  /** Bytes of base and increments before the one being written. */
  private earlierBytes = 0;
  /** Bytes right after the last rewrite, or at start. */
  rewriteBaseBytes = 0;
  readonly files: AppendFiles;
  readonly writer: AppendWriter;
  readonly limit = new RewriteLimit();
  private readonly environment: Environment;
  private readonly dumper: Dumper;
  private readonly disk: Disk;
  /** The increment that is written while `waiting`, outside the manifest. */
  private temporaryIncrement: string | null = null;
  private rewriteStartedMs = 0;
  /** Where the rewrite began: the replication offset, and the flushes that had failed before. */
  private rewriteStart = { offset: -1, failures: 0 };

  constructor(environment: Environment, dumper: Dumper, onStatus: () => void) {
    this.environment = environment;
    this.dumper = dumper;
    this.disk = environment.disk ?? realDisk;
    this.files = new AppendFiles(environment);
    this.writer = new AppendWriter(environment, {
      syncPaused: () => environment.settings.noAppendfsyncOnRewrite && dumper.job !== null,
      onStatus,
      onFlushesAgain: () => this.startOver(),
    });
  }

  /** Whether commands have to be written. */
  get active(): boolean {
    return this.state !== 'off' && this.writer.isOpen;
  }

  /** The replication offset up to which the log is on the disk; -1 where there is none, or none that is complete yet. */
  get syncedOffset(): number {
    return this.state === 'on' ? this.writer.syncedOffset : -1;
  }

  get rewriting(): boolean {
    return this.dumper.job?.kind === 'aof';
  }

  get currentBytes(): number {
    return this.earlierBytes + (this.writer.isOpen ? this.writer.size : 0);
  }

  /** Writes a command. */
  write(db: number, args: readonly Uint8Array[]): void {
    const { writer } = this;
    writer.begin(db);
    writer.encoder.command(args.length);
    for (const arg of args) writer.encoder.argument(arg, 0, arg.length);
  }

  /** Writes a command whose arguments are ranges of a buffer. */
  writeRanges(db: number, buf: Uint8Array, pos: Int32Array, len: Int32Array, count: number): void {
    const { writer } = this;
    writer.begin(db);
    writer.encoder.command(count);
    for (let i = 0; i < count; i++) writer.encoder.argument(buf, pos[i], pos[i] + len[i]);
  }

  // --- start ---

  /** Prepares loading. Throws AppendFilesError. */
  loader(replayer: Replayer): LogLoader {
    this.files.read();
    this.files.upgrade();
    return new LogLoader(this.environment, this.files, replayer);
  }

  /** Opens the log for writing once the data is loaded. Throws what the system says. */
  openAfterLoad(): void {
    const { files, environment } = this;
    files.makeDirectory();
    const { manifest } = files;
    const isNew = manifest.base === null && manifest.incr.length === 0;
    if (isNew) {
      const base = files.nextBase(environment.settings.aofUseRdbPreamble);
      environment.log('notice', `Creating AOF base file ${base.name} on server start`);
      const temporary = this.temporaryPath('.aof');
      this.dumper.writeNow(temporary, BASE_AUX, !environment.settings.aofUseRdbPreamble);
      this.disk.renameSync(temporary, files.path(base.name));
      syncDirectory(files.directory, this.disk);
      manifest.base = base;
    }
    const last = manifest.incr.at(-1);
    const increment = last ?? files.nextIncrement();
    const path = files.path(increment.name);
    const what = last === undefined ? 'Creating' : 'Opening';
    try {
      this.writer.open(path, last === undefined ? 0 : statSync(path).size);
    } catch (error) {
      throw new AppendFilesError(
        `${accessReport(path)}\nCan't open the append-only file ${increment.name}: ${reason(error)}`,
      );
    }
    environment.log('notice', `${what} AOF incr file ${increment.name} on server start`);
    if (last === undefined || isNew) {
      files.replaceManifest({ ...manifest, incr: last === undefined ? [...manifest.incr, increment] : manifest.incr });
    }
    this.state = 'on';
    files.dropHistory();
    this.measure();
    this.rewriteBaseBytes = this.currentBytes;
  }

  /** Takes sizes from the disk. */
  private measure(): void {
    this.earlierBytes = this.files.sizes().total - this.writer.size;
  }

  // --- on and off at run time ---

  /** CONFIG SET appendonly yes: a reason why not, or undefined. */
  switchOn(inTransaction: boolean): string | undefined {
    const { log } = this.environment;
    const { job } = this.dumper;
    this.state = 'waiting';
    this.writer.progress.restart();
    if (job?.kind === 'rdb' || inTransaction) {
      this.rewriteScheduled = true;
      log(
        'notice',
        inTransaction
          ? 'AOF was enabled during a transaction. An AOF background was scheduled to start when possible.'
          : 'AOF was enabled but there is already another background operation. An AOF background was scheduled to start when possible.',
      );
      return undefined;
    }
    if (job !== null) {
      log(
        'notice',
        'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.',
      );
      this.stopRewrite();
    }
    if (this.files.manifest.base === null) this.files.read();
    if (this.startRewrite()) return undefined;
    this.state = 'off';
    log(
      'warning',
      "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs for more info about the error.",
    );
    return 'Unable to turn on AOF. Check server logs.';
  }

  switchOff(): void {
    this.stopRewrite();
    this.writer.close();
    this.writer.progress.restart();
    this.state = 'off';
    this.rewriteScheduled = false;
    this.rewriteBaseBytes = 0;
    this.earlierBytes = 0;
    this.environment.logSynced();
  }

  // --- rewriting ---

  /**
   * After a failed flush the system may have dropped what it could not write, and says nothing of it a second time: only
   * new files are certain to hold everything.
   */
  private startOver(): void {
    if (this.state !== 'on') return;
    this.environment.log('notice', 'The AOF is rewritten, because what could not be flushed may be missing in it.');
    this.rewriteScheduled = true;
  }

  /** Writes what waits, and begins a rewrite when one is scheduled or due. */
  cron(nowMs: number): void {
    this.writer.tick();
    if (this.dumper.job !== null || this.writer.failure !== null) return;
    if (this.rewriteScheduled) {
      if (!this.isLimited(nowMs)) this.startRewrite();
      return;
    }
    const { autoAofRewritePercentage, autoAofRewriteMinSize } = this.environment.settings;
    const percentage = Number(autoAofRewritePercentage);
    const bytes = this.currentBytes;
    if (this.state !== 'on' || percentage === 0 || bytes <= Number(autoAofRewriteMinSize)) return;
    const growth = Math.floor((bytes * 100) / Math.max(1, this.rewriteBaseBytes)) - 100;
    if (growth < percentage || this.isLimited(nowMs)) return;
    this.environment.log('notice', `Starting automatic rewriting of AOF on ${growth}% growth`);
    this.startRewrite();
  }

  /** Whether rewrites that nobody asks for have to wait because the last ones have failed; said once each time. */
  private isLimited(nowMs: number): boolean {
    if (this.limit.shouldTell(nowMs)) {
      this.environment.log(
        'warning',
        `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${this.limit.waitMinutes} minutes`,
      );
    }
    return this.limit.waits(nowMs);
  }

  /** Seconds the running rewrite has taken, -1 when there is none. */
  currentRewriteSeconds(nowMs: number): number {
    return this.rewriting ? Math.floor((nowMs - this.rewriteStartedMs) / 1000) : -1;
  }

  /** Begins a rewrite; whether it began (the log tells why not). */
  startRewrite(): boolean {
    const { environment, files } = this;
    const isDump = environment.settings.aofUseRdbPreamble;
    this.rewriteScheduled = false;
    this.rewriteStartedMs = environment.now();
    try {
      files.makeDirectory();
      this.beginIncrement();
      this.rewriteStart = {
        offset: environment.replicationOffset(),
        failures: this.writer.progress.failures,
      };
      const temporary = this.temporaryPath('-rewrite.aof');
      this.dumper.start('aof', temporary, BASE_AUX, (error) => this.ended(error, temporary, isDump), {
        asCommands: !isDump,
      });
    } catch (error) {
      const own = error instanceof AppendFilesError;
      environment.log(
        'warning',
        own ? error.message : `Can't rewrite the append only file in background: ${reason(error)}`,
      );
      this.lastRewriteOk = false;
      this.limit.failed();
      return false;
    }
    environment.log('notice', `Background append only file rewriting started by pid ${process.pid}`);
    return true;
  }

  /** Stops a rewrite; the old base and all increments stay the log. */
  stopRewrite(): void {
    if (!this.rewriting) return;
    this.environment.log('notice', `Killing running AOF rewrite child: ${process.pid}`);
    this.dumper.stop();
    this.dropTemporaryIncrement();
  }

  /** Goes on in a new file, so that the snapshot and what follows it are apart. */
  private beginIncrement(): void {
    const { environment, files, writer } = this;
    if (this.state === 'off') return;
    if (this.state === 'waiting') {
      this.dropTemporaryIncrement();
      const path = files.path(`temp-${files.name}.incr`);
      environment.log('notice', `Creating AOF incr file ${basename(path)} on background rewrite`);
      removeQuietly(path, this.disk);
      writer.open(path, 0);
      this.temporaryIncrement = path;
      return;
    }
    const increment = files.nextIncrement();
    environment.log('notice', `Creating AOF incr file ${increment.name} on background rewrite`);
    const before = this.currentBytes;
    writer.flush(true);
    // The base will have these commands; they must not follow it once more.
    if (writer.encoder.length > 0) throw new Error(writer.failure ?? 'commands wait to be written');
    const path = files.path(increment.name);
    const current = writer.size;
    writer.open(path, 0);
    this.earlierBytes = before;
    try {
      files.replaceManifest({ ...files.manifest, incr: [...files.manifest.incr, increment] });
    } catch (error) {
      const last = files.manifest.incr.at(-1) as AofFileInfo;
      writer.open(files.path(last.name), current);
      this.earlierBytes = before - current;
      removeQuietly(path, this.disk);
      throw error;
    }
  }

  private ended(error: unknown, temporary: string, isDump: boolean): void {
    const { environment } = this;
    this.lastRewriteSeconds = Math.floor((environment.now() - this.rewriteStartedMs) / 1000);
    this.rewrites++;
    try {
      if (error !== null) throw error;
      environment.log('notice', `Successfully created the temporary AOF base file ${basename(temporary)}`);
      environment.log('notice', 'Background AOF rewrite terminated with success');
      this.install(temporary, isDump);
    } catch (failure) {
      environment.log('warning', `Background AOF rewrite terminated with error: ${reason(failure)}`);
      removeInBackground(temporary, this.disk);
      this.lastRewriteOk = false;
      this.limit.failed();
      if (this.state === 'waiting') {
        this.dropTemporaryIncrement();
        this.rewriteScheduled = true;
      }
      return;
    }
    this.lastRewriteOk = true;
    this.limit.succeeded();
    environment.log('notice', 'Background AOF rewrite finished successfully');
  }

  /** The new base is complete: it and the increments since its beginning become the log. */
  private install(temporary: string, isDump: boolean): void {
    const { environment, files } = this;
    const { manifest } = files;
    const base = files.nextBase(isDump);
    this.disk.renameSync(temporary, files.path(base.name));
    environment.log(
      'notice',
      `Successfully renamed the temporary AOF base file ${basename(temporary)} into ${base.name}`,
    );
    let incr: AofFileInfo[] = [];
    let kept = manifest.incr.length;
    if (this.state === 'waiting' && this.temporaryIncrement !== null) {
      const increment = files.nextIncrement();
      this.disk.renameSync(this.temporaryIncrement, files.path(increment.name));
      environment.log(
        'notice',
        `Successfully renamed the temporary AOF incr file ${basename(this.temporaryIncrement)} into ${increment.name}`,
      );
      incr = [increment];
    } else if (this.state === 'on') {
      incr = manifest.incr.slice(-1);
      kept--;
    }
    // The newest first, as Redis writes it.
    const history = [...manifest.incr.slice(0, kept)].reverse();
    if (manifest.base !== null) history.push(manifest.base);
    const old = history.map((file): AofFileInfo => ({ ...file, type: 'history' }));
    syncDirectory(files.directory, this.disk);
    files.replaceManifest({ base, incr, history: [...old, ...manifest.history] });
    this.temporaryIncrement = null;
    if (this.state === 'waiting') this.state = 'on';
    if (this.state === 'on') {
      this.measure();
      this.rewriteBaseBytes = this.currentBytes;
    }
    files.dropHistory();
    const { offset, failures } = this.rewriteStart;
    this.writer.progress.trust(offset, failures === this.writer.progress.failures);
    environment.logSynced();
  }

  private dropTemporaryIncrement(): void {
    if (this.temporaryIncrement === null) return;
    const name = basename(this.temporaryIncrement);
    this.environment.log('notice', `Removing the temp incr aof file ${name} in the background`);
    this.writer.close(true);
    removeInBackground(this.temporaryIncrement, this.disk);
    this.temporaryIncrement = null;
  }

  private temporaryPath(extension: string): string {
    return temporaryPath(this.files.path('x'), this.environment.randomBytes, extension);
  }
}
