// Fields whose time is over: dropped when their hash is touched, and by the cron for hashes that nobody touches.

import type { Database } from '../keyspace/database.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import type { HashTable } from '../values/hash.ts';
import type { Context } from './context.ts';
import type { Services } from './services.ts';

/** Fields that one HDEL for the AOF and replicas names at most. */
const FIELDS_PER_COMMAND_MAX = 512;

/**
 * Keys (latin1 text) of the hashes with expiring fields, by database. A hint: keys may be gone or hold something else
 * by now; then the cycle forgets them.
 */
const watched = new WeakMap<Database, Set<string>>();

/** Makes the cycle look after a hash that has got fields with an expiry (by a command, a load, a copy). */
export function watchFields(db: Database, buf: Uint8Array, pos: number, len: number): void {
  let keys = watched.get(db);
  if (keys === undefined) {
    keys = new Set();
    watched.set(db, keys);
  }
  keys.add(Buffer.from(buf.buffer, buf.byteOffset + pos, len).toString('latin1'));
}

/** watchFields for a value that came to a key as a whole (RENAME, MOVE, COPY), if it is a hash with such fields. */
export function watchExpiringFields(db: Database, entry: number, key: Uint8Array): void {
  if (db.type(entry) !== Type.hash || db.encoding(entry) !== Encoding.hashtable) return;
  if ((db.large(entry) as HashTable).expiring > 0) watchFields(db, key, 0, key.length);
}

/** Whether any hash of a database has fields with an expiry. Those that no longer have are forgotten on the way. */
export function hasExpiringFields(db: Database): boolean {
  const keys = watched.get(db);
  if (keys === undefined) return false;
  for (const key of keys) {
    const name = Buffer.from(key, 'latin1');
    const entry = db.find(name, 0, name.length);
    const isTable = entry !== 0 && db.type(entry) === Type.hash && db.encoding(entry) === Encoding.hashtable;
    if (isTable && (db.large(entry) as HashTable).expiring > 0) return true;
    keys.delete(key);
  }
  return false;
}

/**
 * Drops the fields of a hash table whose time is over; the key itself goes with the last one. Returns the entry, 0 when
 * the key is gone.
 */
export function dropExpiredFields(c: Context, entry: number): number {
  const table = c.db.large(entry) as HashTable;
  if (table.expiring === 0 || c.replaying || table.nextExpiryMs > c.nowMs) return entry;
  if (c.server.replication.isReplica) return entry;
  return dropDue(c.db, entry, c.server, c.nowMs, Number.POSITIVE_INFINITY) ? 0 : entry;
}

/**
 * One turn of active expiry, for the cron: looks at up to `hashesMax` hashes of each database, round robin, and drops up
 * to `fieldsMax` fields in all. Returns how many fields went.
 */
export function expireFieldsCycle(
  keyspace: Keyspace,
  server: Services,
  nowMs: number,
  hashesMax: number,
  fieldsMax: number,
): number {
  let rest = fieldsMax;
  for (const db of keyspace.databases) {
    const keys = watched.get(db);
    if (keys === undefined || keys.size === 0) continue;
    let visits = Math.min(hashesMax, keys.size);
    for (const key of keys) {
      if (visits-- === 0 || rest <= 0) break;
      // To the end of the line: the next turn goes on with those behind it.
      keys.delete(key);
      const name = Buffer.from(key, 'latin1');
      const entry = db.find(name, 0, name.length);
      if (entry === 0 || db.type(entry) !== Type.hash || db.encoding(entry) !== Encoding.hashtable) continue;
      const table = db.large(entry) as HashTable;
      const before = table.expiring;
      const gone = table.nextExpiryMs <= nowMs && dropDue(db, entry, server, nowMs, rest);
      rest -= gone ? before : before - table.expiring;
      if (!gone && table.expiring > 0) keys.add(key);
    }
  }
  return fieldsMax - rest;
}

/** Drops up to `max` due fields; true when the key went with them. */
function dropDue(db: Database, entry: number, server: Services, nowMs: number, max: number): boolean {
  const key = db.keyBytes(entry);
  db.findForWrite(key, 0, key.length);
  const table = db.large(entry) as HashTable;
  const { events } = server;
  let rest = max;
  while (rest > 0 && table.nextExpiryMs <= nowMs) {
    const command: Buffer[] = [Buffer.from('HDEL'), key];
    while (rest > 0 && command.length < FIELDS_PER_COMMAND_MAX && table.nextExpiryMs <= nowMs) {
      const due = table.firstExpiring;
      if (events.propagating) {
        table.open(due);
        command.push(Buffer.from(table.buf.subarray(table.fieldPos, table.fieldPos + table.fieldLen)));
      } else command.length++;
      table.remove(due);
      rest--;
    }
    if (events.propagating) events.propagate(db, command);
  }
  if (events.notifying) events.notify('h', 'hexpired', db, key, 0, key.length);
  const emptied = table.length === 0;
  if (emptied) {
    db.delete(entry);
    if (events.notifying) events.notify('g', 'del', db, key, 0, key.length);
  }
  events.keyChanged(db, key, 0, key.length, null);
  return emptied;
}
