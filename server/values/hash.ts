// A hash too large for a packed run: a Dict whose entries hold field and value, and the expiry of fields that have one.
//
//   word 0   next     (Dict)               word 2   field length (Dict)
//   word 1   hash     (Dict)               word 3   | 31 expires | 30..0 value length |
//   byte 16  field bytes; then, only with an expiry, from the next multiple of 4: expiry in ms since 1970 (low word,
//   high word) and the entry's index in the heap of expiring fields; then the value bytes

import { type HashSeed, hashBytes } from '../base/hash.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { Dict } from '../memory/dict.ts';
import { FieldHeap } from './hash-heap.ts';

const FIELD_OFFSET = 16;
const WORD_HASH = 1;
const WORD_FIELD_LENGTH = 2;
const WORD_VALUE = 3;
const EXPIRES = 1 << 31;
const LENGTH_MASK = 0x7fffffff;
const EXPIRY_BYTES = 12;
/** Bytes of the JavaScript objects behind one hash, roughly. */
const OBJECT_BYTES = 240;

/** Shared: a buffer for each value would be most of what a small one costs. */
const NOTHING = Buffer.alloc(0);

export class HashTable {
  /** Set by open(): field and value stand in `buf`, at these places. Valid until the next allocation. */
  buf: Buffer = NOTHING;
  fieldPos = 0;
  fieldLen = 0;
  valuePos = 0;
  valueLen = 0;
  private readonly arena: Arena;
  private readonly seed: HashSeed;
  private readonly dict: Dict;
  /** Bytes of all entries' blocks. */
  private blockBytes = 0;
  /** Fields with an expiry, soonest first; null while there is none. */
  private heap: FieldHeap | null = null;

  constructor(arena: Arena, seed: HashSeed) {
    this.arena = arena;
    this.seed = seed;
    this.dict = new Dict(arena, FIELD_OFFSET);
  }

  get length(): number {
    return this.dict.size;
  }

  /** The table itself, for scans, snapshots and statistics. */
  get table(): Dict {
    return this.dict;
  }

  /** Makes room in the table for a known number of fields, before the first comes. */
  reserve(count: number): void {
    this.dict.reserve(count);
  }

  /** The entry of a field, or 0. Its expiry is the caller's business. */
  find(buf: Uint8Array, pos: number, len: number): number {
    return this.dict.find(buf, pos, len, hashBytes(this.seed, buf, pos, len));
  }

  /**
   * Sets a field; true when it is new. The new value has no expiry; with `keepExpiry` the old one's stays. Field and
   * value may stand in the arena, but not in this entry.
   */
  set(
    buf: Uint8Array,
    pos: number,
    len: number,
    from: Uint8Array,
    valuePos: number,
    valueLen: number,
    keepExpiry = false,
  ): boolean {
    const hash = hashBytes(this.seed, buf, pos, len);
    const entry = this.dict.find(buf, pos, len, hash);
    if (entry !== 0) {
      this.replaceValue(keepExpiry ? entry : this.clearExpire(entry), from, valuePos, valueLen);
      return false;
    }
    const at = this.arena.alloc(FIELD_OFFSET + len + valueLen);
    this.blockBytes += this.arena.capacity(FIELD_OFFSET + len + valueLen);
    const words = this.arena.words[at >>> SEGMENT_SHIFT];
    const word = (at & OFFSET_MASK) << 1;
    words[word + WORD_HASH] = hash;
    words[word + WORD_FIELD_LENGTH] = len;
    words[word + WORD_VALUE] = valueLen;
    this.arena.write(at, FIELD_OFFSET, buf, pos, len);
    this.arena.write(at, FIELD_OFFSET + len, from, valuePos, valueLen);
    this.dict.insert(at, hash);
    return true;
  }

  /** Gives an existing entry another value; its expiry stays. Returns the entry, which may have moved. */
  replaceValue(entry: number, from: Uint8Array, pos: number, len: number): number {
    const old = this.word(entry, WORD_VALUE);
    const head = valueOffset(this.word(entry, WORD_FIELD_LENGTH), old);
    const oldBytes = head + (old & LENGTH_MASK);
    let at = entry;
    if (!this.arena.fits(entry, oldBytes, head + len)) {
      at = this.arena.alloc(head + len);
      this.blockBytes += this.arena.capacity(head + len) - this.arena.capacity(oldBytes);
      this.arena.copy(entry, 0, head, at, 0);
      this.follow(entry, at);
      this.arena.free(entry, oldBytes);
    }
    this.setWord(at, WORD_VALUE, (old & EXPIRES) | len);
    this.arena.write(at, head, from, pos, len);
    return at;
  }

  /** Removes an entry. */
  remove(entry: number): void {
    this.forgetExpiry(entry);
    this.dict.remove(entry);
    this.freeEntry(entry);
  }

  /** Points buf, fieldPos, fieldLen, valuePos and valueLen at an entry's bytes. */
  open(entry: number): void {
    const segment = entry >>> SEGMENT_SHIFT;
    const words = this.arena.words[segment];
    const word = (entry & OFFSET_MASK) << 1;
    const value = words[word + WORD_VALUE];
    const fieldLen = words[word + WORD_FIELD_LENGTH];
    this.buf = this.arena.bytes[segment];
    this.fieldPos = (word << 2) + FIELD_OFFSET;
    this.fieldLen = fieldLen;
    this.valuePos = (word << 2) + valueOffset(fieldLen, value);
    this.valueLen = value & LENGTH_MASK;
  }

  /** Number of fields with an expiry. */
  get expiring(): number {
    return this.heap === null ? 0 : this.heap.size;
  }

  /** When the first field expires, ms since 1970; Infinity when none does. */
  get nextExpiryMs(): number {
    return this.heap === null || this.heap.size === 0 ? Number.POSITIVE_INFINITY : this.expireAt(this.heap.first());
  }

  /** The field that expires first, or 0. */
  get firstExpiring(): number {
    return this.heap === null ? 0 : this.heap.first();
  }

  /** When a field expires, ms since 1970; -1 without expiry. */
  expireAt(entry: number): number {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    if (words[word + WORD_VALUE] >= 0) return -1;
    const at = word + (expiryOffset(words[word + WORD_FIELD_LENGTH]) >>> 2);
    return words[at + 1] * 4294967296 + (words[at] >>> 0);
  }

  /** Sets a field's expiry, ms since 1970. Returns the entry, which may have moved. */
  setExpire(entry: number, atMs: number): number {
    this.heap ??= new FieldHeap(this.arena);
    const value = this.word(entry, WORD_VALUE);
    const at = value < 0 ? entry : this.rebuild(entry, value | EXPIRES);
    const word = expiryOffset(this.word(at, WORD_FIELD_LENGTH)) >>> 2;
    this.setWord(at, word, atMs | 0);
    this.setWord(at, word + 1, Math.floor(atMs / 4294967296));
    this.heap.put(at, word, value >= 0);
    return at;
  }

  /** Takes a field's expiry away. Returns the entry, which may have moved. */
  clearExpire(entry: number): number {
    const value = this.word(entry, WORD_VALUE);
    if (value >= 0) return entry;
    this.forgetExpiry(entry);
    return this.rebuild(entry, value & LENGTH_MASK);
  }

  /** Calls `visit` with every entry; `visit` may use open() and change nothing. */
  forEach(visit: (entry: number) => void): void {
    this.dict.forEach(visit);
  }

  free(): void {
    this.dict.forEach((entry) => {
      this.freeEntry(entry);
    });
    this.dict.clear();
    this.heap = null;
  }

  memoryBytes(): number {
    return OBJECT_BYTES + this.blockBytes + this.dict.tableBytes + (this.heap === null ? 0 : this.heap.bytes);
  }

  private word(entry: number, index: number): number {
    return this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + index];
  }

  private setWord(entry: number, index: number, value: number): void {
    this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + index] = value;
  }

  private freeEntry(entry: number): void {
    const value = this.word(entry, WORD_VALUE);
    const size = valueOffset(this.word(entry, WORD_FIELD_LENGTH), value) + (value & LENGTH_MASK);
    this.blockBytes -= this.arena.capacity(size);
    this.arena.free(entry, size);
  }

  private forgetExpiry(entry: number): void {
    if (this.word(entry, WORD_VALUE) >= 0 || this.heap === null) return;
    this.heap.remove(entry, expiryOffset(this.word(entry, WORD_FIELD_LENGTH)) >>> 2);
  }

  /** Copies an entry to a new block with or without room for an expiry, as its new word 3 says. */
  private rebuild(entry: number, value: number): number {
    const fieldLen = this.word(entry, WORD_FIELD_LENGTH);
    const old = this.word(entry, WORD_VALUE);
    const len = old & LENGTH_MASK;
    const from = valueOffset(fieldLen, old);
    const to = valueOffset(fieldLen, value);
    const at = this.arena.alloc(to + len);
    this.blockBytes += this.arena.capacity(to + len) - this.arena.capacity(from + len);
    this.arena.copy(entry, 0, FIELD_OFFSET + fieldLen, at, 0);
    this.arena.copy(entry, from, len, at, to);
    this.setWord(at, WORD_VALUE, value);
    this.dict.replace(entry, at);
    this.arena.free(entry, from + len);
    return at;
  }

  /** An entry with all its bytes now stands at another address: chain and heap follow. */
  private follow(from: number, to: number): void {
    this.dict.replace(from, to);
    if (this.word(to, WORD_VALUE) < 0) {
      this.heap!.moved(to, expiryOffset(this.word(to, WORD_FIELD_LENGTH)) >>> 2);
    }
  }
}

function valueOffset(fieldLen: number, value: number): number {
  return value < 0 ? expiryOffset(fieldLen) + EXPIRY_BYTES : FIELD_OFFSET + fieldLen;
}

function expiryOffset(fieldLen: number): number {
  return (FIELD_OFFSET + fieldLen + 3) & ~3;
}
