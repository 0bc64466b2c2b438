// A writable replica's own keys: the primary knows nothing of them, so nobody else tells that their time is over.

import { expireEntry } from '../commands/context.ts';
import type { Session } from '../commands/session.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import type { KeyListener } from './events.ts';
import type { Server } from './server.ts';

/** Keys remembered at most; those beyond are found when someone asks for them. */
const KEYS_MAX = 1_000_000;
/** Keys looked at in one round. */
const KEYS_PER_ROUND = 200;

export class OwnExpiry implements KeyListener {
  private readonly server: Server;
  /** Keys (latin1 text) that clients of this server gave an expiry, by database. */
  private readonly keys = new Map<Database, Set<string>>();

  constructor(server: Server) {
    this.server = server;
  }

  get active(): boolean {
    return this.server.following && !this.server.settings.replicaReadOnly;
  }

  get size(): number {
    let sum = 0;
    for (const keys of this.keys.values()) sum += keys.size;
    return sum;
  }

  keyChanged(db: Database, buf: Uint8Array, pos: number, len: number, by: Session | null): void {
    if (by === null || by.link === 'primary') return;
    const entry = db.find(buf, pos, len);
    if (entry === 0 || db.expireAt(entry) === NO_EXPIRY || this.size >= KEYS_MAX) return;
    const keys = this.keys.get(db) ?? new Set();
    this.keys.set(db, keys);
    keys.add(Buffer.from(buf.buffer, buf.byteOffset + pos, len).toString('latin1'));
  }

  databaseChanged(db: Database | null): void {
    if (db === null) this.keys.clear();
    else this.keys.delete(db);
  }

  swapped(first: Database, second: Database): void {
    const [a, b] = [this.keys.get(first), this.keys.get(second)];
    this.keys.delete(first);
    this.keys.delete(second);
    if (a !== undefined) this.keys.set(second, a);
    if (b !== undefined) this.keys.set(first, b);
  }

  /** Deletes keys whose time is over; looks at some of them in turn. */
  round(nowMs: number): void {
    for (const [db, keys] of this.keys) {
      let left = KEYS_PER_ROUND;
      for (const key of keys) {
        if (left-- === 0) break;
        keys.delete(key);
        const name = Buffer.from(key, 'latin1');
        const entry = db.findForWrite(name, 0, name.length);
        const at = entry === 0 ? NO_EXPIRY : db.expireAt(entry);
        if (at === NO_EXPIRY) continue;
        // To the end of the line: the next round goes on with those behind it.
        if (at > nowMs) keys.add(key);
        else {
          expireEntry(db, entry, this.server);
          this.server.events.settle();
        }
      }
      if (keys.size === 0) this.keys.delete(db);
    }
  }
}
