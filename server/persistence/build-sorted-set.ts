// Puts a sorted set together from members that come one by one, in any order: a packed run while they are few and
// short, else table and tree.

import type { Slice } from '../formats/rdb/slice.ts';
import { Encoding } from '../keyspace/layout.ts';
import type { Space } from '../keyspace/space.ts';
import { initPacked, PACKED_EMPTY_BYTES, PACKED_FIRST, PackedElement } from '../memory/packed.ts';
import { SortedSet } from '../values/sorted-set.ts';
import { memberScore, scoredFind, scoredInsert, scoredNext } from '../values/sorted-set-packed.ts';
import { RESERVE_MAX } from './build-set.ts';
import type { CollectionBuilder, EncodingLimits } from './collection-builder.ts';
import type { ScratchRegion } from './scratch-region.ts';

export const DUPLICATE_MEMBER = 'Duplicate zset fields detected';

export class SortedSetBuilder implements CollectionBuilder {
  large: SortedSet | null = null;
  count = 0;
  /** What is wrong when a member comes twice; begin() sets the usual text. */
  duplicateMessage = DUPLICATE_MEMBER;
  private expected = 0;
  private readonly space: Space;
  private readonly limits: EncodingLimits;
  private readonly scratch: ScratchRegion;
  private readonly damaged: (message: string) => Error;

  constructor(space: Space, limits: EncodingLimits, scratch: ScratchRegion, damaged: (message: string) => Error) {
    this.space = space;
    this.limits = limits;
    this.scratch = scratch;
    this.damaged = damaged;
  }

  get encoding(): number {
    return this.large === null ? Encoding.listpack : Encoding.skiplist;
  }

  begin(expected: number): void {
    this.count = 0;
    this.expected = expected;
    this.large = null;
    this.duplicateMessage = DUPLICATE_MEMBER;
    if (expected <= this.limits.zsetMaxListpackEntries) initPacked(this.scratch.start(PACKED_EMPTY_BYTES));
    else this.startTable();
  }

  add(member: Slice, score: number): void {
    const { bytes, start, length } = member;
    if (Number.isNaN(score)) throw this.damaged('Zset with NAN score detected');
    if (this.large === null && length > this.limits.zsetMaxListpackValue) this.leavePacked();
    if (this.large === null) {
      if (scoredFind(this.scratch, bytes, start, length) !== 0) throw this.damaged(this.duplicateMessage);
      scoredInsert(this.scratch, score, bytes, start, length);
    } else {
      if (this.large.find(bytes, start, length) !== 0) throw this.damaged(this.duplicateMessage);
      this.large.insertScored(bytes, start, length, score);
    }
    this.count++;
  }

  abandon(): void {
    this.large?.free();
    this.large = null;
  }

  private startTable(): void {
    this.large = new SortedSet(this.space.arena, this.space.seed);
    this.large.dict.reserve(Math.min(this.expected, RESERVE_MAX));
  }

  private leavePacked(): void {
    const element = new PackedElement();
    const packed = this.scratch;
    this.startTable();
    for (let at = PACKED_FIRST; at < packed.len; at = scoredNext(packed, at)) {
      const score = memberScore(packed, at);
      element.read(packed, at).text();
      this.large?.find(element.buf, element.pos, element.len);
      this.large?.insertScored(element.buf, element.pos, element.len, score);
    }
  }
}
