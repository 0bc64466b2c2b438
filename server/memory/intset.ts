// Sets of integers as sorted bytes, in exactly the form that RDB stores, over any Region:
//
//   u32 LE bytes per element (2, 4 or 8) | u32 LE count | the elements, little-endian, ascending
//
// The width is that of the widest element that ever came in; it never shrinks, as in Redis.

import { parseInt64, parseInteger, writeInteger } from '../base/numbers.ts';
import type { Region } from './region.ts';

const HEADER_BYTES = 8;
const SAFE_HIGH = 0x200000;

/** Bytes of an intset without elements, as initIntset writes it. */
export const INTSET_EMPTY_BYTES = HEADER_BYTES;
/** The most bytes that IntsetValue.format writes. */
export const INTSET_DIGITS_MAX = 20;

/** A signed 64-bit integer as two halves, so that no BigInt is made per element. One instance serves many calls. */
export class IntsetValue {
  high = 0;
  low = 0;

  /** Takes the value of a canonical decimal integer; returns false, unchanged, for any other bytes. */
  parse(buf: Uint8Array, pos: number, len: number): boolean {
    const small = parseInteger(buf, pos, len);
    if (!Number.isNaN(small)) {
      this.fromNumber(small);
      return true;
    }
    if (len < 16 || len > 20) return false;
    const big = parseInt64(buf, pos, len);
    if (big === null) return false;
    this.high = Number(BigInt.asIntN(32, big >> 32n));
    this.low = Number(BigInt.asIntN(32, big));
    return true;
  }

  /** Takes a safe integer. */
  fromNumber(value: number): void {
    this.high = Math.floor(value / 4294967296);
    this.low = value | 0;
  }

  /** Writes the decimal digits at `pos`; returns the position after them. */
  format(buf: Buffer, pos: number): number {
    const high = this.high;
    if (high >= -SAFE_HIGH && high < SAFE_HIGH) return writeInteger(buf, pos, high * 4294967296 + (this.low >>> 0));
    const text = ((BigInt(high) << 32n) | BigInt(this.low >>> 0)).toString();
    return pos + buf.write(text, pos, 'latin1');
  }

  /** The bytes an intset needs for each element to hold this value. */
  get width(): number {
    if (this.high !== this.low >> 31) return 8;
    return this.low === (this.low << 16) >> 16 ? 2 : 4;
  }
}

/** Writes the empty intset into a region of INTSET_EMPTY_BYTES. */
export function initIntset(region: Region): void {
  writeWord(region.buf, region.pos, 2);
  writeWord(region.buf, region.pos + 4, 0);
}

export function intsetCount(region: Region): number {
  return readWord(region.buf, region.pos + 4) >>> 0;
}

/** Reads the element at `index` (0 to count - 1) into `value`. */
export function intsetGet(region: Region, index: number, value: IntsetValue): void {
  const width = region.buf[region.pos];
  readElement(region.buf, region.pos + HEADER_BYTES + index * width, width, value);
}

export function intsetHas(region: Region, value: IntsetValue): boolean {
  return intsetSearch(region, value) >= 0;
}

/** The element's index, or -1 minus the index at which it belongs. O(log n). */
export function intsetSearch(region: Region, value: IntsetValue): number {
  const buf = region.buf;
  const width = buf[region.pos];
  const start = region.pos + HEADER_BYTES;
  let low = 0;
  let high = intsetCount(region) - 1;
  if (value.width > width) return value.high < 0 ? -1 : -2 - high;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareElement(buf, start + middle * width, width, value);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1 - low;
}

/** Adds a value; returns false when it is there already. O(n) for the bytes behind it. */
export function intsetAdd(region: Region, value: IntsetValue): boolean {
  const at = intsetSearch(region, value);
  if (at >= 0) return false;
  const index = -1 - at;
  if (value.width > region.buf[region.pos]) widen(region, value.width);
  const width = region.buf[region.pos];
  const offset = HEADER_BYTES + index * width;
  region.splice(offset, 0, width);
  writeElement(region.buf, region.pos + offset, width, value);
  writeWord(region.buf, region.pos + 4, intsetCount(region) + 1);
  return true;
}

/** Removes a value; returns false when it is not there. */
export function intsetRemove(region: Region, value: IntsetValue): boolean {
  const index = intsetSearch(region, value);
  if (index < 0) return false;
  intsetRemoveAt(region, index, 1);
  return true;
}

/** Removes `count` elements from `index` on. */
export function intsetRemoveAt(region: Region, index: number, count: number): void {
  const width = region.buf[region.pos];
  region.splice(HEADER_BYTES + index * width, count * width, 0);
  writeWord(region.buf, region.pos + 4, intsetCount(region) - count);
}

/** Rewrites all elements in a larger width, from the last to the first so that they may overlap. */
function widen(region: Region, width: number): void {
  const count = intsetCount(region);
  const oldWidth = region.buf[region.pos];
  region.splice(region.len, 0, count * (width - oldWidth));
  const start = region.pos + HEADER_BYTES;
  const value = new IntsetValue();
  for (let i = count - 1; i >= 0; i--) {
    readElement(region.buf, start + i * oldWidth, oldWidth, value);
    writeElement(region.buf, start + i * width, width, value);
  }
  writeWord(region.buf, region.pos, width);
}

function readElement(buf: Uint8Array, p: number, width: number, value: IntsetValue): void {
  if (width === 2) {
    value.low = ((buf[p] << 16) | (buf[p + 1] << 24)) >> 16;
    value.high = value.low >> 31;
    return;
  }
  value.low = readWord(buf, p);
  value.high = width === 4 ? value.low >> 31 : readWord(buf, p + 4);
}

function writeElement(buf: Uint8Array, p: number, width: number, value: IntsetValue): void {
  if (width === 2) {
    buf[p] = value.low;
    buf[p + 1] = value.low >>> 8;
    return;
  }
  writeWord(buf, p, value.low);
  if (width === 8) writeWord(buf, p + 4, value.high);
}

/** Whether the stored element is smaller (below 0), equal (0) or greater than the value. */
function compareElement(buf: Uint8Array, p: number, width: number, value: IntsetValue): number {
  let low: number;
  if (width === 2) low = ((buf[p] << 16) | (buf[p + 1] << 24)) >> 16;
  else low = readWord(buf, p);
  if (width !== 8) return low < value.low ? -1 : low > value.low ? 1 : 0;
  const high = readWord(buf, p + 4);
  if (high !== value.high) return high < value.high ? -1 : 1;
  const unsigned = low >>> 0;
  const wanted = value.low >>> 0;
  return unsigned < wanted ? -1 : unsigned > wanted ? 1 : 0;
}

function readWord(buf: Uint8Array, p: number): number {
  return buf[p] | (buf[p + 1] << 8) | (buf[p + 2] << 16) | (buf[p + 3] << 24);
}

function writeWord(buf: Uint8Array, p: number, value: number): void {
  buf[p] = value;
  buf[p + 1] = value >>> 8;
  buf[p + 2] = value >>> 16;
  buf[p + 3] = value >>> 24;
}
