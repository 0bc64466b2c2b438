// One numbered database: keys, values and expiries as entries in the arena (layout.ts draws them). It knows nothing of
// clients, replies or time; lookup.ts adds expiry on access.

import { copyInto, viewOf } from '../base/bytes.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { moveWithin } from '../memory/region.ts';
import { KeyTable } from './key-table.ts';
import {
  Encoding,
  expiryOffset,
  HEADER_BYTES,
  isInline,
  KEY_LENGTH_MASK,
  keyEnd,
  type LargeValue,
  LONG_HEADER_BYTES,
  LONG_KEY,
  LONG_VALUE,
  longWord,
  META_CLOCK_MASK,
  META_ENCODING_SHIFT,
  META_EXPIRES,
  META_TYPE_SHIFT,
  SIZES_KEY_MASK,
  sizesOf,
  VALUE_LENGTH_SHIFT,
  valueOffset,
  WORD_LONG_HASH,
  WORD_LONG_KEY,
  WORD_META,
  WORD_SIZES,
} from './layout.ts';
import type { Space } from './space.ts';

/** "This key has no expiry", as expireAt returns it. */
export const NO_EXPIRY = -1;

export class Database {
  index: number;
  readonly space: Space;
  /** Set by open(): the bytes an inline value stands in, from vpos for vlen bytes. Valid until the next allocation. */
  vbuf: Buffer;
  vpos = 0;
  vlen = 0;
  private readonly arena: Arena;
  private dict: KeyTable;
  /** Addresses of the entries with an expiry, in no order; each entry knows its index here. */
  private volatile: Int32Array = new Int32Array(0);
  private volatileCount = 0;
  /** Hash of the key that find() or findForWrite() last looked for. */
  private lastHash = 0;

  constructor(space: Space, index: number) {
    this.space = space;
    this.index = index;
    this.arena = space.arena;
    this.dict = new KeyTable(this.arena, space.seed);
    this.dict.mayGrow = (bytes) => space.mayGrow === null || space.mayGrow(bytes);
    this.vbuf = Buffer.alloc(0);
  }

  /** Number of keys, expired ones that nobody has noticed yet included. */
  get size(): number {
    return this.dict.size;
  }

  /** Number of keys with an expiry. */
  get volatileSize(): number {
    return this.volatileCount;
  }

  /** The hash table behind the keys, for scans, snapshots and statistics. */
  get table(): KeyTable {
    return this.dict;
  }

  get tableBytes(): number {
    return this.dict.tableBytes + this.volatile.byteLength;
  }

  /** The entry of a key, or 0. Expiry is the caller's business. */
  find(buf: Uint8Array, pos: number, len: number): number {
    const hash = this.space.hash(buf, pos, len);
    this.lastHash = hash;
    return this.dict.find(buf, pos, len, hash);
  }

  /** Like find, for a caller that is about to change, create or delete the key: a running snapshot hears of it first. */
  findForWrite(buf: Uint8Array, pos: number, len: number): number {
    const hash = this.space.hash(buf, pos, len);
    this.lastHash = hash;
    if (this.space.guard !== null) this.space.guard.beforeChange(this, hash);
    return this.dict.find(buf, pos, len, hash);
  }

  /** Tells a running snapshot that a key is about to appear; findForWrite does it for keys that are looked for. */
  announceWrite(key: Uint8Array): void {
    if (this.space.guard !== null) this.space.guard.beforeChange(this, this.space.hash(key, 0, key.length));
  }

  /**
   * Creates an entry for a key that is not there; the value's `valueBytes` bytes are left for the caller to fill
   * (open() finds them). For a large value pass its id as `valueBytes` through createLarge.
   */
  create(buf: Uint8Array, pos: number, len: number, type: number, encoding: number, valueBytes: number): number {
    const hash = this.space.hash(buf, pos, len);
    return this.createWithHash(buf, pos, len, hash, type, encoding, valueBytes);
  }

  /** create() for the key that was last looked for with find() or findForWrite(): saves hashing it again. */
  createFound(buf: Uint8Array, pos: number, len: number, type: number, encoding: number, valueBytes: number): number {
    return this.createWithHash(buf, pos, len, this.lastHash, type, encoding, valueBytes);
  }

  /** Creates an entry that refers to a large value. */
  createLarge(buf: Uint8Array, pos: number, len: number, type: number, encoding: number, value: LargeValue): number {
    const hash = this.space.hash(buf, pos, len);
    const entry = this.createWithHash(buf, pos, len, hash, type, encoding, 0);
    this.setLong(entry, this.space.adopt(value));
    return entry;
  }

  /** Points vbuf, vpos and vlen at an inline value's bytes. */
  open(entry: number): void {
    const segment = entry >>> SEGMENT_SHIFT;
    const words = this.arena.words[segment];
    const word = (entry & OFFSET_MASK) << 1;
    const sizes = words[word + WORD_SIZES];
    const keyLength = sizes & KEY_LENGTH_MASK;
    this.vbuf = this.arena.bytes[segment];
    this.vlen = sizes >>> VALUE_LENGTH_SHIFT;
    if (keyLength !== LONG_KEY && this.vlen !== LONG_VALUE && words[word + WORD_META] >= 0) {
      this.vpos = (word << 2) + HEADER_BYTES + keyLength;
      return;
    }
    this.vpos = (word << 2) + this.valueStart(entry);
    if (this.vlen === LONG_VALUE) this.vlen = words[(this.vpos >>> 2) - 1];
  }

  /** Fills an inline value, whose bytes are still undefined, with `vlen` bytes of `from` at `start`; see open(). */
  fillOpened(entry: number, from: Uint8Array, start: number): void {
    copyInto(this.vbuf, this.viewOf(entry), this.vpos, from, viewOf(from), start, this.vlen);
  }

  /** The large value an entry refers to. */
  large(entry: number): LargeValue {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    const keyLength = words[word + WORD_SIZES] & KEY_LENGTH_MASK;
    if (keyLength === LONG_KEY) return this.space.largeValue(this.long(entry));
    // What long() does, for the keys that nearly all are.
    return this.space.largeValue(words[word + longWord(keyLength, words[word + WORD_META])]);
  }

  type(entry: number): number {
    return (this.word(entry, WORD_META) >>> META_TYPE_SHIFT) & 7;
  }

  encoding(entry: number): number {
    return (this.word(entry, WORD_META) >>> META_ENCODING_SHIFT) & 15;
  }

  setEncoding(entry: number, encoding: number): void {
    const meta = this.word(entry, WORD_META);
    this.setWord(entry, WORD_META, (meta & ~(15 << META_ENCODING_SHIFT)) | (encoding << META_ENCODING_SHIFT));
  }

  /** The access clock: LRU seconds or LFU (see evict.ts), 24 bits. */
  clock(entry: number): number {
    return this.word(entry, WORD_META) & META_CLOCK_MASK;
  }

  setClock(entry: number, clock: number): void {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const at = ((entry & OFFSET_MASK) << 1) + WORD_META;
    const meta = words[at];
    // Mostly it is the same: what is not written need not go to memory again.
    if ((meta & META_CLOCK_MASK) !== clock) words[at] = (meta & ~META_CLOCK_MASK) | clock;
  }

  keyLength(entry: number): number {
    const length = this.word(entry, WORD_SIZES) & KEY_LENGTH_MASK;
    return length === LONG_KEY ? this.word(entry, WORD_LONG_KEY) : length;
  }

  /** The segment bytes a key stands in; with keyPosition and keyLength the key without a copy. */
  keyBuffer(entry: number): Buffer {
    return this.arena.bytes[entry >>> SEGMENT_SHIFT];
  }

  /** The same bytes for reading several at once; positions are those of keyBuffer() and open(). */
  viewOf(entry: number): DataView {
    return this.arena.views[entry >>> SEGMENT_SHIFT];
  }

  keyPosition(entry: number): number {
    const isLong = (this.word(entry, WORD_SIZES) & KEY_LENGTH_MASK) === LONG_KEY;
    return ((entry & OFFSET_MASK) << 3) + (isLong ? LONG_HEADER_BYTES : HEADER_BYTES);
  }

  /** A copy of the key's bytes. */
  keyBytes(entry: number): Buffer {
    const start = this.keyPosition(entry);
    return Buffer.from(this.keyBuffer(entry).subarray(start, start + this.keyLength(entry)));
  }

  /** Bytes of the entry's own block. */
  entryBytes(entry: number): number {
    return this.arena.capacity(this.blockSize(entry));
  }

  /** When the key expires, in ms since 1970, or NO_EXPIRY. */
  expireAt(entry: number): number {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    if (words[word + WORD_META] >= 0) return NO_EXPIRY;
    const at = word + (expiryOffset(this.keyLength(entry)) >>> 2);
    return words[at + 1] * 4294967296 + (words[at] >>> 0);
  }

  /** Sets the expiry (ms since 1970, may be in the past). Returns the entry, which may have moved. */
  setExpire(entry: number, atMs: number): number {
    let at = entry;
    if (this.word(entry, WORD_META) >= 0) at = this.addExpiryBlock(entry);
    const words = this.arena.words[at >>> SEGMENT_SHIFT];
    const word = ((at & OFFSET_MASK) << 1) + (expiryOffset(this.keyLength(at)) >>> 2);
    words[word] = atMs | 0;
    words[word + 1] = Math.floor(atMs / 4294967296);
    return at;
  }

  /** Takes the expiry away (PERSIST). Returns the entry, which may have moved. */
  clearExpire(entry: number): number {
    const meta = this.word(entry, WORD_META);
    if (meta >= 0) return entry;
    this.forgetVolatile(entry);
    return this.rebuild(entry, meta & ~META_EXPIRES);
  }

  /** Mean time to live of the volatile keys in ms, estimated from some of them. */
  averageTtl(nowMs: number): number {
    const count = Math.min(this.volatileCount, 20);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += Math.max(0, this.expireAt(this.volatile[i]) - nowMs);
    return count === 0 ? 0 : Math.floor(sum / count);
  }

  /** The n-th key with an expiry (0 to volatileSize - 1), in no particular order. */
  volatileEntry(n: number): number {
    return this.volatile[n];
  }

  /**
   * Makes an inline value `valueBytes` long: kept bytes stay, new ones are undefined. The entry may move; the new
   * address is returned and open() has been called on it.
   */
  resizeValue(entry: number, valueBytes: number): number {
    this.open(entry);
    if (valueBytes === this.vlen && valueBytes !== 0) return entry;
    return this.reshape(entry, valueBytes, valueBytes >= LONG_VALUE);
  }

  /**
   * Replaces `removed` bytes of an inline value at `offset` by a gap of `inserted` bytes to be filled by the caller.
   * The entry may move; the new address is returned and open() has been called on it.
   */
  spliceValue(entry: number, offset: number, removed: number, inserted: number): number {
    this.open(entry);
    const oldBytes = this.vlen;
    const tail = oldBytes - offset - removed;
    if (inserted < removed) {
      const from = this.vpos + offset + removed;
      moveWithin(this.vbuf, this.vpos + offset + inserted, from, tail);
    }
    const at = inserted === removed ? entry : this.resizeValue(entry, oldBytes - removed + inserted);
    if (inserted > removed) {
      const from = this.vpos + offset + removed;
      moveWithin(this.vbuf, this.vpos + offset + inserted, from, tail);
    }
    return at;
  }

  /** Turns an inline value into a large one of the same key (listpack to hashtable, say). Returns the moved entry. */
  replaceWithLarge(entry: number, encoding: number, value: LargeValue): number {
    this.open(entry);
    return this.refer(this.reshape(entry, 0, true), encoding, value);
  }

  /** Turns a large value into an inline one of `valueBytes` bytes to be filled; frees the old. Returns the entry. */
  replaceWithInline(entry: number, encoding: number, valueBytes: number): number {
    this.releaseLarge(entry).free();
    this.setEncoding(entry, encoding);
    return this.resizeValue(entry, valueBytes);
  }

  /**
   * Gives the key a value of another type or encoding, inline, `valueBytes` long, to be filled by the caller (open()
   * has been called). Expiry stays. Returns the entry, which may have moved.
   */
  overwrite(entry: number, type: number, encoding: number, valueBytes: number): number {
    this.retype(entry, type, encoding);
    return this.resizeValue(entry, valueBytes);
  }

  /** Gives the key a large value of any type; the old value is freed, expiry stays. Returns the entry (it may move). */
  overwriteLarge(entry: number, type: number, encoding: number, value: LargeValue): number {
    this.retype(entry, type, Encoding.raw);
    this.open(entry);
    return this.refer(this.reshape(entry, 0, true), encoding, value);
  }

  /** Deletes a key and frees its value. */
  delete(entry: number): void {
    if (this.space.guard !== null) this.space.guard.beforeChange(this, this.dict.hashOf(entry));
    const meta = this.word(entry, WORD_META);
    if (meta < 0) this.forgetVolatile(entry);
    this.dict.remove(entry);
    this.freeEntry(entry);
  }

  /**
   * Unlinks a large value from its key and deletes the key; the value itself survives and is returned, for a move to
   * another key or for freeing in the background.
   */
  detachLarge(entry: number): LargeValue {
    const value = this.releaseLarge(entry);
    this.setEncoding(entry, Encoding.raw);
    this.delete(entry);
    return value;
  }

  /** Deletes every key. Returns how many there were. */
  clear(): number {
    const removed = this.dict.size;
    if (removed === 0) {
      // The table of keys that were deleted one by one; without it the arena can drop its segments.
      if (!this.dict.resizePaused) this.dict.clear();
      return 0;
    }
    if (this.space.guard !== null) this.space.guard.beforeClear(this);
    this.dict.forEach((entry) => {
      this.freeEntry(entry);
    });
    this.dict.clear();
    this.volatile = new Int32Array(0);
    this.volatileCount = 0;
    return removed;
  }

  /** Exchanges all keys with another database of the same space; the index stays. */
  exchange(other: Database): void {
    const { dict, volatile, volatileCount } = this;
    this.dict = other.dict;
    this.volatile = other.volatile;
    this.volatileCount = other.volatileCount;
    other.dict = dict;
    other.volatile = volatile;
    other.volatileCount = volatileCount;
  }

  private createWithHash(
    buf: Uint8Array,
    pos: number,
    len: number,
    hash: number,
    type: number,
    encoding: number,
    valueBytes: number,
  ): number {
    const isLong = valueBytes >= LONG_VALUE || !isInline(encoding);
    const entry = this.arena.alloc(valueOffset(len, 0, isLong) + valueBytes);
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    words[word + WORD_SIZES] = sizesOf(len, hash) | ((isLong ? LONG_VALUE : valueBytes) << VALUE_LENGTH_SHIFT);
    words[word + WORD_META] = (type << META_TYPE_SHIFT) | (encoding << META_ENCODING_SHIFT) | this.space.clock;
    if (len >= LONG_KEY) {
      words[word + WORD_LONG_KEY] = len;
      words[word + WORD_LONG_HASH] = hash;
    }
    if (isLong) this.setLong(entry, valueBytes);
    this.arena.write(entry, keyEnd(len) - len, buf, pos, len);
    this.dict.insert(entry, hash);
    if (this.space.created !== null) this.space.created(this, buf, pos, len);
    return entry;
  }

  private word(entry: number, index: number): number {
    return this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + index];
  }

  private setWord(entry: number, index: number, value: number): void {
    this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + index] = value;
  }

  /** Whether a word before the value has its length, or its id. */
  private isLong(entry: number): boolean {
    return this.word(entry, WORD_SIZES) >>> VALUE_LENGTH_SHIFT === LONG_VALUE;
  }

  /** Bytes from the entry's start to its value. */
  private valueStart(entry: number): number {
    return valueOffset(this.keyLength(entry), this.word(entry, WORD_META), this.isLong(entry));
  }

  /** The word before a long or large value: its length or its id. */
  private long(entry: number): number {
    return this.word(entry, this.longAt(entry));
  }

  private setLong(entry: number, value: number): void {
    this.setWord(entry, this.longAt(entry), value);
  }

  private longAt(entry: number): number {
    return longWord(this.keyLength(entry), this.word(entry, WORD_META));
  }

  /** Bytes the entry's block was asked for. */
  private blockSize(entry: number): number {
    if (!this.isLong(entry)) return this.valueStart(entry) + (this.word(entry, WORD_SIZES) >>> VALUE_LENGTH_SHIFT);
    return this.valueStart(entry) + (isInline(this.encoding(entry)) ? this.long(entry) : 0);
  }

  private freeEntry(entry: number): void {
    const size = this.blockSize(entry);
    if (!isInline(this.encoding(entry))) this.space.release(this.long(entry)).free();
    this.arena.free(entry, size);
  }

  /** Takes the large value out of its entry, which is left as a long value of no bytes. */
  private releaseLarge(entry: number): LargeValue {
    const value = this.space.release(this.long(entry));
    this.setLong(entry, 0);
    return value;
  }

  /** Makes an entry with a word for it refer to a large value. Returns the entry. */
  private refer(entry: number, encoding: number, value: LargeValue): number {
    this.setEncoding(entry, encoding);
    this.setLong(entry, this.space.adopt(value));
    return entry;
  }

  /** Sets another type and encoding; a large value is freed and leaves one of no bytes. */
  private retype(entry: number, type: number, encoding: number): void {
    const meta = this.word(entry, WORD_META);
    if (!isInline((meta >>> META_ENCODING_SHIFT) & 15)) this.releaseLarge(entry).free();
    const code = (type << META_TYPE_SHIFT) | (encoding << META_ENCODING_SHIFT);
    this.setWord(entry, WORD_META, (meta & META_EXPIRES) | code | (meta & META_CLOCK_MASK));
  }

  /**
   * Makes the opened inline value of an entry `valueBytes` long, with a word for a length or id before it or without.
   * Kept bytes stay. The entry may move; the new address is returned and open() has been called on it.
   */
  private reshape(entry: number, valueBytes: number, isLong: boolean): number {
    const oldBytes = this.vlen;
    const kept = Math.min(oldBytes, valueBytes);
    const from = this.valueStart(entry);
    const to = valueOffset(this.keyLength(entry), this.word(entry, WORD_META), isLong);
    let at = entry;
    if (this.arena.fits(entry, from + oldBytes, to + valueBytes)) {
      if (from !== to) moveWithin(this.vbuf, this.vpos - from + to, this.vpos, kept);
    } else {
      at = this.arena.allocGrowing(to + valueBytes);
      // What stands before the value is the same, but for its length.
      this.arena.copy(entry, 0, from === to ? to + kept : Math.min(from, to), at, 0);
      if (from !== to) this.arena.copy(entry, from, kept, at, to);
      this.moved(entry, at);
      this.arena.free(entry, from + oldBytes);
    }
    const sizes = this.word(at, WORD_SIZES) & SIZES_KEY_MASK;
    this.setWord(at, WORD_SIZES, sizes | ((isLong ? LONG_VALUE : valueBytes) << VALUE_LENGTH_SHIFT));
    if (isLong) this.setLong(at, valueBytes);
    this.open(at);
    return at;
  }

  /** The entry's bytes now stand at another address: chain and list of volatile entries follow. */
  private moved(from: number, to: number): void {
    this.dict.replace(from, to);
    if (this.word(to, WORD_META) < 0) this.volatile[this.volatileIndex(to)] = to;
  }

  private volatileIndex(entry: number): number {
    return this.word(entry, (expiryOffset(this.keyLength(entry)) >>> 2) + 2);
  }

  private addExpiryBlock(entry: number): number {
    const at = this.rebuild(entry, this.word(entry, WORD_META) | META_EXPIRES);
    if (this.volatileCount === this.volatile.length) {
      const grown = new Int32Array(Math.max(16, this.volatileCount * 2));
      grown.set(this.volatile);
      this.volatile = grown;
    }
    this.volatile[this.volatileCount] = at;
    this.setWord(at, (expiryOffset(this.keyLength(at)) >>> 2) + 2, this.volatileCount++);
    return at;
  }

  private forgetVolatile(entry: number): void {
    const index = this.volatileIndex(entry);
    const last = this.volatile[--this.volatileCount];
    if (last !== entry) {
      this.volatile[index] = last;
      this.setWord(last, (expiryOffset(this.keyLength(last)) >>> 2) + 2, index);
    }
    if (this.volatile.length > 64 && this.volatileCount < this.volatile.length >>> 2) {
      this.volatile = this.volatile.slice(0, this.volatile.length >>> 1);
    }
  }

  /** Copies an entry to a new block with another meta word, that is with or without an expiry block. */
  private rebuild(entry: number, meta: number): number {
    const keyLength = this.keyLength(entry);
    const oldMeta = this.word(entry, WORD_META);
    const size = this.blockSize(entry);
    const isLong = this.isLong(entry);
    // The word before a long value goes with it.
    const wordBytes = isLong ? 4 : 0;
    const from = valueOffset(keyLength, oldMeta, isLong) - wordBytes;
    const to = valueOffset(keyLength, meta, isLong) - wordBytes;
    const rest = size - from;
    const at = this.arena.alloc(to + rest);
    this.arena.copy(entry, 0, keyEnd(keyLength), at, 0);
    this.setWord(at, WORD_META, meta);
    this.arena.copy(entry, from, rest, at, to);
    this.dict.replace(entry, at);
    this.arena.free(entry, size);
    return at;
  }
}
