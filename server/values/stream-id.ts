// Stream ids: two unsigned 64-bit numbers, milliseconds and sequence, compared in that order. Kept as four signed 32-bit
// words, so that the whole range is exact and nothing is allocated.

import { writeInteger } from '../base/numbers.ts';

const TWO_32 = 4294967296;
/** High words below this leave the number in the range that a double holds exactly. */
const SAFE_HIGH = 1 << 21;
/** Digits of the longest id: twice 20 and a dash. */
export const STREAM_ID_TEXT_MAX = 41;

/** The digits written last: ids that follow each other mostly have the same milliseconds. */
const lastMs = Buffer.allocUnsafeSlow(STREAM_ID_TEXT_MAX);
let lastMsHigh = 0;
let lastMsLow = 0;
let lastMsLength = lastMs.write('0', 0, 'latin1');

export class StreamId {
  msHigh = 0;
  msLow = 0;
  sequenceHigh = 0;
  sequenceLow = 0;

  set(other: StreamId): this {
    return this.setWords(other.msHigh, other.msLow, other.sequenceHigh, other.sequenceLow);
  }

  setWords(msHigh: number, msLow: number, sequenceHigh: number, sequenceLow: number): this {
    this.msHigh = msHigh | 0;
    this.msLow = msLow | 0;
    this.sequenceHigh = sequenceHigh | 0;
    this.sequenceLow = sequenceLow | 0;
    return this;
  }

  /** From safe integers. */
  setNumbers(ms: number, sequence: number): this {
    return this.setWords(Math.floor(ms / TWO_32), ms, Math.floor(sequence / TWO_32), sequence);
  }

  /** From unsigned 64-bit numbers: bigints, or safe integers. */
  setExact(ms: number | bigint, sequence: number | bigint): this {
    if (typeof ms === 'number' && typeof sequence === 'number') return this.setNumbers(ms, sequence);
    const [exactMs, exactSequence] = [BigInt(ms), BigInt(sequence)];
    return this.setWords(highWord(exactMs), lowWord(exactMs), highWord(exactSequence), lowWord(exactSequence));
  }

  setZero(): this {
    return this.setWords(0, 0, 0, 0);
  }

  setMax(): this {
    return this.setWords(-1, -1, -1, -1);
  }

  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.sequenceHigh | this.sequenceLow) === 0;
  }

  get isMax(): boolean {
    return (this.msHigh & this.msLow & this.sequenceHigh & this.sequenceLow) === -1;
  }

  /** Below 0, 0 or above 0 as this id is smaller than, equal to or larger than the other. */
  compare(other: StreamId): number {
    if (this.msHigh !== other.msHigh) return (this.msHigh >>> 0) - (other.msHigh >>> 0);
    if (this.msLow !== other.msLow) return (this.msLow >>> 0) - (other.msLow >>> 0);
    if (this.sequenceHigh !== other.sequenceHigh) return (this.sequenceHigh >>> 0) - (other.sequenceHigh >>> 0);
    return (this.sequenceLow >>> 0) - (other.sequenceLow >>> 0);
  }

  /** Whether the milliseconds are the same. */
  sameMs(other: StreamId): boolean {
    return this.msHigh === other.msHigh && this.msLow === other.msLow;
  }

  /** The next id; false (and unchanged) for the largest. */
  increment(): boolean {
    if (this.isMax) return false;
    this.sequenceLow = (this.sequenceLow + 1) | 0;
    if (this.sequenceLow !== 0) return true;
    this.sequenceHigh = (this.sequenceHigh + 1) | 0;
    if (this.sequenceHigh !== 0) return true;
    this.msLow = (this.msLow + 1) | 0;
    if (this.msLow === 0) this.msHigh = (this.msHigh + 1) | 0;
    return true;
  }

  /** The id before; false (and unchanged) for the smallest. */
  decrement(): boolean {
    if (this.isZero) return false;
    this.sequenceLow = (this.sequenceLow - 1) | 0;
    if (this.sequenceLow !== -1) return true;
    this.sequenceHigh = (this.sequenceHigh - 1) | 0;
    if (this.sequenceHigh !== -1) return true;
    this.msLow = (this.msLow - 1) | 0;
    if (this.msLow === -1) this.msHigh = (this.msHigh - 1) | 0;
    return true;
  }

  /** The sequence is the largest. */
  get sequenceIsMax(): boolean {
    return (this.sequenceHigh & this.sequenceLow) === -1;
  }

  /** The milliseconds; beyond 2^53 the nearest double. */
  get ms(): number {
    return (this.msHigh >>> 0) * TWO_32 + (this.msLow >>> 0);
  }

  get msBigInt(): bigint {
    return toBigInt(this.msHigh, this.msLow);
  }

  get sequenceBigInt(): bigint {
    return toBigInt(this.sequenceHigh, this.sequenceLow);
  }

  /** Writes `ms-sequence` at `pos` of a buffer with STREAM_ID_TEXT_MAX bytes of room; returns the position after it. */
  write(buf: Buffer, pos: number): number {
    if (this.msLow !== lastMsLow || this.msHigh !== lastMsHigh) {
      lastMsLow = this.msLow;
      lastMsHigh = this.msHigh;
      lastMsLength = writeUnsigned(lastMs, 0, this.msHigh, this.msLow);
    }
    for (let i = 0; i < lastMsLength; i++) buf[pos + i] = lastMs[i];
    const p = pos + lastMsLength;
    buf[p] = DASH;
    return writeUnsigned(buf, p + 1, this.sequenceHigh, this.sequenceLow);
  }

  /** The 16 bytes, big-endian, that RDB stores. */
  writeBytes(buf: Buffer, pos: number): void {
    buf.writeInt32BE(this.msHigh, pos);
    buf.writeInt32BE(this.msLow, pos + 4);
    buf.writeInt32BE(this.sequenceHigh, pos + 8);
    buf.writeInt32BE(this.sequenceLow, pos + 12);
  }

  readBytes(buf: Buffer, pos: number): this {
    return this.setWords(
      buf.readInt32BE(pos),
      buf.readInt32BE(pos + 4),
      buf.readInt32BE(pos + 8),
      buf.readInt32BE(pos + 12),
    );
  }

  toString(): string {
    const text = Buffer.allocUnsafe(STREAM_ID_TEXT_MAX);
    return text.toString('latin1', 0, this.write(text, 0));
  }
}

const DASH = 45;
const STAR = 42;
const PLUS = 43;
/** Longest text that is looked at. */
const TEXT_MAX = 127;

export const IdText = {
  invalid: 0,
  complete: 1,
  /** `ms-*`: the sequence is up to the stream; it was set to 0. */
  openSequence: 2,
} as const;

export interface IdTextOptions {
  /** The sequence of an id that has none. */
  missingSequence: 'zero' | 'max';
  /** `-` and `+` for the smallest and largest id are not accepted. */
  strict: boolean;
  /** `ms-*` is accepted. */
  openSequence?: boolean;
}

/** Reads an id from `len` bytes at `pos` into `id`; returns one of IdText. */
export function parseStreamId(buf: Buffer, pos: number, len: number, id: StreamId, options: IdTextOptions): number {
  if (len > TEXT_MAX) return IdText.invalid;
  if (len === 1 && (buf[pos] === DASH || buf[pos] === PLUS)) {
    if (options.strict) return IdText.invalid;
    if (buf[pos] === DASH) id.setZero();
    else id.setMax();
    return IdText.complete;
  }
  let dash = pos;
  const end = pos + len;
  while (dash < end && buf[dash] !== DASH) dash++;
  if (!parseUnsigned(buf, pos, dash - pos)) return IdText.invalid;
  const msHigh = parsedHigh;
  const msLow = parsedLow;
  if (dash === end) {
    const sequence = options.missingSequence === 'max' ? -1 : 0;
    id.setWords(msHigh, msLow, sequence, sequence);
    return IdText.complete;
  }
  if (options.openSequence === true && end - dash === 2 && buf[dash + 1] === STAR) {
    id.setWords(msHigh, msLow, 0, 0);
    return IdText.openSequence;
  }
  if (!parseUnsigned(buf, dash + 1, end - dash - 1)) return IdText.invalid;
  id.setWords(msHigh, msLow, parsedHigh, parsedLow);
  return IdText.complete;
}

/** Words of the number that parseUnsigned has read. */
let parsedHigh = 0;
let parsedLow = 0;

/** Reads an unsigned 64-bit number as C's strtoull does: blanks, a sign and leading zeros are taken. */
function parseUnsigned(buf: Buffer, pos: number, len: number): boolean {
  if (len === 0) return false;
  if (len <= 15) {
    let value = 0;
    let p = pos;
    for (const end = pos + len; p < end; p++) {
      const digit = buf[p] - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (p === pos + len) {
      parsedLow = value | 0;
      parsedHigh = Math.floor(value / TWO_32);
      return true;
    }
  }
  return parseUnsignedSlowly(buf.toString('latin1', pos, pos + len));
}

function parseUnsignedSlowly(text: string): boolean {
  const match = /^[ \t\n\v\f\r]*([+-]?)(\d+)(?:\0|$)/.exec(text);
  // A canonical negative number is one, and refused; others wrap around like an unsigned number of C.
  if (match === null || /^-[1-9]\d*$/.test(text)) return false;
  const value = BigInt(match[2]!);
  if (value > 0xffffffffffffffffn) return false;
  const wrapped = match[1] === '-' ? BigInt.asUintN(64, -value) : value;
  parsedLow = lowWord(wrapped);
  parsedHigh = highWord(wrapped);
  return true;
}

function writeUnsigned(buf: Buffer, pos: number, high: number, low: number): number {
  if (high >= 0 && high < SAFE_HIGH) return writeInteger(buf, pos, high * TWO_32 + (low >>> 0));
  return pos + buf.write(toBigInt(high, low).toString(), pos, 'latin1');
}

function toBigInt(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

function lowWord(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

function highWord(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}
