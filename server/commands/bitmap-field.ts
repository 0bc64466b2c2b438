// BITFIELD and BITFIELD_RO: integers of 1 to 64 bits anywhere in a string.
// Syntax: BITFIELD key [GET type offset | [OVERFLOW WRAP|SAT|FAIL] SET type offset value | INCRBY type offset increment]...

import { Type } from '../keyspace/layout.ts';
import { readField, writeField } from '../values/bits.ts';
import { bitOffset, growForBit } from './bitmap-offset.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';

const TYPE_INVALID = 'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.';

type Overflow = 'wrap' | 'sat' | 'fail';

export function bitfield(c: Context): void {
  const lastBit = check(c, false);
  if (lastBit < 0) {
    readAll(c);
    return;
  }
  const entry = c.typedWrite(1, Type.string);
  const grown = growForBit(c, entry, lastBit);
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

/** Checks all operations before any is run. Returns the highest bit that is written to, -1 when there are only reads. */
function check(c: Context, readOnly: boolean): number {
  let lastBit = -1;
  let writes = false;
  for (let i = 2; i < c.argc; ) {
    const left = c.argc - i - 1;
    if (c.is(i, 'overflow') && left >= 1) {
      overflowOf(c, i + 1);
      i += 2;
      continue;
    }
    const get = c.is(i, 'get') && left >= 2;
    if (!get && !((c.is(i, 'set') || c.is(i, 'incrby')) && left >= 3)) throw new CommandError(ERRORS.syntax);
    const bits = fieldBits(c, i + 1);
    const offset = bitOffset(c, i + 2, bits);
    if (!get) {
      writes = true;
      lastBit = Math.max(lastBit, offset + bits - 1);
      c.int64(i + 3);
    }
    i += get ? 3 : 4;
  }
  if (readOnly && writes) throw new CommandError('ERR BITFIELD_RO only supports the GET subcommand');
  return lastBit;
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
  const signed = c.len[i] > 1 && kind === 105;
  if (!signed && !(c.len[i] > 1 && kind === 117)) throw new CommandError(TYPE_INVALID);
  const bits = Number.parseInt(c.text(i).slice(1), 10);
  if (!/^[iu][1-9][0-9]?$/.test(c.text(i)) || bits > (signed ? 64 : 63)) throw new CommandError(TYPE_INVALID);
  return bits;
}

/** Runs the checked operations on the opened string and replies. Returns how many changed something. */
function run(c: Context, grown: boolean): number {
  const { vbuf, vpos, vlen } = c.db;
  const mark = c.reply.beginAggregate();
  let overflow: Overflow = 'wrap';
  let count = 0;
  let changes = 0;
  for (let i = 2; i < c.argc; count++) {
    if (c.is(i, 'overflow')) {
      overflow = overflowOf(c, i + 1);
      i += 2;
      count--;
      continue;
    }
    const bits = fieldBits(c, i + 1);
    const signed = c.buf[c.pos[i + 1]] === 105;
    const offset = bitOffset(c, i + 2, bits);
    const before = read(vbuf, vpos, vpos + vlen, offset, bits, signed);
    if (c.is(i, 'get')) {
      c.reply.bigInt(before);
      i += 3;
      continue;
    }
    const isSet = c.is(i, 'set');
    const operand = c.int64(i + 3);
    const after = fit(isSet ? operand : before, isSet ? 0n : operand, bits, signed, overflow);
    i += 4;
    if (after === null) {
      c.reply.nil();
      continue;
    }
    c.reply.bigInt(isSet ? before : after);
    write(vbuf, vpos, offset, bits, after);
    if (grown || after !== before) changes++;
  }
  c.reply.endAggregate(mark, 'array', count);
  return changes;
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
function fit(value: bigint, increment: bigint, bits: number, signed: boolean, overflow: Overflow): bigint | null {
  // An unsigned SET takes a negative value as the huge number with the same bits.
  const base = signed ? value : BigInt.asUintN(64, value);
  const max = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  const min = signed ? -max - 1n : 0n;
  const sum = base + increment;
  if (sum >= min && sum <= max) return sum;
  if (overflow === 'fail') return null;
  if (overflow === 'wrap') return signed ? BigInt.asIntN(bits, sum) : BigInt.asUintN(bits, sum);
  return sum > max ? max : min;
}
