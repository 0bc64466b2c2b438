// Keyed 32-bit hash of byte ranges: HalfSipHash-1-3 (the 32-bit sibling of SipHash by the same authors, used by the
// Linux kernel for hash tables). Keys come from outside, so every table hash is keyed with a random seed.

import { viewOf } from './bytes.ts';

/** The two 32-bit halves of a hash key. Take them from a cryptographic source once per process. */
export interface HashSeed {
  readonly k0: number;
  readonly k1: number;
}

/** Hashes `len` bytes of `buf` from `pos`; returns a signed 32-bit integer. */
export function hashBytes(seed: HashSeed, buf: Uint8Array, pos: number, len: number): number {
  return hashView(seed, viewOf(buf), pos, len);
}

/** hashBytes for bytes of which there is a view. */
export function hashView(seed: HashSeed, view: DataView, pos: number, len: number): number {
  let v0 = seed.k0;
  let v1 = seed.k1;
  let v2 = 0x6c796765 ^ v0;
  let v3 = 0x74656462 ^ v1;
  const end = pos + (len & ~3);
  let p = pos;
  for (; p < end; p += 4) {
    const m = view.getInt32(p, true);
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
  }
  let tail = len << 24;
  const rest = len & 3;
  if (rest > 2) tail |= view.getUint8(p + 2) << 16;
  if (rest > 1) tail |= view.getUint8(p + 1) << 8;
  if (rest > 0) tail |= view.getUint8(p);
  v3 ^= tail;
  // One compression round for the tail, then three finalization rounds.
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= tail;
      v2 ^= 0xff;
    }
  }
  return v1 ^ v3;
}
