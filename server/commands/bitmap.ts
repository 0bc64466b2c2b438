// SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP: strings as rows of bits, bit 0 being the highest bit of the first byte.

import { copyRange } from '../base/bytes.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import { type Arena, SEGMENT_SHIFT } from '../memory/arena.ts';
import { type BitOperation, combineBits, countOnes, findBit, invertBits } from '../values/bits.ts';
import { bitfield, bitfieldReadOnly } from './bitmap-field.ts';
import { bitOffset, growForBit } from './bitmap-offset.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import type { bitmapSpecs } from './specs/bitmap.ts';
import { storeBytes } from './string-store.ts';

const BIT_INVALID = 'ERR bit is not an integer or out of range';

export const bitmapHandlers: Handlers<typeof bitmapSpecs> = {
  setbit,
  getbit,
  bitcount,
  bitpos,
  bitop,
  bitfield,
  bitfield_ro: bitfieldReadOnly,
};

function setbit(c: Context): void {
  const offset = bitOffset(c, 2);
  const bit = c.integerBetween(3, 0, 1, BIT_INVALID);
  const entry = c.typedWrite(1, Type.string);
  const byte = Math.floor(offset / 8);
  const grown = growForBit(c, entry, offset);
  const buf = c.db.vbuf;
  const at = c.db.vpos + byte;
  const shift = 7 - (offset & 7);
  const before = (buf[at] >>> shift) & 1;
  if (grown || before !== bit) {
    buf[at] = (buf[at] & ~(1 << shift)) | (bit << shift);
    c.changed(1, '$', 'setbit');
  }
  c.reply.int(before);
}

function getbit(c: Context): void {
  const offset = bitOffset(c, 2);
  const entry = c.typedRead(1, Type.string);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  c.db.open(entry);
  const byte = Math.floor(offset / 8);
  c.reply.int(byte < c.db.vlen ? (c.db.vbuf[c.db.vpos + byte] >>> (7 - (offset & 7))) & 1 : 0);
}

/** The range of BITCOUNT and BITPOS in bits, both ends included; empty when from > to. One object serves all calls. */
const range = { from: 0, to: 0 };

/**
 * Reads `start` and `end` (negative: from the end) in the unit given (default: bytes) against a string of `length`
 * bytes. `negativeRule`: BITCOUNT's, by which two negative ends in the wrong order are empty before anything else is looked at.
 */
function readRange(
  c: Context,
  startAt: number,
  endAt: number,
  unitAt: number,
  length: number,
  negativeRule: boolean,
): void {
  let start = c.integer(startAt);
  let bits = false;
  if (negativeRule) {
    const end = c.integer(endAt);
    if (start < 0 && end < 0 && start > end) {
      range.from = 1;
      range.to = 0;
      return;
    }
  }
  if (unitAt < c.argc) bits = isBitUnit(c, unitAt);
  const total = bits ? length * 8 : length;
  let end = endAt < c.argc ? c.integer(endAt) : total - 1;
  if (start < 0) start = Math.max(0, start + total);
  if (end < 0) end = Math.max(0, end + total);
  if (end >= total) end = total - 1;
  range.from = bits ? start : start * 8;
  range.to = bits ? end : end * 8 + 7;
}

function isBitUnit(c: Context, i: number): boolean {
  if (c.is(i, 'bit')) return true;
  if (c.is(i, 'byte')) return false;
  throw new CommandError(ERRORS.syntax);
}

function bitcount(c: Context): void {
  const entry = c.typedRead(1, Type.string);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  c.db.open(entry);
  const length = c.db.vlen;
  if (c.argc === 2) {
    range.from = 0;
    range.to = length * 8 - 1;
  } else if (c.argc === 4 || c.argc === 5) {
    readRange(c, 2, 3, 4, length, true);
  } else {
    throw new CommandError(ERRORS.syntax);
  }
  if (range.from > range.to) {
    c.reply.int(0);
    return;
  }
  const buf = c.db.vbuf;
  const start = c.db.vpos + Math.floor(range.from / 8);
  const end = c.db.vpos + Math.floor(range.to / 8) + 1;
  const words = wordsOf(c.keyspace.arena, entry);
  // The parts of the first and the last byte outside the range are counted and taken off again.
  const before = (buf[start] >>> (8 - (range.from & 7))) << (8 - (range.from & 7));
  const after = buf[end - 1] & (0x7f >>> (range.to & 7));
  c.reply.int(countOnes(buf, words, start, end) - onesOfByte(before) - onesOfByte(after));
}

function onesOfByte(byte: number): number {
  let ones = 0;
  for (let rest = byte & 0xff; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}

function wordsOf(arena: Arena, entry: number): Int32Array {
  return arena.words[entry >>> SEGMENT_SHIFT];
}

function bitpos(c: Context): void {
  const bit = c.integer(2);
  if (bit !== 0 && bit !== 1) throw new CommandError('ERR The bit argument must be 1 or 0.');
  const entry = c.typedRead(1, Type.string);
  if (entry === 0) {
    c.reply.int(bit === 1 ? -1 : 0);
    return;
  }
  c.db.open(entry);
  const length = c.db.vlen;
  if (c.argc === 3) {
    range.from = 0;
    range.to = length * 8 - 1;
  } else if (c.argc <= 6) {
    readRange(c, 3, 4, 5, length, false);
  } else {
    throw new CommandError(ERRORS.syntax);
  }
  const found = range.from > range.to ? -1 : findInRange(c, entry, bit);
  // Without an end the string counts as followed by endless zeros.
  if (found < 0 && bit === 0 && c.argc < 5 && range.from <= range.to) c.reply.int(length * 8);
  else c.reply.int(found);
}

/** The first such bit inside `range`, as a position in the string, or -1. */
function findInRange(c: Context, entry: number, bit: number): number {
  const buf = c.db.vbuf;
  const first = Math.floor(range.from / 8);
  const last = Math.floor(range.to / 8);
  const start = c.db.vpos + first;
  let at = range.from;
  if ((range.from & 7) !== 0) {
    for (; at <= range.to && (at & 7) !== 0; at++) {
      if (((buf[start] >>> (7 - (at & 7))) & 1) === bit) return at;
    }
    if (at > range.to) return -1;
  }
  const from = Math.floor(at / 8);
  const words = wordsOf(c.keyspace.arena, entry);
  const found = findBit(buf, words, c.db.vpos + from, c.db.vpos + last + 1, bit);
  return found < 0 || from * 8 + found > range.to ? -1 : from * 8 + found;
}

function bitop(c: Context): void {
  let operation: BitOperation | 'not';
  if (c.is(1, 'and')) operation = 'and';
  else if (c.is(1, 'or')) operation = 'or';
  else if (c.is(1, 'xor')) operation = 'xor';
  else if (c.is(1, 'not')) operation = 'not';
  else throw new CommandError(ERRORS.syntax);
  if (operation === 'not' && c.argc !== 4) {
    throw new CommandError('ERR BITOP NOT must be called with a single source key.');
  }
  const entries: number[] = [];
  let longest = 0;
  for (let i = 3; i < c.argc; i++) {
    const entry = c.lookupRead(i);
    if (entry !== 0 && c.db.type(entry) !== Type.string) throw new CommandError(ERRORS.wrongType);
    entries.push(entry);
    if (entry === 0) continue;
    c.db.open(entry);
    longest = Math.max(longest, c.db.vlen);
  }
  if (longest === 0) {
    deleteTarget(c);
    c.reply.int(0);
    return;
  }
  const result = combine(c, operation, entries, longest);
  storeBytes(c, 2, c.lookupWrite(2), result, 0, longest, Encoding.raw);
  c.changed(2, '$', 'set');
  c.reply.int(longest);
}

function deleteTarget(c: Context): void {
  const target = c.lookupWrite(2);
  if (target === 0) return;
  c.db.delete(target);
  c.changed(2, 'g', 'del');
}

/** Buffers for BITOP, aligned; what exceeds SCRATCH_BYTES is allocated for one request. */
const SCRATCH_BYTES = 64 * 1024;
const scratchResult = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
const scratchSource = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

function combine(c: Context, operation: BitOperation | 'not', entries: readonly number[], length: number): Buffer {
  const fits = length <= SCRATCH_BYTES;
  const result = fits ? scratchResult : Buffer.allocUnsafeSlow(length);
  copyValue(c, entries[0], result, length);
  if (operation === 'not') {
    invertBits(result, length);
    return result;
  }
  // Sources stand at any alignment: each is copied to an aligned place and combined word by word.
  const source = fits || entries.length === 1 ? scratchSource : Buffer.allocUnsafeSlow(length);
  for (let k = 1; k < entries.length; k++) {
    copyValue(c, entries[k], source, length);
    combineBits(operation, result, source, length);
  }
  return result;
}

/** Copies the string at an entry (0: none) and fills up with zeros to `length`. */
function copyValue(c: Context, entry: number, to: Buffer, length: number): void {
  let copied = 0;
  if (entry !== 0) {
    c.db.open(entry);
    copied = c.db.vlen;
    copyRange(c.db.vbuf, c.db.vpos, copied, to, 0);
  }
  to.fill(0, copied, length);
}
