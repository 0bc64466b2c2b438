// The bytes of an RDB as they arrive: a window that moves over the file, the primitives that read from it, the running
// checksum, and where we are. A primitive that finds too few bytes throws NEED_MORE, the reader steps back to the mark
// (the start of the item under way) and asks for more; nothing an item does is visible before it is complete.
//
//   buffer: |..read..|mark ..item under way.. pos ....|end ....room....|
//
// Lengths:  00LLLLLL | 01LLLLLL LLLLLLLL | 0x80 u32 BE | 0x81 u64 BE | 11EEEEEE (in strings: 0 int8, 1 int16, 2 int32
// little-endian, 3 LZF: compressed length, length, bytes)

import { Crc64 } from '../../base/crc64.ts';
import { EXPANSION_BYTES_MAX, KERNEL_BYTES_MAX, KernelWindow } from '../../base/kernel.ts';
import { lzfDecompress, lzfExpands } from '../../base/lzf.ts';
import { type RdbActivity, RdbError, type RdbErrorCode } from './errors.ts';
import type { Slice } from './slice.ts';

/** Thrown, and always caught inside this folder: the item under way is not complete in the window. */
export const NEED_MORE: unique symbol = Symbol('the window holds too few bytes');

export const UNEXPECTED_EOF = 'Unexpected EOF reading RDB file';

const EMPTY = new Uint8Array(0);
/** A window that grew beyond this for one long string is given back by reset(). */
const WINDOW_KEPT_BYTES = 1 << 24;
/** A smaller window is not worth a kernel of its own. */
const KERNEL_FROM_BYTES = 1 << 16;
const TWO_32 = 2 ** 32;
/** The first byte of a compressed string. */
const LZF_STRING = 0xc3;
const INTEGER_BYTES = [1, 2, 4];

export type SourceLimits = {
  /** First size of the window in bytes. */
  windowBytes: number;
  /** A longer string (or compressed string) is an error; the window never grows far beyond it. */
  stringBytesMax: number;
  /**
   * Strings longer than this, where the reader allows it, are passed over without being held or expanded (compressed
   * ones of any length, once this is not infinite).
   */
  skipStringsOver: number;
};

export class RdbSource {
  /** Empty until bytes are asked for: values that are read in place need no window. */
  buffer: Uint8Array = EMPTY;
  pos = 0;
  end = 0;
  mark = 0;
  /** Where the error of a string that never came would be: `pos` when NEED_MORE was thrown. */
  starvedAt = 0;
  /** Bytes of a passed-over string that are still to come. */
  toSkip = 0;
  /** Offset where the passed-over string begins. */
  skippedFrom = 0;
  /** What to say when the bytes end during the item under way; empty: the general message. */
  starvedMessage = '';
  activity: RdbActivity = 'start';
  type = 0;
  key: Slice | null = null;
  readonly crc = new Crc64();
  readonly limits: SourceLimits;
  readonly summing: boolean;
  /** Asked about damage that leaves the rest readable; true: go on. */
  recover: ((error: RdbError) => boolean) | undefined;
  #base = 0;
  #crcFrom = 0;
  #own: Uint8Array = EMPTY;
  /** The window is this kernel's memory while it has its first size; null when there is none, undefined: not yet tried. */
  #kernel: KernelWindow | null | undefined;
  #lengthHigh = 0;
  #lengthLow = 0;
  readonly #double = new Float64Array(1);
  readonly #doubleBytes = new Uint8Array(this.#double.buffer);

  /** `summing`: whether to compute the checksum. */
  constructor(limits: SourceLimits, summing: boolean) {
    this.limits = limits;
    this.summing = summing;
  }

  /** Bytes read since the start of the RDB. */
  get offset(): number {
    return this.#base + this.pos;
  }

  /** Starts over on a new file, keeping the memory. */
  reset(): void {
    if (this.#own.length > WINDOW_KEPT_BYTES) this.#own = this.#kernel?.window ?? EMPTY;
    this.buffer = this.#own;
    this.pos = this.end = this.mark = this.starvedAt = this.toSkip = this.#base = this.#crcFrom = this.type = 0;
    this.activity = 'start';
    this.starvedMessage = '';
    this.key = null;
    this.crc.reset();
  }

  /** Starts over on bytes that are all there; they are read in place. */
  attach(bytes: Uint8Array, start: number, end: number): void {
    this.reset();
    this.buffer = bytes;
    this.pos = this.mark = this.#crcFrom = start;
    this.end = end;
    this.#base = -start;
  }

  /** Free memory of the window to read the next bytes into; report them with filled(). */
  room(): Uint8Array {
    if (this.mark > 0) this.#slide();
    if (this.end === this.buffer.length) this.#grow();
    return this.buffer.subarray(this.end);
  }

  filled(count: number): void {
    this.end += count;
  }

  /** The bytes that were fed but lie after `pos`: after the end of the RDB, an AOF's commands for example. */
  rest(): Uint8Array {
    return this.buffer.subarray(this.pos, this.end);
  }

  #slide(): void {
    this.sum();
    this.buffer.copyWithin(0, this.mark, this.end);
    this.#base += this.mark;
    this.#crcFrom -= this.mark;
    this.pos -= this.mark;
    this.starvedAt -= this.mark;
    if (this.key?.bytes === this.buffer)
      this.key.set(this.buffer, this.key.start - this.mark, this.key.end - this.mark);
    this.end -= this.mark;
    this.mark = 0;
  }

  #grow(): void {
    if (this.buffer.length === 0 && this.#openKernel()) return;
    const larger = new Uint8Array(Math.max(this.limits.windowBytes, this.buffer.length * 2));
    larger.set(this.buffer);
    this.buffer = larger;
    this.#own = larger;
  }

  /** Makes the memory of a kernel the window; false where that can't be done. */
  #openKernel(): boolean {
    const { windowBytes } = this.limits;
    if (windowBytes < KERNEL_FROM_BYTES || windowBytes > KERNEL_BYTES_MAX) return false;
    if (this.#kernel === undefined) {
      try {
        this.#kernel = new KernelWindow(windowBytes);
      } catch {
        this.#kernel = null;
      }
    }
    if (this.#kernel === null) return false;
    this.buffer = this.#own = this.#kernel.window;
    return true;
  }

  /** The kernel whose memory the window is. */
  #inPlace(): KernelWindow | null {
    const kernel = this.#kernel;
    return kernel != null && kernel.window === this.buffer ? kernel : null;
  }

  /** Brings the checksum up to `pos`. */
  sum(): void {
    if (this.summing && this.pos > this.#crcFrom) {
      const kernel = this.#inPlace();
      if (kernel !== null) kernel.sum(this.crc, this.#crcFrom, this.pos);
      else this.crc.update(this.buffer, this.#crcFrom, this.pos);
    }
    this.#crcFrom = this.pos;
  }

  /** The bytes from here on don't count for the checksum. */
  leaveOutOfSum(count: number): void {
    this.sum();
    this.#crcFrom = this.pos + count;
  }

  fail(code: RdbErrorCode, message: string): RdbError {
    return new RdbError(code, message, {
      offset: this.toSkip > 0 ? this.skippedFrom : this.offset,
      activity: this.activity,
      key: this.key === null ? null : this.key.copy(),
      type: this.type,
    });
  }

  /** Reports damage inside a value whose end is known: throws, unless recover() wants to see what follows. */
  damaged(message: string): void {
    const error = this.fail('integrity', message);
    if (this.recover?.(error) !== true) throw error;
  }

  need(count: number): void {
    if (this.pos + count <= this.end) return;
    if (count > this.limits.stringBytesMax) {
      throw this.#tooLong();
    }
    this.starvedAt = this.pos;
    throw NEED_MORE;
  }

  /** In a damaged file a huge length is the rule: what the file doesn't hold either. */
  #tooLong(): RdbError {
    return this.fail('limit', this.starvedMessage || UNEXPECTED_EOF);
  }

  /** Moves over a passed-over string; true when all of it is behind. */
  skip(): boolean {
    const step = Math.min(this.toSkip, this.end - this.pos);
    this.pos += step;
    this.toSkip -= step;
    this.mark = this.pos;
    return this.toSkip === 0;
  }

  u8(): number {
    if (this.pos >= this.end) this.need(1);
    return this.buffer[this.pos++];
  }

  u32be(): number {
    this.need(4);
    const b = this.buffer;
    const p = this.pos;
    this.pos = p + 4;
    return ((b[p] << 24) | (b[p + 1] << 16) | (b[p + 2] << 8) | b[p + 3]) >>> 0;
  }

  i32le(): number {
    this.need(4);
    const b = this.buffer;
    const p = this.pos;
    this.pos = p + 4;
    return b[p] | (b[p + 1] << 8) | (b[p + 2] << 16) | (b[p + 3] << 24);
  }

  /** A signed 64-bit integer; beyond 2^53 the nearest double. */
  i64le(): number {
    this.need(8);
    const low = this.i32le() >>> 0;
    return this.i32le() * TWO_32 + low;
  }

  doubleLe(): number {
    this.need(8);
    for (let i = 0; i < 8; i++) this.#doubleBytes[i] = this.buffer[this.pos + i];
    this.pos += 8;
    return this.#double[0];
  }

  /** A length; beyond 2^53 the nearest double (lengthExact() has all digits). */
  length(): number {
    const first = this.u8();
    const kind = first >>> 6;
    this.#lengthHigh = 0;
    if (kind === 0) this.#lengthLow = first;
    else if (kind === 1) this.#lengthLow = ((first & 63) << 8) | this.u8();
    else if (kind === 3) this.#lengthLow = first & 63;
    else if (first === 0x80) this.#lengthLow = this.u32be();
    else if (first === 0x81) {
      this.need(8);
      this.#lengthHigh = this.u32be();
      this.#lengthLow = this.u32be();
    } else throw this.fail('integrity', `Unknown length encoding ${kind} in rdbLoadLen()`);
    return this.#lengthHigh * TWO_32 + this.#lengthLow;
  }

  /** The last length() with all its digits. */
  lengthExact(): bigint {
    return (BigInt(this.#lengthHigh) << 32n) | BigInt(this.#lengthLow >>> 0);
  }

  /** Reads a string in any of its encodings. */
  string(into: Slice): void {
    const first = this.u8();
    if (first < 64) {
      this.raw(into, first);
    } else if (first >>> 6 === 3) {
      this.#encoded(into, first & 63);
    } else {
      this.pos--;
      this.raw(into, this.length());
    }
  }

  /**
   * Reads a string that is the last part of its item: one over the limit is only passed over, `into` becomes empty, and
   * the return value is its length (else 0). While `toSkip` is not 0 afterwards, nothing else may be read.
   */
  stringOrSkip(into: Slice): number {
    const first = this.u8();
    if (first >>> 6 === 3) {
      if (first === LZF_STRING && this.limits.skipStringsOver < Number.POSITIVE_INFINITY)
        return this.#passCompressed(into);
      this.#encoded(into, first & 63);
      return 0;
    }
    this.pos--;
    const length = this.length();
    if (length <= this.limits.skipStringsOver) {
      this.raw(into, length);
      return 0;
    }
    into.set(this.buffer, this.pos, this.pos);
    if (this.pos + length <= this.end) this.pos += length;
    else {
      this.toSkip = length;
      this.skippedFrom = this.offset;
    }
    return length;
  }

  /** Proves that a compressed string would expand, without doing it. */
  #passCompressed(into: Slice): number {
    const packed = this.length();
    const length = this.length();
    this.need(packed);
    const from = this.pos;
    this.pos += packed;
    into.set(this.buffer, this.pos, this.pos);
    if (lzfExpands(this.buffer, from, from + packed, length)) return length;
    throw this.fail('integrity', 'Invalid LZF compressed string');
  }

  /** Points `into` at the next `length` bytes. */
  raw(into: Slice, length: number): void {
    const stop = this.pos + length;
    if (stop > this.end) this.need(length);
    into.bytes = this.buffer;
    into.start = this.pos;
    into.end = stop;
    this.pos = stop;
  }

  #encoded(into: Slice, encoding: number): void {
    if (encoding < 3) {
      into.setInteger(this.#integer(INTEGER_BYTES[encoding]));
      return;
    }
    if (encoding !== 3) throw this.fail('integrity', `Unknown RDB string encoding type ${encoding}`);
    const packed = this.length();
    const length = this.length();
    if (length > this.limits.stringBytesMax) {
      throw this.#tooLong();
    }
    this.need(packed);
    const from = this.pos;
    this.pos += packed;
    const kernel = length <= EXPANSION_BYTES_MAX ? this.#inPlace() : null;
    if (kernel !== null) {
      const at = kernel.expandInPlace(from, from + packed, length);
      if (at < 0) throw this.fail('integrity', 'Invalid LZF compressed string');
      into.set(kernel.bytes, at, at + length);
      return;
    }
    // LZF can't expand a byte to more than 264 / 3; an honest length is checked before memory is taken for it.
    if (length > packed * 264 || !lzfDecompress(this.buffer, from, from + packed, into.own(length), 0, length)) {
      throw this.fail('integrity', 'Invalid LZF compressed string');
    }
  }

  #integer(bytes: number): number {
    if (bytes === 4) return this.i32le();
    this.need(bytes);
    const b = this.buffer;
    const p = this.pos;
    this.pos = p + bytes;
    return bytes === 1 ? (b[p] << 24) >> 24 : ((b[p] << 16) | (b[p + 1] << 24)) >> 16;
  }
}
