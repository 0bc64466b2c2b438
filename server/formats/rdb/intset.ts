// Intsets: u32 LE bytes per element (2, 4 or 8), u32 LE count, then the elements, little-endian, ascending.

import { PackedCursor, readInt32 } from './packed.ts';

const HEADER_BYTES = 8;

export class IntsetCursor extends PackedCursor {
  #width = 0;

  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.broken = validateIntset(bytes, start, end, false) < 0;
    this.#width = this.broken ? 0 : bytes[start];
    this.at = start + HEADER_BYTES;
    this.stop = end;
  }

  next(): boolean {
    if (this.broken || this.at >= this.stop) return false;
    if (this.#width === 2) this.int16(this.at);
    else if (this.#width === 4) this.int32(this.at);
    else this.int64(this.at);
    this.at += this.#width;
    return true;
  }
}

/** Number of elements when the header and (if `deep`) the order agree (and it is not empty); -1 otherwise. */
export function validateIntset(bytes: Uint8Array, start: number, end: number, deep: boolean): number {
  if (end - start < HEADER_BYTES) return -1;
  const width = readInt32(bytes, start);
  const count = readInt32(bytes, start + 4) >>> 0;
  if ((width !== 2 && width !== 4 && width !== 8) || count === 0 || end - start !== HEADER_BYTES + count * width)
    return -1;
  if (deep && !isAscending(bytes, start + HEADER_BYTES, count, width)) return -1;
  return count;
}

function isAscending(bytes: Uint8Array, from: number, count: number, width: number): boolean {
  let high = Number.NEGATIVE_INFINITY;
  let low = 0;
  for (let i = 0, p = from; i < count; i++, p += width) {
    const nextHigh = width === 2 ? ((bytes[p] << 16) | (bytes[p + 1] << 24)) >> 16 : readInt32(bytes, p + width - 4);
    const nextLow = width === 8 ? readInt32(bytes, p) >>> 0 : 1;
    // For 2 and 4 bytes the value is nextHigh alone; the low part must not decide.
    if (nextHigh < high || (nextHigh === high && (width !== 8 || nextLow <= low))) return false;
    high = nextHigh;
    low = nextLow;
  }
  return true;
}
