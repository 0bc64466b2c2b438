// Takes the dump of a primary in: by way of a file, or as it comes.
//
//   to disk     the old data is served until everything has come; then it gives way
//   to parser   into the empty databases, or (swapdb) into others that take their place when the dump is complete

import { join } from 'node:path';
import { Database } from '../keyspace/database.ts';
import { moveIntoPlace, OutputFile, temporaryPath } from '../persistence/output-file.ts';
import { PushedDump } from '../persistence/push-load.ts';
import type { FullLoad } from '../replication/upstream.ts';
import type { Persistence } from './persistence.ts';
import type { Server } from './server.ts';

const FILE_MODE = 0o640;
/** Bytes loaded at once while key-load-delay slows loading down. */
const SLOW_PIECE_BYTES = 2048;
/** Time between two turns of the event loop then, ms. */
const SLOW_SLICE_MS = 5;

/** What a load needs besides server and persistence. */
export interface LoadHooks {
  /** The old data is about to go: replicas of this server have nothing to go on from. */
  givingWay(): void;
  /** Holds the link's socket back, or lets go of it. */
  pause(paused: boolean): void;
  /** Facts about the dump, when it is loaded. */
  loaded(aux: ReadonlyMap<string, string>): void;
}

/** By way of a temporary file, which then takes the place of the server's own dump. */
export class DiskLoad implements FullLoad {
  readonly where = 'to disk';
  private readonly file: OutputFile;
  private readonly server: Server;
  private readonly persistence: Persistence;
  private readonly hooks: LoadHooks;

  constructor(server: Server, persistence: Persistence, hooks: LoadHooks) {
    this.server = server;
    this.persistence = persistence;
    this.hooks = hooks;
    const path = temporaryPath(join(server.settings.string('dir'), 'x'), server.randomBytes, '.rdb');
    this.file = new OutputFile(path, { mode: FILE_MODE, incrementalSync: true });
    this.file.onDrain = () => this.hooks.pause(false);
  }

  write(chunk: Buffer): void {
    // The socket's buffer is ours alone: nobody changes it while it waits for the disk.
    this.file.write(chunk);
    if (this.file.congested) this.hooks.pause(true);
  }

  abort(): void {
    this.file.discard();
  }

  async finish(): Promise<void> {
    const { server, persistence, hooks, file } = this;
    // From here on the link waits for the load, not for the disk.
    file.onDrain = () => undefined;
    try {
      await file.finish();
    } catch (error) {
      file.discard();
      throw new Error(
        `Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: ${(error as Error).message}`,
      );
    }
    persistence.stopDumps();
    moveIntoPlace(file.path, persistence.dumpPath());
    hooks.givingWay();
    server.log('notice', 'MASTER <-> REPLICA sync: Flushing old data');
    hooks.loaded(await persistence.replaceFromDump());
  }
}

/** As it comes; see the head of the file. */
export class ParserLoad implements FullLoad {
  readonly where = 'to parser';
  private readonly server: Server;
  private readonly persistence: Persistence;
  private readonly hooks: LoadHooks;
  private readonly dump: PushedDump;
  /** Databases that take the others' places at the end; null: the dump goes straight into them. */
  private readonly shadows: Database[] | null;
  /** Clients are served from the old data meanwhile. */
  private readonly serves: boolean;
  private problem: Error | null = null;
  /** key-load-delay: pieces wait here, with the socket held back, so that others are served in between. */
  private waiting: Buffer[] = [];
  private draining: Promise<void> | null = null;
  private readonly slowed: boolean;
  private ended = false;

  /** `sameHistory`: the old data is an older state of what comes, so clients may go on reading it. */
  constructor(server: Server, persistence: Persistence, hooks: LoadHooks, sameHistory: boolean) {
    this.server = server;
    this.persistence = persistence;
    this.hooks = hooks;
    const { keyspace, settings } = server;
    const swaps = settings.replDisklessLoad === 'swapdb';
    this.shadows = swaps ? keyspace.databases.map(({ index }) => new Database(keyspace, index)) : null;
    this.serves = swaps && sameHistory;
    if (!swaps) this.giveWay();
    server.log('notice', 'MASTER <-> REPLICA sync: Loading DB in memory');
    if (this.serves) server.loadingAside = true;
    else server.loading = true;
    persistence.startProgress(0);
    this.dump = new PushedDump(persistence.environment, this.shadows);
    this.slowed = Number(settings.keyLoadDelay) > 0;
  }

  write(chunk: Buffer): void {
    if (!this.slowed) {
      this.load(chunk);
      return;
    }
    this.waiting.push(chunk);
    // Set back later: it may be over before it is set.
    this.draining ??= this.drain().finally(() => {
      this.draining = null;
    });
  }

  private async drain(): Promise<void> {
    this.hooks.pause(true);
    const { monotonicMs } = this.server;
    let until = monotonicMs() + SLOW_SLICE_MS;
    for (let chunk = this.waiting.shift(); chunk !== undefined; chunk = this.waiting.shift()) {
      for (let at = 0; at < chunk.length && !this.ended; at += SLOW_PIECE_BYTES) {
        this.load(chunk.subarray(at, at + SLOW_PIECE_BYTES));
        if (monotonicMs() < until) continue;
        await new Promise<void>((resolve) => setImmediate(resolve));
        until = monotonicMs() + SLOW_SLICE_MS;
      }
    }
    if (!this.ended) this.hooks.pause(false);
  }

  private load(chunk: Buffer): void {
    if (this.problem !== null) return;
    try {
      this.dump.push(chunk);
      this.persistence.noteProgress(this.dump.bytes);
    } catch (error) {
      this.problem = error as Error;
    }
  }

  abort(): void {
    this.waiting.length = 0;
    this.dump.abandon();
    this.undo();
    this.end();
  }

  async finish(): Promise<void> {
    if (this.draining !== null) await this.draining;
    const { problem } = this;
    try {
      if (problem !== null) throw problem;
      this.dump.finish();
    } catch (error) {
      this.abort();
      throw new Error(`Failed trying to load the MASTER synchronization DB from socket: ${(error as Error).message}`);
    }
    if (this.shadows !== null) this.swap(this.shadows);
    this.persistence.replaceLibraries(this.dump.libraries);
    this.hooks.loaded(this.dump.visitor.auxFields);
    this.end();
    this.persistence.resumeLog();
  }

  private giveWay(): void {
    this.persistence.stopDumps();
    this.persistence.suspendLog();
    this.hooks.givingWay();
    this.server.log('notice', 'MASTER <-> REPLICA sync: Flushing old data');
    this.persistence.empty();
  }

  /** The new data takes the place of the old in one step. */
  private swap(shadows: readonly Database[]): void {
    const { server, persistence } = this;
    persistence.stopDumps();
    persistence.suspendLog();
    this.hooks.givingWay();
    server.events.databaseChanged(null, null);
    for (const [index, db] of server.keyspace.databases.entries()) {
      db.exchange(shadows[index]);
      shadows[index].clear();
    }
  }

  /** What was loaded so far is not whole. */
  private undo(): void {
    if (this.shadows === null) this.persistence.empty();
    else for (const db of this.shadows) db.clear();
  }

  private end(): void {
    const { server } = this;
    this.ended = true;
    server.loading = false;
    server.loadingAside = false;
    this.persistence.endProgress();
  }
}
