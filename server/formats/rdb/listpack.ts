// Listpacks: header (u32 LE total bytes, u16 LE count, 65535 = many), entries, 0xFF. An entry is its encoding and data,
// then its own length ("back length", 1-5 bytes of 7 bits, most significant first, all but the first flagged 0x80):
//   0IIIIIII 7-bit uint | 10LLLLLL string | 110IIIII IIIIIIII 13-bit int | 1110LLLL LLLLLLLL string
//   F0 u32 LE string | F1 int16 | F2 int24 | F3 int32 | F4 int64

import { PackedCursor, readInt32 } from './packed.ts';

const HEADER_BYTES = 6;
const COUNT_UNKNOWN = 65535;
const END = 0xff;

export class ListpackCursor extends PackedCursor {
  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start + HEADER_BYTES;
    this.stop = end - 1;
    this.broken = end - start < HEADER_BYTES + 1;
  }

  next(): boolean {
    if (this.broken || this.at >= this.stop) return this.at === this.stop ? false : this.isBroken();
    const p = this.at;
    const size = entrySize(this.bytes, p, this.stop);
    const backBytes = backLengthBytes(size);
    if (size === 0 || p + size + backBytes > this.stop) return this.isBroken();
    if (!backLengthMatches(this.bytes, p + size, backBytes, size)) return this.isBroken();
    this.at = p + size + backBytes;
    return this.#take(p, size);
  }

  #take(p: number, size: number): true {
    const first = this.bytes[p];
    if (first < 0x80) return this.number(first);
    if (first < 0xc0) return this.string(p + 1, size - 1);
    if (first < 0xe0) return this.number(((((first & 31) << 8) | this.bytes[p + 1]) << 19) >> 19);
    if (first < 0xf0) return this.string(p + 2, size - 2);
    if (first === 0xf0) return this.string(p + 5, size - 5);
    if (first === 0xf1) return this.int16(p + 1);
    if (first === 0xf2) return this.int24(p + 1);
    if (first === 0xf3) return this.int32(p + 1);
    return this.int64(p + 1);
  }
}

/** Number of elements when header and (if `deep`) every entry agree; -1 otherwise. */
export function validateListpack(bytes: Uint8Array, start: number, end: number, deep: boolean): number {
  if (end - start < HEADER_BYTES + 1 || readInt32(bytes, start) >>> 0 !== end - start || bytes[end - 1] !== END)
    return -1;
  const promised = bytes[start + 4] | (bytes[start + 5] << 8);
  if (!deep && promised !== COUNT_UNKNOWN) return promised;
  let count = 0;
  let p = start + HEADER_BYTES;
  const stop = end - 1;
  while (p < stop) {
    const size = entrySize(bytes, p, stop);
    if (size === 0) return -1;
    const backBytes = backLengthBytes(size);
    p += size;
    if (p + backBytes > stop || !backLengthMatches(bytes, p, backBytes, size)) return -1;
    p += backBytes;
    count++;
  }
  return promised === COUNT_UNKNOWN || promised === count ? count : -1;
}

/** Bytes of the encoding and data at `p`, or 0 for an unknown or cut encoding. */
function entrySize(b: Uint8Array, p: number, stop: number): number {
  const first = b[p];
  if (first < 0x80) return 1;
  if (first < 0xc0) return 1 + (first & 63);
  if (first < 0xe0) return 2;
  if (first < 0xf0) return p + 1 < stop ? 2 + (((first & 15) << 8) | b[p + 1]) : 0;
  if (first === 0xf0) return p + 4 < stop ? 5 + (readInt32(b, p + 1) >>> 0) : 0;
  if (first < 0xf4) return first - 0xf1 + 3;
  return first === 0xf4 ? 9 : 0;
}

function backLengthBytes(size: number): number {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  return size < 268435455 ? 4 : 5;
}

function backLengthMatches(b: Uint8Array, p: number, count: number, size: number): boolean {
  if (count === 1) return b[p] === size;
  let rest = size;
  for (let i = count - 1; i > 0; i--) {
    if (b[p + i] !== ((rest & 127) | 128)) return false;
    rest = Math.floor(rest / 128);
  }
  return b[p] === rest;
}
