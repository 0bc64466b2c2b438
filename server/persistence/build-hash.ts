// Puts a hash together from fields that come one by one: a packed run while they are few and short and stay, else a
// table.

import type { Slice } from '../formats/rdb/slice.ts';
import { Encoding } from '../keyspace/layout.ts';
import type { Space } from '../keyspace/space.ts';
import {
  initPacked,
  PACKED_EMPTY_BYTES,
  PACKED_FIRST,
  PackedElement,
  PackedValue,
  packedFindValue,
  packedInsertPair,
} from '../memory/packed.ts';
import { HashTable } from '../values/hash.ts';
import { RESERVE_MAX } from './build-set.ts';
import type { CollectionBuilder, EncodingLimits } from './collection-builder.ts';
import type { ScratchRegion } from './scratch-region.ts';

export class HashBuilder implements CollectionBuilder {
  large: HashTable | null = null;
  count = 0;
  /** Whether a field with an expiry came. */
  hasExpiring = false;
  /** What is wrong when a field comes twice; begin() sets the usual text. */
  duplicateMessage = '';
  private expected = 0;
  private readonly space: Space;
  private readonly limits: EncodingLimits;
  private readonly scratch: ScratchRegion;
  private readonly damaged: (message: string) => Error;
  private readonly field = new PackedValue();
  private readonly value = new PackedValue();

  constructor(space: Space, limits: EncodingLimits, scratch: ScratchRegion, damaged: (message: string) => Error) {
    this.space = space;
    this.limits = limits;
    this.scratch = scratch;
    this.damaged = damaged;
  }

  get encoding(): number {
    return this.large === null ? Encoding.listpack : Encoding.hashtable;
  }

  begin(expected: number): void {
    this.count = 0;
    this.expected = expected;
    this.large = null;
    this.hasExpiring = false;
    this.duplicateMessage = 'Duplicate hash fields detected';
    if (expected <= this.limits.hashMaxListpackEntries) initPacked(this.scratch.start(PACKED_EMPTY_BYTES));
    else this.startTable();
  }

  /** `expireAtMs` is -1 for a field that stays. */
  add(field: Slice, value: Slice, expireAtMs: number): void {
    const max = this.limits.hashMaxListpackValue;
    if (this.large === null && (expireAtMs >= 0 || field.length > max || value.length > max)) this.leavePacked();
    const isNew = this.large === null ? this.pack(field, value) : this.put(this.large, field, value, expireAtMs);
    if (!isNew) throw this.damaged(this.duplicateMessage);
    this.count++;
  }

  abandon(): void {
    this.large?.free();
    this.large = null;
  }

  private pack(field: Slice, value: Slice): boolean {
    const name = this.field.set(field.bytes, field.start, field.length);
    if (packedFindValue(this.scratch, name, 1) !== 0) return false;
    const content = this.value.set(value.bytes, value.start, value.length);
    packedInsertPair(this.scratch, this.scratch.len, name, content);
    return true;
  }

  private put(table: HashTable, field: Slice, value: Slice, expireAtMs: number): boolean {
    const { bytes, start, length } = field;
    const isNew = table.set(bytes, start, length, value.bytes, value.start, value.length);
    if (expireAtMs >= 0) {
      table.setExpire(table.find(bytes, start, length), expireAtMs);
      this.hasExpiring = true;
    }
    return isNew;
  }

  private startTable(): void {
    this.large = new HashTable(this.space.arena, this.space.seed);
    this.large.reserve(Math.min(this.expected, RESERVE_MAX));
  }

  private leavePacked(): void {
    const name = new PackedElement();
    const content = new PackedElement();
    const packed = this.scratch;
    this.startTable();
    for (let at = PACKED_FIRST; at < packed.len; at = content.next) {
      name.read(packed, at).text();
      content.read(packed, name.next).text();
      this.large?.set(name.buf, name.pos, name.len, content.buf, content.pos, content.len);
    }
  }
}
