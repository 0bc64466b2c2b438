// HyperLogLog in the bytes that Redis stores, so that values move freely between the two. Source: the format's
// description in Redis' documentation of PFADD and its stored values.
//
//   "HYLL" | encoding (0 dense, 1 sparse) | 3 unused | cached cardinality, 8 bytes little-endian | registers
//
// The cache is out of date while the highest bit of its last byte is set. Dense registers: 16384 of 6 bits, each
// lowest bits first, 12288 bytes. Sparse registers: see hyperloglog-sparse.ts.

import type { Region } from '../memory/region.ts';
import { estimate } from './hyperloglog-estimate.ts';
import { REGISTER_BITS, REGISTERS } from './hyperloglog-hash.ts';
import { CORRUPT, countSparse, EMPTY_RUNS, mergeSparse, NEEDS_DENSE, setSparse } from './hyperloglog-sparse.ts';

export const HEADER_BYTES = 16;
const CACHE_AT = 8;
const DENSE = 0;
const SPARSE = 1;
const DENSE_BYTES = HEADER_BYTES + (REGISTERS * 6) / 8;
const HISTOGRAM_SIZE = 64;

export { REGISTERS, registerOf } from './hyperloglog-hash.ts';
export { CORRUPT, describeSparse } from './hyperloglog-sparse.ts';

/** A new, empty value (sparse, with a valid cache of 0). */
export function emptyHyperLogLog(): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + EMPTY_RUNS.length);
  bytes.set([0x48, 0x59, 0x4c, 0x4c, SPARSE]);
  bytes.set(EMPTY_RUNS, HEADER_BYTES);
  return bytes;
}

/** Whether the bytes are a HyperLogLog as far as the header and the length tell. */
export function isHyperLogLog(buf: Uint8Array, pos: number, len: number): boolean {
  if (len < HEADER_BYTES) return false;
  if (buf[pos] !== 0x48 || buf[pos + 1] !== 0x59 || buf[pos + 2] !== 0x4c || buf[pos + 3] !== 0x4c) return false;
  const encoding = buf[pos + 4];
  return encoding === SPARSE || (encoding === DENSE && len === DENSE_BYTES);
}

export function isSparse(region: Region): boolean {
  return region.buf[region.pos + 4] === SPARSE;
}

/**
 * Counts in an element given by registerOf(). A sparse value becomes dense when it needs more than `sparseBytesMax`
 * bytes. Returns 1 when a register changed, 0 when not, CORRUPT when the value is damaged.
 */
export function addRegister(region: Region, indexAndRank: number, sparseBytesMax: number): number {
  return raiseRegister(region, indexAndRank & (REGISTERS - 1), indexAndRank >>> REGISTER_BITS, sparseBytesMax);
}

/** Raises one register to `rank` if it is lower. Returns like addRegister. */
export function raiseRegister(region: Region, index: number, rank: number, sparseBytesMax: number): number {
  if (isSparse(region)) {
    const result = setSparse(region, HEADER_BYTES, index, rank, sparseBytesMax);
    if (result === 1) dropCachedCount(region.buf, region.pos);
    if (result !== NEEDS_DENSE) return result;
    if (!makeDense(region)) return CORRUPT;
  }
  const { buf } = region;
  const start = region.pos + HEADER_BYTES;
  if (getDense(buf, start, index) >= rank) return 0;
  setDense(buf, start, index, rank);
  return 1;
}

/** Turns a sparse value into a dense one. Returns false, changing nothing, when it is damaged. */
export function makeDense(region: Region): boolean {
  if (!isSparse(region)) return true;
  const registers = new Uint8Array(REGISTERS);
  if (!mergeSparse(registers, region.buf, region.pos + HEADER_BYTES, region.pos + region.len)) return false;
  region.splice(HEADER_BYTES, region.len - HEADER_BYTES, DENSE_BYTES - HEADER_BYTES);
  const { buf, pos } = region;
  buf[pos + 4] = DENSE;
  buf.fill(0, pos + HEADER_BYTES, pos + DENSE_BYTES);
  for (let index = 0; index < REGISTERS; index++) {
    if (registers[index] > 0) setDense(buf, pos + HEADER_BYTES, index, registers[index]);
  }
  return true;
}

/** Raises `max` (one byte a register) to the value's registers; false when the value is damaged. */
export function mergeRegisters(max: Uint8Array, buf: Uint8Array, pos: number, len: number): boolean {
  if (buf[pos + 4] === SPARSE) return mergeSparse(max, buf, pos + HEADER_BYTES, pos + len);
  let p = pos + HEADER_BYTES;
  for (let index = 0; index < REGISTERS; index += 4, p += 3) {
    const bits = buf[p] | (buf[p + 1] << 8) | (buf[p + 2] << 16);
    if (max[index] < (bits & 63)) max[index] = bits & 63;
    if (max[index + 1] < ((bits >>> 6) & 63)) max[index + 1] = (bits >>> 6) & 63;
    if (max[index + 2] < ((bits >>> 12) & 63)) max[index + 2] = (bits >>> 12) & 63;
    if (max[index + 3] < bits >>> 18) max[index + 3] = bits >>> 18;
  }
  return true;
}

/** The estimated number of distinct elements, computed from the registers; CORRUPT when the value is damaged. */
export function countDistinct(buf: Uint8Array, pos: number, len: number): number {
  const histogram = new Int32Array(HISTOGRAM_SIZE);
  if (buf[pos + 4] === SPARSE) {
    if (!countSparse(histogram, buf, pos + HEADER_BYTES, pos + len)) return CORRUPT;
  } else {
    const end = pos + DENSE_BYTES;
    for (let p = pos + HEADER_BYTES; p < end; p += 3) {
      const bits = buf[p] | (buf[p + 1] << 8) | (buf[p + 2] << 16);
      histogram[bits & 63]++;
      histogram[(bits >>> 6) & 63]++;
      histogram[(bits >>> 12) & 63]++;
      histogram[bits >>> 18]++;
    }
  }
  return estimate(histogram);
}

/** The estimate for registers of one byte each. */
export function countRegisters(registers: Uint8Array): number {
  const histogram = new Int32Array(HISTOGRAM_SIZE);
  for (let index = 0; index < REGISTERS; index++) histogram[registers[index] & 63]++;
  return estimate(histogram);
}

/** The cached estimate, -1 when it is out of date. Beyond 2^53, where no true estimate is, cachedWideCount is exact. */
export function cachedCount(buf: Uint8Array, pos: number): number {
  const at = pos + CACHE_AT;
  if ((buf[at + 7] & 0x80) !== 0) return -1;
  let count = 0;
  for (let i = 7; i >= 0; i--) count = count * 256 + buf[at + i];
  return count;
}

export function cachedWideCount(buf: Buffer, pos: number): bigint {
  return buf.readBigUInt64LE(pos + CACHE_AT);
}

export function cacheCount(buf: Uint8Array, pos: number, count: number): void {
  let rest = count;
  for (let i = 0; i < 8; i++) {
    buf[pos + CACHE_AT + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

export function dropCachedCount(buf: Uint8Array, pos: number): void {
  buf[pos + CACHE_AT + 7] |= 0x80;
}

/** Register `index` of a dense value whose registers start at `start`. */
export function getDense(buf: Uint8Array, start: number, index: number): number {
  const p = start + ((index * 6) >>> 3);
  const shift = (index * 6) & 7;
  const high = shift > 2 ? buf[p + 1] : 0;
  return ((buf[p] | (high << 8)) >>> shift) & 63;
}

/** Sets register `index` (0 to 63) of a dense value whose registers start at `start`. */
export function setDense(buf: Uint8Array, start: number, index: number, value: number): void {
  const p = start + ((index * 6) >>> 3);
  const shift = (index * 6) & 7;
  buf[p] = (buf[p] & ~(63 << shift)) | (value << shift);
  if (shift > 2) buf[p + 1] = (buf[p + 1] & ~(63 >>> (8 - shift))) | (value >>> (8 - shift));
}
