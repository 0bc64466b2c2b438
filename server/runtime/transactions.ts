// MULTI/EXEC and WATCH.

import type { Context } from '../commands/context.ts';
import type { TransactionService } from '../commands/services.ts';
import type { Session, StoredRequest } from '../commands/session.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import type { KeyListener } from './events.ts';

export interface TransactionHost {
  readonly context: Context;
  /** Runs one queued request with its reply going to the current writer. */
  runQueued(request: StoredRequest): void;
}

export class Transactions implements TransactionService, KeyListener {
  private readonly host: TransactionHost;
  private readonly watchers = new Map<Database, Map<string, Set<Session>>>();
  /** See Events.listen. */
  activityChanged: () => void = () => undefined;

  constructor(host: TransactionHost) {
    this.host = host;
  }

  get active(): boolean {
    return this.watchers.size > 0;
  }

  begin(session: Session): void {
    session.queued = [];
    session.queuedBytes = 0;
    session.queueFailed = false;
  }

  discard(session: Session): void {
    session.queued = null;
    session.queuedBytes = 0;
    session.queueFailed = false;
    session.watchBroken = false;
    this.unwatch(session);
  }

  watch(session: Session, key: Buffer): void {
    const text = key.toString('latin1');
    const db = session.db;
    if (session.watched.some((watched) => watched.db === db && watched.key === text)) return;
    const entry = db.find(key, 0, key.length);
    const expired = entry !== 0 && isExpired(db, entry, this.host.context.nowMs);
    session.watched.push({ db, key: text, expired });
    session.listBytes += text.length;
    const byKey = this.watchers.get(db) ?? new Map<string, Set<Session>>();
    this.watchers.set(db, byKey);
    const sessions = byKey.get(text) ?? new Set<Session>();
    byKey.set(text, sessions);
    sessions.add(session);
    this.activityChanged();
  }

  unwatch(session: Session): void {
    for (const { db, key } of session.watched) {
      const byKey = this.watchers.get(db);
      const sessions = byKey?.get(key);
      session.listBytes -= key.length;
      sessions?.delete(session);
      if (sessions?.size === 0) byKey?.delete(key);
      if (byKey?.size === 0) this.watchers.delete(db);
    }
    session.watched = [];
    this.activityChanged();
  }

  execute(session: Session): void {
    const c = this.host.context;
    const requests = session.queued!;
    const failed = session.queueFailed;
    const broken = session.watchBroken || this.watchedExpired(session, c.nowMs);
    this.discard(session);
    if (failed) {
      c.reply.error('EXECABORT Transaction discarded because of previous errors.');
      return;
    }
    if (broken) {
      c.reply.nilArray();
      return;
    }
    c.reply.array(requests.length);
    const exec = c.command;
    c.inTransaction = true;
    for (const request of requests) this.host.runQueued(request);
    c.inTransaction = false;
    c.command = exec;
    c.rewrites = [];
  }

  keyChanged(db: Database, buf: Uint8Array, pos: number, len: number): void {
    const byKey = this.watchers.get(db);
    if (byKey === undefined) return;
    const text = Buffer.from(buf.buffer, buf.byteOffset + pos, len).toString('latin1');
    const sessions = byKey.get(text);
    if (sessions === undefined) return;
    for (const session of sessions) {
      const watched = session.watched.find((other) => other.db === db && other.key === text);
      // A key that had already expired when it was watched may be deleted without any difference to the client.
      if (watched?.expired === true && !exists(db, text)) watched.expired = false;
      else session.watchBroken = true;
    }
  }

  databaseChanged(db: Database | null): void {
    for (const watchedDb of this.watchers.keys()) {
      if (db === null || watchedDb === db) this.replaced(watchedDb, null);
    }
  }

  swapped(first: Database, second: Database): void {
    this.replaced(first, second);
    this.replaced(second, first);
    const [a, b] = [this.watchers.get(first), this.watchers.get(second)];
    this.watchers.delete(first);
    this.watchers.delete(second);
    if (a !== undefined) this.watchers.set(second, a);
    if (b !== undefined) this.watchers.set(first, b);
    const sessions = new Set([...(a?.values() ?? []), ...(b?.values() ?? [])].flatMap((set) => [...set]));
    for (const session of sessions) {
      for (const watched of session.watched) {
        if (watched.db === first) watched.db = second;
        else if (watched.db === second) watched.db = first;
      }
    }
  }

  /**
   * The keys of a database give way to those of another, or to none. A watch breaks where that makes a difference: a key
   * whose time was already over when it was watched counts as missing.
   */
  private replaced(from: Database, to: Database | null): void {
    const nowMs = this.host.context.nowMs;
    for (const [key, sessions] of this.watchers.get(from) ?? []) {
      const was = exists(from, key);
      const becomes = to !== null && exists(to, key);
      if (!was && !becomes) continue;
      const becomesStale = becomes && isStale(to, key, nowMs);
      for (const session of sessions) {
        const watched = session.watched.find((other) => other.db === from && other.key === key);
        if (watched === undefined) continue;
        if (watched.expired && !becomes) watched.expired = false;
        else if (!was && becomesStale) watched.expired = true;
        else if (!(watched.expired && becomesStale)) session.watchBroken = true;
      }
    }
  }

  /** A watched key whose time has come since counts as changed, also while nobody has deleted it yet. */
  private watchedExpired(session: Session, nowMs: number): boolean {
    return session.watched.some(({ db, key, expired }) => {
      if (expired) return false;
      const bytes = Buffer.from(key, 'latin1');
      const entry = db.find(bytes, 0, bytes.length);
      return entry !== 0 && isExpired(db, entry, nowMs);
    });
  }
}

function exists(db: Database, key: string): boolean {
  const bytes = Buffer.from(key, 'latin1');
  return db.find(bytes, 0, bytes.length) !== 0;
}

function isStale(db: Database, key: string, nowMs: number): boolean {
  const bytes = Buffer.from(key, 'latin1');
  return isExpired(db, db.find(bytes, 0, bytes.length), nowMs);
}

function isExpired(db: Database, entry: number, nowMs: number): boolean {
  const at = db.expireAt(entry);
  return at !== NO_EXPIRY && at <= nowMs;
}
