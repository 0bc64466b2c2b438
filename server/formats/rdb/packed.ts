// What all packed collections (listpack, ziplist, zipmap, intset) share: a cursor that walks the elements of a blob in
// order without an object per element, and never leaves the blob whatever its bytes say.

import { Slice } from './slice.ts';

const TWO_32 = 2 ** 32;

export abstract class PackedCursor {
  /** The element as bytes. For an integer it holds the digits only after text(). */
  readonly element = new Slice();
  isInteger = false;
  /** The integer, when isInteger; beyond 2^53 the nearest double (text() is exact). */
  integer = 0;
  /** True when next() stopped because the bytes make no sense. */
  broken = false;
  protected bytes: Uint8Array = this.element.bytes;
  protected at = 0;
  protected stop = 0;
  #exact = 0n;

  /** Starts before the first element of the blob `bytes[start..end)`. */
  abstract open(bytes: Uint8Array, start: number, end: number): void;

  /** Moves to the next element; false at the end (or when broken). */
  abstract next(): boolean;

  /** The element as text; integers in decimal. */
  text(): Slice {
    if (!this.isInteger) return this.element;
    if (Number.isSafeInteger(this.integer)) this.element.setInteger(this.integer);
    else {
      const digits = this.#exact.toString();
      const memory = this.element.own(digits.length);
      for (let i = 0; i < digits.length; i++) memory[i] = digits.charCodeAt(i);
    }
    return this.element;
  }

  /** The element as a score: NaN when it is no number. */
  score(): number {
    if (this.isInteger) return this.integer;
    return parseScore(this.element);
  }

  protected isBroken(): false {
    this.broken = true;
    return false;
  }

  // The following make the element what next() found, and return true as next() does.

  protected string(start: number, length: number): true {
    this.isInteger = false;
    this.element.set(this.bytes, start, start + length);
    return true;
  }

  protected number(value: number): true {
    this.isInteger = true;
    this.integer = value;
    return true;
  }

  protected int16(p: number): true {
    const b = this.bytes;
    return this.number(((b[p] << 16) | (b[p + 1] << 24)) >> 16);
  }

  protected int24(p: number): true {
    const b = this.bytes;
    return this.number(((b[p] << 8) | (b[p + 1] << 16) | (b[p + 2] << 24)) >> 8);
  }

  protected int32(p: number): true {
    return this.number(readInt32(this.bytes, p));
  }

  protected int64(p: number): true {
    const low = readInt32(this.bytes, p) >>> 0;
    const high = readInt32(this.bytes, p + 4);
    this.number(high * TWO_32 + low);
    if (!Number.isSafeInteger(this.integer)) this.#exact = (BigInt(high) << 32n) | BigInt(low);
    return true;
  }
}

export function readInt32(b: Uint8Array, p: number): number {
  return b[p] | (b[p + 1] << 8) | (b[p + 2] << 16) | (b[p + 3] << 24);
}

const INFINITE = /^[+-]?inf/i;
const NUMBER_AT_START = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i;

/** A score as Redis prints it: decimal, `inf`, `-inf`; as C's scanf() does, up to the first byte that doesn't fit. */
export function parseScore(text: Slice): number {
  if (text.length === 0 || text.length > 512) return Number.NaN;
  let value = '';
  for (let i = text.start; i < text.end; i++) value += String.fromCharCode(text.bytes[i]);
  if (INFINITE.test(value)) return value[0] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const number = NUMBER_AT_START.exec(value);
  return number === null ? Number.NaN : Number(number[0]);
}

/** "nan" with or without a sign, in either case. */
export function isNan(text: Slice): boolean {
  const from = text.bytes[text.start] === 45 ? text.start + 1 : text.start;
  const b = text.bytes;
  return text.end - from >= 3 && (b[from] | 32) === 110 && (b[from + 1] | 32) === 97 && (b[from + 2] | 32) === 110;
}
