// Which register an element belongs to and what rank it gives: 64-bit MurmurHash2 (variant A, by Austin Appleby), with
// the seed that Redis uses, computed on 32-bit halves.

export const REGISTER_BITS = 14;
export const REGISTERS = 1 << REGISTER_BITS;
/** Bits of the hash that remain for the rank. */
export const RANK_BITS = 64 - REGISTER_BITS;

const SEED = 0xadc83b19;
const M_LOW = 0x5bd1e995;
const M_HIGH = 0xc6a4a793 | 0;
const M_LOW_LOW = M_LOW & 0xffff;
const M_LOW_HIGH = M_LOW >>> 16;

/** High word of the last product, see multiply(). */
let productHigh = 0;

/** Register index and rank of an element, packed: index in the low 14 bits, rank (1 to 51) above. */
export function registerOf(buf: Uint8Array, pos: number, len: number): number {
  let low = multiply(len, 0) ^ SEED;
  let high = productHigh;
  const blocksEnd = pos + (len & ~7);
  let p = pos;
  for (; p < blocksEnd; p += 8) {
    const kLow = buf[p] | (buf[p + 1] << 8) | (buf[p + 2] << 16) | (buf[p + 3] << 24);
    const kHigh = buf[p + 4] | (buf[p + 5] << 8) | (buf[p + 6] << 16) | (buf[p + 7] << 24);
    const mixed = multiply(kLow, kHigh);
    const scrambled = multiply(mixed ^ (productHigh >>> 15), productHigh);
    low = multiply(low ^ scrambled, high ^ productHigh);
    high = productHigh;
  }
  if ((len & 7) > 0) {
    let tailLow = 0;
    let tailHigh = 0;
    for (let i = (len & 7) - 1; i >= 4; i--) tailHigh |= buf[p + i] << ((i - 4) << 3);
    for (let i = Math.min((len & 7) - 1, 3); i >= 0; i--) tailLow |= buf[p + i] << (i << 3);
    low = multiply(low ^ tailLow, high ^ tailHigh);
    high = productHigh;
  }
  low = multiply(low ^ (high >>> 15), high);
  high = productHigh;
  low ^= high >>> 15;
  const index = low & (REGISTERS - 1);
  return (
    index | (rankOf((low >>> REGISTER_BITS) | (high << (32 - REGISTER_BITS)), high >>> REGISTER_BITS) << REGISTER_BITS)
  );
}

/** One more than the zeros below the lowest one bit of a 50-bit number; 51 for zero. */
function rankOf(low: number, high: number): number {
  if (low !== 0) return 32 - Math.clz32(low & -low);
  if (high !== 0) return 64 - Math.clz32(high & -high);
  return RANK_BITS + 1;
}

/** The low word of (high, low) times Murmur's multiplier, modulo 2^64; the high word goes to productHigh. */
function multiply(low: number, high: number): number {
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const middle = a0 * M_LOW_HIGH + a1 * M_LOW_LOW + ((a0 * M_LOW_LOW) >>> 16);
  const carried = a1 * M_LOW_HIGH + Math.floor(middle / 65536);
  productHigh = ((carried | 0) + Math.imul(low, M_HIGH) + Math.imul(high, M_LOW)) | 0;
  return Math.imul(low, M_LOW);
}
