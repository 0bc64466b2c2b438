// BITFIELD and BITFIELD_RO: integers of 1 to 64 bits anywhere in a string.
// Syntax: BITFIELD key [GET type offset | [OVERFLOW WRAP|SAT|FAIL] SET type offset value | INCRBY type offset increment]...

import { parseInteger } from '../base/numbers.ts';
import { Type } from '../keyspace/layout.ts';
import { readField, writeField } from '../values/bits.ts';
import { bitOffset, growForBit } from './bitmap-offset.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';

const TYPE_INVALID = 'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.';

type Overflow = 'wrap' | 'sat' | 'fail';

const Operation = { get: 0, set: 1, incrby: 2, overflow: 3 } as const;
const LOWER_I = 105;
const LOWER_U = 117;
/** Fields up to this width, and operands up to OPERAND_MAX, are reckoned with as plain numbers. */
const NUMBER_BITS = 32;
const OPERAND_MAX = 2 ** 51;

/** What check() has found. One object serves all calls. */
const found = { lastBit: -1, replies: 0 };

export function bitfield(c: Context): void {
  check(c, false);
  if (found.lastBit < 0) {
    readAll(c);
    return;
  }
  const entry = c.typedWrite(1, Type.string);
  const grown = growForBit(c, entry, found.lastBit);
  const changes = run(c, grown);
  if (changes === 0) return;
  c.changed(1, '$', 'setbit');
  c.keyspace.dirty += changes - 1;
}

export function bitfieldReadOnly(c: Context): void {
  check(c, true);
  readAll(c);
}

function readAll(c: Context): void {
  const entry = c.typedRead(1, Type.string);
  if (entry === 0) c.db.vlen = 0;
  else c.db.open(entry);
  run(c, false);
}

/** Checks all operations before any is run; counts them and notes the highest bit that is written to, -1 for none. */
function check(c: Context, readOnly: boolean): void {
  found.lastBit = -1;
  found.replies = 0;
  for (let i = 2; i < c.argc; ) {
    const operation = operationAt(c, i);
    if (operation === Operation.overflow) {
      overflowOf(c, i + 1);
      i += 2;
      continue;
    }
    const bits = fieldBits(c, i + 1);
    const offset = bitOffset(c, i + 2, bits);
    if (operation === Operation.get) {
      i += 3;
    } else {
      found.lastBit = Math.max(found.lastBit, offset + bits - 1);
      c.integer(i + 3);
      i += 4;
    }
    found.replies++;
  }
  if (readOnly && found.lastBit >= 0) throw new CommandError('ERR BITFIELD_RO only supports the GET subcommand');
}

/** The operation that argument `i` names, if enough arguments follow it. */
function operationAt(c: Context, i: number): number {
  const left = c.argc - i - 1;
  const length = c.len[i];
  if (length === 3) {
    if (left >= 2 && c.is(i, 'get')) return Operation.get;
    if (left >= 3 && c.is(i, 'set')) return Operation.set;
  } else if (length === 6) {
    if (left >= 3 && c.is(i, 'incrby')) return Operation.incrby;
  } else if (length === 8 && left >= 1 && c.is(i, 'overflow')) {
    return Operation.overflow;
  }
  throw new CommandError(ERRORS.syntax);
}

function overflowOf(c: Context, i: number): Overflow {
  if (c.is(i, 'wrap')) return 'wrap';
  if (c.is(i, 'sat')) return 'sat';
  if (c.is(i, 'fail')) return 'fail';
  throw new CommandError('ERR Invalid OVERFLOW type specified');
}

/** Width of the type in argument `i`: i1 to i64, u1 to u63. */
function fieldBits(c: Context, i: number): number {
  const kind = c.buf[c.pos[i]];
  const bits = parseInteger(c.buf, c.pos[i] + 1, c.len[i] - 1);
  const most = kind === LOWER_I ? 64 : 63;
  if ((kind !== LOWER_I && kind !== LOWER_U) || !(bits >= 1 && bits <= most)) throw new CommandError(TYPE_INVALID);
  return bits;
}

/** Runs the checked operations on the opened string and replies. Returns how many changed something. */
function run(c: Context, grown: boolean): number {
  let overflow: Overflow = 'wrap';
  let changes = 0;
  c.reply.array(found.replies);
  for (let i = 2; i < c.argc; ) {
    const operation = operationAt(c, i);
    if (operation === Operation.overflow) {
      overflow = overflowOf(c, i + 1);
      i += 2;
      continue;
    }
    const bits = fieldBits(c, i + 1);
    const operand = operation === Operation.get ? 0 : c.integer(i + 3);
    const narrow = bits <= NUMBER_BITS && operand <= OPERAND_MAX && operand >= -OPERAND_MAX;
    const changed = narrow
      ? runNarrow(c, i, operation, bits, operand, overflow)
      : runWide(c, i, operation, bits, overflow);
    if (changed !== NO_WRITE && (grown || changed === CHANGED)) changes++;
    i += operation === Operation.get ? 3 : 4;
  }
  return changes;
}

const NO_WRITE = 0;
const SAME = 1;
const CHANGED = 2;

/** Runs one operation with plain numbers. */
function runNarrow(
  c: Context,
  i: number,
  operation: number,
  bits: number,
  operand: number,
  overflow: Overflow,
): number {
  const { vbuf, vpos, vlen } = c.db;
  const signed = c.buf[c.pos[i + 1]] === LOWER_I;
  const offset = bitOffset(c, i + 2, bits);
  // The operator ** costs as much as everything else here.
  const size = bits < 31 ? 1 << bits : 2 ** bits;
  let before = readField(vbuf, vpos, vpos + vlen, offset, bits);
  if (signed && before >= size / 2) before -= size;
  if (operation === Operation.get) {
    c.reply.int(before);
    return NO_WRITE;
  }
  const max = signed ? size / 2 - 1 : size - 1;
  const min = signed ? -size / 2 : 0;
  let after = operation === Operation.set ? operand : before + operand;
  if (after < min || after > max) {
    if (overflow === 'fail') {
      c.reply.nil();
      return NO_WRITE;
    }
    // An unsigned SET takes a negative value as the huge number with the same bits.
    const above = after > max || (!signed && operation === Operation.set);
    after = overflow === 'sat' ? (above ? max : min) : wrap(after, size, max);
  }
  c.reply.int(operation === Operation.set ? before : after);
  writeField(vbuf, vpos, offset, bits, after);
  return after === before ? SAME : CHANGED;
}

function wrap(value: number, size: number, max: number): number {
  const rest = value - Math.floor(value / size) * size;
  return rest > max ? rest - size : rest;
}

/** Runs one operation with 64-bit arithmetic. */
function runWide(c: Context, i: number, operation: number, bits: number, overflow: Overflow): number {
  const { vbuf, vpos, vlen } = c.db;
  const signed = c.buf[c.pos[i + 1]] === LOWER_I;
  const offset = bitOffset(c, i + 2, bits);
  const before = read(vbuf, vpos, vpos + vlen, offset, bits, signed);
  if (operation === Operation.get) {
    c.reply.bigInt(before);
    return NO_WRITE;
  }
  const operand = c.int64(i + 3);
  const isSet = operation === Operation.set;
  const after = fitted(isSet ? operand : before, isSet ? 0n : operand, bits, signed, overflow);
  if (after === null) {
    c.reply.nil();
    return NO_WRITE;
  }
  c.reply.bigInt(isSet ? before : after);
  write(vbuf, vpos, offset, bits, after);
  return after === before ? SAME : CHANGED;
}

function read(buf: Uint8Array, start: number, end: number, offset: number, bits: number, signed: boolean): bigint {
  let value: bigint;
  if (bits <= 32) {
    value = BigInt(readField(buf, start, end, offset, bits));
  } else {
    const high = readField(buf, start, end, offset, bits - 32);
    const low = readField(buf, start, end, offset + bits - 32, 32);
    value = (BigInt(high) << 32n) | BigInt(low);
  }
  return signed ? BigInt.asIntN(bits, value) : value;
}

function write(buf: Uint8Array, start: number, offset: number, bits: number, value: bigint): void {
  const low = Number(BigInt.asIntN(32, value));
  if (bits <= 32) {
    writeField(buf, start, offset, bits, low);
    return;
  }
  writeField(buf, start, offset, bits - 32, Number(BigInt.asIntN(32, value >> 32n)));
  writeField(buf, start, offset + bits - 32, 32, low);
}

/** value + increment as a field of that width holds it; null when it overflows and OVERFLOW is FAIL. */
function fitted(value: bigint, increment: bigint, bits: number, signed: boolean, overflow: Overflow): bigint | null {
  // An unsigned SET takes a negative value as the huge number with the same bits.
  const base = signed ? value : BigInt.asUintN(64, value);
  const max = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  const min = signed ? -max - 1n : 0n;
  const sum = base + increment;
  if (sum >= min && sum <= max) return sum;
  if (overflow === 'fail') return null;
  if (overflow === 'wrap') return signed ? BigInt.asIntN(bits, sum) : BigInt.asUintN(bits, sum);
  // Redis reckons max - value in 64 bits: for the lowest of values that wraps around and looks like too much.
  const wrapsAround = signed && bits < 64 && increment > BigInt.asIntN(64, max - base);
  return sum > max || wrapsAround ? max : min;
}
