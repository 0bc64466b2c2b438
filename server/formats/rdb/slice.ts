// A range of bytes somewhere, without an object per range: readers fill the same few slices over and over.

import { writeInteger } from '../../base/numbers.ts';

const EMPTY = new Uint8Array(0);

/** `bytes[start..end)`. Valid until the next read into the same slice, or until more bytes are fed to the reader. */
export class Slice {
  bytes: Uint8Array = EMPTY;
  start = 0;
  end = 0;
  #scratch: Uint8Array = EMPTY;

  get length(): number {
    return this.end - this.start;
  }

  set(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Points at this slice's own memory, grown to at least `length` bytes, for the caller to fill. */
  own(length: number): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(Math.max(64, length, this.#scratch.length * 2));
    this.set(this.#scratch, 0, length);
    return this.#scratch;
  }

  /** Becomes the decimal form of a safe integer. */
  setInteger(value: number): void {
    const memory = this.own(24);
    this.end = writeInteger(memory, 0, value);
  }

  copy(): Uint8Array {
    return this.bytes.slice(this.start, this.end);
  }

  /** Becomes a copy of another slice, in its own memory. */
  copyFrom(other: Slice): void {
    const length = other.length;
    const memory = this.own(length);
    if (length > 64) {
      memory.set(other.bytes.subarray(other.start, other.end));
      return;
    }
    const from = other.bytes;
    const start = other.start;
    for (let i = 0; i < length; i++) memory[i] = from[start + i];
  }
}
