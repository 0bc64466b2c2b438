// The WebAssembly half of crc64.ts and lzf.ts: two to four times as fast as their JavaScript, which stays for short inputs
// and for processes without WebAssembly. Callers copy in and out; the memory is shared by all of them, so nothing in it
// outlives a call.

import { KERNEL_BASE64 } from './kernel-bytes.ts';

// Neither lib.es2023 nor @types/node 20 declares what all engines have.
declare const WebAssembly: {
  Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const PAGE_BYTES = 65536;
/** After the tables (first page) and the compressor's positions (four pages). */
const INPUT = 5 * PAGE_BYTES;
/** Longest input and output of one call. */
export const KERNEL_BYTES_MAX = 1 << 20;
/** The expander reads and writes up to 32 bytes too far. */
const SLACK = 64;
const OUTPUT = INPUT + KERNEL_BYTES_MAX + SLACK;
const MEMORY_PAGES = Math.ceil((OUTPUT + KERNEL_BYTES_MAX + SLACK) / PAGE_BYTES);
/** Where pack() leaves its result. */
export const PACKED_AT: number = OUTPUT;
/** Calls into the runtime cost more than moving this many bytes one by one. */
const LOOP_BYTES_MAX = 64;
const POSITION_MAX = 0x3fffffff;
const SUM_PIECE_BYTES = PAGE_BYTES;

type Exports = {
  prepare(): void;
  sum(from: number, length: number): void;
  expand(from: number, packed: number, to: number, length: number): number;
  compress(from: number, length: number, to: number, outputMax: number, base: number): number;
};

export class Kernel {
  /** The kernel's memory, for what pack() leaves there. */
  readonly bytes: Uint8Array;
  readonly #exports: Exports;
  readonly #state: Int32Array;
  #base = 0;

  constructor() {
    const { exports, memory } = instantiate();
    this.#exports = exports;
    this.bytes = new Uint8Array(memory);
    this.#state = new Int32Array(memory, 0, 2);
  }

  /** Adds bytes to the checksum whose halves are `state.low` and `state.high`. */
  sum(state: { low: number; high: number }, buf: Uint8Array, start: number, end: number): void {
    this.#state[0] = state.low;
    this.#state[1] = state.high;
    for (let from = start; from < end; from += SUM_PIECE_BYTES) {
      const to = Math.min(from + SUM_PIECE_BYTES, end);
      this.bytes.set(buf.subarray(from, to), INPUT);
      this.#exports.sum(INPUT, to - from);
    }
    state.low = this.#state[0];
    state.high = this.#state[1];
  }

  /** See lzfDecompress(); neither side longer than KERNEL_BYTES_MAX. */
  expand(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number, length: number): boolean {
    this.#take(input, start, end - start);
    if (this.#exports.expand(INPUT, end - start, OUTPUT, length) === 0) return false;
    output.set(this.bytes.subarray(OUTPUT, OUTPUT + length), at);
    return true;
  }

  /** See LzfCompressor.compress(); the input is not longer than KERNEL_BYTES_MAX. */
  compress(input: Uint8Array, start: number, end: number, output: Uint8Array, outputMax: number): number {
    const packed = this.pack(input, start, end, outputMax);
    if (packed > 0) output.set(this.bytes.subarray(OUTPUT, OUTPUT + packed), 0);
    return packed;
  }

  /** The same, but the result is left at PACKED_AT in `bytes`, until the next call of anything here. */
  pack(input: Uint8Array, start: number, end: number, outputMax: number): number {
    const length = end - start;
    if (this.#base + length + 1 > POSITION_MAX) {
      this.bytes.fill(0, PAGE_BYTES, INPUT);
      this.#base = 0;
    }
    this.#take(input, start, length);
    const packed = this.#exports.compress(INPUT, length, OUTPUT, Math.min(outputMax, length), this.#base);
    this.#base += length + 1;
    return packed;
  }

  /** Copies the input in. */
  #take(input: Uint8Array, start: number, length: number): void {
    const { bytes } = this;
    if (length <= LOOP_BYTES_MAX) for (let i = 0; i < length; i++) bytes[INPUT + i] = input[start + i];
    // Not subarray(): on a Buffer it costs as much as all the rest.
    else bytes.set(new Uint8Array(input.buffer, input.byteOffset + start, length), INPUT);
  }
}

/**
 * A kernel of one's own whose memory is the caller's window on a file: checksums and expansions then copy nothing.
 * Expanded strings go round in a ring, see expandInPlace().
 */
export class KernelWindow {
  /** The memory of all; expanded strings stand in it. */
  readonly bytes: Uint8Array;
  /** For the caller's input. */
  readonly window: Uint8Array;
  readonly #exports: Exports;
  readonly #state: Int32Array;
  #free = OUTPUT;

  /** `windowBytes` is at most KERNEL_BYTES_MAX. Throws where WebAssembly can't be had. */
  constructor(windowBytes: number) {
    const { exports, memory } = instantiate();
    this.#exports = exports;
    this.bytes = new Uint8Array(memory);
    this.window = new Uint8Array(memory, INPUT, windowBytes);
    this.#state = new Int32Array(memory, 0, 2);
  }

  /** Adds `window[start..end)` to a checksum. */
  sum(state: { low: number; high: number }, start: number, end: number): void {
    this.#state[0] = state.low;
    this.#state[1] = state.high;
    this.#exports.sum(INPUT + start, end - start);
    state.low = this.#state[0];
    state.high = this.#state[1];
  }

  /**
   * Expands `window[start..end)` to `length` bytes, at most EXPANSION_BYTES_MAX; returns where in `bytes` they stand, or -1
   * when the stream is broken. They stay until EXPANSIONS_KEPT more strings have been expanded.
   */
  expandInPlace(start: number, end: number, length: number): number {
    if (this.#free + length > OUTPUT + KERNEL_BYTES_MAX) this.#free = OUTPUT;
    const at = this.#free;
    this.#free = at + length;
    return this.#exports.expand(INPUT + start, end - start, at, length) === 0 ? -1 : at;
  }
}

/** Strings that are expanded are certain to stay while this many are expanded after them. */
export const EXPANSIONS_KEPT = 7;
/** Longest string for KernelWindow.expandInPlace(). */
export const EXPANSION_BYTES_MAX: number = KERNEL_BYTES_MAX / (EXPANSIONS_KEPT + 2);

function instantiate(): { exports: Exports; memory: ArrayBuffer } {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const module = new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64'));
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
  exports.prepare();
  return { exports, memory: memory.buffer };
}

let shared: Kernel | null | undefined;

/** The kernel of this process, made at the first call; null where WebAssembly can't be had. */
export function kernel(): Kernel | null {
  if (shared === undefined) {
    try {
      shared = new Kernel();
    } catch {
      shared = null;
    }
  }
  return shared;
}
