// One entry of a packed run: its encodings, how it is read, written, compared and skipped. packed.ts puts entries together;
// a listpack has the same ones with something behind each (listpack-entry.ts).
//
//   0IIIIIII 7-bit uint | 10LLLLLL string | 110IIIII IIIIIIII 13-bit int | 1110LLLL LLLLLLLL string
//   F0 u32 LE string | F1 int16 | F2 int24 | F3 int32 | F4 int64 (all LE)

import { copyRange } from '../base/bytes.ts';
import { parseInt64, parseInteger, writeInteger } from '../base/numbers.ts';
import type { Region } from './region.ts';

/** From here on the first byte of an entry does not tell its length. */
export const LONG_STRING = 0xe0;
const WIDE = 0xf4;
const TWO_32 = 4294967296;

/** Bytes of an integer's longest decimal text. */
const DIGITS_MAX = 20;

/**
 * One element as read from a packed run: an integer, or `len` bytes of `buf` at `pos`. Allocate one and use it for all
 * reads. Valid until the run changes.
 */
export class PackedElement {
  buf: Uint8Array = new Uint8Array(0);
  pos = 0;
  len = 0;
  /** The element is the integer `value`; its bytes are there only after text(). Integers beyond 2^53 come as bytes. */
  integer = false;
  value = 0;
  /** Offset of the next entry, or of the end. */
  next = 0;
  private readonly digits = Buffer.allocUnsafeSlow(DIGITS_MAX + 4);

  /** Reads the entry at `offset` of a region. */
  read(region: Region, offset: number): this {
    const p = region.pos + offset;
    this.next = offset + this.readAt(region.buf, p);
    return this;
  }

  /** Reads the entry at position `p` of `b`; returns its bytes. */
  readAt(b: Buffer, p: number): number {
    const first = b[p];
    if (first < 0x80) {
      this.integer = true;
      this.value = first;
      return 1;
    }
    if (first < 0xc0) return this.string(b, p + 1, first & 63, 1);
    if (first < 0xe0) return this.number(((((first & 31) << 8) | b[p + 1]) << 19) >> 19, 2);
    if (first < 0xf0) return this.string(b, p + 2, ((first & 15) << 8) | b[p + 1], 2);
    if (first === 0xf0) return this.string(b, p + 5, read32(b, p + 1) >>> 0, 5);
    if (first === 0xf1) return this.number(((b[p + 1] | (b[p + 2] << 8)) << 16) >> 16, 3);
    if (first === 0xf2) return this.number(((b[p + 1] | (b[p + 2] << 8) | (b[p + 3] << 16)) << 8) >> 8, 4);
    if (first === 0xf3) return this.number(read32(b, p + 1), 5);
    const value = read32(b, p + 5) * TWO_32 + (read32(b, p + 1) >>> 0);
    if (Number.isSafeInteger(value)) return this.number(value, 9);
    this.integer = false;
    this.buf = this.digits;
    this.pos = 0;
    this.len = this.digits.write(b.readBigInt64LE(p + 1).toString(), 0, 'latin1');
    return 9;
  }

  /** Makes buf, pos and len the element's bytes, whatever it is. The digits live until the next read. */
  text(): this {
    if (this.integer) {
      this.buf = this.digits;
      this.pos = 0;
      this.len = writeInteger(this.digits, 0, this.value);
    }
    return this;
  }

  /** A copy of the element's bytes. */
  copy(): Buffer {
    this.text();
    return Buffer.from(this.buf.subarray(this.pos, this.pos + this.len));
  }

  private number(value: number, bytes: number): number {
    this.integer = true;
    this.value = value;
    return bytes;
  }

  private string(b: Buffer, pos: number, len: number, head: number): number {
    this.integer = false;
    this.buf = b;
    this.pos = pos;
    this.len = len;
    return head + len;
  }
}

/** A value about to be written or looked for: set() works out its encoding once. Allocate one and reuse it. */
export class PackedValue {
  /** Bytes the entry will take in a packed run: encoding and data. */
  size = 0;
  private isString = true;
  private buf: Uint8Array = new Uint8Array(0);
  private pos = 0;
  private len = 0;
  /** Low and high word of an integer. */
  private low = 0;
  private high = 0;
  /** First byte of an integer's encoding; 0 for the forms of one and two bytes. */
  private code = 0;

  /** A value given as bytes: canonical integers are stored as such, as Redis does. */
  set(buf: Uint8Array, pos: number, len: number): this {
    if (len <= DIGITS_MAX && len > 0 && buf[pos] <= 57) {
      const value = parseInteger(buf, pos, len);
      if (!Number.isNaN(value)) return this.setInteger(value);
      if (len >= 16) {
        const wide = parseInt64(buf, pos, len);
        if (wide !== null) return this.setWords(Number(BigInt.asIntN(32, wide)), Number(wide >> 32n));
      }
    }
    this.isString = true;
    this.buf = buf;
    this.pos = pos;
    this.len = len;
    this.size = len + (len < 64 ? 1 : len < 4096 ? 2 : 5);
    return this;
  }

  /** A safe integer. */
  setInteger(value: number): this {
    return this.setWords(value | 0, Math.floor(value / TWO_32));
  }

  /** Writes the entry at position `at` of `b`, which has room for it; returns the position behind it. */
  write(b: Buffer, at: number): number {
    return this.isString ? this.writeString(b, at) : this.writeNumber(b, at);
  }

  /** Whether the entry at position `p` of `b` holds this value. */
  equals(b: Buffer, p: number): boolean {
    const first = b[p];
    if (this.isString) {
      let start: number;
      if (first < 0x80) return false;
      if (first < 0xc0) {
        if ((first & 63) !== this.len) return false;
        start = p + 1;
      } else if (first < 0xe0) {
        return false;
      } else if (first < 0xf0) {
        if ((((first & 15) << 8) | b[p + 1]) !== this.len) return false;
        start = p + 2;
      } else {
        if (first !== 0xf0 || read32(b, p + 1) >>> 0 !== this.len) return false;
        start = p + 5;
      }
      const own = this.buf;
      // Members of one set often share their beginning, so the last byte is asked first.
      if (this.len > 0 && b[start + this.len - 1] !== own[this.pos + this.len - 1]) return false;
      for (let i = this.pos, end = i + this.len; i < end; i++) if (b[start++] !== own[i]) return false;
      return true;
    }
    if (this.size <= 2) {
      if (first < 0x80) return first === this.low;
      return first >= 0xc0 && first < 0xe0 && ((((first & 31) << 8) | b[p + 1]) << 19) >> 19 === this.low;
    }
    if (first !== this.code) return false;
    if (first === 0xf1) return ((b[p + 1] | (b[p + 2] << 8)) << 16) >> 16 === this.low;
    if (first === 0xf2) return ((b[p + 1] | (b[p + 2] << 8) | (b[p + 3] << 16)) << 8) >> 8 === this.low;
    return read32(b, p + 1) === this.low && (first === 0xf3 || read32(b, p + 5) === this.high);
  }

  /**
   * The position of the first entry from `p` on that holds this value, 0 when there is none before `end`; `skip` entries
   * are passed over after each that is compared.
   */
  findIn(b: Buffer, p: number, end: number, skip: number): number {
    const { len } = this;
    const isShort = this.isString && len > 0 && len < 64;
    const head = isShort ? 0x80 | len : -1;
    // Members of one set often share their beginning, so the last byte is asked first.
    const last = isShort ? this.buf[this.pos + len - 1] : 0;
    let at = p;
    while (at < end) {
      const first = b[at];
      if (isShort) {
        if (first === head && b[at + len] === last && this.equals(b, at)) return at;
      } else if (this.equals(b, at)) return at;
      // Written out as the call made a look for a member a tenth slower.
      at += first < 0x80 ? 1 : first < 0xc0 ? (first & 63) + 1 : packedEntryBytes(b, at);
      for (let rest = skip; rest > 0 && at < end; rest--) {
        const next = b[at];
        at += next < 0x80 ? 1 : next < 0xc0 ? (next & 63) + 1 : packedEntryBytes(b, at);
      }
    }
    return 0;
  }

  private setWords(low: number, high: number): this {
    this.isString = false;
    this.low = low;
    this.high = high;
    this.code = 0;
    if (high !== low >> 31) {
      this.size = 9;
      this.code = WIDE;
    } else if (low >= 0 && low <= 127) {
      this.size = 1;
    } else if (low >= -4096 && low <= 4095) {
      this.size = 2;
    } else if (low >= -32768 && low <= 32767) {
      this.size = 3;
      this.code = 0xf1;
    } else if (low >= -8388608 && low <= 8388607) {
      this.size = 4;
      this.code = 0xf2;
    } else {
      this.size = 5;
      this.code = 0xf3;
    }
    return this;
  }

  private writeString(b: Buffer, at: number): number {
    const len = this.len;
    let p = at;
    if (len < 64) {
      b[p++] = 0x80 | len;
    } else if (len < 4096) {
      b[p++] = 0xe0 | (len >>> 8);
      b[p++] = len & 255;
    } else {
      b[p++] = 0xf0;
      write32(b, p, len);
      p += 4;
    }
    copyRange(this.buf, this.pos, len, b, p);
    return p + len;
  }

  private writeNumber(b: Buffer, at: number): number {
    const low = this.low;
    let p = at;
    if (this.size === 1) {
      b[p] = low;
      return p + 1;
    }
    if (this.size === 2) {
      b[p] = 0xc0 | ((low >>> 8) & 31);
      b[p + 1] = low & 255;
      return p + 2;
    }
    b[p++] = this.code;
    for (let i = 0, bytes = Math.min(4, this.size - 1); i < bytes; i++) b[p++] = (low >>> (i << 3)) & 255;
    if (this.code !== WIDE) return p;
    write32(b, p, this.high);
    return p + 4;
  }
}

/** Bytes of the entry at position `p`: all that tells its value from others. */
export function packedEntryBytes(b: Uint8Array, p: number): number {
  const first = b[p];
  if (first < 0x80) return 1;
  if (first < 0xc0) return (first & 63) + 1;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 2 + (((first & 15) << 8) | b[p + 1]);
  if (first === 0xf0) return 5 + (read32(b, p + 1) >>> 0);
  return first === 0xf4 ? 9 : first - 0xf1 + 3;
}

export function read32(b: Uint8Array, p: number): number {
  return b[p] | (b[p + 1] << 8) | (b[p + 2] << 16) | (b[p + 3] << 24);
}

export function write32(b: Uint8Array, p: number, value: number): void {
  b[p] = value;
  b[p + 1] = value >>> 8;
  b[p + 2] = value >>> 16;
  b[p + 3] = value >>> 24;
}
