// Commands on keys whatever they hold: deletion, renaming, scanning, types.

import { globMatchRange } from '../base/glob.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import { isInline, TYPE_NAMES } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { expiryHandlers } from './expiry.ts';
import { watchExpiringFields } from './hash-field-expiry.ts';
import { objectHandlers } from './object.ts';
import { parseScan, scanCursor } from './scan.ts';
import type { genericSpecs } from './specs/generic.ts';

/** Values of up to so many elements are freed at once. */
const QUICK_ELEMENTS = 64;

export const genericHandlers: Handlers<typeof genericSpecs> = {
  ...expiryHandlers,
  object: objectHandlers,
  del: (c) => remove(c, c.server.settings.lazyfreeLazyUserDel),
  unlink: (c) => remove(c, true),
  exists: (c) => {
    let present = 0;
    for (let i = 1; i < c.argc; i++) if (c.peekRead(i) !== 0) present++;
    c.reply.int(present);
  },
  touch: (c) => {
    let present = 0;
    for (let i = 1; i < c.argc; i++) if (c.lookupRead(i) !== 0) present++;
    c.reply.int(present);
  },
  type: (c) => {
    const entry = c.peekRead(1);
    c.reply.simple(entry === 0 ? 'none' : TYPE_NAMES[c.db.type(entry)]);
  },
  keys,
  scan,
  randomkey,
  rename: (c) => {
    rename(c, false);
    c.reply.ok();
  },
  renamenx: (c) => c.reply.int(rename(c, true) ? 1 : 0),
  move,
  copy,
};

/** DEL or UNLINK key [key ...]; `lazily` frees what takes time after the reply. */
function remove(c: Context, lazily: boolean): void {
  let removed = 0;
  for (let i = 1; i < c.argc; i++) {
    const entry = c.lookupWrite(i);
    if (entry === 0) continue;
    if (lazily && takesTime(c.db, entry)) c.server.lazyFree.add(c.db.detachLarge(entry));
    else c.db.delete(entry);
    c.changed(i, 'g', 'del');
    removed++;
  }
  c.reply.int(removed);
}

function takesTime(db: Database, entry: number): boolean {
  return !isInline(db.encoding(entry)) && db.large(entry).length > QUICK_ELEMENTS;
}

/** KEYS pattern */
function keys(c: Context): void {
  const pattern = c.copy(1);
  const all = pattern.length === 1 && pattern[0] === 42;
  const db = c.db;
  const mark = c.reply.beginAggregate();
  let count = 0;
  db.table.forEach((entry) => {
    const buf = db.keyBuffer(entry);
    const pos = db.keyPosition(entry);
    const len = db.keyLength(entry);
    if (!all && !globMatchRange(pattern, buf, pos, len)) return;
    const expireAt = db.expireAt(entry);
    if (expireAt !== NO_EXPIRY && expireAt <= c.nowMs) return;
    c.reply.bulkRange(buf, pos, len);
    count++;
  });
  c.reply.endAggregate(mark, 'array', count);
}

/** SCAN cursor [MATCH pattern] [COUNT n] [TYPE name] */
function scan(c: Context): void {
  let cursor = scanCursor(c, 1);
  const options = parseScan(c, 2, true);
  const db = c.db;
  const found: number[] = [];
  let visits = options.count * 10;
  do {
    cursor = db.table.scan(cursor, (entry) => {
      found.push(entry);
    });
  } while (cursor !== 0 && --visits > 0 && found.length < options.count);
  c.reply.array(2);
  c.reply.text(String(cursor));
  const mark = c.reply.beginAggregate();
  let count = 0;
  for (const entry of found) {
    const buf = db.keyBuffer(entry);
    const pos = db.keyPosition(entry);
    const len = db.keyLength(entry);
    if (options.pattern !== null && !globMatchRange(options.pattern, buf, pos, len)) continue;
    if (options.type !== null && TYPE_NAMES[db.type(entry)] !== options.type) continue;
    if (isExpired(c, db, entry)) continue;
    c.reply.bulkRange(buf, pos, len);
    count++;
  }
  c.reply.endAggregate(mark, 'array', count);
}

function isExpired(c: Context, db: Database, entry: number): boolean {
  const at = db.expireAt(entry);
  if (at === NO_EXPIRY || at > c.nowMs) return false;
  // Deletes it, as any access does.
  const key = db.keyBytes(entry);
  c.peekKey(key);
  return true;
}

/** RANDOMKEY: an expired key is deleted and another tried, a bounded number of times. */
function randomkey(c: Context): void {
  const db = c.db;
  for (let tries = 100; tries > 0; tries--) {
    const entry = db.table.randomEntry(c.server.random);
    if (entry === 0) break;
    if (isExpired(c, db, entry)) continue;
    c.reply.bulkRange(db.keyBuffer(entry), db.keyPosition(entry), db.keyLength(entry));
    return;
  }
  c.reply.nil();
}

/** Returns whether the key was renamed; only `ifMissing` can refuse. */
function rename(c: Context, ifMissing: boolean): boolean {
  const same = c.view(1).equals(c.view(2));
  if (c.lookupWrite(1) === 0) throw new CommandError(ERRORS.noSuchKey);
  if (same) return !ifMissing;
  const existing = c.lookupWrite(2);
  if (existing !== 0) {
    if (ifMissing) return false;
    c.db.delete(existing);
  }
  transfer(c.db, c.db.find(c.buf, c.pos[1], c.len[1]), c.db, c.view(2));
  c.changed(1, 'g', 'rename_from');
  c.changed(2, 'g', 'rename_to');
  return true;
}

/** MOVE key db */
function move(c: Context): void {
  const index = c.int32(2);
  const target = c.keyspace.databases[index];
  if (target === undefined) throw new CommandError(ERRORS.dbIndex);
  if (target === c.db) throw new CommandError(ERRORS.sameObject);
  const entry = c.lookupWrite(1);
  if (entry === 0 || c.inDatabase(target, () => c.lookupWrite(1)) !== 0) {
    c.reply.int(0);
    return;
  }
  transfer(c.db, entry, target, c.view(1));
  c.changed(1, 'g', 'move_from');
  c.inDatabase(target, () => c.changed(1, 'g', 'move_to'));
  c.reply.int(1);
}

/** Moves a value with its expiry from one key to another that is not there. */
function transfer(from: Database, entry: number, to: Database, key: Uint8Array): void {
  const type = from.type(entry);
  const encoding = from.encoding(entry);
  const expireAt = from.expireAt(entry);
  let created: number;
  if (isInline(encoding)) {
    created = copyInline(from, entry, to, key);
    from.delete(entry);
  } else {
    const value = from.detachLarge(entry);
    to.announceWrite(key);
    created = to.createLarge(key, 0, key.length, type, encoding, value);
    watchExpiringFields(to, created, key);
  }
  if (expireAt !== NO_EXPIRY) to.setExpire(created, expireAt);
}

function copyInline(from: Database, entry: number, to: Database, key: Uint8Array): number {
  from.open(entry);
  const bytes = Buffer.from(from.vbuf.subarray(from.vpos, from.vpos + from.vlen));
  to.announceWrite(key);
  const created = to.create(key, 0, key.length, from.type(entry), from.encoding(entry), bytes.length);
  to.open(created);
  bytes.copy(to.vbuf, to.vpos);
  return created;
}

/** COPY source destination [DB index] [REPLACE] */
function copy(c: Context): void {
  let target = c.db;
  let replace = false;
  for (let i = 3; i < c.argc; i++) {
    if (c.is(i, 'replace')) replace = true;
    else if (c.is(i, 'db') && i + 1 < c.argc) {
      const database = c.keyspace.databases[c.int32(++i)];
      if (database === undefined) throw new CommandError(ERRORS.dbIndex);
      target = database;
    } else throw new CommandError(ERRORS.syntax);
  }
  if (target === c.db && c.view(1).equals(c.view(2))) throw new CommandError(ERRORS.sameObject);
  const source = c.lookupRead(1);
  if (source === 0) {
    c.reply.int(0);
    return;
  }
  const existing = c.inDatabase(target, () => c.lookupWrite(2));
  if (existing !== 0) {
    if (!replace) {
      c.reply.int(0);
      return;
    }
    target.delete(existing);
  }
  const entry = c.db.find(c.buf, c.pos[1], c.len[1]);
  const expireAt = c.db.expireAt(entry);
  const created = isInline(c.db.encoding(entry))
    ? copyInline(c.db, entry, target, c.view(2))
    : c.server.values.duplicate(c.db, entry, target, c.copy(2));
  if (expireAt !== NO_EXPIRY) target.setExpire(created, expireAt);
  c.inDatabase(target, () => c.changed(2, 'g', 'copy_to'));
  c.reply.int(1);
}
