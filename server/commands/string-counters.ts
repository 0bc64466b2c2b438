// INCR and its relatives: strings that hold numbers.

import { addLongDouble } from '../base/long-double.ts';
import { INT64_MAX, INT64_MIN, parseDouble, parseInt64, parseInteger, writeInteger } from '../base/numbers.ts';
import { Encoding, Type, textEncoding } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import type { stringSpecs } from './specs/string.ts';
import { storeBytes } from './string-store.ts';

type CounterCommands = 'incr' | 'decr' | 'incrby' | 'decrby' | 'incrbyfloat';

export const counterHandlers: Handlers<Pick<typeof stringSpecs, CounterCommands>> = {
  incr: (c) => add(c, 1),
  decr: (c) => add(c, -1),
  incrby: (c) => addArgument(c, 1),
  decrby: (c) => addArgument(c, -1),
  incrbyfloat,
};

/** Room for the digits of a number that is about to be stored. */
const digits = Buffer.alloc(24);

function addArgument(c: Context, sign: number): void {
  const amount = parseInteger(c.buf, c.pos[2], c.len[2]);
  if (!Number.isNaN(amount)) {
    add(c, sign * amount);
    return;
  }
  const exact = c.int64(2);
  if (sign < 0 && exact === INT64_MIN) throw new CommandError('ERR decrement would overflow');
  addExact(c, sign < 0 ? -exact : exact);
}

/** The common case: everything fits a double exactly. */
function add(c: Context, amount: number): void {
  const entry = c.typedWrite(1, Type.string);
  const db = c.db;
  let value = 0;
  if (entry !== 0) {
    db.open(entry);
    if (amount === 1 && countUp(c, entry)) return;
    value = parseInteger(db.vbuf, db.vpos, db.vlen);
    if (Number.isNaN(value)) {
      addExact(c, BigInt(amount));
      return;
    }
  }
  const length = writeInteger(digits, 0, value + amount);
  storeDigits(c, entry, digits, length);
  c.changed(1, '$', 'incrby');
  c.reply.intDigits(digits, 0, length);
}

/** One more, where only the last digit of a number changes; false when there is more to it. */
function countUp(c: Context, entry: number): boolean {
  const { db } = c;
  const { vbuf, vpos, vlen } = db;
  const last = vpos + vlen - 1;
  if (vbuf[last] === 57 || vbuf[vpos] === 45 || vlen > 15 || db.encoding(entry) !== Encoding.int) return false;
  vbuf[last]++;
  c.changed(1, '$', 'incrby');
  c.reply.intDigits(vbuf, vpos, vlen);
  return true;
}

function addExact(c: Context, amount: bigint): void {
  const entry = c.typedWrite(1, Type.string);
  const db = c.db;
  let value = 0n;
  if (entry !== 0) {
    db.open(entry);
    const stored = parseInt64(db.vbuf, db.vpos, db.vlen);
    if (stored === null) throw new CommandError(ERRORS.notAnInteger);
    value = stored;
  }
  const sum = value + amount;
  if (sum > INT64_MAX || sum < INT64_MIN) throw new CommandError(ERRORS.incrementOverflow);
  const text = Buffer.from(sum.toString());
  storeDigits(c, entry, text, text.length);
  c.changed(1, '$', 'incrby');
  c.reply.bigInt(sum);
}

/** Writes the digits over the old value, expiry kept. */
function storeDigits(c: Context, entry: number, from: Uint8Array, length: number): void {
  const db = c.db;
  let at = entry;
  if (at === 0) {
    at = c.db.createFound(c.buf, c.pos[1], c.len[1], Type.string, Encoding.int, length);
    db.open(at);
  } else {
    // Most numbers keep their length, and their bytes have been opened.
    if (length !== db.vlen) at = db.resizeValue(at, length);
    if (db.encoding(at) !== Encoding.int) db.setEncoding(at, Encoding.int);
  }
  for (let i = 0; i < length; i++) db.vbuf[db.vpos + i] = from[i];
}

/** INCRBYFLOAT key increment */
function incrbyfloat(c: Context): void {
  const entry = c.typedWrite(1, Type.string);
  const db = c.db;
  let stored = '0';
  if (entry !== 0) {
    db.open(entry);
    stored = db.vbuf.toString('latin1', db.vpos, db.vpos + db.vlen);
    if (Number.isNaN(parseDouble(stored))) throw new CommandError(ERRORS.notAFloat);
  }
  c.double(2);
  const sum = addLongDouble(stored, c.text(2));
  if (sum === null) {
    throw new CommandError(isTooLong(stored) || isTooLong(c.text(2)) ? ERRORS.notAFloat : ERRORS.nanOrInfinity);
  }
  const bytes = Buffer.from(sum);
  const encoding = textEncoding(bytes.length);
  if (entry === 0) storeBytes(c, 1, 0, bytes, 0, bytes.length, encoding);
  else {
    const at = db.resizeValue(entry, bytes.length);
    db.setEncoding(at, encoding);
    bytes.copy(db.vbuf, db.vpos);
  }
  c.changed(1, '$', 'incrbyfloat');
  c.rewrite(['SET', c.copy(1), bytes, 'KEEPTTL']);
  c.reply.bulk(bytes);
}

/** Whether a number is written with digits but beyond what a long double holds. */
function isTooLong(text: string): boolean {
  return !/^[+-]?inf/i.test(text) && addLongDouble(text, '0') === null;
}
