// Zipmaps, small hashes of Redis 2.4 and before: count (1 byte, 254 = many), then per pair length, field, length, unused
// bytes (1 byte), value, that many unused bytes; 0xFF. Lengths are 1 byte, or 0xFE and u32 LE.

import { PackedCursor, readInt32 } from './packed.ts';

const END = 0xff;
const LONG = 0xfe;

/** Yields field, value, field, value, … */
export class ZipmapCursor extends PackedCursor {
  #value = false;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start + 1;
    this.stop = end - 1;
    this.broken = end - start < 2;
    this.#value = false;
  }

  next(): boolean {
    if (this.broken || this.at >= this.stop) {
      return this.at === this.stop && !this.#value && !this.broken ? false : this.isBroken();
    }
    const b = this.bytes;
    let p = this.at;
    let length = b[p++];
    if (length === END) return this.isBroken();
    if (length === LONG) {
      if (p + 4 > this.stop) return this.isBroken();
      length = readInt32(b, p) >>> 0;
      p += 4;
    }
    let unused = 0;
    if (this.#value) {
      if (p >= this.stop) return this.isBroken();
      unused = b[p++];
    }
    if (p + length + unused > this.stop) return this.isBroken();
    this.at = p + length + unused;
    this.#value = !this.#value;
    return this.string(p, length);
  }
}

/** Number of pairs when all is consistent (and not empty); -1 otherwise. */
export function validateZipmap(cursor: ZipmapCursor, bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 2 || bytes[end - 1] !== END) return -1;
  let count = 0;
  cursor.open(bytes, start, end);
  while (cursor.next()) count++;
  if (cursor.broken || count === 0 || count % 2 !== 0) return -1;
  const pairs = count / 2;
  return bytes[start] >= LONG || bytes[start] === pairs ? pairs : -1;
}
