// An ordered table of records keyed by stream ids, in the arena: the nodes of a stream, the pending entries of a group.
//
// Records of a fixed number of 32-bit words (four of them the id) stand sorted in chunks of at most CHUNK_RECORDS; a
// list of chunks in order makes it a tree of two levels. Appending, and removing from either end, touches one chunk;
// finding is two binary searches. Streams grow at the end, so chunks fill up before a new one is opened.
//
// The index has one cursor: seek methods place it, get, set, remove and readId work where it stands. Any insert or
// remove moves it as told there.

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import type { StreamId } from './stream-id.ts';

/** Numbers that describe a chunk, and where among them the second and third are. */
const CHUNK_NUMBERS = 3;
const COUNT = 1;
const CAPACITY = 2;
const CHUNK_RECORDS = 256;
const FIRST_RECORDS = 1;
/** Words of the id in front of each record. */
const ID_WORDS = 4;

export class IdIndex {
  /** Number of records. */
  size = 0;
  /** Where the cursor stands. Free to save and restore as long as nothing is inserted or removed. */
  chunk = 0;
  slot = 0;
  private readonly arena: Arena;
  private readonly recordWords: number;
  /** Three numbers a chunk: address of its block, records in it, records it has room for. */
  private readonly chunks: number[] = [];

  /** `payloadWords` 32-bit words follow the id of each record. */
  constructor(arena: Arena, payloadWords: number) {
    this.arena = arena;
    this.recordWords = ID_WORDS + payloadWords;
  }

  first(): boolean {
    this.chunk = 0;
    this.slot = 0;
    return this.size > 0;
  }

  last(): boolean {
    if (this.size === 0) return false;
    this.chunk = this.chunkCount - 1;
    this.slot = this.countOf(this.chunk) - 1;
    return true;
  }

  next(): boolean {
    if (++this.slot < this.countOf(this.chunk)) return true;
    this.slot = 0;
    return ++this.chunk < this.chunkCount;
  }

  previous(): boolean {
    if (--this.slot >= 0) return true;
    if (--this.chunk < 0) return false;
    this.slot = this.countOf(this.chunk) - 1;
    return true;
  }

  /** Places the cursor on the first record whose id is at least `id`; false when there is none. */
  seekAtLeast(id: StreamId): boolean {
    if (this.size === 0) return false;
    this.chunk = this.chunkOf(id);
    this.slot = this.slotOf(this.chunk, id);
    if (this.slot < this.countOf(this.chunk)) return true;
    this.slot = 0;
    return ++this.chunk < this.chunkCount;
  }

  /** Places the cursor on the last record whose id is at most `id`; false when there is none. */
  seekAtMost(id: StreamId): boolean {
    if (this.size === 0) return false;
    this.chunk = this.chunkOf(id);
    this.slot = this.slotOf(this.chunk, id);
    if (this.slot < this.countOf(this.chunk) && this.compareAt(this.chunk, this.slot, id) === 0) return true;
    return this.previous();
  }

  /** Places the cursor on the record of `id`; false when there is none. */
  seek(id: StreamId): boolean {
    if (this.size === 0 || this.isBehindLast(id)) return false;
    this.chunk = this.chunkOf(id);
    this.slot = this.slotOf(this.chunk, id);
    return this.slot < this.countOf(this.chunk) && this.compareAt(this.chunk, this.slot, id) === 0;
  }

  /** The id of the record under the cursor. */
  readId(into: StreamId): StreamId {
    const words = this.wordsOf(this.chunk);
    const at = this.wordOf(this.chunk, this.slot);
    return into.setWords(words[at], words[at + 1], words[at + 2], words[at + 3]);
  }

  /** The words among which the record under the cursor stands, its payload beginning at payloadAt. */
  get words(): Int32Array {
    return this.arena.words[this.addressOf(this.chunk) >>> SEGMENT_SHIFT];
  }

  get payloadAt(): number {
    return ((this.addressOf(this.chunk) & OFFSET_MASK) << 1) + this.slot * this.recordWords + ID_WORDS;
  }

  /** Payload word `k` of the record under the cursor. */
  get(k: number): number {
    return this.wordsOf(this.chunk)[this.wordOf(this.chunk, this.slot) + ID_WORDS + k];
  }

  set(k: number, value: number): void {
    this.wordsOf(this.chunk)[this.wordOf(this.chunk, this.slot) + ID_WORDS + k] = value;
  }

  /** Adds a record for an id that is not there, with undefined payload, and places the cursor on it. */
  insert(id: StreamId): void {
    if (this.size === 0) {
      this.addChunk(0, FIRST_RECORDS);
      this.chunk = 0;
      this.slot = 0;
    } else {
      const last = this.chunkCount - 1;
      // Streams and pending lists grow at the end nearly always.
      if (this.isBehindLast(id)) {
        this.chunk = last;
        this.slot = this.countOf(last);
      } else {
        this.chunk = this.chunkOf(id);
        this.slot = this.slotOf(this.chunk, id);
      }
      this.makeRoom();
    }
    const words = this.wordsOf(this.chunk);
    const at = this.wordOf(this.chunk, this.slot);
    // A call into the runtime, which appending does without.
    if (this.slot < this.countOf(this.chunk)) {
      words.copyWithin(at + this.recordWords, at, this.wordOf(this.chunk, this.countOf(this.chunk)));
    }
    words[at] = id.msHigh;
    words[at + 1] = id.msLow;
    words[at + 2] = id.sequenceHigh;
    words[at + 3] = id.sequenceLow;
    this.chunks[this.chunk * CHUNK_NUMBERS + COUNT]++;
    this.size++;
  }

  /** Removes the record under the cursor, which then stands on the following one; false when there is none. */
  remove(): boolean {
    const chunk = this.chunk;
    const count = --this.chunks[chunk * CHUNK_NUMBERS + COUNT];
    this.size--;
    if (count === 0) {
      this.dropChunk(chunk);
      this.slot = 0;
      return chunk < this.chunkCount;
    }
    const at = this.wordOf(chunk, this.slot);
    this.wordsOf(chunk).copyWithin(at, at + this.recordWords, this.wordOf(chunk, count + 1));
    this.compact();
    if (this.slot < this.countOf(this.chunk)) return true;
    this.slot = 0;
    return ++this.chunk < this.chunkCount;
  }

  /** Gives all chunks back. */
  free(): void {
    while (this.chunkCount > 0) this.dropChunk(this.chunkCount - 1);
    this.size = 0;
  }

  get memoryBytes(): number {
    let sum = 0;
    for (let chunk = 0; chunk < this.chunkCount; chunk++)
      sum += this.arena.capacity(this.bytesOf(this.capacityOf(chunk)));
    return sum;
  }

  /** Whether an id is above all that are there. There is one. */
  private isBehindLast(id: StreamId): boolean {
    const last = this.chunkCount - 1;
    return this.compareAt(last, this.countOf(last) - 1, id) < 0;
  }

  private get chunkCount(): number {
    return this.chunks.length / CHUNK_NUMBERS;
  }

  private addressOf(chunk: number): number {
    return this.chunks[chunk * CHUNK_NUMBERS];
  }

  private countOf(chunk: number): number {
    return this.chunks[chunk * CHUNK_NUMBERS + COUNT];
  }

  private capacityOf(chunk: number): number {
    return this.chunks[chunk * CHUNK_NUMBERS + CAPACITY];
  }

  private setCount(chunk: number, count: number): void {
    this.chunks[chunk * CHUNK_NUMBERS + COUNT] = count;
  }

  private wordsOf(chunk: number): Int32Array {
    return this.arena.words[this.addressOf(chunk) >>> SEGMENT_SHIFT];
  }

  private wordOf(chunk: number, slot: number): number {
    return ((this.addressOf(chunk) & OFFSET_MASK) << 1) + slot * this.recordWords;
  }

  private bytesOf(records: number): number {
    return (records * this.recordWords) << 2;
  }

  /** The last chunk whose first id is at most `id`, or the first chunk. */
  private chunkOf(id: StreamId): number {
    let low = 0;
    let high = this.chunkCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.compareAt(middle, 0, id) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The first slot of a chunk whose id is at least `id`; its count when there is none. */
  private slotOf(chunk: number, id: StreamId): number {
    let low = 0;
    let high = this.countOf(chunk);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareAt(chunk, middle, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Compares the id of a record with `id`. */
  private compareAt(chunk: number, slot: number, id: StreamId): number {
    const words = this.wordsOf(chunk);
    const at = this.wordOf(chunk, slot);
    if (words[at] !== id.msHigh) return (words[at] >>> 0) - (id.msHigh >>> 0);
    if (words[at + 1] !== id.msLow) return (words[at + 1] >>> 0) - (id.msLow >>> 0);
    if (words[at + 2] !== id.sequenceHigh) return (words[at + 2] >>> 0) - (id.sequenceHigh >>> 0);
    return (words[at + 3] >>> 0) - (id.sequenceLow >>> 0);
  }

  private addChunk(at: number, records: number): void {
    const address = this.arena.alloc(this.bytesOf(records));
    if (at === this.chunkCount) this.chunks.push(address, 0, records);
    else this.chunks.splice(at * CHUNK_NUMBERS, 0, address, 0, records);
  }

  private dropChunk(chunk: number): void {
    this.arena.free(this.addressOf(chunk), this.bytesOf(this.capacityOf(chunk)));
    this.chunks.splice(chunk * CHUNK_NUMBERS, CHUNK_NUMBERS);
  }

  /** Gives a chunk another capacity. */
  private resizeChunk(chunk: number, records: number): void {
    const old = this.addressOf(chunk);
    const address = this.arena.alloc(this.bytesOf(records));
    this.chunks[chunk * CHUNK_NUMBERS] = address;
    this.copyRecords(old, 0, chunk, 0, this.countOf(chunk));
    this.arena.free(old, this.bytesOf(this.capacityOf(chunk)));
    this.chunks[chunk * CHUNK_NUMBERS + CAPACITY] = records;
  }

  /** Copies records from slot `fromSlot` of the block at an address to a chunk. */
  private copyRecords(from: number, fromSlot: number, chunk: number, slot: number, count: number): void {
    const start = ((from & OFFSET_MASK) << 1) + fromSlot * this.recordWords;
    const source = this.arena.words[from >>> SEGMENT_SHIFT];
    this.wordsOf(chunk).set(source.subarray(start, start + count * this.recordWords), this.wordOf(chunk, slot));
  }

  /** Makes room for one more record at the cursor; the cursor follows when the chunk is split. */
  private makeRoom(): void {
    const chunk = this.chunk;
    const count = this.countOf(chunk);
    if (count < this.capacityOf(chunk)) return;
    if (count < CHUNK_RECORDS) {
      this.resizeChunk(chunk, Math.min(CHUNK_RECORDS, count < 4 ? count + 1 : count * 2));
      return;
    }
    this.addChunk(chunk + 1, CHUNK_RECORDS);
    const keep = this.slot === count && chunk === this.chunkCount - 2 ? count : count >>> 1;
    this.copyRecords(this.addressOf(chunk), keep, chunk + 1, 0, count - keep);
    this.setCount(chunk, keep);
    this.setCount(chunk + 1, count - keep);
    if (this.slot >= keep && (this.slot > keep || keep === count)) {
      this.chunk++;
      this.slot -= keep;
    }
  }

  /** After a removal: joins a chunk that is nearly empty with a neighbour, or makes a lone one smaller. */
  private compact(): void {
    const chunk = this.chunk;
    const count = this.countOf(chunk);
    if (count > this.capacityOf(chunk) >>> 2) return;
    if (this.chunkCount === 1) {
      if (this.capacityOf(chunk) > 4) this.resizeChunk(chunk, Math.max(4, count * 2));
      return;
    }
    const into = chunk > 0 ? chunk - 1 : 0;
    const joined = this.countOf(into) + this.countOf(into + 1);
    if (joined > (CHUNK_RECORDS >>> 2) * 3) return;
    if (joined > this.capacityOf(into)) this.resizeChunk(into, CHUNK_RECORDS);
    const kept = this.countOf(into);
    this.copyRecords(this.addressOf(into + 1), 0, into, kept, this.countOf(into + 1));
    this.setCount(into, joined);
    if (chunk > 0) {
      this.chunk = into;
      this.slot += kept;
    }
    this.dropChunk(into + 1);
  }
}
