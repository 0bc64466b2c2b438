// Decodes requests, RESP arrays of bulk strings or inline lines, in place: the result is offsets and lengths into the
// buffer it was given, no copies and no objects. Incomplete input is a status, and what was parsed is kept so that the
// next call goes on instead of starting over.
//
//   *<argc>\r\n  then argc times  $<length>\r\n<bytes>\r\n        or        word word "quoted word"\r\n

import { splitInline } from './inline.ts';

export const Decoded = {
  /** args holds a whole request; an empty line or `*0` is a request of no arguments. */
  request: 0,
  /** The input ends inside a request. */
  needMore: 1,
  /** `error` says what is wrong; the connection can't go on. */
  error: 2,
} as const;

export interface RequestLimits {
  /** Longest bulk string in bytes (proto-max-bulk-len). */
  bulkBytesMax: number;
  /** Applied while the client has not authenticated: at most 10 arguments of 16 KiB. */
  authenticated: boolean;
}

/** Longest inline request and longest count line. */
const INLINE_BYTES_MAX = 64 * 1024;
const ARGUMENTS_MAX = 0x7fffffff;
const UNAUTHENTICATED_ARGUMENTS_MAX = 10;
const UNAUTHENTICATED_BULK_BYTES_MAX = 16384;
const INITIAL_ARGUMENTS = 64;

const CR = 13;
const LF = 10;
const ASTERISK = 42;
const DOLLAR = 36;

/** What was parsed of an incomplete request, with offsets relative to the request's first byte. */
export interface PartialRequest {
  argumentsTotal: number;
  argc: number;
  cursor: number;
  pos: Int32Array;
  len: Int32Array;
}

export class RequestDecoder {
  /** The decoded request: argument i is `len[i]` bytes at `pos[i]` of `buf`. */
  argc = 0;
  buf: Buffer = Buffer.alloc(0);
  pos: Int32Array = new Int32Array(INITIAL_ARGUMENTS);
  len: Int32Array = new Int32Array(INITIAL_ARGUMENTS);
  /** Where the next request starts. */
  next = 0;
  /** After `error`: the text after "Protocol error: ". */
  error = '';
  /** After `needMore`: total request bytes that are certainly needed, or 0 when unknown. A hint for buffer sizes. */
  neededBytes = 0;
  private argumentsTotal = 0;
  private cursor = 0;
  private start = 0;
  private value = 0;

  /** Decodes the request that starts at `start`, or goes on with `partial`; the input ends at `end`. */
  decode(buf: Buffer, start: number, end: number, limits: RequestLimits, partial: PartialRequest | null): number {
    if (this.buf !== buf) this.buf = buf;
    this.start = start;
    this.neededBytes = 0;
    if (partial !== null) return this.resume(partial, end, limits);
    this.argc = 0;
    if (buf[start] !== ASTERISK) return this.decodeInline(end);
    // The common case, a count of one digit, without a call.
    let count = buf[start + 1] - 48;
    if (start + 4 <= end && count >= 0 && count <= 9 && buf[start + 2] === CR) {
      this.cursor = start + 4;
    } else {
      this.cursor = start + 1;
      const status = this.readCount(end, 'too big mbulk count string');
      if (status !== Decoded.request) return status;
      count = this.value;
      if (Number.isNaN(count) || count > ARGUMENTS_MAX) return this.fail('invalid multibulk length');
      if (count > UNAUTHENTICATED_ARGUMENTS_MAX && !limits.authenticated) {
        return this.fail('unauthenticated multibulk length');
      }
    }
    this.argumentsTotal = Math.max(0, count);
    return this.decodeArguments(end, limits);
  }

  private resume(partial: PartialRequest, end: number, limits: RequestLimits): number {
    const { start } = this;
    this.pos = partial.pos;
    this.len = partial.len;
    this.argc = partial.argc;
    for (let i = 0; start > 0 && i < this.argc; i++) this.pos[i] += start;
    this.argumentsTotal = partial.argumentsTotal;
    this.cursor = start + partial.cursor;
    return this.decodeArguments(end, limits);
  }

  /** After `needMore` on a RESP array: the state to hand to the next decode call. Null when starting over is cheaper. */
  suspend(): PartialRequest | null {
    if (this.argc < INITIAL_ARGUMENTS) return null;
    const partial: PartialRequest = {
      argumentsTotal: this.argumentsTotal,
      argc: this.argc,
      cursor: this.cursor - this.start,
      pos: this.pos,
      len: this.len,
    };
    for (let i = 0; i < this.argc; i++) partial.pos[i] -= this.start;
    this.pos = new Int32Array(INITIAL_ARGUMENTS);
    this.len = new Int32Array(INITIAL_ARGUMENTS);
    return partial;
  }

  private decodeArguments(end: number, limits: RequestLimits): number {
    const { buf, argumentsTotal: total } = this;
    let { pos, len, argc, cursor: at } = this;
    let status: number = Decoded.request;
    while (argc < total) {
      // The common case, a length of one or two digits, without a call.
      let length = buf[at + 1] - 48;
      const second = buf[at + 2];
      let data: number;
      if (at + 5 > end || buf[at] !== DOLLAR || length < 0 || length > 9) data = -1;
      else if (second === CR) data = at + 4;
      else if (at + 6 <= end && length > 0 && isDigit(second) && buf[at + 3] === CR) {
        length = length * 10 + second - 48;
        data = at + 5;
      } else data = -1;
      if (data === -1) {
        this.cursor = at;
        status = this.readLength(end, limits);
        if (status !== Decoded.request) break;
        length = this.value;
        data = this.cursor;
      }
      const after = data + length + 2;
      if (after > end) {
        this.neededBytes = after - this.start;
        status = Decoded.needMore;
        break;
      }
      if (argc === pos.length) {
        this.grow();
        ({ pos, len } = this);
      }
      pos[argc] = data;
      len[argc++] = length;
      at = after;
    }
    this.argc = argc;
    this.cursor = at;
    this.next = at;
    return status;
  }

  /** Reads the head of a bulk string at the cursor, whatever its form: its length becomes `value`. */
  private readLength(end: number, limits: RequestLimits): number {
    const at = this.cursor;
    if (at >= end) return Decoded.needMore;
    if (this.buf[at] !== DOLLAR) return this.fail(`expected '$', got '${String.fromCharCode(this.buf[at])}'`);
    this.cursor = at + 1;
    const status = this.readCount(end, 'too big bulk count string');
    if (status !== Decoded.request) return status;
    const length = this.value;
    if (Number.isNaN(length) || length < 0 || length > limits.bulkBytesMax) return this.fail('invalid bulk length');
    if (length > UNAUTHENTICATED_BULK_BYTES_MAX && !limits.authenticated) {
      return this.fail('unauthenticated bulk length');
    }
    return status;
  }

  /** Reads an integer line at the cursor into `value` (NaN when it is none) and moves the cursor behind it. */
  private readCount(end: number, tooBig: string): number {
    const buf = this.buf;
    let p = this.cursor;
    while (p < end && buf[p] !== CR) p++;
    if (p + 1 >= end) return p - this.cursor > INLINE_BYTES_MAX ? this.fail(tooBig) : Decoded.needMore;
    this.value = parseCount(buf, this.cursor, p);
    this.cursor = p + 2;
    return Decoded.request;
  }

  private decodeInline(end: number): number {
    const buf = this.buf;
    let p = this.start;
    while (p < end && buf[p] !== LF) p++;
    if (p === end) {
      return end - this.start > INLINE_BYTES_MAX ? this.fail('too big inline request') : Decoded.needMore;
    }
    this.next = p + 1;
    const stop = p > this.start && buf[p - 1] === CR ? p - 1 : p;
    const words = splitInline(buf, this.start, stop);
    if (words === null) return this.fail('unbalanced quotes in request');
    // Unescaped words are new bytes; they are laid out in a buffer of their own.
    this.buf = Buffer.concat(words);
    let at = 0;
    for (const word of words) {
      if (this.argc === this.pos.length) this.grow();
      this.pos[this.argc] = at;
      this.len[this.argc++] = word.length;
      at += word.length;
    }
    return Decoded.request;
  }

  private grow(): void {
    const pos = new Int32Array(this.pos.length * 2);
    const len = new Int32Array(this.len.length * 2);
    pos.set(this.pos);
    len.set(this.len);
    this.pos = pos;
    this.len = len;
  }

  private fail(message: string): number {
    this.error = message;
    return Decoded.error;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** A decimal integer as Redis' string2ll takes it (no plus, no leading zeros), or NaN. */
function parseCount(buf: Uint8Array, start: number, end: number): number {
  let p = start;
  const negative = buf[p] === 45;
  if (negative) p++;
  if (p === end || end - p > 15) return Number.NaN;
  if (buf[p] === 48 && (end - p > 1 || negative)) return Number.NaN;
  let value = 0;
  for (; p < end; p++) {
    if (!isDigit(buf[p])) return Number.NaN;
    value = value * 10 + buf[p] - 48;
  }
  return negative ? -value : value;
}
