// Puts a set together from members that come one by one: an intset while all are integers, a packed run while they are
// few and short, else a table.

import type { Slice } from '../formats/rdb/slice.ts';
import { Encoding } from '../keyspace/layout.ts';
import type { Space } from '../keyspace/space.ts';
import { INTSET_EMPTY_BYTES, IntsetValue, initIntset, intsetAdd, intsetGet } from '../memory/intset.ts';
import {
  initPacked,
  PACKED_EMPTY_BYTES,
  PACKED_FIRST,
  PackedElement,
  packedAppend,
  packedFind,
} from '../memory/packed.ts';
import { HashSet } from '../values/set-table.ts';
import type { CollectionBuilder, EncodingLimits } from './collection-builder.ts';
import type { ScratchRegion } from './scratch-region.ts';

/** A file may lie about the number of members: tables are made for at most this many at once. */
export const RESERVE_MAX = 1 << 20;

export class SetBuilder implements CollectionBuilder {
  large: HashSet | null = null;
  encoding: number = Encoding.intset;
  count = 0;
  private expected = 0;
  private readonly space: Space;
  private readonly limits: EncodingLimits;
  private readonly scratch: ScratchRegion;
  private readonly damaged: (message: string) => Error;
  private readonly number = new IntsetValue();
  private readonly digits = Buffer.alloc(24);

  constructor(space: Space, limits: EncodingLimits, scratch: ScratchRegion, damaged: (message: string) => Error) {
    this.space = space;
    this.limits = limits;
    this.scratch = scratch;
    this.damaged = damaged;
  }

  begin(expected: number): void {
    this.count = 0;
    this.expected = expected;
    this.large = null;
    if (expected <= this.limits.setMaxIntsetEntries) {
      this.encoding = Encoding.intset;
      initIntset(this.scratch.start(INTSET_EMPTY_BYTES));
    } else if (expected <= this.limits.setMaxListpackEntries) this.startPacked();
    else this.startTable();
  }

  add(member: Slice): void {
    const { bytes, start, length } = member;
    if (this.encoding === Encoding.intset && !this.number.parse(bytes, start, length)) this.leaveIntset();
    if (this.encoding === Encoding.listpack && length > this.limits.setMaxListpackValue) this.leavePacked();
    if (!this.put(bytes, start, length)) throw this.damaged('Duplicate set members detected');
    this.count++;
  }

  abandon(): void {
    this.large?.free();
    this.large = null;
  }

  private put(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.encoding === Encoding.hashtable) return (this.large as HashSet).add(bytes, start, length);
    if (this.encoding === Encoding.intset) return intsetAdd(this.scratch, this.number);
    if (packedFind(this.scratch, bytes, start, length, 0) !== 0) return false;
    packedAppend(this.scratch, bytes, start, length);
    return true;
  }

  private startPacked(): void {
    this.encoding = Encoding.listpack;
    initPacked(this.scratch.start(PACKED_EMPTY_BYTES));
  }

  private startTable(): void {
    this.encoding = Encoding.hashtable;
    this.large = new HashSet(this.space.arena, this.space.seed);
    this.large.dict.reserve(Math.min(this.expected, RESERVE_MAX));
  }

  /** The first member that is no integer has come. */
  private leaveIntset(): void {
    const count = this.count;
    const copy = count === 0 ? this.scratch : regionCopy(this.scratch);
    if (this.expected <= this.limits.setMaxListpackEntries) this.startPacked();
    else this.startTable();
    if (count === 0) return;
    const number = new IntsetValue();
    for (let i = 0; i < count; i++) {
      intsetGet(copy, i, number);
      const length = number.format(this.digits, 0);
      if (this.encoding === Encoding.listpack && length > this.limits.setMaxListpackValue) this.leavePacked();
      this.put(this.digits, 0, length);
    }
  }

  /** A member too long for a packed run has come. */
  private leavePacked(): void {
    const element = new PackedElement();
    this.startTable();
    for (let at = PACKED_FIRST; at < this.scratch.len; at = element.next) {
      element.read(this.scratch, at).text();
      this.put(element.buf, element.pos, element.len);
    }
  }
}

function regionCopy(region: ScratchRegion) {
  const buf = Buffer.from(region.buf.subarray(0, region.len));
  return { buf, pos: 0, len: region.len, splice: () => undefined, refresh: () => undefined };
}
