// Persistence as the server sees it: what commands ask for (SAVE, BGREWRITEAOF, DEBUG RELOAD), what the cron drives, what
// INFO tells, loading at start and the last save at the end. The work itself is done in persistence/.

import { join } from 'node:path';
import { CommandError } from '../commands/errors.ts';
import { watchedHashes, watchFields } from '../commands/hash-field-expiry.ts';
import type { PersistenceService, ShutdownOptions } from '../commands/services.ts';
import { Dumper } from '../persistence/dumper.ts';
import type { Environment, LibraryStore } from '../persistence/environment.ts';
import { reason } from '../persistence/environment.ts';
import { DumpLoader, LoadError, type LoadProgress } from '../persistence/load.ts';
import { Saver } from '../persistence/save.ts';
import { Values } from '../persistence/values.ts';
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

export class Persistence implements PersistenceService {
  /** MISCONF text while writes are refused, or null. Asked for before every command. */
  writesRefused: string | null = null;
  readonly values: Values;
  readonly environment: Environment;
  private readonly server: Server;
  private readonly dumper: Dumper;
  private readonly saver: Saver;
  private progress: LoadProgress | null = null;
  private lastLoad = { expired: 0, loaded: 0 };

  constructor(server: Server, libraries: LibraryStore) {
    this.server = server;
    this.environment = environmentOf(server, libraries);
    this.values = new Values(this.environment);
    this.dumper = new Dumper(this.environment);
    this.saver = new Saver(this.environment, this.dumper);
    this.saver.onResult = () => this.judge();
    server.settings.onChange(['save', 'stop-writes-on-bgsave-error'], () => {
      this.judge();
      return undefined;
    });
  }

  get lastSaveSeconds(): number {
    return this.saver.lastSaveSeconds;
  }

  // --- commands ---

  save(): string | null {
    if (this.saver.inProgress) return 'ERR Background save already in progress';
    return this.saver.save() ? null : 'ERR';
  }

  saveInBackground(schedule: boolean): string {
    if (this.saver.inProgress) throw new CommandError('ERR Background save already in progress');
    const { inTransaction } = this.server.context;
    if (this.dumper.job !== null || inTransaction) {
      if (!schedule && !inTransaction) throw new CommandError(ANOTHER_CHILD);
      this.saver.scheduled = true;
      return 'Background saving scheduled';
    }
    if (!this.saver.start()) throw new CommandError('ERR');
    return 'Background saving started';
  }

  rewriteAppendOnly(): string {
    if (this.dumper.job?.kind === 'aof') {
      throw new CommandError('ERR Background append only file rewriting already in progress');
    }
    throw new CommandError(
      "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
    );
  }

  dropFunctions(): void {
    this.environment.libraries.clear();
  }

  emptied(): void {
    this.saver.stop();
    const { settings, keyspace } = this.server;
    if (settings.save.length === 0) return;
    // The flush itself must still count as a change, or it would not be propagated.
    const { dirty } = keyspace;
    this.saver.save();
    keyspace.dirty = dirty;
  }

  reload(options: { save: boolean; flush: boolean }): string | null {
    if (options.save && !this.saver.save()) return 'ERR';
    this.saver.stop();
    if (options.flush) {
      this.server.events.databaseChanged(null, null);
      this.server.keyspace.clearAll();
      this.environment.libraries.clear();
    }
    try {
      const loader = new DumpLoader(this.environment, this.dumpPath(), { isPreamble: false, replaces: !options.flush });
      loader.runNow();
      this.logTotals(loader);
    } catch (error) {
      this.logFailure(error);
      return 'ERR Error trying to load the RDB dump, check server logs.';
    }
    this.server.log('warning', 'DB reloaded by DEBUG RELOAD');
    return null;
  }

  loadAppendOnly(): string | null {
    return null;
  }

  // --- the server's life ---

  /** Loads what is on the disk; the reason why it cannot be loaded, several lines, or null. */
  async load(): Promise<string | null> {
    const started = this.server.monotonicMs();
    try {
      const loader = new DumpLoader(this.environment, this.dumpPath(), { isPreamble: false, replaces: false });
      const progress = { startedMs: this.server.now(), totalBytes: loader.totalBytes, loadedBytes: 0 };
      this.progress = progress;
      await loader.run((bytes) => {
        progress.loadedBytes = bytes;
      });
      this.progress = null;
      this.logTotals(loader);
    } catch (error) {
      this.progress = null;
      if (error instanceof LoadError) return error.message;
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      return `Fatal error loading the DB: ${reason(error)}. Exiting.`;
    }
    const seconds = ((this.server.monotonicMs() - started) / 1000).toFixed(3);
    this.server.log('notice', `DB loaded from disk: ${seconds} seconds`);
    this.server.keyspace.dirty = 0;
    return null;
  }

  cron(nowMs: number): void {
    if (this.server.loading) return;
    this.saver.cron(nowMs);
  }

  /** Stops background work and saves as asked; an error text when saving failed. */
  close(options: ShutdownOptions): string | null {
    const { log, settings } = this.server;
    if (this.saver.inProgress) log('warning', 'There is a child saving an .rdb. Killing it!');
    this.dumper.stop();
    const wanted = options.save === 'save' || (options.save === 'default' && settings.save.length > 0);
    if (!wanted || this.server.loading) return null;
    log('notice', 'Saving the final RDB snapshot before exiting.');
    return this.saver.save() ? null : 'ERR';
  }

  /** INFO persistence. */
  infoLines(): (readonly [name: string, value: string | number])[] {
    const { saver, dumper } = this;
    const { keyspace, loading } = this.server;
    const job = dumper.job;
    const lines: (readonly [string, string | number])[] = [
      ['loading', loading ? 1 : 0],
      ['async_loading', 0],
      ['current_cow_peak', 0],
      ['current_cow_size', 0],
      ['current_cow_size_age', 0],
      ['current_fork_perc', job === null ? '0.00' : percent(dumper.keysWritten, job.snapshot.total)],
      ['current_save_keys_processed', job === null ? 0 : dumper.keysWritten],
      ['current_save_keys_total', job === null ? 0 : job.snapshot.total],
      ['rdb_changes_since_last_save', keyspace.dirty],
      ['rdb_bgsave_in_progress', saver.inProgress ? 1 : 0],
      ['rdb_last_save_time', saver.lastSaveSeconds],
      ['rdb_last_bgsave_status', saver.lastOk ? 'ok' : 'err'],
      ['rdb_last_bgsave_time_sec', saver.lastDurationSeconds],
      ['rdb_current_bgsave_time_sec', saver.currentSeconds()],
      ['rdb_saves', saver.saves],
      ['rdb_last_cow_size', 0],
      ['rdb_last_load_keys_expired', this.lastLoad.expired],
      ['rdb_last_load_keys_loaded', this.lastLoad.loaded],
      ['aof_enabled', 0],
      ['aof_rewrite_in_progress', job?.kind === 'aof' ? 1 : 0],
      ['aof_rewrite_scheduled', 0],
      ['aof_last_rewrite_time_sec', -1],
      ['aof_current_rewrite_time_sec', -1],
      ['aof_last_bgrewrite_status', 'ok'],
      ['aof_rewrites', 0],
      ['aof_rewrites_consecutive_failures', 0],
      ['aof_last_write_status', 'ok'],
      ['aof_last_cow_size', 0],
      ['module_fork_in_progress', 0],
      ['module_fork_last_cow_size', 0],
    ];
    if (loading && this.progress !== null) lines.push(...loadingLines(this.progress, this.server.now()));
    return lines;
  }

  private dumpPath(): string {
    const { settings } = this.server;
    return join(settings.string('dir'), settings.string('dbfilename'));
  }

  private logTotals(loader: DumpLoader): void {
    const { loaded, expired, emptySkipped } = loader.visitor;
    this.lastLoad = { loaded, expired };
    const skipped = emptySkipped > 0 ? `, empty keys skipped: ${emptySkipped}` : '';
    this.server.log('notice', `Done loading RDB, keys loaded: ${loaded}, keys expired: ${expired}${skipped}.`);
  }

  private logFailure(error: unknown): void {
    const text = error instanceof LoadError ? error.message : `Loading the dump failed: ${reason(error)}`;
    for (const line of text.split('\n')) this.server.log('warning', line);
  }

  /** Decides anew whether writes are refused. */
  private judge(): void {
    const { settings } = this.server;
    const refused = settings.stopWritesOnBgsaveError && settings.save.length > 0 && !this.saver.lastOk;
    this.writesRefused = refused ? MISCONF_RDB : null;
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
    replicationAux: () => [],
    dropsExpired: () => server.identity.role === 'primary',
    watchFields,
    hasExpiringFields: () => server.keyspace.databases.some((db) => watchedHashes(db) > 0),
  };
}

function percent(part: number, whole: number): string {
  return (whole === 0 ? 0 : (part / whole) * 100).toFixed(2);
}

function loadingLines(progress: LoadProgress, nowMs: number): [string, string | number][] {
  const { startedMs, totalBytes, loadedBytes } = progress;
  const seconds = (nowMs - startedMs) / 1000;
  const eta = loadedBytes === 0 ? 1 : Math.floor((seconds * (totalBytes - loadedBytes)) / loadedBytes);
  return [
    ['loading_start_time', Math.floor(startedMs / 1000)],
    ['loading_total_bytes', totalBytes],
    ['loading_rdb_used_mem', 0],
    ['loading_loaded_bytes', loadedBytes],
    ['loading_loaded_perc', percent(loadedBytes, totalBytes)],
    ['loading_eta_seconds', eta],
  ];
}
