// Packed runs: small hashes, sets and sorted sets as one run of bytes, walked from its beginning. It is a listpack without
// what serves walks from the end and readers that do not know the length: an entry takes a byte less, the whole five.
// packed-listpack.ts makes listpacks of them for RDB, and the reverse. All operations work on a Region and make no object.
//
//   | u16 LE count (65535: many, count them) | entries (packed-entry.ts) |
//
// Offsets count from the region's start. The first entry is at PACKED_FIRST; the offset `region.len` stands for "behind
// the last". Bytes to be stored must not lie in the region being changed.

import { LONG_STRING, PackedValue, packedEntryBytes } from './packed-entry.ts';
import type { Region } from './region.ts';

export { LONG_STRING, PackedElement, PackedValue, packedEntryBytes } from './packed-entry.ts';

/** Bytes of a run without entries: what to allocate before initPacked. */
export const PACKED_EMPTY_BYTES = 2;
/** Offset of the first entry. */
export const PACKED_FIRST = 2;

const COUNT_UNKNOWN = 65535;
/** Steps that packedSeek takes at once over entries of one length. */
const EVEN_STEPS = 4;

const scratch = new PackedValue();

/** Writes an empty run into a region of PACKED_EMPTY_BYTES. */
export function initPacked(region: Region): void {
  writePackedCount(region.buf, region.pos, 0);
}

/** Writes the header of a run of `count` elements at position `pos`. */
export function writePackedCount(buf: Buffer, pos: number, count: number): void {
  const stored = Math.min(count, COUNT_UNKNOWN);
  buf[pos] = stored;
  buf[pos + 1] = stored >>> 8;
}

/** Number of elements. O(1) up to 65,534, beyond that it counts (and notes the result when it fits again). */
export function packedCount(region: Region): number {
  const { buf, pos } = region;
  const stored = buf[pos] | (buf[pos + 1] << 8);
  if (stored !== COUNT_UNKNOWN) return stored;
  let count = 0;
  const end = pos + region.len;
  for (let p = pos + PACKED_FIRST; p < end; p += packedEntryBytes(buf, p)) count++;
  if (count < COUNT_UNKNOWN) writePackedCount(buf, pos, count);
  return count;
}

/** Offset of the entry behind the one at `offset`; `region.len` behind the last. */
export function packedNext(region: Region, offset: number): number {
  return offset + packedEntryBytes(region.buf, region.pos + offset);
}

/** Offset of the element with an index from 0 on, 0 when there is none. O(index). */
export function packedSeek(region: Region, index: number): number {
  const { buf, pos } = region;
  const end = pos + region.len;
  let p = pos + PACKED_FIRST;
  let rest = index;
  if (rest >= EVEN_STEPS) {
    // Where all entries are as long as the first, as members of a set often are, several steps are taken at once: each
    // need not wait for the length that the one before has read.
    const first = buf[p];
    const bytes = packedEntryBytes(buf, p);
    const isEven = first < LONG_STRING && region.len - PACKED_FIRST === bytes * (buf[pos] | (buf[pos + 1] << 8));
    while (
      isEven &&
      rest >= EVEN_STEPS &&
      buf[p] === first &&
      buf[p + bytes] === first &&
      buf[p + bytes * 2] === first &&
      buf[p + bytes * 3] === first
    ) {
      p += bytes * EVEN_STEPS;
      rest -= EVEN_STEPS;
    }
  }
  for (; rest > 0 && p < end; rest--) p += packedEntryBytes(buf, p);
  return p < end ? p - pos : 0;
}

/**
 * Offset of the first entry that equals the bytes, 0 when there is none. `skip` entries are passed over after each
 * comparison: 1 finds a field among field-value pairs.
 */
export function packedFind(region: Region, buf: Uint8Array, pos: number, len: number, skip: number): number {
  return packedFindValue(region, scratch.set(buf, pos, len), skip);
}

/** packedFind for a value whose encoding is already known. */
export function packedFindValue(region: Region, value: PackedValue, skip: number): number {
  const { buf, pos } = region;
  const found = value.findIn(buf, pos + PACKED_FIRST, pos + region.len, skip);
  return found === 0 ? 0 : found - pos;
}

/** Puts a value behind the last element. */
export function packedAppend(region: Region, buf: Uint8Array, pos: number, len: number): void {
  const value = scratch.set(buf, pos, len);
  const offset = region.len;
  region.splice(offset, 0, value.size);
  value.write(region.buf, region.pos + offset);
  addToCount(region, 1);
}

/** Puts two values before the entry at `offset`, moving what follows once: a field and its value, a member and its score. */
export function packedInsertPair(region: Region, offset: number, first: PackedValue, next: PackedValue): void {
  region.splice(offset, 0, first.size + next.size);
  next.write(region.buf, first.write(region.buf, region.pos + offset));
  addToCount(region, 2);
}

/** Puts another value in the place of the entry at `offset`. */
export function packedReplace(region: Region, offset: number, value: PackedValue): void {
  const old = packedEntryBytes(region.buf, region.pos + offset);
  if (old !== value.size) region.splice(offset, old, value.size);
  value.write(region.buf, region.pos + offset);
}

/** Removes `count` entries (or as many as there are) from `offset` on. */
export function packedDelete(region: Region, offset: number, count: number): void {
  const { buf, pos } = region;
  const end = pos + region.len;
  let p = pos + offset;
  let removed = 0;
  for (; removed < count && p < end; removed++) p += packedEntryBytes(buf, p);
  if (removed === 0) return;
  region.splice(offset, p - pos - offset, 0);
  addToCount(region, -removed);
}

/** Brings the count up to date after `delta` entries have been added (or removed). */
function addToCount(region: Region, delta: number): void {
  const { buf, pos } = region;
  const stored = buf[pos] | (buf[pos + 1] << 8);
  if (stored !== COUNT_UNKNOWN) writePackedCount(buf, pos, stored + delta);
}
