// Hash commands that store, read, count and remove fields. Scans and random fields are in hash-iterate.ts, the expiry of
// single fields in hash-expiry.ts.

import { addLongDouble } from '../base/long-double.ts';
import { INT64_MAX, INT64_MIN, parseDouble, parseInt64, parseInteger, writeInteger } from '../base/numbers.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS, wrongArity } from './errors.ts';
import {
  fieldValue,
  findField,
  hashForRead,
  hashForWrite,
  hashLength,
  hashToFill,
  removeField,
  storeField,
  storePairs,
} from './hash-access.ts';
import { iterationHandlers } from './hash-iterate.ts';
import { replyElement } from './packed-reply.ts';
import type { hashSpecs } from './specs/hash.ts';

export const hashHandlers: Handlers<typeof hashSpecs> = {
  ...iterationHandlers,
  /** HSET key field value [field value ...] */
  hset: (c) => {
    const created = set(c);
    c.reply.int(created);
  },
  hmset: (c) => {
    set(c);
    c.reply.ok();
  },
  hsetnx,
  hget: (c) => {
    const entry = hashForRead(c, 1);
    replyField(c, entry, 2);
  },
  hmget: (c) => {
    const entry = hashForRead(c, 1);
    c.reply.array(c.argc - 2);
    for (let i = 2; i < c.argc; i++) replyField(c, entry, i);
  },
  hexists: (c) => {
    const entry = hashForRead(c, 1);
    c.reply.int(entry !== 0 && findField(c, entry, 2) ? 1 : 0);
  },
  hstrlen: (c) => {
    const entry = hashForRead(c, 1);
    c.reply.int(entry !== 0 && findField(c, entry, 2) ? fieldValue.text().len : 0);
  },
  hlen: (c) => {
    const entry = hashForRead(c, 1);
    c.reply.int(entry === 0 ? 0 : hashLength(c, entry));
  },
  hdel,
  hincrby,
  hincrbyfloat,
};

/** The digits of a sum on its way into a hash. */
const digits = Buffer.allocUnsafeSlow(24);

function set(c: Context): number {
  if ((c.argc & 1) === 1) throw new CommandError(wrongArity(c.command.name));
  const created = storePairs(c, hashToFill(c, 1), 2);
  c.changed(1, 'h', 'hset');
  c.keyspace.dirty += (c.argc - 4) >> 1;
  return created;
}

/** HSETNX key field value */
function hsetnx(c: Context): void {
  const entry = hashForWrite(c, 1);
  if (entry !== 0 && findField(c, entry, 2)) {
    c.reply.int(0);
    return;
  }
  storePairs(c, entry === 0 ? hashToFill(c, 1) : entry, 2);
  c.changed(1, 'h', 'hset');
  c.reply.int(1);
}

function replyField(c: Context, entry: number, i: number): void {
  if (entry === 0 || !findField(c, entry, i)) c.reply.nil();
  else replyElement(c.reply, fieldValue);
}

/** HDEL key field [field ...] */
function hdel(c: Context): void {
  let entry = hashForWrite(c, 1);
  let removed = 0;
  let emptied = false;
  for (let i = 2; i < c.argc && entry !== 0 && !emptied; i++) {
    if (!removeField(c, entry, i)) continue;
    removed++;
    // Shrinking a packed run may have moved the entry.
    entry = c.db.find(c.buf, c.pos[1], c.len[1]);
    emptied = hashLength(c, entry) === 0;
  }
  if (removed > 0) {
    c.changed(1, 'h', 'hdel');
    c.keyspace.dirty += removed - 1;
    if (emptied) c.deleteEmptied(1, entry);
  }
  c.reply.int(removed);
}

/** HINCRBY key field increment */
function hincrby(c: Context): void {
  const amount = c.integer(3);
  const entry = hashForWrite(c, 1);
  const found = entry !== 0 && findField(c, entry, 2);
  const old = found ? storedInteger() : 0;
  const sum = old + amount;
  if (Number.isSafeInteger(amount) && Number.isSafeInteger(sum)) {
    store(c, entry, digits, writeInteger(digits, 0, sum), 'hincrby');
    c.reply.int(sum);
    return;
  }
  const wide = (found ? wideInteger() : 0n) + c.int64(3);
  if (wide > INT64_MAX || wide < INT64_MIN) throw new CommandError(ERRORS.incrementOverflow);
  store(c, entry, digits, digits.write(wide.toString(), 'latin1'), 'hincrby');
  c.reply.bigInt(wide);
}

/** The found value as a number: NaN when it takes more than 15 digits. Throws when it is no integer. */
function storedInteger(): number {
  if (fieldValue.integer) return fieldValue.value;
  const small = parseInteger(fieldValue.buf, fieldValue.pos, fieldValue.len);
  if (Number.isNaN(small)) wideInteger();
  return small;
}

function wideInteger(): bigint {
  fieldValue.text();
  const value = parseInt64(fieldValue.buf, fieldValue.pos, fieldValue.len);
  if (value === null) throw new CommandError(ERRORS.valueNotInteger);
  return value;
}

/** HINCRBYFLOAT key field increment */
function hincrbyfloat(c: Context): void {
  if (!Number.isFinite(c.double(3))) throw new CommandError('ERR value is NaN or Infinity');
  const entry = hashForWrite(c, 1);
  let old = '0';
  if (entry !== 0 && findField(c, entry, 2)) {
    old = fieldValue.copy().toString('latin1');
    if (Number.isNaN(parseDouble(old))) throw new CommandError('ERR hash value is not a float');
  }
  const sum = addLongDouble(old, c.text(3));
  if (sum === null) throw new CommandError(ERRORS.nanOrInfinity);
  const bytes = Buffer.from(sum);
  store(c, entry, bytes, bytes.length, 'hincrbyfloat');
  c.rewrite(['HSET', c.copy(1), c.copy(2), bytes]);
  c.reply.bulk(bytes);
}

function store(c: Context, entry: number, bytes: Buffer, length: number, event: string): void {
  storeField(c, entry === 0 ? hashToFill(c, 1) : entry, 2, bytes, 0, length);
  c.changed(1, 'h', event);
}
