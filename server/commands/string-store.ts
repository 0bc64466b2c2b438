// Storing and answering whole strings.

import { isInt64 } from '../base/numbers.ts';
import { NO_EXPIRY } from '../keyspace/database.ts';
import { Encoding, Type, textEncoding } from '../keyspace/layout.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';

/**
 * Makes a string at least `bytes` long, zero-padded, creating the key in argument `i` when `entry` is 0. Its encoding
 * becomes raw. Afterwards db.vbuf, vpos and vlen hold the string. Returns the entry.
 */
export function growString(c: Context, i: number, entry: number, bytes: number): number {
  const db = c.db;
  let at = entry;
  let before = 0;
  if (at === 0) {
    at = c.create(i, Type.string, Encoding.raw, bytes);
    db.open(at);
  } else {
    db.open(at);
    before = db.vlen;
    if (bytes > before) at = db.resizeValue(at, bytes);
    else bytes = before;
    db.setEncoding(at, Encoding.raw);
  }
  if (bytes > before) db.vbuf.fill(0, db.vpos + before, db.vpos + bytes);
  return at;
}

/** Throws when a string would exceed proto-max-bulk-len. */
export function checkStringLength(c: Context, bytes: number): void {
  if (bytes > c.server.limits.bulkBytesMax && !c.replaying) throw new CommandError(ERRORS.stringTooLong);
}

/** Replies with the string at an entry, nil when there is none. */
export function replyString(c: Context, entry: number): void {
  if (entry === 0) {
    c.reply.nil();
    return;
  }
  const db = c.db;
  db.open(entry);
  // The buffer of a view is at hand, that of a typed array is not.
  if (db.vlen > 64) c.reply.bulkView(db.viewOf(entry), db.vpos, db.vlen);
  else c.reply.bulkRange(db.vbuf, db.vpos, db.vlen);
}

/**
 * Stores argument `v` as the string of the key in argument `k`, for which lookupWrite(k) has just returned `entry`.
 * Whatever was there is replaced, expiry included. Returns the entry.
 */
export function storeString(c: Context, k: number, v: number, entry: number): number {
  const pos = c.pos[v];
  const len = c.len[v];
  return storeBytes(c, k, entry, c.buf, pos, len, stringEncoding(c.buf, pos, len));
}

/** storeString for bytes from elsewhere. */
export function storeBytes(
  c: Context,
  k: number,
  entry: number,
  from: Uint8Array,
  start: number,
  bytes: number,
  encoding: number,
): number {
  const db = c.db;
  let at = entry;
  if (at === 0) {
    at = db.createFound(c.buf, c.pos[k], c.len[k], Type.string, encoding, bytes);
    db.open(at);
  } else {
    if (db.expireAt(at) !== NO_EXPIRY) at = db.clearExpire(at);
    at = db.overwrite(at, Type.string, encoding, bytes);
  }
  db.fillOpened(at, from, start);
  return at;
}

/** The encoding a new string gets. */
export function stringEncoding(buf: Uint8Array, pos: number, len: number): number {
  if (len <= 20 && isInt64(buf, pos, len)) return Encoding.int;
  return textEncoding(len);
}
