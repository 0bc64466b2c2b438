// Builds what is appended to an AOF (and sent to replicas): commands from ranges of bytes, into one growing buffer.

import { decimalDigits, writeInteger } from '../../base/numbers.ts';

const FIRST_BYTES = 1 << 16;
const HEAD_BYTES_MAX = 24;
/** A buffer that grew beyond this for one large batch is given back by clear(). */
const KEPT_BYTES = 1 << 22;

export class AofEncoder {
  #buffer = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** What was built since clear(); valid until the next call of any other method. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = new Uint8Array(FIRST_BYTES);
  }

  /** The head of a command of that many arguments, which have to follow. */
  command(argumentCount: number): void {
    this.#reserve(HEAD_BYTES_MAX);
    this.#head(42, argumentCount);
  }

  argument(bytes: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.#reserve(count + HEAD_BYTES_MAX + 2);
    this.#head(36, count);
    const into = this.#buffer;
    const at = this.#length;
    if (count <= 32) for (let i = 0; i < count; i++) into[at + i] = bytes[start + i];
    else into.set(bytes.subarray(start, end), at);
    this.#length += count;
    this.#lineBreak();
  }

  /** An argument of ASCII (or Latin-1) text. */
  text(value: string): void {
    this.#reserve(value.length + HEAD_BYTES_MAX + 2);
    this.#head(36, value.length);
    for (let i = 0; i < value.length; i++) this.#buffer[this.#length++] = value.charCodeAt(i);
    this.#lineBreak();
  }

  /** An argument that is a safe integer. */
  integer(value: number): void {
    this.#reserve(HEAD_BYTES_MAX * 2);
    this.#head(36, decimalDigits(Math.abs(value)) + (value < 0 ? 1 : 0));
    this.#length = writeInteger(this.#buffer, this.#length, value);
    this.#lineBreak();
  }

  /** Bytes of commands that are encoded already: those that arrived. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    this.#buffer.set(bytes.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  /** The annotation "#TS:<seconds>". */
  timestamp(seconds: number): void {
    this.#reserve(HEAD_BYTES_MAX + 2);
    for (const char of '#TS:') this.#buffer[this.#length++] = char.charCodeAt(0);
    this.#length = writeInteger(this.#buffer, this.#length, seconds);
    this.#lineBreak();
  }

  #reserve(count: number): void {
    const wanted = this.#length + count;
    if (wanted <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(wanted, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  #head(prefix: number, value: number): void {
    this.#buffer[this.#length++] = prefix;
    this.#length = writeInteger(this.#buffer, this.#length, value);
    this.#lineBreak();
  }

  #lineBreak(): void {
    this.#buffer[this.#length++] = 13;
    this.#buffer[this.#length++] = 10;
  }
}
