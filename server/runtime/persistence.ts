// Persistence as the server sees it: what commands ask for (SAVE, BGREWRITEAOF, DEBUG RELOAD), what the cron drives, what
// INFO tells, loading at start and the last save at the end. The work itself is done in persistence/.

import { join } from 'node:path';
import type { Context } from '../commands/context.ts';
import { CommandError } from '../commands/errors.ts';
import { hasExpiringFields, watchFields } from '../commands/hash-field-expiry.ts';
import type { PersistenceService, ShutdownOptions } from '../commands/services.ts';
import type { DumpSink } from '../formats/rdb/sink.ts';
import { accessReport } from '../persistence/access-report.ts';
import { AppendFilesError } from '../persistence/append-files.ts';
import { AppendLog } from '../persistence/append-log.ts';
import { Dumper } from '../persistence/dumper.ts';
import type { Environment, LibraryStore } from '../persistence/environment.ts';
import { reason } from '../persistence/environment.ts';
import { DumpLoader, LoadError, type LoadProgress } from '../persistence/load.ts';
import type { LogState } from '../persistence/load-append.ts';
import type { LoadVisitor } from '../persistence/load-visitor.ts';
import { removeLeftovers, removeQuietly } from '../persistence/output-file.ts';
import { Saver } from '../persistence/save.ts';
import { Values } from '../persistence/values.ts';
import { type InfoLines, persistenceLines } from './persistence-info.ts';
import { createReplayer } from './replay.ts';
import type { Server } from './server.ts';

const MISCONF_RDB =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";

const ANOTHER_CHILD =
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.";

/** What persistence takes from parts that are made elsewhere. */
export interface PersistenceLinks {
  libraries?: LibraryStore;
}

export function createPersistence(server: Server, links: PersistenceLinks = {}): Persistence {
  return new Persistence(server, links.libraries ?? new KeptLibraries());
}

/** Who is told of the ends of dumps: replication. */
export interface DumpListener {
  fileReady(ok: boolean): void;
  streamEnded(error: unknown): void;
}

export class Persistence implements PersistenceService {
  /** Waits for dumps for replicas. */
  dumpListener: DumpListener | null = null;
  /** MISCONF text while writes are refused, or null. Asked for before every command. */
  writesRefused: string | null = null;
  readonly values: Values;
  readonly environment: Environment;
  private readonly server: Server;
  private readonly dumper: Dumper;
  private readonly saver: Saver;
  private readonly appendLog: AppendLog;
  /** What is loaded while clients are served must not be written to the log again. */
  private reloading = false;
  private progress: LoadProgress | null = null;
  /** Told of each key that the start drops because its time is over, with the facts of the dump. */
  onExpired: (facts: ReadonlyMap<string, string>, database: number, key: Buffer) => void = () => undefined;
  /** Facts of the dump that the server started with. */
  loadedDump: ReadonlyMap<string, string> | null = null;
  private lastLoad = { expired: 0, loaded: 0 };

  constructor(server: Server, libraries: LibraryStore) {
    this.server = server;
    this.environment = environmentOf(server, libraries);
    this.values = new Values(this.environment);
    this.dumper = new Dumper(this.environment);
    this.saver = new Saver(this.environment, this.dumper);
    this.saver.onResult = () => this.judge();
    this.saver.onEnded = (ok) => this.dumpListener?.fileReady(ok);
    this.appendLog = new AppendLog(this.environment, this.dumper, () => this.judge());
    this.followSettings();
    this.writeLog();
    this.followFlushes();
  }

  /** FLUSHALL stops a save before everything goes, or the save would have to write all that is left at once. */
  private followFlushes(): void {
    const { dumper } = this;
    this.server.events.listen({
      get active() {
        return dumper.job !== null;
      },
      keyChanged: () => undefined,
      databaseChanged: (db) => {
        // DEBUG LOADAOF empties it, too, and leaves a save alone.
        if (db === null && !this.reloading) this.stopDumps();
      },
      swapped: () => undefined,
    });
  }

  /** Gives up what is being saved or sent of the data that is about to go. */
  stopDumps(): void {
    this.saver.stop();
    if (this.runningDump === 'stream') {
      this.stopStream();
      this.dumpListener?.streamEnded(new Error('given up because of FLUSHALL'));
    }
  }

  // --- dumps for replicas ---

  get runningDump(): 'file' | 'stream' | 'other' | null {
    const { job } = this.dumper;
    if (job === null) return null;
    if (job.kind === 'aof') return 'other';
    return job.kind === 'rdb' ? 'file' : 'stream';
  }

  saveForReplicas(): boolean {
    return this.saver.start();
  }

  /** Begins a dump into a sink; whether it began. */
  dumpInto(sink: DumpSink): boolean {
    this.dumper.startInto('sync', sink, this.environment.replicationAux(), (error) =>
      this.dumpListener?.streamEnded(error),
    );
    return true;
  }

  stopStream(): void {
    if (this.runningDump === 'stream') this.dumper.stop();
  }

  private followSettings(): void {
    const { settings, context } = this.server;
    settings.onChange(['save', 'stop-writes-on-bgsave-error'], () => {
      this.judge();
      return undefined;
    });
    settings.onChange(['aof-disable-auto-gc'], () => {
      if (!settings.aofDisableAutoGc && this.appendLog.state !== 'off') this.appendLog.files.dropHistory();
      return undefined;
    });
    settings.onChange(['appendonly'], () => {
      const { state } = this.appendLog;
      if (settings.appendonly && state === 'off') return this.appendLog.switchOn(context.inTransaction);
      if (!settings.appendonly && state !== 'off') this.appendLog.switchOff();
      this.judge();
      return undefined;
    });
  }

  /** Takes the writes that clients make. */
  private writeLog(): void {
    const log = this.appendLog;
    const isActive = () => log.active && !this.reloading;
    this.server.events.sinks.push({
      get active() {
        return isActive();
      },
      takesMessages: false,
      write: (db, args) => {
        log.write(db, args);
        this.server.replication.logged();
      },
      writeRequest: (c: Context) => {
        log.writeRanges(c.db.index, c.buf, c.pos, c.len, c.argc);
        this.server.replication.logged();
      },
    });
  }

  /** The replication offset up to which the log is on the disk; -1 where there is no complete log. */
  get syncedOffset(): number {
    return this.appendLog.syncedOffset;
  }

  get lastSaveSeconds(): number {
    return this.saver.lastSaveSeconds;
  }

  // --- commands ---

  save(): string | null {
    if (this.isDumping) return 'ERR Background save already in progress';
    return this.saver.save() ? null : 'ERR';
  }

  saveInBackground(schedule: boolean): string {
    if (this.isDumping) throw new CommandError('ERR Background save already in progress');
    const { inTransaction } = this.server.context;
    if (this.dumper.job !== null || inTransaction) {
      if (!schedule && !inTransaction) throw new CommandError(ANOTHER_CHILD);
      this.saver.scheduled = true;
      return 'Background saving scheduled';
    }
    if (!this.saver.start()) throw new CommandError('ERR');
    return 'Background saving started';
  }

  private get isDumping(): boolean {
    return this.runningDump === 'file' || this.runningDump === 'stream';
  }

  rewriteAppendOnly(): string {
    const log = this.appendLog;
    if (log.rewriting) throw new CommandError('ERR Background append only file rewriting already in progress');
    if (this.dumper.job !== null || this.server.context.inTransaction) {
      log.rewriteScheduled = true;
      return 'Background append only file rewriting scheduled';
    }
    if (log.startRewrite()) return 'Background append only file rewriting started';
    throw new CommandError(
      "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
    );
  }

  failJob(): void {
    this.dumper.failJob(new Error('ended by DEBUG FAIL-JOB'));
  }

  delayFlush(ms: number): void {
    this.appendLog.writer.flushDelayMs = ms;
  }

  dropFunctions(): void {
    this.environment.libraries.clear();
  }

  emptied(): void {
    this.saver.stop();
    if (this.server.settings.save.length > 0) this.saver.save();
  }

  reload(options: { save: boolean; flush: boolean }): string | null {
    if (options.save && !this.saver.save()) return 'ERR';
    this.saver.stop();
    if (options.flush) this.empty();
    this.reloading = true;
    try {
      const loader = new DumpLoader(this.environment, this.dumpPath(), { isPreamble: false, replaces: !options.flush });
      loader.runNow();
      loader.visitor.logTotals();
      this.keepTotals(loader.visitor);
    } catch (error) {
      this.logFailure(error);
      return 'ERR Error trying to load the RDB dump, check server logs.';
    } finally {
      this.reloading = false;
    }
    this.server.log('warning', 'DB reloaded by DEBUG RELOAD');
    return null;
  }

  loadAppendOnly(): string | null {
    const log = this.appendLog;
    if (log.state === 'on') log.writer.flush(true);
    this.reloading = true;
    this.empty();
    const { context } = this.server;
    const request = { argc: context.argc, buf: context.buf, pos: context.pos, len: context.len };
    const { command } = context;
    try {
      log.loader(createReplayer(this.server)).runNow();
    } catch (error) {
      this.logFailure(error);
      return 'ERR Error trying to load the AOF files, check server logs.';
    } finally {
      this.reloading = false;
      Object.assign(context, request, { command });
    }
    this.server.keyspace.dirty = 0;
    this.server.log('warning', 'Append Only File loaded by DEBUG LOADAOF');
    return null;
  }

  // --- data from a primary ---

  /** Replaces everything by the dump on the disk; gives the dump's facts. Rejects when it cannot be used. */
  async replaceFromDump(): Promise<ReadonlyMap<string, string>> {
    const { server } = this;
    this.suspendLog();
    this.empty();
    server.loading = true;
    server.log('notice', 'MASTER <-> REPLICA sync: Loading DB in memory');
    try {
      return (await this.loadSteps()).auxFields;
    } catch (error) {
      this.logFailure(error);
      this.empty();
      throw new Error('Failed trying to load the MASTER synchronization DB from disk, check server logs.');
    } finally {
      server.loading = false;
      this.progress = null;
      this.resumeLog();
    }
  }

  /** Libraries that came with a dump, in place of those that are there. */
  replaceLibraries(codes: readonly Uint8Array[]): void {
    const { libraries } = this.environment;
    libraries.clear();
    for (const code of codes) {
      const problem = libraries.load(code);
      if (problem !== null) this.server.log('warning', `Failed loading library, ${problem}`);
    }
  }

  /** The log must not see data that gives way, nor the data that comes; afterwards it is written anew. */
  suspendLog(): void {
    if (this.appendLog.state !== 'off') this.appendLog.switchOff();
  }

  resumeLog(): void {
    if (this.server.settings.appendonly && this.appendLog.state === 'off') this.appendLog.switchOn(false);
  }

  noteProgress(loadedBytes: number): void {
    if (this.progress !== null) this.progress.loadedBytes = loadedBytes;
  }

  endProgress(): void {
    this.progress = null;
  }

  /** The dump only served a synchronisation: it goes, where nothing else is to be kept on the disk either. */
  removeSyncFile(): void {
    const { settings, log } = this.server;
    if (!settings.rdbDelSyncFiles || settings.save.length > 0 || settings.appendonly) return;
    log('notice', 'Removing the RDB file that served a synchronization: persistence is off');
    removeQuietly(this.dumpPath());
  }

  empty(): void {
    this.server.events.databaseChanged(null, null);
    this.server.keyspace.clearAll();
    this.environment.libraries.clear();
  }

  // --- the server's life ---

  /** Loads what is on the disk; the reason why it cannot be loaded, several lines, or null. */
  async load(): Promise<string | null> {
    removeLeftovers(this.server.settings.string('dir'));
    removeLeftovers(this.appendLog.files.directory);
    try {
      if (this.server.settings.appendonly) await this.loadLog();
      else await this.loadDump();
    } catch (error) {
      if (error instanceof LoadError || error instanceof AppendFilesError) return error.message;
      return `Fatal error loading the DB: ${reason(error)}. Exiting.`;
    } finally {
      this.progress = null;
    }
    this.server.keyspace.dirty = 0;
    return null;
  }

  private async loadDump(): Promise<void> {
    const started = this.server.monotonicMs();
    let loader: DumpLoader;
    try {
      loader = new DumpLoader(this.environment, this.dumpPath(), {
        isPreamble: false,
        replaces: false,
        onExpired: (database, key) => this.onExpired(loader.visitor.auxFields, database, key),
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new LoadError(`${accessReport(this.dumpPath())}\nFatal error loading the DB: ${reason(error)}. Exiting.`);
    }
    await this.runLoader(loader);
    this.loadedDump = loader.visitor.auxFields;
    this.server.log('notice', `DB loaded from disk: ${this.secondsSince(started)} seconds`);
  }

  private async loadSteps(): Promise<LoadVisitor> {
    const loader = new DumpLoader(this.environment, this.dumpPath(), { isPreamble: false, replaces: false });
    await this.runLoader(loader);
    return loader.visitor;
  }

  private async runLoader(loader: DumpLoader): Promise<void> {
    const progress = this.startProgress(loader.totalBytes);
    for (const bytes of loader.steps()) {
      progress.loadedBytes = bytes;
      progress.memoryBytes = Number(loader.visitor.auxFields.get('used-mem') ?? 0);
      await nextTurn();
    }
    loader.visitor.logTotals();
    this.keepTotals(loader.visitor);
  }

  private async loadLog(): Promise<void> {
    const started = this.server.monotonicMs();
    const loader = this.appendLog.loader(createReplayer(this.server));
    const progress = this.startProgress(0);
    const state: LogState = await loader.run(async () => {
      progress.totalBytes = loader.totalBytes;
      progress.loadedBytes = loader.loadedBytes;
      await nextTurn();
    });
    if (loader.dump !== null) this.keepTotals(loader.dump);
    if (state === 'loaded') {
      this.server.log('notice', `DB loaded from append only file: ${this.secondsSince(started)} seconds`);
    }
    this.appendLog.openAfterLoad();
  }

  startProgress(totalBytes: number): LoadProgress {
    this.progress = { startedMs: this.server.now(), totalBytes, loadedBytes: 0, memoryBytes: 0 };
    return this.progress;
  }

  private secondsSince(startedMs: number): string {
    return ((this.server.monotonicMs() - startedMs) / 1000).toFixed(3);
  }

  cron(nowMs: number): void {
    if (this.server.loading) return;
    this.saver.cron(nowMs);
    this.appendLog.cron(nowMs);
  }

  /** Stops background work, completes the log and saves as asked; an error text when something could not be kept. */
  close(options: ShutdownOptions): string | null {
    const { log, settings } = this.server;
    const appendLog = this.appendLog;
    if (this.saver.inProgress) log('warning', 'There is a child saving an .rdb. Killing it!');
    if (appendLog.rewriting) {
      if (appendLog.state === 'waiting' && !options.force) {
        log('warning', "Writing initial AOF, can't exit.");
        return 'ERR';
      }
      log('warning', 'There is a child rewriting the AOF. Killing it!');
    }
    appendLog.stopRewrite();
    this.dumper.stop();
    if (appendLog.state === 'on') {
      log('notice', 'Calling fsync() on the AOF file.');
      appendLog.writer.flush(true);
      if (!appendLog.writer.syncForGood() && !options.force) return 'ERR';
    }
    const wanted = options.save === 'save' || (options.save === 'default' && settings.save.length > 0);
    if (!wanted || this.server.loading) return null;
    log('notice', 'Saving the final RDB snapshot before exiting.');
    return this.saver.save() ? null : 'ERR';
  }

  /** INFO persistence. */
  infoLines(): InfoLines {
    const { dumper, saver, appendLog, progress, lastLoad } = this;
    const { keyspace } = this.server;
    return persistenceLines({
      dumper,
      saver,
      appendLog,
      progress,
      isAside: this.server.loadingAside,
      lastLoad,
      dirty: keyspace.dirty,
      nowMs: this.server.now(),
    });
  }

  /** Whether data is being loaded while clients are served: it is not news to anybody. */
  get isReloading(): boolean {
    return this.reloading;
  }

  dumpPath(): string {
    const { settings } = this.server;
    return join(settings.string('dir'), settings.string('dbfilename'));
  }

  private keepTotals({ loaded, expired }: LoadVisitor): void {
    this.lastLoad = { loaded, expired };
  }

  private logFailure(error: unknown): void {
    const text = error instanceof LoadError ? error.message : `Loading the dump failed: ${reason(error)}`;
    for (const line of text.split('\n')) this.server.log('warning', line);
  }

  /** Decides anew whether writes are refused. */
  private judge(): void {
    const { settings } = this.server;
    const { failure } = this.appendLog.writer;
    const refused = settings.stopWritesOnBgsaveError && settings.save.length > 0 && !this.saver.lastOk;
    if (refused) this.writesRefused = MISCONF_RDB;
    else this.writesRefused = failure === null ? null : `MISCONF Errors writing to the AOF file: ${failure}`;
  }
}

/** Libraries kept as they came, while nothing runs them: a dump that is loaded and saved keeps them byte for byte. */
class KeptLibraries implements LibraryStore {
  private libraries: Uint8Array[] = [];

  all(): readonly Uint8Array[] {
    return this.libraries;
  }

  load(code: Uint8Array): null {
    this.libraries.push(code);
    return null;
  }

  clear(): void {
    this.libraries = [];
  }
}

function environmentOf(server: Server, libraries: LibraryStore): Environment {
  return {
    settings: server.settings,
    keyspace: server.keyspace,
    log: server.log,
    now: server.now,
    monotonicMs: server.monotonicMs,
    randomBytes: server.randomBytes,
    redisVersion: server.identity.redisVersion,
    libraries,
    usedMemory: () => server.usedMemory(),
    replicationAux: () => server.replication.dumpFields(),
    replicationOffset: () => server.replication.offset,
    logSynced: () => server.replication.logSynced(),
    holdReplies: (held) => server.turns.hold(held),
    jobStarted: () => {
      server.stats.backgroundJobs++;
    },
    exit: (status) => process.exit(status),
    dropsExpired: () => server.identity.role === 'primary',
    watchFields,
    hasExpiringFields: () => server.keyspace.databases.some(hasExpiringFields),
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
