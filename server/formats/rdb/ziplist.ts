// Ziplists, the packed form before version 10: header (u32 LE bytes, u32 LE offset of the last entry, u16 LE count,
// 65535 = many), entries, 0xFF. An entry: length of the previous entry (1 byte, or 0xFE and u32 LE), encoding, data:
//   00LLLLLL string | 01LLLLLL LLLLLLLL string | 10...... u32 BE string
//   C0 int16 | D0 int32 | E0 int64 | F0 int24 | FE int8 | F1..FD the integers 0..12

import { PackedCursor, readInt32 } from './packed.ts';

const HEADER_BYTES = 10;
const COUNT_UNKNOWN = 65535;
const END = 0xff;

export class ZiplistCursor extends PackedCursor {
  #last = 0;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start + HEADER_BYTES;
    this.stop = end - 1;
    this.broken = end - start < HEADER_BYTES + 1;
    this.#last = 0;
  }

  /** Where the element that next() moved to begins. */
  get entryStart(): number {
    return this.#last;
  }

  next(): boolean {
    if (this.broken || this.at >= this.stop) return this.at === this.stop ? false : this.isBroken();
    const b = this.bytes;
    const start = this.at;
    const p = start + (b[start] === 0xfe ? 5 : 1);
    if (p >= this.stop || b[start] === END) return this.isBroken();
    const head = headBytes(b[p]);
    if (head === 0 || p + head > this.stop) return this.isBroken();
    const data = dataBytes(b, p);
    if (p + head + data > this.stop) return this.isBroken();
    this.#last = start;
    this.at = p + head + data;
    return this.#take(p, head, data);
  }

  /** Whether the entry says `size` of the entry before it. */
  previousIs(size: number): boolean {
    const b = this.bytes;
    const p = this.#last;
    return (b[p] === 0xfe ? readInt32(b, p + 1) >>> 0 : b[p]) === size;
  }

  /** Bytes of the current entry. */
  get entryBytes(): number {
    return this.at - this.#last;
  }

  #take(p: number, head: number, data: number): true {
    const code = this.bytes[p];
    if (code < 0xc0) return this.string(p + head, data);
    if (code === 0xc0) return this.int16(p + 1);
    if (code === 0xd0) return this.int32(p + 1);
    if (code === 0xe0) return this.int64(p + 1);
    if (code === 0xf0) return this.int24(p + 1);
    if (code === 0xfe) return this.number((this.bytes[p + 1] << 24) >> 24);
    return this.number(code - 0xf1);
  }
}

/** Number of elements when header and (if `deep`) every entry agree; -1 otherwise. */
export function validateZiplist(
  cursor: ZiplistCursor,
  bytes: Uint8Array,
  start: number,
  end: number,
  deep: boolean,
): number {
  const size = end - start;
  if (size < HEADER_BYTES + 1 || readInt32(bytes, start) >>> 0 !== size || bytes[end - 1] !== END) return -1;
  const tail = readInt32(bytes, start + 4) >>> 0;
  if (tail > size - 1) return -1;
  const promised = bytes[start + 8] | (bytes[start + 9] << 8);
  if (!deep && promised !== COUNT_UNKNOWN) return promised;
  let count = 0;
  let previous = 0;
  cursor.open(bytes, start, end);
  while (cursor.next()) {
    if (!cursor.previousIs(previous)) return -1;
    previous = cursor.entryBytes;
    count++;
  }
  if (cursor.broken || (count > 0 && cursor.entryStart !== start + tail)) return -1;
  return promised === COUNT_UNKNOWN || promised === count ? count : -1;
}

/** Bytes of the encoding that starts with `code`; 0 for an unknown one. */
function headBytes(code: number): number {
  if (code < 0x40) return 1;
  if (code < 0x80) return 2;
  if (code < 0xc0) return 5;
  if (code === 0xc0 || code === 0xd0 || code === 0xe0 || (code >= 0xf0 && code <= 0xfe)) return 1;
  return 0;
}

function dataBytes(b: Uint8Array, p: number): number {
  const code = b[p];
  if (code < 0x40) return code;
  if (code < 0x80) return ((code & 63) << 8) | b[p + 1];
  if (code < 0xc0) return ((b[p + 1] << 24) | (b[p + 2] << 16) | (b[p + 3] << 8) | b[p + 4]) >>> 0;
  if (code === 0xc0) return 2;
  if (code === 0xd0) return 4;
  if (code === 0xe0) return 8;
  if (code === 0xf0) return 3;
  return code === 0xfe ? 1 : 0;
}
