// Passes over arrays (type 28), proving that they are sound:
//   count, 0 | 1 and the index of the next insertion, (index, tag, element)
//   tags: 0 string | 1 integer, 8 bytes little-endian | 2 double, likewise | 3 string of at most 7 bytes
// Indexes and tags are lengths. All indexes are possible but the largest, 2^64 - 1.

import type { ValueReader } from './collections.ts';
import type { DuplicateFinder } from './duplicates.ts';
import { Slice } from './slice.ts';
import type { RdbSource } from './source.ts';

const TAG = { string: 0, integer: 1, double: 2, smallString: 3 } as const;
const SMALL_STRING_BYTES_MAX = 7;
const INDEX_BYTES = 8;
const NO_INDEX = 2n ** 64n - 1n;

export class ArrayReader implements ValueReader {
  readonly #source: RdbSource;
  readonly #duplicates: DuplicateFinder;
  readonly #deep: boolean;
  readonly #element = new Slice();
  readonly #index = new Slice();
  readonly #indexBytes = Buffer.alloc(INDEX_BYTES);
  #left = 0;

  constructor(source: RdbSource, duplicates: DuplicateFinder, deep: boolean) {
    this.#source = source;
    this.#duplicates = duplicates;
    this.#deep = deep;
    this.#index.set(this.#indexBytes, 0, INDEX_BYTES);
  }

  /** Reads what precedes the elements; returns their number. */
  open(): number {
    const s = this.#source;
    this.#left = s.length();
    const hasInsertIndex = s.length();
    if (hasInsertIndex > 1) throw s.fail('integrity', `Array insert index flag is ${hasInsertIndex}`);
    if (hasInsertIndex === 1) this.#readIndex();
    if (this.#left === 0) s.damaged('Array with zero elements');
    if (this.#deep) this.#duplicates.clear(this.#left);
    return this.#left;
  }

  run(): boolean {
    const s = this.#source;
    while (this.#left > 0) {
      const index = this.#readIndex();
      this.#passElement();
      if (this.#deep) this.#checkIndex(index);
      this.#left--;
      s.mark = s.pos;
      if (s.toSkip > 0) return false;
    }
    return true;
  }

  #readIndex(): bigint {
    const s = this.#source;
    s.length();
    const index = s.lengthExact();
    if (index === NO_INDEX) throw s.fail('integrity', 'Array index is out of range');
    return index;
  }

  #checkIndex(index: bigint): void {
    this.#indexBytes.writeBigUInt64LE(index);
    if (!this.#duplicates.add(this.#index)) this.#source.damaged(`Duplicate array index ${index}`);
  }

  #passElement(): void {
    const s = this.#source;
    const tag = s.length();
    switch (tag) {
      case TAG.string:
        s.stringOrSkip(this.#element);
        return;
      case TAG.integer:
      case TAG.double:
        s.raw(this.#element, 8);
        return;
      case TAG.smallString: {
        const skipped = s.stringOrSkip(this.#element);
        if (skipped > SMALL_STRING_BYTES_MAX || this.#element.length > SMALL_STRING_BYTES_MAX) {
          s.damaged('Array element that should be a small string is long');
        }
        return;
      }
      default:
        throw s.fail('integrity', `Unknown tag ${tag} of an array element`);
    }
  }
}
