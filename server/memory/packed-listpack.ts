// Packed runs as listpacks, and listpacks as packed runs: the step between memory and RDB. The entries are the same; a
// listpack has a back length behind each, another header and an end byte.

import { COPY_OVER_BYTES, copyInto, copyOver, viewOf } from '../base/bytes.ts';
import { LISTPACK_EMPTY_BYTES, LISTPACK_END, LISTPACK_FIRST, writeListpackHeader } from './listpack.ts';
import { backLengthBytes, writeBackLength } from './listpack-entry.ts';
import { PACKED_FIRST, packedEntryBytes, writePackedCount } from './packed.ts';
import type { Region } from './region.ts';

const ROOM_MIN = 1024;
/** Memory kept between values. */
const ROOM_KEPT = 1 << 20;
/** What begins an integer of 64 bits; with a higher byte no entry begins. */
const ENCODING_LAST = 0xf4;

/** Bytes that the elements of a packed run take as a listpack. O(n). */
export function listpackBytes(region: Region): number {
  const { buf, pos } = region;
  const end = pos + region.len;
  let bytes = region.len - PACKED_FIRST + LISTPACK_EMPTY_BYTES;
  for (let p = pos + PACKED_FIRST; p < end; ) {
    const size = packedEntryBytes(buf, p);
    bytes += backLengthBytes(size);
    p += size;
  }
  return bytes;
}

/** The elements of a packed run as a listpack, in memory of its own that serves one run after the other. */
export class ListpackCopy {
  /** The listpack: `len` bytes from position 0 on, until the next make(). */
  buf: Buffer = Buffer.allocUnsafeSlow(ROOM_MIN);
  len = 0;
  private view: DataView = viewOf(this.buf);

  /** `from` shows the same bytes as the region's `buf`. */
  make(region: Region, from: DataView): this {
    // What comes to an entry is no longer than the entry.
    if (this.buf.length > ROOM_KEPT || region.len * 2 + LISTPACK_EMPTY_BYTES > this.buf.length) this.makeRoom(region);
    const { buf, view } = this;
    const source = region.buf;
    const end = region.pos + region.len;
    let count = 0;
    let at = LISTPACK_FIRST;
    for (let p = region.pos + PACKED_FIRST; p < end; count++) {
      const bytes = packedEntryBytes(source, p);
      if (p + bytes + COPY_OVER_BYTES > end) copyInto(buf, view, at, source, from, p, bytes);
      else copyOver(buf, view, at, source, from, p, bytes);
      p += bytes;
      at = writeBackLength(buf, at + bytes, bytes);
    }
    buf[at] = LISTPACK_END;
    this.len = at + 1;
    writeListpackHeader(view, 0, this.len, count);
    return this;
  }

  private makeRoom(region: Region): void {
    const needed = region.len > ROOM_KEPT ? listpackBytes(region) : region.len * 2 + LISTPACK_EMPTY_BYTES;
    this.buf = Buffer.allocUnsafeSlow(Math.max(needed, ROOM_MIN));
    this.view = viewOf(this.buf);
  }
}

/**
 * Bytes of the packed run for the elements of the listpack `buf[start..end)`; -1 when an entry is of no known encoding or
 * does not end where it should, or when the number of entries is no multiple of `stride`. Of the header nothing is asked,
 * and of the back lengths nothing but their room.
 */
export function measureListpack(buf: Uint8Array, start: number, end: number, stride: number): number {
  const stop = end - 1;
  let bytes = PACKED_FIRST;
  let count = 0;
  let p = start + LISTPACK_FIRST;
  for (; p < stop; count++) {
    if (buf[p] > ENCODING_LAST) return -1;
    const data = packedEntryBytes(buf, p);
    bytes += data;
    p += data + backLengthBytes(data);
  }
  return p === stop && count % stride === 0 ? bytes : -1;
}

/**
 * Writes the packed run for the elements of the listpack `buf[start..end)`, whose bytes measureListpack() has told, to
 * position `at` of `to`, up to `runEnd`; the views show the same bytes as the buffers.
 */
export function packListpack(
  buf: Uint8Array,
  from: DataView,
  start: number,
  end: number,
  to: Buffer,
  view: DataView,
  at: number,
  runEnd: number,
): void {
  const stop = end - 1;
  let count = 0;
  let q = at + PACKED_FIRST;
  for (let p = start + LISTPACK_FIRST; p < stop; count++) {
    const bytes = packedEntryBytes(buf, p);
    if (q + bytes + COPY_OVER_BYTES > runEnd) copyInto(to, view, q, buf, from, p, bytes);
    else copyOver(to, view, q, buf, from, p, bytes);
    q += bytes;
    p += bytes + backLengthBytes(bytes);
  }
  writePackedCount(to, at, count);
}
