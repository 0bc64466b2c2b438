// What SORT works on: copies of elements in one buffer outside the arena, and how they come out of lists, sets and
// sorted sets.

import { copyRange } from '../base/bytes.ts';
import { Type } from '../keyspace/layout.ts';
import type { Context } from './context.ts';
import { eachElement, elementAt, listLength } from './list-access.ts';
import { SetValue } from './set-value.ts';
import { SortedSetValue } from './sorted-set-value.ts';

/** A vector's room at rest; after more than that it starts anew. */
const REST_BYTES = 64 * 1024;
const REST_ELEMENTS = 4096;
/** Rather than walking a whole list, so few elements are looked up one by one. */
const LOOKUPS_MAX = 32;

/** Byte strings one after the other; `missing` ones stand for keys that are not there. */
export class ElementVector {
  buf: Buffer = Buffer.alloc(0);
  /** Where element i starts; it ends where element i + 1 starts. */
  starts = new Float64Array(1);
  length = 0;
  private used = 0;
  private absent: Uint8Array | null = null;

  /** Forgets everything. One vector serves all requests, so that none allocates. */
  clear(): this {
    this.length = 0;
    this.used = 0;
    this.absent = null;
    if (this.buf.length === 0 || this.buf.length > REST_BYTES * 4) this.buf = Buffer.allocUnsafeSlow(REST_BYTES);
    if (this.starts.length === 1 || this.starts.length > REST_ELEMENTS * 4) {
      this.starts = new Float64Array(REST_ELEMENTS);
    }
    return this;
  }

  push(buf: Uint8Array, pos: number, len: number): void {
    if (this.used + len > this.buf.length) this.growBytes(this.used + len);
    copyRange(buf, pos, len, this.buf, this.used);
    this.used += len;
    this.close();
  }

  pushMissing(): void {
    this.absent ??= new Uint8Array(this.starts.length);
    this.close();
    this.absent[this.length - 1] = 1;
  }

  isMissing(i: number): boolean {
    return this.absent !== null && this.absent[i] === 1;
  }

  start(i: number): number {
    return this.starts[i];
  }

  size(i: number): number {
    return this.starts[i + 1] - this.starts[i];
  }

  /** A view of an element. */
  view(i: number): Buffer {
    return this.buf.subarray(this.starts[i], this.starts[i + 1]);
  }

  /** Compares two elements by their bytes. */
  compare(i: number, j: number): number {
    const { buf, starts } = this;
    let a = starts[i];
    let b = starts[j];
    const aEnd = starts[i + 1];
    const bEnd = starts[j + 1];
    while (a < aEnd && b < bEnd) {
      const difference = buf[a++] - buf[b++];
      if (difference !== 0) return difference;
    }
    return aEnd - a - (bEnd - b);
  }

  private close(): void {
    if (++this.length === this.starts.length) this.growElements();
    this.starts[this.length] = this.used;
  }

  private growBytes(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buf.length * 2));
    this.buf.copy(grown, 0, 0, this.used);
    this.buf = grown;
  }

  private growElements(): void {
    const grown = new Float64Array(this.starts.length * 2);
    grown.set(this.starts);
    this.starts = grown;
    if (this.absent === null) return;
    const absent = new Uint8Array(grown.length);
    absent.set(this.absent);
    this.absent = absent;
  }
}

const set = new SetValue();
const sortedSet = new SortedSetValue();

/** Number of elements of a list, set or sorted set. */
export function elementCount(c: Context, entry: number): number {
  const type = c.db.type(entry);
  if (type === Type.list) return listLength(c, entry);
  return type === Type.set ? set.bind(c, entry).count : sortedSet.bind(c, entry).count;
}

/** Copies all elements, in whatever order they stand. */
export function loadElements(c: Context, entry: number, into: ElementVector): void {
  const type = c.db.type(entry);
  if (type === Type.set) {
    set.bind(c, entry).walk((buf, pos, len) => {
      into.push(buf, pos, len);
      return true;
    });
  } else if (type === Type.list) {
    eachElement(c, entry, (element) => {
      element.text();
      into.push(element.buf, element.pos, element.len);
    });
  } else {
    loadByRank(c, entry, 0, sortedSet.bind(c, entry).count, false, into);
  }
}

/** Copies `count` elements of a list or sorted set from index or rank `first` on, counted from the end if `reverse`. */
export function loadRange(
  c: Context,
  entry: number,
  first: number,
  count: number,
  reverse: boolean,
  into: ElementVector,
): void {
  if (c.db.type(entry) === Type.zset) loadByRank(c, entry, first, count, reverse, into);
  else if (count <= LOOKUPS_MAX) lookUpElements(c, entry, first, count, reverse, into);
  else pickFromAll(c, entry, first, count, reverse, into);
}

function loadByRank(
  c: Context,
  entry: number,
  first: number,
  count: number,
  reverse: boolean,
  into: ElementVector,
): void {
  const value = sortedSet.bind(c, entry);
  if (count <= 0) return;
  if (reverse) value.seekBack(value.count - 1 - first);
  else value.seekRank(first);
  for (let left = count; left > 0; left--) {
    value.take();
    into.push(value.buf, value.pos, value.len);
    if (left === 1) break;
    if (reverse) value.previous();
    else value.next();
  }
}

function lookUpElements(
  c: Context,
  entry: number,
  first: number,
  count: number,
  reverse: boolean,
  into: ElementVector,
): void {
  const length = listLength(c, entry);
  for (let n = 0; n < count; n++) {
    const element = elementAt(c, entry, reverse ? length - 1 - first - n : first + n).text();
    into.push(element.buf, element.pos, element.len);
  }
}

function pickFromAll(
  c: Context,
  entry: number,
  first: number,
  count: number,
  reverse: boolean,
  into: ElementVector,
): void {
  const all = new ElementVector().clear();
  loadElements(c, entry, all);
  for (let n = 0; n < count; n++) {
    const i = reverse ? all.length - 1 - first - n : first + n;
    into.push(all.buf, all.start(i), all.size(i));
  }
}
