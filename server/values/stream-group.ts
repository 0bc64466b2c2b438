// Consumer groups of a stream: which entry they have read last, what was delivered and not yet acknowledged, and to whom.

import type { Arena } from '../memory/arena.ts';
import { IdIndex } from './id-index.ts';
import { StreamId } from './stream-id.ts';

const TWO_32 = 4294967296;
const PENDING_WORDS = 5;
const WORD_TIME = 0;
const WORD_DELIVERIES = 2;
const WORD_OWNER = 4;
/** Fixed cost of the objects behind a group or consumer, roughly. */
const OBJECT_BYTES = 200;

/** Things with a name, ordered by the bytes of the name. */
export class NameTable<T extends { readonly name: Buffer }> implements Iterable<T> {
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.items[Symbol.iterator]();
  }

  /** What has the name that stands in `len` bytes of `buf` at `pos`. */
  get(buf: Uint8Array, pos = 0, len = buf.length): T | undefined {
    const found = this.items[this.lowerBound(buf, pos, len)];
    return found !== undefined && order(found.name, buf, pos, len) === 0 ? found : undefined;
  }

  /** Adds something whose name is not taken. */
  add(item: T): void {
    this.items.splice(this.lowerBound(item.name, 0, item.name.length), 0, item);
  }

  delete(item: T): void {
    this.items.splice(this.lowerBound(item.name, 0, item.name.length), 1);
  }

  private lowerBound(buf: Uint8Array, pos: number, len: number): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(this.items[middle].name, buf, pos, len) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class StreamConsumer {
  readonly name: Buffer;
  /** Last time it asked for anything, and last time it got something (-1: never); ms since 1970. */
  seenAtMs: number;
  activeAtMs = -1;
  /** Ids of its pending entries; the rest is in the group's table. */
  readonly pending: IdIndex;
  /** What stands for it in the group's pending entries. */
  readonly number: number;

  constructor(arena: Arena, name: Buffer, number: number, nowMs: number) {
    this.name = name;
    this.number = number;
    this.seenAtMs = nowMs;
    this.pending = new IdIndex(arena, 0);
  }
}

export class StreamGroup {
  readonly name: Buffer;
  readonly lastId = new StreamId();
  /** How many entries it has read; -1 when unknown. */
  entriesRead: number;
  readonly consumers = new NameTable<StreamConsumer>();
  /**
   * Pending entries by id. With the index' cursor on one, the accessors below (deliveredAtMs and so on) are the entry's.
   */
  readonly pending: IdIndex;
  private readonly arena: Arena;
  /** Consumers by number; 0 stands for none. */
  private readonly byNumber: (StreamConsumer | undefined)[] = [undefined];

  constructor(arena: Arena, name: Buffer, lastId: StreamId, entriesRead: number) {
    this.arena = arena;
    this.name = name;
    this.lastId.set(lastId);
    this.entriesRead = entriesRead;
    this.pending = new IdIndex(arena, PENDING_WORDS);
  }

  get deliveredAtMs(): number {
    return this.readNumber(WORD_TIME);
  }

  set deliveredAtMs(ms: number) {
    this.writeNumber(WORD_TIME, ms);
  }

  get deliveries(): number {
    return this.readNumber(WORD_DELIVERIES);
  }

  set deliveries(count: number) {
    this.writeNumber(WORD_DELIVERIES, count);
  }

  /** Whose the entry under the cursor is; undefined before it was given to anyone. */
  get owner(): StreamConsumer | undefined {
    return this.byNumber[this.pending.get(WORD_OWNER)];
  }

  /** The consumer whose name stands in `len` bytes of `buf` at `pos`. */
  consumer(buf: Uint8Array, pos = 0, len = buf.length): StreamConsumer | undefined {
    return this.consumers.get(buf, pos, len);
  }

  /** Creates a consumer whose name is not taken. */
  createConsumer(name: Buffer, nowMs: number): StreamConsumer {
    let number = this.byNumber.indexOf(undefined, 1);
    if (number < 0) number = this.byNumber.length;
    const consumer = new StreamConsumer(this.arena, name, number, nowMs);
    this.byNumber[number] = consumer;
    this.consumers.add(consumer);
    return consumer;
  }

  /** Removes a consumer and all its pending entries. */
  deleteConsumer(consumer: StreamConsumer): void {
    const id = new StreamId();
    for (let more = consumer.pending.first(); more; more = consumer.pending.next()) {
      if (this.pending.seek(consumer.pending.readId(id))) this.pending.remove();
    }
    consumer.pending.free();
    this.consumers.delete(consumer);
    this.byNumber[consumer.number] = undefined;
  }

  /** Adds a pending entry that belongs to no one yet; the cursor stands on it. The id must not be pending. */
  addPending(id: StreamId, deliveredAtMs: number, deliveries: number): void {
    this.pending.insert(id);
    this.deliveredAtMs = deliveredAtMs;
    this.deliveries = deliveries;
    this.pending.set(WORD_OWNER, 0);
  }

  /** Gives the pending entry under the cursor, whose id is `id`, to a consumer. */
  assign(id: StreamId, consumer: StreamConsumer): void {
    const before = this.owner;
    if (before === consumer) return;
    if (before?.pending.seek(id)) before.pending.remove();
    consumer.pending.insert(id);
    this.pending.set(WORD_OWNER, consumer.number);
  }

  /** Removes the pending entry under the cursor, whose id is `id`. The cursor moves on, as IdIndex.remove tells. */
  removePending(id: StreamId): boolean {
    const owner = this.owner;
    if (owner?.pending.seek(id)) owner.pending.remove();
    return this.pending.remove();
  }

  /** Removes a pending entry by its id; false when it is not pending. */
  acknowledge(id: StreamId): boolean {
    if (!this.pending.seek(id)) return false;
    this.removePending(id);
    return true;
  }

  copy(arena: Arena): StreamGroup {
    const other = new StreamGroup(arena, this.name, this.lastId, this.entriesRead);
    for (const consumer of this.consumers) {
      const copied = other.createConsumer(consumer.name, consumer.seenAtMs);
      copied.activeAtMs = consumer.activeAtMs;
    }
    const id = new StreamId();
    for (let more = this.pending.first(); more; more = this.pending.next()) {
      other.addPending(this.pending.readId(id), this.deliveredAtMs, this.deliveries);
      const owner = this.owner;
      if (owner !== undefined) other.assign(id, other.consumer(owner.name)!);
    }
    return other;
  }

  free(): void {
    this.pending.free();
    for (const consumer of this.consumers) consumer.pending.free();
  }

  get memoryBytes(): number {
    let sum = OBJECT_BYTES + this.name.length + this.pending.memoryBytes;
    for (const consumer of this.consumers) {
      sum += OBJECT_BYTES + consumer.name.length + consumer.pending.memoryBytes;
    }
    return sum;
  }

  private readNumber(word: number): number {
    return this.pending.get(word + 1) * TWO_32 + (this.pending.get(word) >>> 0);
  }

  private writeNumber(word: number, value: number): void {
    this.pending.set(word, value | 0);
    this.pending.set(word + 1, Math.floor(value / TWO_32));
  }
}

/** Compares a name with `len` bytes of `buf` at `pos`: memory order, then length. Names are short. */
function order(name: Buffer, buf: Uint8Array, pos: number, len: number): number {
  const shorter = Math.min(name.length, len);
  for (let i = 0; i < shorter; i++) {
    const difference = name[i] - buf[pos + i];
    if (difference !== 0) return difference;
  }
  return name.length - len;
}
