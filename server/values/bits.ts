// Bits in byte ranges: counting, searching, and the integer fields of BITFIELD. Bit 0 is the highest bit of byte 0.
// Ranges are given as a buffer whose first byte is aligned (a segment of the arena, say), a start and an end.

/** Counts the one bits of the bytes from `start` up to `end` (exclusive). `words` are the same bytes as 32-bit words. */
export function countOnes(bytes: Uint8Array, words: Int32Array, start: number, end: number): number {
  let count = 0;
  let p = start;
  while (p < end && (p & 3) !== 0) count += onesOf(bytes[p++]);
  const lastWord = end >>> 2;
  if (p < end && p >>> 2 < lastWord) {
    let at = p >>> 2;
    const blocks = (lastWord - at) >>> 3;
    if (blocks > 0) {
      count += countBlocks(words, at, blocks);
      at += blocks << 3;
    }
    for (; at < lastWord; at++) count += onesOf(words[at]);
    p = lastWord << 2;
  }
  while (p < end) count += onesOf(bytes[p++]);
  return count;
}

/**
 * Counts the one bits of `blocks` times eight words from `at` on by Harley and Seal's method: words are added up bit by
 * bit, with carries, so that only one word in eight has its bits counted.
 */
function countBlocks(words: Int32Array, at: number, blocks: number): number {
  let ones = 0;
  let twos = 0;
  let fours = 0;
  let eights = 0;
  for (let p = at, end = at + (blocks << 3); p < end; p += 8) {
    let a = words[p];
    let b = words[p + 1];
    let mixed = ones ^ a;
    const twosA = (ones & a) | (mixed & b);
    ones = mixed ^ b;
    a = words[p + 2];
    b = words[p + 3];
    mixed = ones ^ a;
    const twosB = (ones & a) | (mixed & b);
    ones = mixed ^ b;
    mixed = twos ^ twosA;
    const foursA = (twos & twosA) | (mixed & twosB);
    twos = mixed ^ twosB;
    a = words[p + 4];
    b = words[p + 5];
    mixed = ones ^ a;
    const twosC = (ones & a) | (mixed & b);
    ones = mixed ^ b;
    a = words[p + 6];
    b = words[p + 7];
    mixed = ones ^ a;
    const twosD = (ones & a) | (mixed & b);
    ones = mixed ^ b;
    mixed = twos ^ twosC;
    const foursB = (twos & twosC) | (mixed & twosD);
    twos = mixed ^ twosD;
    mixed = fours ^ foursA;
    eights += onesOf((fours & foursA) | (mixed & foursB));
    fours = mixed ^ foursB;
  }
  return eights * 8 + onesOf(fours) * 4 + onesOf(twos) * 2 + onesOf(ones);
}

/**
 * The position of the first bit equal to `bit` in the bytes from `start` up to `end`, counted from `start`'s highest
 * bit; -1 when there is none.
 */
export function findBit(bytes: Uint8Array, words: Int32Array, start: number, end: number, bit: number): number {
  const skipByte = bit === 1 ? 0 : 0xff;
  const skipWord = bit === 1 ? 0 : -1;
  let p = start;
  while (p < end && (p & 3) !== 0 && bytes[p] === skipByte) p++;
  if (p < end && (p & 3) === 0) {
    const lastWord = end >>> 2;
    let at = p >>> 2;
    while (at < lastWord && words[at] === skipWord) at++;
    p = Math.max(p, at << 2);
    while (p < end && bytes[p] === skipByte) p++;
  }
  if (p >= end) return -1;
  const wanted = bit === 1 ? bytes[p] : ~bytes[p] & 0xff;
  return (p - start) * 8 + Math.clz32(wanted) - 24;
}

/** Reads `bits` (1 to 32) bits at bit offset `offset` from byte `start` as an unsigned number. Beyond `end` all is 0. */
export function readField(bytes: Uint8Array, start: number, end: number, offset: number, bits: number): number {
  let p = start + Math.floor(offset / 8);
  let value = 0;
  let have = -(offset & 7);
  while (have < bits) {
    value = value * 256 + (p < end ? bytes[p] : 0);
    if (have < 0) value &= 0xff >>> -have;
    p++;
    have += 8;
  }
  return Math.floor(value / (1 << (have - bits)));
}

/** Writes the low `bits` (1 to 32) bits of `value` at bit offset `offset` from byte `start`. The bytes must be there. */
export function writeField(bytes: Uint8Array, start: number, offset: number, bits: number, value: number): void {
  let left = bits;
  let p = start + Math.floor(offset / 8);
  let room = 8 - (offset & 7);
  while (left > 0) {
    const take = Math.min(room, left);
    const shift = room - take;
    const mask = (0xff >>> (8 - take)) << shift;
    const part = (value >>> (left - take)) << shift;
    bytes[p] = (bytes[p] & ~mask) | (part & mask);
    left -= take;
    room = 8;
    p++;
  }
}

export type BitOperation = 'and' | 'or' | 'xor';

/** Combines `len` bytes of `source` into `target`: target = target op source. Both start at offset 0 of their buffers. */
export function combineBits(operation: BitOperation, target: Uint8Array, source: Uint8Array, len: number): void {
  const words = len >>> 2;
  const to = new Int32Array(target.buffer, target.byteOffset, words);
  const from = new Int32Array(source.buffer, source.byteOffset, words);
  if (operation === 'and') for (let i = 0; i < words; i++) to[i] &= from[i];
  else if (operation === 'or') for (let i = 0; i < words; i++) to[i] |= from[i];
  else for (let i = 0; i < words; i++) to[i] ^= from[i];
  for (let i = words << 2; i < len; i++) {
    if (operation === 'and') target[i] &= source[i];
    else if (operation === 'or') target[i] |= source[i];
    else target[i] ^= source[i];
  }
}

/** Inverts `len` bytes from offset 0. */
export function invertBits(target: Uint8Array, len: number): void {
  const words = len >>> 2;
  const to = new Int32Array(target.buffer, target.byteOffset, words);
  for (let i = 0; i < words; i++) to[i] = ~to[i];
  for (let i = words << 2; i < len; i++) target[i] = ~target[i];
}

function onesOf(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
