// Writes RDB: opcodes, lengths and strings into chunks that are handed to a sink, with the checksum kept on the way.
// What a value is made of is the caller's business; this file knows how its parts are encoded.

import { copyRange } from '../../base/bytes.ts';
import { Crc64 } from '../../base/crc64.ts';
import { KERNEL_BYTES_MAX, kernel, PACKED_AT } from '../../base/kernel.ts';
import { LzfCompressor } from '../../base/lzf.ts';
import { parseInteger, writeInteger } from '../../base/numbers.ts';
import { RDB_OPCODE } from './types.ts';

const CHUNK_BYTES = 1 << 16;
/** The longest item that is written without asking for room in between: opcode and 64-bit length. */
const ITEM_BYTES_MAX = 16;
const INTEGER_DIGITS_MAX = 11;
const COMPRESS_OVER_BYTES = 20;
/** Memory kept between strings for compression; longer strings get their own, which is dropped again. */
const SCRATCH_KEPT_BYTES = 1 << 20;
const TWO_32 = 2 ** 32;

/** Gets each chunk as its own; it may be kept, or given back with recycle() once written. */
export type RdbSink = (chunk: Uint8Array) => void;

export type RdbWriterOptions = {
  /** Whether strings over 20 bytes are stored as LZF where that is shorter; default true. */
  compression?: boolean;
  /** Whether eof() writes the checksum (else zeros, which readers take as "not computed"); default true. */
  checksum?: boolean;
  /** Bytes per chunk; default 64 KiB. */
  chunkBytes?: number;
};

export class RdbWriter {
  readonly #sink: RdbSink;
  readonly #compression: boolean;
  readonly #checksum: boolean;
  readonly #chunkBytes: number;
  readonly #crc = new Crc64();
  readonly #double = new Float64Array(1);
  readonly #doubleBytes = new Uint8Array(this.#double.buffer);
  readonly #digits = new Uint8Array(24);
  #compressor: LzfCompressor | undefined;
  #scratch = new Uint8Array(0);
  #chunk: Uint8Array;
  #spare: Uint8Array | undefined;
  #pos = 0;
  #summed = 0;
  #flushed = 0;

  constructor(sink: RdbSink, options: RdbWriterOptions = {}) {
    this.#sink = sink;
    this.#compression = options.compression ?? true;
    this.#checksum = options.checksum ?? true;
    this.#chunkBytes = Math.max(options.chunkBytes ?? CHUNK_BYTES, 64);
    this.#chunk = new Uint8Array(this.#chunkBytes);
  }

  /** Bytes written so far. */
  get offset(): number {
    return this.#flushed + this.#pos;
  }

  /** Takes back a chunk that the sink is done with, to save the allocation of another. */
  recycle(chunk: Uint8Array): void {
    if (chunk.buffer.byteLength === this.#chunkBytes) this.#spare = new Uint8Array(chunk.buffer);
  }

  /** Starts over, memory kept; what was not flushed is dropped. */
  reset(): void {
    this.#pos = this.#summed = this.#flushed = 0;
    this.#crc.reset();
  }

  /** `version` is 1 to 9999; `valkey` writes that magic, whose versions begin at 80. */
  header(version: number, valkey = false): void {
    const digits = valkey ? 3 : 4;
    this.#ascii((valkey ? 'VALKEY' : 'REDIS') + String(version).padStart(digits, '0'));
  }

  aux(name: string, value: string | number): void {
    this.#reserve(1);
    this.#chunk[this.#pos++] = RDB_OPCODE.aux;
    this.text(name);
    this.text(String(value));
  }

  selectDb(db: number): void {
    this.#opcodeAndLength(RDB_OPCODE.selectDb, db);
  }

  resizeDb(keys: number, expires: number): void {
    this.#opcodeAndLength(RDB_OPCODE.resizeDb, keys);
    this.length(expires);
  }

  /** Milliseconds since 1970. */
  expireMs(atMs: number): void {
    this.#reserve(ITEM_BYTES_MAX);
    this.#chunk[this.#pos++] = RDB_OPCODE.expireTimeMs;
    this.int64(atMs);
  }

  /** Seconds since the key was last used. */
  idle(seconds: number): void {
    this.#opcodeAndLength(RDB_OPCODE.idle, seconds);
  }

  /** The key's logarithmic access counter, 0 to 255. */
  frequency(counter: number): void {
    this.#reserve(2);
    this.#chunk[this.#pos++] = RDB_OPCODE.freq;
    this.#chunk[this.#pos++] = counter;
  }

  /** The source text of a library. */
  functionLibrary(code: Uint8Array): void {
    this.#reserve(1);
    this.#chunk[this.#pos++] = RDB_OPCODE.function2;
    this.string(code, 0, code.length);
  }

  /** A type byte (RDB_TYPE). */
  type(number: number): void {
    this.#reserve(1);
    this.#chunk[this.#pos++] = number;
  }

  /** A safe non-negative integer, as count, size or id. */
  length(value: number): void {
    this.#reserve(ITEM_BYTES_MAX);
    const b = this.#chunk;
    if (value < 64) b[this.#pos++] = value;
    else if (value < 16384) {
      b[this.#pos++] = 64 | (value >>> 8);
      b[this.#pos++] = value;
    } else if (value < TWO_32) {
      b[this.#pos++] = 0x80;
      this.#u32be(value);
    } else {
      b[this.#pos++] = 0x81;
      this.#u32be(Math.floor(value / TWO_32));
      this.#u32be((value % TWO_32) | 0);
    }
  }

  /** The same for unsigned 64-bit numbers: stream ids. */
  length64(value: bigint): void {
    if (value < BigInt(TWO_32)) {
      this.length(Number(value));
      return;
    }
    this.#reserve(ITEM_BYTES_MAX);
    this.#chunk[this.#pos++] = 0x81;
    this.#u32be(Number(value >> 32n));
    this.#u32be(Number(value & 0xffffffffn));
  }

  /** Little-endian, in the safe range: times in milliseconds. */
  int64(value: number): void {
    this.#reserve(8);
    const high = Math.floor(value / TWO_32);
    this.#u32le(value - high * TWO_32);
    this.#u32le(high);
  }

  binaryDouble(value: number): void {
    this.#reserve(8);
    this.#double[0] = value;
    this.#chunk.set(this.#doubleBytes, this.#pos);
    this.#pos += 8;
  }

  /** A string: as integer where its text is a canonical 32-bit one, compressed where allowed and shorter, else as it is. */
  string(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= INTEGER_DIGITS_MAX && length > 0) {
      const value = parseInteger(bytes, start, length);
      if (value === (value | 0)) {
        this.#smallInteger(value);
        return;
      }
    } else if (length > COMPRESS_OVER_BYTES && this.#compression && this.#compressed(bytes, start, end)) {
      return;
    }
    this.length(length);
    this.raw(bytes, start, end);
  }

  /** A string that is a safe integer. */
  integer(value: number): void {
    if (value === (value | 0)) {
      this.#smallInteger(value);
      return;
    }
    const end = writeInteger(this.#digits, 0, value);
    this.length(end);
    this.raw(this.#digits, 0, end);
  }

  /** A string without attempts at shortening it: list nodes that hold one long element, for example. */
  plainString(bytes: Uint8Array, start: number, end: number): void {
    this.length(end - start);
    this.raw(bytes, start, end);
  }

  /** A string of ASCII (or Latin-1) text. */
  text(value: string): void {
    const bytes = Buffer.from(value, 'latin1');
    this.string(bytes, 0, bytes.length);
  }

  /** Bytes without a length in front. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#pos === this.#chunk.length) this.#handOver();
      const count = Math.min(end - from, this.#chunk.length - this.#pos);
      this.#copy(bytes, from, count);
      from += count;
    }
  }

  /** The end of a file: EOF opcode and checksum. Flushes. */
  eof(): void {
    this.type(RDB_OPCODE.eof);
    this.#reserve(8);
    this.#sum();
    if (this.#checksum) this.#crc.write(this.#chunk, this.#pos);
    else this.#chunk.fill(0, this.#pos, this.#pos + 8);
    this.#pos += 8;
    this.#summed = this.#pos;
    this.flush();
  }

  /** The end of a DUMP payload: two bytes of version, then the checksum of everything before it. Flushes. */
  dumpFooter(version: number): void {
    this.#reserve(10);
    this.#chunk[this.#pos++] = version;
    this.#chunk[this.#pos++] = version >>> 8;
    this.#sum();
    this.#crc.write(this.#chunk, this.#pos);
    this.#pos += 8;
    this.#summed = this.#pos;
    this.flush();
  }

  /** Hands what there is to the sink. */
  flush(): void {
    if (this.#pos > 0) this.#handOver();
  }

  /** Makes sure that `count` bytes fit into the chunk. */
  #reserve(count: number): void {
    if (this.#pos + count > this.#chunk.length) this.#handOver();
  }

  #sum(): void {
    this.#crc.update(this.#chunk, this.#summed, this.#pos);
    this.#summed = this.#pos;
  }

  #handOver(): void {
    this.#sum();
    const chunk = this.#chunk.subarray(0, this.#pos);
    this.#flushed += this.#pos;
    this.#pos = this.#summed = 0;
    const spare = this.#spare;
    this.#spare = undefined;
    this.#chunk = spare ?? new Uint8Array(this.#chunkBytes);
    this.#sink(chunk);
  }

  #copy(bytes: Uint8Array, from: number, count: number): void {
    copyRange(bytes, from, count, this.#chunk, this.#pos);
    this.#pos += count;
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#chunk[this.#pos++] = text.charCodeAt(i);
  }

  #opcodeAndLength(opcode: number, value: number): void {
    this.#reserve(ITEM_BYTES_MAX);
    this.#chunk[this.#pos++] = opcode;
    this.length(value);
  }

  #smallInteger(value: number): void {
    this.#reserve(5);
    const b = this.#chunk;
    if (value === (value << 24) >> 24) {
      b[this.#pos++] = 0xc0;
      b[this.#pos++] = value;
    } else if (value === (value << 16) >> 16) {
      b[this.#pos++] = 0xc1;
      b[this.#pos++] = value;
      b[this.#pos++] = value >>> 8;
    } else {
      b[this.#pos++] = 0xc2;
      this.#u32le(value);
    }
  }

  #compressed(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const fast = length <= KERNEL_BYTES_MAX ? kernel() : null;
    if (fast !== null) {
      const packed = fast.pack(bytes, start, end, length - 4);
      if (packed > 0) {
        this.#compressedHead(packed, length);
        this.raw(fast.bytes, PACKED_AT, PACKED_AT + packed);
      }
      return packed > 0;
    }
    this.#compressor ??= new LzfCompressor();
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(Math.max(length, 4096));
    const packed = this.#compressor.compress(bytes, start, end, this.#scratch, length - 4);
    if (packed > 0) {
      this.#compressedHead(packed, length);
      this.raw(this.#scratch, 0, packed);
    }
    if (this.#scratch.length > SCRATCH_KEPT_BYTES) this.#scratch = new Uint8Array(0);
    return packed > 0;
  }

  #compressedHead(packed: number, length: number): void {
    this.#reserve(1);
    this.#chunk[this.#pos++] = 0xc3;
    this.length(packed);
    this.length(length);
  }

  #u32be(value: number): void {
    const b = this.#chunk;
    b[this.#pos++] = value >>> 24;
    b[this.#pos++] = value >>> 16;
    b[this.#pos++] = value >>> 8;
    b[this.#pos++] = value;
  }

  #u32le(value: number): void {
    const b = this.#chunk;
    b[this.#pos++] = value;
    b[this.#pos++] = value >>> 8;
    b[this.#pos++] = value >>> 16;
    b[this.#pos++] = value >>> 24;
  }
}
