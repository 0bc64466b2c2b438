// Strings: SET, GET and their relatives. A string's bytes stand in its keyspace entry; `int`, `embstr` and `raw` are what
// OBJECT ENCODING tells, the stored bytes are the same decimal or text in all three.

import { NO_EXPIRY } from '../keyspace/database.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS, invalidExpire } from './errors.ts';
import { expiryArgument } from './expiry.ts';
import type { stringSpecs } from './specs/string.ts';
import { counterHandlers } from './string-counters.ts';
import { lcs } from './string-lcs.ts';
import { checkStringLength, growString, replyString, storeString } from './string-store.ts';

export const stringHandlers: Handlers<typeof stringSpecs> = {
  ...counterHandlers,
  get,
  set,
  setnx: (c) => {
    if (c.lookupWrite(1) !== 0) {
      c.reply.int(0);
      return;
    }
    storeString(c, 1, 2, 0);
    c.changed(1, '$', 'set');
    c.reply.int(1);
  },
  setex: (c) => setWithExpiry(c, 1000, 'setex'),
  psetex: (c) => setWithExpiry(c, 1, 'psetex'),
  getset: (c) => {
    const entry = c.typedWrite(1, Type.string);
    replyString(c, entry);
    storeString(c, 1, 2, entry);
    c.changed(1, '$', 'set');
    c.rewrite(['SET', c.copy(1), c.copy(2)]);
  },
  getdel: (c) => {
    const entry = c.typedWrite(1, Type.string);
    replyString(c, entry);
    if (entry === 0) return;
    c.db.delete(entry);
    c.changed(1, 'g', 'del');
    c.rewrite(['DEL', c.copy(1)]);
  },
  getex,
  append,
  strlen: (c) => c.reply.int(openLength(c, c.typedRead(1, Type.string))),
  getrange,
  substr: getrange,
  setrange,
  mget: (c) => {
    c.reply.array(c.argc - 1);
    for (let i = 1; i < c.argc; i++) {
      const entry = c.lookupRead(i);
      replyString(c, entry !== 0 && c.db.type(entry) === Type.string ? entry : 0);
    }
  },
  mset: (c) => {
    requirePairs(c, 'mset');
    storePairs(c);
    c.reply.ok();
  },
  msetnx: (c) => {
    requirePairs(c, 'msetnx');
    for (let i = 1; i < c.argc; i += 2) {
      if (c.lookupWrite(i) !== 0) {
        c.reply.int(0);
        return;
      }
    }
    storePairs(c);
    c.reply.int(1);
  },
  lcs,
};

/** GET key */
function get(c: Context): void {
  replyString(c, c.typedRead(1, Type.string));
}

/** SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
function set(c: Context): void {
  if (c.argc === 3) {
    storeString(c, 1, 2, c.lookupWrite(1));
    c.changed(1, '$', 'set');
    c.reply.ok();
    return;
  }
  const options = parseSetOptions(c);
  const entry = options.get ? c.typedWrite(1, Type.string) : c.lookupWrite(1);
  if (options.get) replyString(c, entry);
  if ((options.ifMissing && entry !== 0) || (options.ifThere && entry === 0)) {
    if (!options.get) c.reply.nil();
    return;
  }
  const kept = options.keepTtl && entry !== 0 ? c.db.expireAt(entry) : NO_EXPIRY;
  const atMs = options.expireAtMs !== NO_EXPIRY ? options.expireAtMs : kept;
  let stored = storeString(c, 1, 2, entry);
  if (atMs !== NO_EXPIRY) stored = c.db.setExpire(stored, atMs);
  c.changed(1, '$', 'set');
  if (options.expireAtMs !== NO_EXPIRY) {
    c.notify(1, 'g', 'expire');
    c.rewrite(['SET', c.copy(1), c.copy(2), 'PXAT', String(atMs)]);
  } else if (options.get) propagateWithoutGet(c);
  if (!options.get) c.reply.ok();
}

/** Nobody reads the old value where the request goes. */
function propagateWithoutGet(c: Context): void {
  if (!c.server.events.propagating) return;
  c.rewrite(c.storedRequest().args.filter((_, i) => i < 3 || !c.is(i, 'get')));
}

interface SetOptions {
  ifMissing: boolean;
  ifThere: boolean;
  get: boolean;
  keepTtl: boolean;
  /** ms since 1970, or NO_EXPIRY. */
  expireAtMs: number;
}

function parseSetOptions(c: Context): SetOptions {
  const options = { ifMissing: false, ifThere: false, get: false, keepTtl: false, expireAtMs: NO_EXPIRY };
  let expiryAt = 0;
  for (let i = 3; i < c.argc; i++) {
    const more = i + 1 < c.argc;
    if (c.is(i, 'nx') && !options.ifThere) options.ifMissing = true;
    else if (c.is(i, 'xx') && !options.ifMissing) options.ifThere = true;
    else if (c.is(i, 'get')) options.get = true;
    else if (c.is(i, 'keepttl') && expiryAt === 0) options.keepTtl = true;
    else if (more && !options.keepTtl && isExpiryWord(c, i, expiryAt)) expiryAt = i++;
    else throw new CommandError(ERRORS.syntax);
  }
  if (expiryAt > 0) options.expireAtMs = expiryArgument(c, expiryAt, 'set');
  return options;
}

/** Whether argument `i` names a unit of time: any, or the same one once more as at `before` (0: none); the last counts. */
function isExpiryWord(c: Context, i: number, before: number): boolean {
  for (const word of EXPIRY_WORDS) if (c.is(i, word)) return before === 0 || c.is(before, word);
  return false;
}

const EXPIRY_WORDS = ['ex', 'px', 'exat', 'pxat'] as const;

function setWithExpiry(c: Context, unitMs: number, name: string): void {
  const amount = c.integer(2);
  const atMs = amount * unitMs + c.nowMs;
  if (amount <= 0 || !Number.isSafeInteger(atMs)) throw new CommandError(invalidExpire(name));
  c.db.setExpire(storeString(c, 1, 3, c.lookupWrite(1)), atMs);
  c.changed(1, '$', 'set');
  c.notify(1, 'g', 'expire');
  c.rewrite(['SET', c.copy(1), c.copy(3), 'PXAT', String(atMs)]);
  c.reply.ok();
}

/** GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] */
function getex(c: Context): void {
  let persist = false;
  let expiryAt = 0;
  let atMs: number = NO_EXPIRY;
  for (let i = 2; i < c.argc; i++) {
    if (c.is(i, 'persist') && expiryAt === 0) persist = true;
    else if (i + 1 < c.argc && !persist && isExpiryWord(c, i, expiryAt)) expiryAt = i++;
    else throw new CommandError(ERRORS.syntax);
  }
  const entry = c.typedWrite(1, Type.string);
  if (entry === 0) {
    c.reply.nil();
    return;
  }
  if (expiryAt > 0) atMs = expiryArgument(c, expiryAt, 'getex');
  replyString(c, entry);
  if (atMs !== NO_EXPIRY && atMs <= c.nowMs) {
    c.db.delete(entry);
    c.changed(1, 'g', 'del');
    c.rewrite(['DEL', c.copy(1)]);
  } else if (atMs !== NO_EXPIRY) {
    c.db.setExpire(entry, atMs);
    c.changed(1, 'g', 'expire');
    c.rewrite(['PEXPIREAT', c.copy(1), String(atMs)]);
  } else if (persist && c.db.expireAt(entry) !== NO_EXPIRY) {
    c.db.clearExpire(entry);
    c.changed(1, 'g', 'persist');
    c.rewrite(['PERSIST', c.copy(1)]);
  }
}

/** APPEND key value */
function append(c: Context): void {
  let entry = c.typedWrite(1, Type.string);
  const added = c.len[2];
  let total = added;
  if (entry === 0) {
    storeString(c, 1, 2, 0);
  } else {
    c.db.open(entry);
    const before = c.db.vlen;
    total = before + added;
    checkStringLength(c, total);
    entry = c.db.resizeValue(entry, total);
    c.buf.copy(c.db.vbuf, c.db.vpos + before, c.pos[2], c.pos[2] + added);
    c.db.setEncoding(entry, Encoding.raw);
  }
  c.changed(1, '$', 'append');
  c.reply.int(total);
}

/** GETRANGE key start end, with negative indexes from the end */
function getrange(c: Context): void {
  let start = c.integer(2);
  let end = c.integer(3);
  const entry = c.typedRead(1, Type.string);
  const length = openLength(c, entry);
  const empty = start < 0 && end < 0 && start > end;
  if (start < 0) start = Math.max(0, length + start);
  if (end < 0) end = Math.max(0, length + end);
  end = Math.min(end, length - 1);
  if (empty || length === 0 || start > end) c.reply.text('');
  else c.reply.bulkRange(c.db.vbuf, c.db.vpos + start, end - start + 1);
}

/** SETRANGE key offset value */
function setrange(c: Context): void {
  const offset = c.integer(2);
  if (offset < 0) throw new CommandError('ERR offset is out of range');
  let entry = c.typedWrite(1, Type.string);
  const length = openLength(c, entry);
  const added = c.len[3];
  if (added === 0) {
    c.reply.int(length);
    return;
  }
  checkStringLength(c, offset + added);
  entry = growString(c, 1, entry, offset + added);
  c.buf.copy(c.db.vbuf, c.db.vpos + offset, c.pos[3], c.pos[3] + added);
  c.changed(1, '$', 'setrange');
  c.reply.int(c.db.vlen);
}

/** Opens the string at an entry and returns its length; 0 without an entry. */
function openLength(c: Context, entry: number): number {
  if (entry === 0) return 0;
  c.db.open(entry);
  return c.db.vlen;
}

function requirePairs(c: Context, name: string): void {
  if (c.argc % 2 === 0) throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
}

function storePairs(c: Context): void {
  for (let i = 1; i < c.argc; i += 2) {
    storeString(c, i, i + 1, c.lookupWrite(i));
    c.changed(i, '$', 'set');
  }
}
