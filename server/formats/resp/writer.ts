// Writes replies in RESP2 or RESP3 into one growing buffer. One writer serves all connections: what it holds after a
// batch of requests goes to the socket in one write.

import { formatDouble, writeInteger } from '../../base/numbers.ts';

/** First size of the buffer. */
const REST_BYTES = 64 * 1024;
/** A buffer that has grown beyond this is given up after use. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** One batch's replies may not exceed this (Node's largest Buffer is 4 GiB). */
const BYTES_MAX = 0xff000000;

/** Beyond this a block copy is faster than four bytes at a time. */
const VIEW_BYTES_MAX = 200;

const CR = 13;
const LF = 10;
/** CR LF as a little-endian number of two bytes. */
const CRLF_WORD = 0x0a0d;

export class ReplyWriter {
  buf: Buffer = Buffer.allocUnsafeSlow(REST_BYTES);
  pos = 0;
  /** Protocol of the client being answered. */
  resp3 = false;
  /** Called with the error text of each error reply, for statistics. */
  onError: (text: string) => void = ignore;
  /** Called with the size that a batch of replies grows to, beyond the buffer's; may throw to stop it. */
  onGrow: (bytes: number) => void = ignore;
  /** The buffer that `view` shows. */
  private viewed: Buffer | null = null;
  private view: DataView = new DataView(new ArrayBuffer(0));

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.pos + bytes > this.buf.length) this.grow(bytes);
  }

  /** `+text\r\n`. The text must be ASCII without line breaks. */
  simple(text: string): void {
    this.line(43, text);
  }

  ok(): void {
    this.reserve(5);
    const buf = this.buf;
    let p = this.pos;
    buf[p++] = 43;
    buf[p++] = 79;
    buf[p++] = 75;
    buf[p++] = CR;
    buf[p++] = LF;
    this.pos = p;
  }

  /** `-text\r\n` with the error code as the text's first word; line breaks become blanks. Bytes are taken as latin1. */
  error(text: string): void {
    this.onError(text);
    this.line(45, text.replace(/[\r\n]/g, ' '));
  }

  int(value: number): void {
    this.reserve(32);
    this.buf[this.pos++] = 58;
    this.integerLine(value);
  }

  /** An integer by its decimal digits: `length` bytes of `from` at `start`. */
  intDigits(from: Uint8Array, start: number, length: number): void {
    this.reserve(length + 3);
    const { buf } = this;
    let p = this.pos;
    buf[p++] = 58;
    for (let i = start; i < start + length; i++) buf[p++] = from[i];
    buf[p++] = CR;
    buf[p++] = LF;
    this.pos = p;
  }

  bigInt(value: bigint): void {
    this.line(58, value.toString());
  }

  /** RESP3 boolean; `:1` or `:0` in RESP2. */
  bool(value: boolean): void {
    if (this.resp3) this.line(35, value ? 't' : 'f');
    else this.int(value ? 1 : 0);
  }

  /** RESP3 double; a bulk string in RESP2. */
  double(value: number): void {
    const text = formatDouble(value);
    if (this.resp3) this.line(44, text);
    else this.text(text);
  }

  /** A bulk string of bytes. */
  bulk(bytes: Uint8Array): void {
    this.bulkRange(bytes, 0, bytes.length);
  }

  /** A bulk string of `len` bytes of `from` at `start`. */
  bulkRange(from: Uint8Array, start: number, len: number): void {
    if (len > 64) {
      this.bulkBlock(from.buffer, from.byteOffset + start, len);
      return;
    }
    this.reserve(len + 32);
    const buf = this.buf;
    let p = this.pos;
    buf[p++] = 36;
    if (len < 10) buf[p++] = 48 + len;
    else p = writeInteger(buf, p, len);
    buf[p++] = CR;
    buf[p++] = LF;
    for (let i = start, end = start + len; i < end; i++) buf[p++] = from[i];
    buf[p++] = CR;
    buf[p++] = LF;
    this.pos = p;
  }

  /** A bulk string of `len` bytes of a buffer, copied at once. */
  private bulkBlock(from: ArrayBufferLike, start: number, len: number): void {
    this.reserve(len + 32);
    this.buf[this.pos++] = 36;
    this.integerLine(len);
    this.buf.set(new Uint8Array(from, start, len), this.pos);
    this.pos += len;
    this.crlf();
  }

  /** bulkRange for elements of a few hundred bytes at most: copies four bytes at a time, which a DataView can. */
  bulkView(from: DataView, start: number, len: number): void {
    if (len > VIEW_BYTES_MAX) {
      this.bulkBlock(from.buffer, from.byteOffset + start, len);
      return;
    }
    this.reserve(len + 32);
    const buf = this.buf;
    if (this.viewed !== buf) this.lookAt(buf);
    const view = this.view;
    let p = this.pos;
    if (len > 9 && len < 100) {
      const tens = (len * 205) >>> 11;
      view.setInt32(p, 36 | ((48 + tens) << 8) | ((48 + len - tens * 10) << 16) | (CR << 24), true);
      p += 4;
    } else {
      buf[p] = 36;
      p = writeInteger(buf, p + 1, len);
      buf[p++] = CR;
    }
    buf[p++] = LF;
    let at = start;
    const end = start + len;
    for (const whole = end - 3; at < whole; at += 4, p += 4) view.setInt32(p, from.getInt32(at, true), true);
    for (; at < end; at++) buf[p++] = from.getUint8(at);
    buf[p] = CR;
    buf[p + 1] = LF;
    this.pos = p + 2;
  }

  /** A bulk string of `len` bytes that begin at word `word` of `from`, whose words must reach to the last byte. */
  bulkWords(from: Int32Array, word: number, len: number): void {
    if (len > VIEW_BYTES_MAX) {
      this.bulkBlock(from.buffer, from.byteOffset + (word << 2), len);
      return;
    }
    this.reserve(len + 32);
    const buf = this.buf;
    if (this.viewed !== buf) this.lookAt(buf);
    const view = this.view;
    let p = this.pos;
    if (len > 9 && len < 100) {
      const tens = (len * 205) >>> 11;
      view.setInt32(p, 36 | ((48 + tens) << 8) | ((48 + len - tens * 10) << 16) | (CR << 24), true);
      p += 4;
    } else {
      buf[p] = 36;
      p = writeInteger(buf, p + 1, len);
      buf[p++] = CR;
    }
    buf[p++] = LF;
    const end = p + len;
    // The last word may write up to three bytes too many; the line break goes over them.
    for (let at = word; p < end; at++, p += 4) view.setInt32(p, from[at], true);
    view.setInt16(end, CRLF_WORD, true);
    this.pos = end + 2;
  }

  /** A bulk string of a text in which each character is one byte (latin1; ASCII in practice). */
  text(text: string): void {
    const len = text.length;
    this.reserve(len + 32);
    this.buf[this.pos++] = 36;
    this.integerLine(len);
    this.pos += this.buf.write(text, this.pos, 'latin1');
    this.crlf();
  }

  /** A bulk string of an integer's decimal digits. */
  bulkInt(value: number): void {
    this.reserve(64);
    const start = this.pos;
    const end = writeInteger(this.buf, start + 8, value);
    const digits = end - start - 8;
    this.buf[this.pos++] = 36;
    this.integerLine(digits);
    this.buf.copyWithin(this.pos, start + 8, end);
    this.pos += digits;
    this.crlf();
  }

  /** RESP3 verbatim string (format is three letters, `txt` or `mkd`); a bulk string in RESP2. */
  verbatim(format: string, text: Uint8Array): void {
    if (!this.resp3) {
      this.bulk(text);
      return;
    }
    this.reserve(text.length + 40);
    this.buf[this.pos++] = 61;
    this.integerLine(text.length + 4);
    this.pos += this.buf.write(`${format}:`, this.pos, 'latin1');
    this.buf.set(text, this.pos);
    this.pos += text.length;
    this.crlf();
  }

  /** Null: `_` in RESP3, the null bulk string in RESP2. */
  nil(): void {
    this.reserve(5);
    if (this.resp3) {
      this.buf[this.pos++] = 95;
    } else {
      this.buf[this.pos++] = 36;
      this.buf[this.pos++] = 45;
      this.buf[this.pos++] = 49;
    }
    this.crlf();
  }

  /** Null where RESP2 has the null array. */
  nilArray(): void {
    if (this.resp3) {
      this.nil();
      return;
    }
    this.reserve(5);
    this.buf[this.pos++] = 42;
    this.buf[this.pos++] = 45;
    this.buf[this.pos++] = 49;
    this.crlf();
  }

  /** The head of an array of `count` replies to follow. */
  array(count: number): void {
    this.head(42, count);
  }

  /** The head of `count` field-value pairs; an array of twice as many in RESP2. */
  map(count: number): void {
    if (this.resp3) this.head(37, count);
    else this.head(42, count * 2);
  }

  set(count: number): void {
    this.head(this.resp3 ? 126 : 42, count);
  }

  /** Out-of-band data in RESP3; an array in RESP2 (pub/sub). */
  push(count: number): void {
    this.head(this.resp3 ? 62 : 42, count);
  }

  /** RESP3 attribute head. Only for clients that speak RESP3. */
  attribute(count: number): void {
    this.head(124, count);
  }

  /** RESP3 big number; a bulk string in RESP2. */
  bigNumber(text: string): void {
    if (this.resp3) this.line(40, text);
    else this.text(text);
  }

  /** Bytes that are already in RESP. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buf.set(bytes, this.pos);
    this.pos += bytes.length;
  }

  /**
   * Starts an aggregate whose count is known only after its members: returns a mark for endAggregate. The members are
   * moved once to make room for the head.
   */
  beginAggregate(): number {
    return this.pos;
  }

  /** Puts the head in front of what was written since `mark`. `kind` is the head's method: array, map, set or push. */
  endAggregate(mark: number, kind: 'array' | 'map' | 'set' | 'push', count: number): void {
    const end = this.pos;
    this.reserve(64);
    this[kind](count);
    const headBytes = this.pos - end;
    const { buf } = this;
    // The head stands behind the members; its copy behind itself stays when they have moved over it.
    const copy = this.pos + headBytes;
    for (let i = 0; i < headBytes; i++) buf[copy + i] = buf[end + i];
    buf.copyWithin(mark + headBytes, mark, end);
    for (let i = 0; i < headBytes; i++) buf[mark + i] = buf[copy + i];
  }

  /** Forgets the content; gives an outsized buffer up. */
  clear(): void {
    this.pos = 0;
    if (this.buf.length > KEPT_BYTES_MAX) this.buf = Buffer.allocUnsafeSlow(REST_BYTES);
  }

  /** Leaves the content to whoever has the buffer now, and starts a new one. */
  abandon(): void {
    this.buf = Buffer.allocUnsafeSlow(REST_BYTES);
    this.pos = 0;
  }

  /** What has been written, in place: a view of `buf`. */
  written(): Uint8Array {
    const view = this.window();
    return new Uint8Array(view.buffer, view.byteOffset, this.pos);
  }

  /** A view of `buf` for writing several bytes at once; to be asked for again after reserve(). */
  window(): DataView {
    if (this.viewed !== this.buf) this.lookAt(this.buf);
    return this.view;
  }

  private lookAt(buf: Buffer): void {
    this.viewed = buf;
    this.view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  }

  private head(type: number, count: number): void {
    this.reserve(32);
    this.buf[this.pos++] = type;
    this.integerLine(count);
  }

  private line(type: number, text: string): void {
    this.reserve(text.length + 3);
    this.buf[this.pos++] = type;
    this.pos += this.buf.write(text, this.pos, 'latin1');
    this.crlf();
  }

  private integerLine(value: number): void {
    const p = writeInteger(this.buf, this.pos, value);
    this.buf[p] = CR;
    this.buf[p + 1] = LF;
    this.pos = p + 2;
  }

  private crlf(): void {
    this.buf[this.pos] = CR;
    this.buf[this.pos + 1] = LF;
    this.pos += 2;
  }

  private grow(bytes: number): void {
    const needed = this.pos + bytes;
    if (needed > BYTES_MAX) throw new RangeError(`reply of more than ${BYTES_MAX} bytes`);
    this.onGrow(needed);
    const grown = Buffer.allocUnsafeSlow(Math.min(BYTES_MAX, Math.max(needed, this.buf.length * 2)));
    this.buf.copy(grown, 0, 0, this.pos);
    this.buf = grown;
  }
}

function ignore(): void {}
