// What a server answers, as values: an incremental, binary-safe RESP2 and RESP3 reply parser. No I/O; any chunking of
// the input gives the same replies.

/** One parsed reply. Bytes are views into the input and stay valid; `attributes` is RESP3's `|` map, flat. */
export type Reply = ReplyBody & { attributes?: Reply[] };

export type ReplyBody =
  | { kind: 'status' | 'error' | 'bulk'; bytes: Buffer }
  | { kind: 'integer'; value: number | bigint }
  | { kind: 'nil' }
  /** `text` is the number as the server wrote it, `value` what it means. */
  | { kind: 'double'; text: string; value: number }
  | { kind: 'bignum'; text: string }
  | { kind: 'boolean'; value: boolean }
  /** `format` is three bytes: `txt` or `mkd`. */
  | { kind: 'verbatim'; format: string; bytes: Buffer }
  /** A map's items are key, value, key, value. */
  | { kind: AggregateKind; items: Reply[] };

export type AggregateKind = 'array' | 'set' | 'map' | 'push';

/** The input is not RESP. `offset` counts bytes since the parser was made. */
export class ReplySyntaxError extends Error {
  override readonly name = 'ReplySyntaxError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export interface ReplyLimits {
  /** Longest bulk string in bytes. */
  bulkBytesMax: number;
  /** Most elements in one aggregate (a map of n pairs has 2n). */
  elementsMax: number;
  /** Deepest nesting of aggregates. */
  depthMax: number;
  /** Longest line (status, error, number) in bytes. */
  lineBytesMax: number;
}

const DEFAULT_LIMITS: ReplyLimits = {
  bulkBytesMax: 2 ** 32,
  elementsMax: 2 ** 32 - 1,
  depthMax: 128,
  lineBytesMax: 1 << 20,
};

const CR = 13;
const LF = 10;
const EMPTY = Buffer.alloc(0);

/** An aggregate whose items are still arriving. */
interface Frame {
  kind: AggregateKind | 'attribute';
  items: Reply[];
  remaining: number;
  attributes: Reply[] | undefined;
}

export class ReplyParser {
  readonly #limits: ReplyLimits;
  #buffer: Buffer = EMPTY;
  /** False while the buffer is the caller's chunk, which is never written to. */
  #owned = false;
  #position = 0;
  #end = 0;
  #consumed = 0;
  #stack: Frame[] = [];
  /** Attributes read and waiting for the reply that they belong to. */
  #attributes: Reply[] | undefined;
  /** Where the search for a line's end goes on, so that a slow line is not scanned twice. */
  #scanned = 0;
  /** Length of the bulk whose header has been read; -1: none. */
  #bulkLength = -1;
  #bulkType = 0;

  constructor(limits: Partial<ReplyLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Bytes that arrived and belong to no finished reply yet. */
  get pendingBytes(): number {
    return this.#end - this.#position;
  }

  /** True between two replies: nothing begun, nothing left over. */
  get idle(): boolean {
    return this.#position === this.#end && this.#stack.length === 0 && this.#bulkLength < 0;
  }

  /** Takes ownership of `chunk`: replies will be views into it. */
  feed(chunk: Uint8Array): void {
    const unread = this.#end - this.#position;
    if (unread === 0) {
      this.#consumed += this.#position;
      this.#buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#owned = false;
      this.#position = 0;
      this.#end = chunk.length;
      this.#scanned = 0;
      return;
    }
    if (!this.#owned || this.#buffer.length - this.#end < chunk.length) this.#grow(unread, chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /**
   * Returns the next whole reply, or undefined when it needs more bytes.
   * @throws {ReplySyntaxError} when the input is not RESP or crosses a limit; the parser is of no use afterwards
   */
  next(): Reply | undefined {
    for (;;) {
      const item = this.#nextItem();
      if (item === undefined) return undefined;
      if (item === OPENED) continue;
      let done: Reply | undefined = item;
      while (done !== undefined) {
        const frame = this.#stack[this.#stack.length - 1];
        if (frame === undefined) return done;
        frame.items.push(done);
        done = undefined;
        if (--frame.remaining === 0) done = this.#close(frame);
      }
    }
  }

  /** Moves the unread bytes to a new buffer; the old one may be referred to by replies, so it is left as it is. */
  #grow(unread: number, more: number): void {
    const needed = unread + more;
    // At most doubling: a header that promises gigabytes must not make us allocate them before they come.
    const roomy = needed * 2 + 4096;
    const exact = this.#bulkLength + 2;
    const larger = Buffer.allocUnsafeSlow(exact >= needed && exact < roomy ? exact : roomy);
    this.#owned = true;
    this.#buffer.copy(larger, 0, this.#position, this.#end);
    this.#consumed += this.#position;
    this.#scanned = Math.max(0, this.#scanned - this.#position);
    this.#buffer = larger;
    this.#position = 0;
    this.#end = unread;
  }

  #nextItem(): Reply | typeof OPENED | undefined {
    if (this.#bulkLength >= 0) return this.#bulk();
    const lineEnd = this.#lineEnd();
    if (lineEnd < 0) return undefined;
    const type = this.#buffer[this.#position]!;
    const from = this.#position + 1;
    switch (type) {
      case 0x2b: // +
        return this.#finish({ kind: 'status', bytes: this.#line(from, lineEnd) }, lineEnd);
      case 0x2d: // -
        return this.#finish({ kind: 'error', bytes: this.#line(from, lineEnd) }, lineEnd);
      case 0x3a: // :
        return this.#finish({ kind: 'integer', value: this.#integer(from, lineEnd) }, lineEnd);
      case 0x24: // $
      case 0x21: // !
      case 0x3d: // =
        return this.#bulkHeader(type, from, lineEnd);
      case 0x2a: // *
        return this.#open('array', from, lineEnd, 1);
      case 0x7e: // ~
        return this.#open('set', from, lineEnd, 1);
      case 0x25: // %
        return this.#open('map', from, lineEnd, 2);
      case 0x3e: // >
        return this.#open('push', from, lineEnd, 1);
      case 0x7c: // |
        return this.#open('attribute', from, lineEnd, 2);
      case 0x5f: // _
        if (lineEnd !== from) this.#fail('Bad nil value');
        return this.#finish({ kind: 'nil' }, lineEnd);
      case 0x2c: // ,
        return this.#finish(this.#double(from, lineEnd), lineEnd);
      case 0x23: // #
        return this.#finish({ kind: 'boolean', value: this.#boolean(from, lineEnd) }, lineEnd);
      case 0x28: // (
        return this.#finish(this.#bignum(from, lineEnd), lineEnd);
      default:
        return this.#fail(`Protocol error, got ${quotedByte(type)} as reply type byte`);
    }
  }

  /** Index of the CR that ends the line at the position, or -1 when it has not arrived whole. */
  #lineEnd(): number {
    let at = Math.max(this.#scanned, this.#position);
    for (;;) {
      const cr = this.#buffer.indexOf(CR, at);
      if (cr < 0 || cr + 1 >= this.#end) {
        this.#scanned = cr < 0 || cr >= this.#end ? this.#end : cr;
        if (this.#end - this.#position > this.#limits.lineBytesMax) this.#fail('Line too long');
        // A wrong first byte is told at once, not when its line ends.
        if (this.#end > this.#position && !TYPE_BYTES.includes(String.fromCharCode(this.#buffer[this.#position]!))) {
          this.#fail(`Protocol error, got ${quotedByte(this.#buffer[this.#position]!)} as reply type byte`);
        }
        return -1;
      }
      if (this.#buffer[cr + 1] === LF) return cr;
      at = cr + 1;
    }
  }

  #line(from: number, to: number): Buffer {
    return this.#buffer.subarray(from, to);
  }

  #text(from: number, to: number): string {
    return this.#buffer.toString('latin1', from, to);
  }

  #finish(body: ReplyBody, lineEnd: number): Reply {
    this.#position = lineEnd + 2;
    return this.#decorate(body);
  }

  #decorate(body: ReplyBody): Reply {
    if (this.#attributes === undefined) return body;
    const reply: Reply = { ...body, attributes: this.#attributes };
    this.#attributes = undefined;
    return reply;
  }

  #integer(from: number, to: number): number | bigint {
    const text = this.#text(from, to);
    if (!/^[+-]?\d{1,19}$/.test(text)) this.#fail('Bad integer value');
    const value = Number(text);
    if (Number.isSafeInteger(value)) return value;
    const wide = BigInt(text.startsWith('+') ? text.slice(1) : text);
    if (BigInt.asIntN(64, wide) !== wide) this.#fail('Bad integer value');
    return wide;
  }

  #double(from: number, to: number): ReplyBody {
    const text = this.#text(from, to);
    const special = /^([+-]?)inf$/i.exec(text);
    if (special !== null) return { kind: 'double', text, value: special[1] === '-' ? -Infinity : Infinity };
    if (/^-?nan$/i.test(text)) return { kind: 'double', text, value: Number.NaN };
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) this.#fail('Bad double value');
    return { kind: 'double', text, value: Number(text) };
  }

  #boolean(from: number, to: number): boolean {
    const text = this.#text(from, to);
    if (text !== 't' && text !== 'f') this.#fail('Bad bool value');
    return text === 't';
  }

  #bignum(from: number, to: number): ReplyBody {
    const text = this.#text(from, to);
    if (!/^[+-]?\d+$/.test(text)) this.#fail('Bad bignum value');
    return { kind: 'bignum', text };
  }

  /** The length after a type byte; -1 is RESP2's nil. */
  #length(from: number, to: number, max: number, what: string): number {
    const text = this.#text(from, to);
    if (!/^(-1|\d{1,15})$/.test(text)) this.#fail(`Bad ${what} length`);
    const length = Number(text);
    if (length > max) this.#fail(`${what} length out of range`);
    return length;
  }

  #bulkHeader(type: number, from: number, lineEnd: number): Reply | typeof OPENED | undefined {
    const length = this.#length(from, lineEnd, this.#limits.bulkBytesMax, 'Bulk string');
    this.#position = lineEnd + 2;
    if (length < 0) return this.#decorate({ kind: 'nil' });
    this.#bulkLength = length;
    this.#bulkType = type;
    return this.#bulk();
  }

  #bulk(): Reply | undefined {
    const from = this.#position;
    const to = from + this.#bulkLength;
    if (this.#end < to + 2) return undefined;
    if (this.#buffer[to] !== CR || this.#buffer[to + 1] !== LF) this.#fail('Bulk string not followed by CRLF');
    this.#bulkLength = -1;
    this.#position = to + 2;
    const bytes = this.#line(from, to);
    if (this.#bulkType === 0x24) return this.#decorate({ kind: 'bulk', bytes });
    if (this.#bulkType === 0x21) return this.#decorate({ kind: 'error', bytes });
    if (bytes.length < 4 || bytes[3] !== 0x3a) this.#fail('Verbatim string 4 bytes of content type are missing');
    return this.#decorate({ kind: 'verbatim', format: bytes.toString('latin1', 0, 3), bytes: bytes.subarray(4) });
  }

  #open(kind: Frame['kind'], from: number, lineEnd: number, per: 1 | 2): Reply | typeof OPENED {
    const length = this.#length(from, lineEnd, this.#limits.elementsMax / per, 'Multi-bulk');
    this.#position = lineEnd + 2;
    if (length < 0) return this.#decorate({ kind: 'nil' });
    if (length === 0 && kind !== 'attribute') return this.#decorate({ kind, items: [] });
    if (length === 0) return OPENED;
    if (this.#stack.length >= this.#limits.depthMax) this.#fail('Too deeply nested reply');
    const attributes = kind === 'attribute' ? undefined : this.#attributes;
    if (kind !== 'attribute') this.#attributes = undefined;
    this.#stack.push({ kind, items: [], remaining: length * per, attributes });
    return OPENED;
  }

  /** The frame on top of the stack is full: returns what it has become, or undefined for attributes. */
  #close(frame: Frame): Reply | undefined {
    this.#stack.pop();
    if (frame.kind === 'attribute') {
      this.#attributes = frame.items;
      return undefined;
    }
    const reply: Reply = { kind: frame.kind, items: frame.items };
    if (frame.attributes !== undefined) reply.attributes = frame.attributes;
    return reply;
  }

  #fail(message: string): never {
    throw new ReplySyntaxError(message, this.#consumed + this.#position);
  }
}

/** An aggregate was opened (or empty attributes passed): go on reading. */
const OPENED = Symbol('opened');
const TYPE_BYTES = '+-:$!=*~%>|_,#(';

function quotedByte(byte: number): string {
  if (byte >= 0x20 && byte < 0x7f) return `"${String.fromCharCode(byte)}"`;
  return `"\\x${byte.toString(16).padStart(2, '0')}"`;
}
