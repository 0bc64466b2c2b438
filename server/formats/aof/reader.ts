// Reads the commands of an append-only file, in windows:
//   *<arguments>\r\n then per argument $<bytes>\r\n<argument>\r\n
//   #<annotation>\r\n, of which #TS:<seconds since 1970>\r\n is known
// A file may begin with an RDB (hasRdbPreamble); RdbReader reads that and hands its rest() over.

import { AofError } from './errors.ts';

/** The longest line of numbers, its end included. */
const LINE_BYTES_MAX = 127;
const ANNOTATION_BYTES_MAX = 1023;
const ASTERISK = 42;
const DOLLAR = 36;
const HASH = 35;
const MULTI = Buffer.from('multi');
const EXEC = Buffer.from('exec');

export type AofItem = 'command' | 'annotation' | 'more' | 'end';

export type AofReaderOptions = {
  /** Where in the file the first byte that is fed lies; default 0. */
  offset?: number;
  /** First size of the window, which grows to the longest command; default 256 KiB. */
  windowBytes?: number;
  /** Longest argument accepted; default 1 GiB. */
  argumentBytesMax?: number;
  /** Arguments longer than this are passed over and come out empty, with all before them. Default: none. */
  skipArgumentsOver?: number;
};

/** Whether a file with these first bytes begins with an RDB. */
export function hasRdbPreamble(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, 6)).toString('latin1');
  return text.startsWith('REDIS') || text === 'VALKEY';
}

export class AofReader {
  /** Arguments of the command that next() found. */
  argumentCount = 0;
  /** Line ends passed so far, counted from 1 as redis-check-aof does (annotations don't count). */
  line = 1;
  /** Where the item that next() found begins. */
  itemOffset: number;
  /** Everything before is complete: commands, annotations, transactions. */
  okUpTo: number;
  #buffer: Uint8Array;
  #pos = 0;
  #end = 0;
  #mark = 0;
  #base: number;
  #ended = false;
  #inTransaction = false;
  #inCommand = false;
  #inArgument = false;
  #bulkBytes = 0;
  #toSkip = 0;
  #errorOffset = 0;
  #ranges = new Int32Array(64);
  #found = 0;
  #value = 0;
  readonly #argumentBytesMax: number;
  readonly #skipOver: number;

  constructor(options: AofReaderOptions = {}) {
    this.#base = options.offset ?? 0;
    this.itemOffset = this.okUpTo = this.#base;
    this.#buffer = new Uint8Array(Math.max(options.windowBytes ?? 1 << 18, 16));
    this.#argumentBytesMax = options.argumentBytesMax ?? 1 << 30;
    this.#skipOver = options.skipArgumentsOver ?? Number.POSITIVE_INFINITY;
  }

  /** Bytes of the file read so far. */
  get offset(): number {
    return this.#base + this.#pos;
  }

  /** Whether a MULTI waits for its EXEC. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  /** Memory that ranges point into. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** First byte of argument `index` in `buffer`; valid until the next next() or room(). */
  start(index: number): number {
    return this.#mark + (this.#ranges[index * 2] ?? 0);
  }

  /** The byte after argument `index` in `buffer`. */
  end(index: number): number {
    return this.#mark + (this.#ranges[index * 2 + 1] ?? 0);
  }

  argument(index: number): Uint8Array {
    return this.#buffer.subarray(this.start(index), this.end(index));
  }

  /** The seconds of a `#TS:` annotation that next() found; null for another annotation; NaN when they are no number. */
  timestamp(): number | null {
    const text = Buffer.from(this.#buffer.subarray(this.#mark, this.#pos)).toString('latin1');
    if (!text.startsWith('#TS:')) return null;
    return /^#TS:-?\d+\r/.test(text) ? Number.parseInt(text.slice(4), 10) : Number.NaN;
  }

  /** Memory to put the next bytes of the file into; report how many with filled(). */
  room(): Uint8Array {
    if (this.#mark > 0) this.#slide();
    if (this.#end === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return this.#buffer.subarray(this.#end);
  }

  filled(count: number): void {
    this.#end += count;
  }

  /** Copies bytes in, for example RdbReader.rest(). */
  feed(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      const room = this.room();
      const count = Math.min(room.length, chunk.length - from);
      room.set(chunk.subarray(from, from + count));
      this.filled(count);
      from += count;
    }
  }

  /** Says that no more bytes come: next() will then end in `end` or throw AofError. */
  finish(): void {
    this.#ended = true;
  }

  /** Moves to the next item. Throws AofError; the reader is then of no further use. */
  next(): AofItem {
    for (;;) {
      if (this.#toSkip > 0 && !this.#skip()) return this.#starve();
      if (!this.#inCommand) {
        this.#settle();
        const item = this.#begin();
        if (item !== undefined) return item;
      }
      if (this.#found === this.#value) {
        this.#inCommand = false;
        this.argumentCount = this.#found;
        return 'command';
      }
      if (!this.#argument()) return this.#starve();
    }
  }

  #slide(): void {
    this.#buffer.copyWithin(0, this.#mark, this.#end);
    this.#base += this.#mark;
    this.#pos -= this.#mark;
    this.#end -= this.#mark;
    this.#mark = 0;
  }

  /** The item before is done with. */
  #settle(): void {
    this.#mark = this.#pos;
    this.itemOffset = this.offset;
    if (!this.#inTransaction) this.okUpTo = this.itemOffset;
  }

  /** Reads the head of an item; undefined when it is that of a command. */
  #begin(): AofItem | undefined {
    if (this.#pos === this.#end) return this.#ended ? this.#finished() : 'more';
    const first = this.#buffer[this.#pos];
    if (first === HASH) return this.#annotation();
    this.#errorOffset = this.offset;
    if (first !== ASTERISK) throw new AofError('format', '', this.offset);
    if (!this.#number(ASTERISK)) return this.#starve();
    this.#found = 0;
    this.#inCommand = this.#value > 0;
    this.argumentCount = 0;
    return this.#inCommand ? undefined : 'command';
  }

  #finished(): AofItem {
    if (!this.#inTransaction) return 'end';
    throw new AofError('transaction', 'Reached EOF before reading EXEC for MULTI', this.#errorOffset);
  }

  #annotation(): AofItem {
    const end = this.#lineEnd(ANNOTATION_BYTES_MAX);
    if (end < 0) return 'more';
    this.#errorOffset = this.offset;
    this.#pos = end;
    return 'annotation';
  }

  /** The byte after the line at `pos`, cut at `max` bytes or the end of the file; -1: more bytes are needed. */
  #lineEnd(max: number): number {
    const stop = Math.min(this.#end, this.#pos + max);
    for (let p = this.#pos; p < stop; p++) if (this.#buffer[p] === 10) return p + 1;
    return stop === this.#pos + max || this.#ended ? stop : -1;
  }

  /** Reads a line of prefix and number into `#value` (arguments still to come) or `#bulkBytes`; false: more needed. */
  #number(prefix: number): boolean {
    const end = this.#lineEnd(LINE_BYTES_MAX);
    if (end < 0 || end === this.#pos) return false;
    const b = this.#buffer;
    this.#errorOffset = this.offset;
    if (b[this.#pos] !== prefix) {
      const got = String.fromCharCode(b[this.#pos]);
      throw new AofError('format', `Expected prefix '${String.fromCharCode(prefix)}', got: '${got}'`, this.offset);
    }
    let p = this.#pos + 1;
    const sign = b[p] === 45 ? -1 : 1;
    if (b[p] === 45 || b[p] === 43) p++;
    let value = 0;
    for (; p < end && b[p] >= 48 && b[p] <= 57; p++) value = value * 10 + (b[p] - 48);
    this.#lineBreak(p, end);
    this.#pos = end;
    if (prefix === ASTERISK) this.#value = sign * value;
    else this.#bulkBytes = sign * value;
    return true;
  }

  #lineBreak(p: number, end: number): void {
    const b = this.#buffer;
    const first = p < end ? b[p] : 0;
    const second = p + 1 < end ? b[p + 1] : 0;
    if (first !== 13 || second !== 10) {
      throw new AofError('format', `Expected \\r\\n, got: ${asChar(first)}${asChar(second)}`, this.#errorOffset);
    }
    this.line++;
  }

  /** Reads one argument, or starts to skip it; false: more bytes are needed. */
  #argument(): boolean {
    if (!this.#inArgument) {
      if (!this.#number(DOLLAR)) return false;
      const bytes = this.#bulkBytes;
      if (bytes < 0 || bytes > this.#argumentBytesMax) {
        const what = `Expected to read string of ${bytes} bytes, which is not in the suitable range`;
        throw new AofError('format', what, this.#errorOffset);
      }
      this.#inArgument = true;
      this.#errorOffset = this.offset;
    }
    if (this.#bulkBytes > this.#skipOver) {
      this.#toSkip = this.#bulkBytes + 2;
      return true;
    }
    const stop = this.#pos + this.#bulkBytes;
    if (stop + 2 > this.#end) return false;
    this.#lineBreak(stop, stop + 2);
    this.#add(this.#pos, stop);
    if (this.#found === 1) this.#track(this.#pos, stop);
    this.#pos = stop + 2;
    this.#inArgument = false;
    return true;
  }

  #add(start: number, end: number): void {
    if (this.#found * 2 === this.#ranges.length) {
      const larger = new Int32Array(this.#ranges.length * 2);
      larger.set(this.#ranges);
      this.#ranges = larger;
    }
    this.#ranges[this.#found * 2] = start - this.#mark;
    this.#ranges[this.#found * 2 + 1] = end - this.#mark;
    this.#found++;
  }

  /** Follows MULTI and EXEC by the command's name. */
  #track(start: number, end: number): void {
    if (this.#is(MULTI, start, end)) {
      if (this.#inTransaction) throw new AofError('transaction', 'Unexpected MULTI in AOF', this.#errorOffset);
      this.#inTransaction = true;
    } else if (this.#is(EXEC, start, end)) {
      if (!this.#inTransaction) throw new AofError('transaction', 'Unexpected EXEC in AOF', this.#errorOffset);
      this.#inTransaction = false;
    }
  }

  #is(name: Uint8Array, start: number, end: number): boolean {
    if (end - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if ((this.#buffer[start + i] | 32) !== name[i]) return false;
    return true;
  }

  /** Passes over an argument; true when it is behind. The window has not held it: all ranges become empty. */
  #skip(): boolean {
    // The last two bytes are the line's end and have to be seen.
    const step = Math.min(this.#toSkip - 2, this.#end - this.#pos);
    this.#pos += step;
    this.#toSkip -= step;
    this.#mark = this.#pos;
    this.#ranges.fill(0);
    if (this.#toSkip > 2 || this.#end - this.#pos < 2) return false;
    this.#lineBreak(this.#pos, this.#pos + 2);
    this.#pos += 2;
    this.#mark = this.#pos;
    this.#toSkip = 0;
    this.#inArgument = false;
    this.#add(this.#mark, this.#mark);
    return true;
  }

  #starve(): 'more' {
    if (!this.#ended) return 'more';
    const bytes = this.#bulkBytes + 2;
    const got = this.offset - this.#errorOffset + (this.#end - this.#pos);
    const message = this.#inArgument ? `Expected to read ${bytes} bytes, got ${got} bytes` : '';
    throw new AofError('truncated', message, this.#inArgument ? this.#errorOffset : this.offset);
  }
}

/** A byte as C's printf("%02x") shows a signed char. */
function asChar(byte: number): string {
  return byte < 128 ? byte.toString(16).padStart(2, '0') : `ffffff${byte.toString(16)}`;
}
