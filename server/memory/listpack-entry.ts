// One entry of a listpack: that of a packed run (packed-entry.ts), followed by the length of all that ("back length"): 1-5
// bytes of 7 bits, most significant first, all but the first flagged 0x80, so that it can be read from its end backwards.

import { PackedElement, PackedValue, packedEntryBytes } from './packed-entry.ts';

/** One element as read from a listpack; see PackedElement. */
export class ListpackElement extends PackedElement {
  /** Reads the entry at position `p` of `b`; returns its bytes, back length included. */
  override readAt(b: Buffer, p: number): number {
    return withBackLength(super.readAt(b, p));
  }
}

/** A value about to be written into a listpack; see PackedValue. */
export class ListpackValue extends PackedValue {
  /** Bytes the entry will take in a listpack, back length included. */
  get bytes(): number {
    return withBackLength(this.size);
  }

  /** Writes the entry at position `at` of `b`, which has room for `bytes`; returns the position behind it. */
  override write(b: Buffer, at: number): number {
    return writeBackLength(b, super.write(b, at), this.size);
  }
}

/** Bytes of the entry at position `p`, back length included. */
export function entryBytes(b: Buffer, p: number): number {
  const first = b[p];
  if (first < 0x80) return 2;
  if (first < 0xc0) return (first & 63) + 2;
  return withBackLength(packedEntryBytes(b, p));
}

/** Bytes of the entry that ends just before position `p`, back length included. */
export function entryBytesBefore(b: Buffer, p: number): number {
  let at = p - 1;
  let size = b[at] & 127;
  let scale = 128;
  while (b[at] >= 128) {
    at--;
    size += (b[at] & 127) * scale;
    scale *= 128;
  }
  return size + (p - at);
}

function withBackLength(size: number): number {
  return size + backLengthBytes(size);
}

/** Bytes of the back length of an entry with `size` bytes of encoding and data. */
export function backLengthBytes(size: number): number {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  return size < 268435455 ? 4 : 5;
}

/** Writes the back length of an entry with `size` bytes of encoding and data; returns the position behind it. */
export function writeBackLength(b: Uint8Array, at: number, size: number): number {
  if (size <= 127) {
    b[at] = size;
    return at + 1;
  }
  const bytes = backLengthBytes(size);
  let rest = size;
  for (let i = bytes - 1; i > 0; i--) {
    b[at + i] = (rest & 127) | 128;
    rest = Math.floor(rest / 128);
  }
  b[at] = rest;
  return at + bytes;
}
