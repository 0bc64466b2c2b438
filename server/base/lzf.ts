// LZF, the fast compression of RDB strings and quicklist nodes. The stream is a row of
//   000LLLLL  then L + 1 literal bytes
//   LLLooooo oooooooo            copy L + 2 bytes (L = 1..6) from o + 1 bytes back
//   111ooooo LLLLLLLL oooooooo   copy L + 9 bytes from o + 1 bytes back
// The choice of matches follows LibLZF (hash of three bytes, one candidate each), so that equal input gives equal output.
// All but short inputs go through the WebAssembly kernel, which does the same.

import { KERNEL_BYTES_MAX, kernel } from './kernel.ts';

const HASH_BITS = 16;
const HASH_SIZE = 1 << HASH_BITS;
const LITERALS_MAX = 32;
const MATCH_MAX = 264;
const OFFSET_MAX = 8192;
/** Positions stay below 2^30, where V8 keeps integers unboxed; Redis limits a string to 2^29 bytes. */
const POSITION_MAX = 0x3fffffff;

/** Below, copying in and out costs more than the kernel saves. */
const KERNEL_FROM_BYTES = 32;

/** Holds the table of positions, 256 KiB, so that compressing many strings allocates nothing. */
export class LzfCompressor {
  /** Position + 1 of the last three bytes with this hash, plus `#base`; what is below `#base` is of an earlier input. */
  #table: Int32Array | undefined;
  #base = 0;

  /**
   * Compresses `input[start..end)` into `output` from 0. Returns the compressed length, or 0 when it would exceed
   * `outputMax` bytes; `output` then holds rubbish.
   */
  compress(input: Uint8Array, start: number, end: number, output: Uint8Array, outputMax: number): number {
    const length = end - start;
    if (length < 4 || length >= POSITION_MAX || outputMax < 4) return 0;
    const fast = length <= KERNEL_BYTES_MAX ? kernel() : null;
    if (fast !== null) return fast.compress(input, start, end, output, outputMax);
    return this.compressInScript(input, start, end, output, outputMax);
  }

  /** compress() without WebAssembly. */
  compressInScript(input: Uint8Array, start: number, end: number, output: Uint8Array, outputMax: number): number {
    const length = end - start;
    this.#table ??= new Int32Array(HASH_SIZE);
    if (this.#base + length + 1 > POSITION_MAX) {
      this.#table.fill(0);
      this.#base = 0;
    }
    const base = this.#base + 1 - start;
    this.#base += length + 1;
    return compressInto(this.#table, base, input, start, end, output, outputMax);
  }
}

function compressInto(
  table: Int32Array,
  base: number,
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputMax: number,
): number {
  let ip = start;
  let op = 1; // output[literalAt] takes the length of the literal run that is under way
  let literals = 0;
  const lastHash = end - 2;
  let rolling = (input[ip] << 8) | input[ip + 1];
  while (ip < lastHash) {
    rolling = ((rolling << 8) | input[ip + 2]) & 0xffffff;
    const slot = ((rolling >>> (24 - HASH_BITS)) - rolling * 5) & (HASH_SIZE - 1);
    const ref = table[slot] - base;
    table[slot] = ip + base;
    const offset = ip - ref - 1;
    if (
      ref > start &&
      offset < OFFSET_MAX &&
      offset >= 0 &&
      input[ref] === input[ip] &&
      input[ref + 1] === input[ip + 1] &&
      input[ref + 2] === input[ip + 2]
    ) {
      const maximum = Math.min(end - ip - 2, MATCH_MAX);
      if (op - (literals === 0 ? 1 : 0) + 3 + 1 >= outputMax) return 0;
      if (literals === 0) op--;
      else output[op - literals - 1] = literals - 1;
      // LibLZF compares sixteen bytes before it looks at the maximum again, so 17 and 18 let a match become 19 long.
      const maximumAtFirst = maximum > 16 ? 19 : maximum;
      let length = 3;
      while (length < maximumAtFirst && input[ref + length] === input[ip + length]) length++;
      if (length === 19) while (length < maximum && input[ref + length] === input[ip + length]) length++;
      const code = length - 2;
      if (code < 7) {
        output[op++] = (offset >>> 8) + (code << 5);
      } else {
        output[op++] = (offset >>> 8) + (7 << 5);
        output[op++] = code - 7;
      }
      output[op++] = offset;
      literals = 0;
      op++;
      ip += length;
      if (ip >= lastHash) break;
      // The last two positions inside the match enter the table too.
      for (let at = ip - 2; at < ip; at++) {
        rolling = (input[at] << 16) | (input[at + 1] << 8) | input[at + 2];
        table[((rolling >>> (24 - HASH_BITS)) - rolling * 5) & (HASH_SIZE - 1)] = at + base;
      }
    } else {
      if (op >= outputMax) return 0;
      output[op++] = input[ip++];
      if (++literals === LITERALS_MAX) {
        output[op - literals - 1] = literals - 1;
        literals = 0;
        op++;
      }
    }
  }
  if (op + 3 > outputMax) return 0;
  while (ip < end) {
    output[op++] = input[ip++];
    if (++literals === LITERALS_MAX) {
      output[op - literals - 1] = literals - 1;
      literals = 0;
      op++;
    }
  }
  if (literals === 0) return op - 1;
  output[op - literals - 1] = literals - 1;
  return op;
}

/**
 * Expands `input[start..end)` into `output` from `at`. True when it gave exactly `length` bytes; false when the stream is
 * cut, reaches back before `at`, or gives another length.
 */
export function lzfDecompress(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  at: number,
  length: number,
): boolean {
  if (length >= KERNEL_FROM_BYTES && length <= KERNEL_BYTES_MAX && end - start <= KERNEL_BYTES_MAX) {
    const fast = kernel();
    if (fast !== null) return fast.expand(input, start, end, output, at, length);
  }
  return lzfDecompressInScript(input, start, end, output, at, length);
}

/** lzfDecompress() without WebAssembly. */
export function lzfDecompressInScript(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  at: number,
  length: number,
): boolean {
  const stop = at + length;
  let ip = start;
  let op = at;
  while (ip < end) {
    const control = input[ip++];
    if (control < 32) {
      const next = ip + control + 1;
      if (next > end || op + control + 1 > stop) return false;
      while (ip < next) output[op++] = input[ip++];
      continue;
    }
    let run = control >>> 5;
    if (run === 7) {
      if (ip >= end) return false;
      run += input[ip++];
    }
    run += 2;
    if (ip >= end) return false;
    let from = op - ((control & 31) << 8) - input[ip++] - 1;
    if (from < at || op + run > stop) return false;
    for (const last = op + run; op < last; ) output[op++] = output[from++];
  }
  return op === stop;
}

/** Whether `input[start..end)` would expand to exactly `length` bytes, found out without writing them. */
export function lzfExpands(input: Uint8Array, start: number, end: number, length: number): boolean {
  let ip = start;
  let op = 0;
  while (ip < end) {
    const control = input[ip++];
    if (control < 32) {
      ip += control + 1;
      op += control + 1;
      if (ip > end || op > length) return false;
      continue;
    }
    let run = control >>> 5;
    if (run === 7) {
      if (ip >= end) return false;
      run += input[ip++];
    }
    if (ip >= end) return false;
    if (((control & 31) << 8) + input[ip++] + 1 > op) return false;
    op += run + 2;
    if (op > length) return false;
  }
  return op === length;
}
