// CRC-64/Jones (polynomial 0xad93d23594c935a9, reflected, start 0, no final xor): the checksum of RDB files and of DUMP
// payloads. The 64 bits live in two 32-bit halves, because a BigInt per byte is two orders of magnitude slower; eight
// tables let one round take eight bytes ("slicing by 8"). Long runs go through the WebAssembly kernel.

import { kernel } from './kernel.ts';

// The polynomial with its 64 bits mirrored, since a reflected CRC shifts to the right.
const POLYNOMIAL_LOW = 0xac4bc9b5;
const POLYNOMIAL_HIGH = 0x95ac9329;
const SLICES = 8;
const PIECE_BYTES = 4096;
/** Below, copying in costs more than it saves. */
const KERNEL_FROM_BYTES = 512;

/** Entry `value` of table k (what `value` becomes after k more zero bytes) is at k * 256 + value. */
type Tables = { low: Int32Array; high: Int32Array };

let sharedTables: Tables | undefined;

/** A running checksum: feed it chunks in order; "123456789" gives high 0xe9c6d914, low 0xc4b8d9ca. */
export class Crc64 {
  /** The lower and upper 32 bits, as signed integers. */
  low = 0;
  high = 0;
  readonly #tables: Tables;

  constructor() {
    sharedTables ??= buildTables();
    this.#tables = sharedTables;
  }

  reset(): void {
    this.low = 0;
    this.high = 0;
  }

  update(buf: Uint8Array, start: number, end: number): void {
    if (end - start >= KERNEL_FROM_BYTES) {
      const fast = kernel();
      if (fast !== null) {
        fast.sum(this, buf, start, end);
        return;
      }
    }
    this.updateInScript(buf, start, end);
  }

  /** update() without WebAssembly. */
  updateInScript(buf: Uint8Array, start: number, end: number): void {
    // In short calls: V8 then compiles the loops as functions, not in the middle of one endless run of them.
    let from = start;
    for (const rounds = end - SLICES; from <= rounds; ) {
      const to = Math.min(from + PIECE_BYTES, end - ((end - from) % SLICES));
      this.#addRounds(buf, from, to);
      from = to;
    }
    if (from < end) this.#addBytes(buf, from, end);
  }

  /** The length is a multiple of eight. */
  #addRounds(buf: Uint8Array, start: number, end: number): void {
    const low = this.#tables.low;
    const high = this.#tables.high;
    let l = this.low;
    let h = this.high;
    for (let i = start; i < end; i += SLICES) {
      const a = l ^ (buf[i] | (buf[i + 1] << 8) | (buf[i + 2] << 16) | (buf[i + 3] << 24));
      const b = h ^ (buf[i + 4] | (buf[i + 5] << 8) | (buf[i + 6] << 16) | (buf[i + 7] << 24));
      const t0 = 1792 | (a & 255);
      const t1 = 1536 | ((a >>> 8) & 255);
      const t2 = 1280 | ((a >>> 16) & 255);
      const t3 = 1024 | (a >>> 24);
      const t4 = 768 | (b & 255);
      const t5 = 512 | ((b >>> 8) & 255);
      const t6 = 256 | ((b >>> 16) & 255);
      const t7 = b >>> 24;
      l = low[t0] ^ low[t1] ^ low[t2] ^ low[t3] ^ low[t4] ^ low[t5] ^ low[t6] ^ low[t7];
      h = high[t0] ^ high[t1] ^ high[t2] ^ high[t3] ^ high[t4] ^ high[t5] ^ high[t6] ^ high[t7];
    }
    this.low = l;
    this.high = h;
  }

  #addBytes(buf: Uint8Array, start: number, end: number): void {
    const low = this.#tables.low;
    const high = this.#tables.high;
    let l = this.low;
    let h = this.high;
    for (let i = start; i < end; i++) {
      const t = (l ^ buf[i]) & 255;
      l = ((l >>> 8) | (h << 24)) ^ low[t];
      h = (h >>> 8) ^ high[t];
    }
    this.low = l;
    this.high = h;
  }

  /** Writes the checksum at `at`, little-endian, as files and DUMP payloads carry it. */
  write(into: Uint8Array, at: number): void {
    for (let i = 0; i < 4; i++) {
      into[at + i] = this.low >>> (8 * i);
      into[at + 4 + i] = this.high >>> (8 * i);
    }
  }

  /** Whether the eight little-endian bytes at `at` are this checksum. */
  matches(buf: Uint8Array, at: number): boolean {
    for (let i = 0; i < 4; i++) {
      if (buf[at + i] !== ((this.low >>> (8 * i)) & 255)) return false;
      if (buf[at + 4 + i] !== ((this.high >>> (8 * i)) & 255)) return false;
    }
    return true;
  }
}

function buildTables(): Tables {
  const low = new Int32Array(256 * SLICES);
  const high = new Int32Array(256 * SLICES);
  for (let value = 0; value < 256; value++) {
    let l = value;
    let h = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (carry) {
        l ^= POLYNOMIAL_LOW;
        h ^= POLYNOMIAL_HIGH;
      }
    }
    low[value] = l;
    high[value] = h;
  }
  for (let at = 256; at < low.length; at++) {
    const l = low[at - 256];
    const h = high[at - 256];
    low[at] = ((l >>> 8) | (h << 24)) ^ low[l & 255];
    high[at] = (h >>> 8) ^ high[l & 255];
  }
  return { low, high };
}
