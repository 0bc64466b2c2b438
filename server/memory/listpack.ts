// Listpacks: lists and nodes of streams as one run of bytes in exactly the form that RDB stores, which can be walked in both
// directions. All operations work on a Region, so they serve inline values of keys and blocks of quicklists alike, and
// make no object. Small hashes, sets and sorted sets do without what is not needed for them: packed.ts.
//
//   | u32 LE total bytes | u16 LE count (65535: many, count them) | entries (listpack-entry.ts) | 0xFF |
//
// Offsets count from the region's start. The first entry is at LISTPACK_FIRST; the offset of the end byte is
// `region.len - 1` and stands for "behind the last". Bytes to be stored must not lie in the region being changed.

import { entryBytes, entryBytesBefore, type ListpackElement, ListpackValue } from './listpack-entry.ts';
import { read32, write32 } from './packed-entry.ts';
import type { Region } from './region.ts';

export { entryBytes, entryBytesBefore, ListpackElement, ListpackValue } from './listpack-entry.ts';

/** Bytes of a listpack without entries: what to allocate before initListpack. */
export const LISTPACK_EMPTY_BYTES = 7;
/** Offset of the first entry. */
export const LISTPACK_FIRST = 6;
/** The byte behind the last entry. */
export const LISTPACK_END = 0xff;

const COUNT_UNKNOWN = 65535;

const scratch = new ListpackValue();

/** Writes an empty listpack into a region of LISTPACK_EMPTY_BYTES. */
export function initListpack(region: Region): void {
  const { buf, pos } = region;
  write32(buf, pos, LISTPACK_EMPTY_BYTES);
  buf[pos + 4] = 0;
  buf[pos + 5] = 0;
  buf[pos + 6] = LISTPACK_END;
}

/** Writes the header of a listpack of `bytes` bytes in all and `count` elements. */
export function writeListpackHeader(view: DataView, pos: number, bytes: number, count: number): void {
  view.setInt32(pos, bytes, true);
  view.setInt16(pos + 4, Math.min(count, COUNT_UNKNOWN), true);
}

/** Whether header and end agree with the region's length. Entries are not looked at. */
export function hasListpackHeader(buf: Uint8Array, pos: number, len: number): boolean {
  return len >= LISTPACK_EMPTY_BYTES && read32(buf, pos) >>> 0 === len && buf[pos + len - 1] === LISTPACK_END;
}

/** Number of elements. O(1) up to 65,534, beyond that it counts (and notes the result when it fits again). */
export function listpackCount(region: Region): number {
  const { buf, pos } = region;
  const stored = buf[pos + 4] | (buf[pos + 5] << 8);
  if (stored !== COUNT_UNKNOWN) return stored;
  let count = 0;
  const end = pos + region.len - 1;
  for (let p = pos + LISTPACK_FIRST; p < end; p += entryBytes(buf, p)) count++;
  if (count < COUNT_UNKNOWN) setCount(buf, pos, count);
  return count;
}

/** Offset of the entry behind the one at `offset`; `region.len - 1` behind the last. */
export function listpackNext(region: Region, offset: number): number {
  return offset + entryBytes(region.buf, region.pos + offset);
}

/** Offset of the entry before `offset` (which may be the end), 0 when there is none. */
export function listpackPrevious(region: Region, offset: number): number {
  if (offset <= LISTPACK_FIRST) return 0;
  return offset - entryBytesBefore(region.buf, region.pos + offset);
}

/** Offset of the last entry, 0 when empty. */
export function listpackLast(region: Region): number {
  return listpackPrevious(region, region.len - 1);
}

/** Offset of the element with an index (negative: from the end), 0 when out of range. Walks from the nearer end. */
export function listpackSeek(region: Region, index: number): number {
  const { buf, pos } = region;
  const end = pos + region.len - 1;
  let at = index;
  const stored = buf[pos + 4] | (buf[pos + 5] << 8);
  if (stored !== COUNT_UNKNOWN) {
    if (at < 0) at += stored;
    if (at < 0 || at >= stored) return 0;
    if (at > stored >>> 1) at -= stored;
  }
  if (at >= 0) {
    let p = pos + LISTPACK_FIRST;
    for (; at > 0 && p < end; at--) p += entryBytes(buf, p);
    return p < end ? p - pos : 0;
  }
  let p = end;
  for (; at < 0 && p > pos + LISTPACK_FIRST; at++) p -= entryBytesBefore(buf, p);
  return at === 0 ? p - pos : 0;
}

/** Puts a value behind the last element. */
export function listpackAppend(region: Region, buf: Uint8Array, pos: number, len: number): void {
  insertValue(region, region.len - 1, scratch.set(buf, pos, len));
}

/** Puts a value before the first element. */
export function listpackPrepend(region: Region, buf: Uint8Array, pos: number, len: number): void {
  insertValue(region, LISTPACK_FIRST, scratch.set(buf, pos, len));
}

/** Puts a value before the entry at `offset` (the end's offset appends). The new entry is at `offset`. */
export function listpackInsert(region: Region, offset: number, buf: Uint8Array, pos: number, len: number): void {
  insertValue(region, offset, scratch.set(buf, pos, len));
}

/** listpackInsert for a safe integer. */
export function listpackInsertInteger(region: Region, offset: number, value: number): void {
  insertValue(region, offset, scratch.setInteger(value));
}

/** Puts another value in the place of the entry at `offset`. */
export function listpackReplace(region: Region, offset: number, buf: Uint8Array, pos: number, len: number): void {
  replaceByValue(region, offset, scratch.set(buf, pos, len));
}

/** listpackReplace for a safe integer. */
export function listpackReplaceInteger(region: Region, offset: number, value: number): void {
  replaceByValue(region, offset, scratch.setInteger(value));
}

/** Removes the entry at `offset`; the next one is there afterwards. */
export function listpackDelete(region: Region, offset: number): void {
  region.splice(offset, entryBytes(region.buf, region.pos + offset), 0);
  setHeader(region, -1);
}

/** Removes up to `count` elements from index `start` (negative: from the end) on. Returns how many were removed. */
export function listpackDeleteRange(region: Region, start: number, count: number): number {
  const offset = listpackSeek(region, start);
  if (offset === 0) return 0;
  const { buf, pos } = region;
  const end = pos + region.len - 1;
  let p = pos + offset;
  let removed = 0;
  while (removed < count && p < end) {
    p += entryBytes(buf, p);
    removed++;
  }
  if (removed > 0) {
    region.splice(offset, p - pos - offset, 0);
    setHeader(region, -removed);
  }
  return removed;
}

/** Puts `bytes` of entries that are already encoded, `count` of them, before `offset`: joins listpacks. */
export function listpackInsertEncoded(
  region: Region,
  offset: number,
  from: Buffer,
  start: number,
  bytes: number,
  count: number,
): void {
  region.splice(offset, 0, bytes);
  from.copy(region.buf, region.pos + offset, start, start + bytes);
  setHeader(region, count);
}

/** Removes the bytes of `count` whole entries from `offset` up to `end`. */
export function listpackDeleteEncoded(region: Region, offset: number, end: number, count: number): void {
  region.splice(offset, end - offset, 0);
  setHeader(region, -count);
}

/** Reads the element with an index into `element`; false when out of range. */
export function listpackGet(region: Region, index: number, element: ListpackElement): boolean {
  const offset = listpackSeek(region, index);
  if (offset === 0) return false;
  element.read(region, offset);
  return true;
}

function insertValue(region: Region, offset: number, value: ListpackValue): void {
  region.splice(offset, 0, value.bytes);
  value.write(region.buf, region.pos + offset);
  setHeader(region, 1);
}

function replaceByValue(region: Region, offset: number, value: ListpackValue): void {
  const old = entryBytes(region.buf, region.pos + offset);
  if (old !== value.bytes) {
    region.splice(offset, old, value.bytes);
    setHeader(region, 0);
  }
  value.write(region.buf, region.pos + offset);
}

/** Brings the header up to date after a splice that added (or removed) `delta` entries. */
function setHeader(region: Region, delta: number): void {
  const { buf, pos } = region;
  write32(buf, pos, region.len);
  if (delta === 0) return;
  const stored = buf[pos + 4] | (buf[pos + 5] << 8);
  if (stored === COUNT_UNKNOWN) return;
  setCount(buf, pos, Math.min(stored + delta, COUNT_UNKNOWN));
}

function setCount(buf: Buffer, pos: number, count: number): void {
  buf[pos + 4] = count;
  buf[pos + 5] = count >>> 8;
}
