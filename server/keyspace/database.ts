// One numbered database: keys, values and expiries as entries in the arena (layout.ts draws them). It knows nothing of
// clients, replies or time; lookup.ts adds expiry on access.

import { copyInto, viewOf } from '../base/bytes.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { Dict } from '../memory/dict.ts';
import { moveWithin } from '../memory/region.ts';
import {
  expiryOffset,
  HEADER_BYTES,
  isInline,
  type LargeValue,
  META_CLOCK_MASK,
  META_ENCODING_SHIFT,
  META_EXPIRES,
  META_TYPE_SHIFT,
  valueOffset,
  WORD_HASH,
  WORD_KEY_LENGTH,
  WORD_META,
  WORD_VALUE,
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
  private dict: Dict;
  /** Addresses of the entries with an expiry, in no order; each entry knows its index here. */
  private volatile: Int32Array = new Int32Array(0);
  private volatileCount = 0;
  /** Hash of the key that find() or findForWrite() last looked for. */
  private lastHash = 0;

  constructor(space: Space, index: number) {
    this.space = space;
    this.index = index;
    this.arena = space.arena;
    this.dict = new Dict(this.arena, HEADER_BYTES);
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
  get table(): Dict {
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
    this.setWord(entry, WORD_VALUE, this.space.adopt(value));
    return entry;
  }

  /** Points vbuf, vpos and vlen at an inline value's bytes. */
  open(entry: number): void {
    const segment = entry >>> SEGMENT_SHIFT;
    const words = this.arena.words[segment];
    const word = (entry & OFFSET_MASK) << 1;
    this.vbuf = this.arena.bytes[segment];
    this.vpos = (word << 2) + valueOffset(words[word + WORD_KEY_LENGTH], words[word + WORD_META]);
    this.vlen = words[word + WORD_VALUE];
  }

  /** Fills an inline value, whose bytes are still undefined, with `vlen` bytes of `from` at `start`; see open(). */
  fillOpened(entry: number, from: Uint8Array, start: number): void {
    copyInto(this.vbuf, this.viewOf(entry), this.vpos, from, viewOf(from), start, this.vlen);
  }

  /** The large value an entry refers to. */
  large(entry: number): LargeValue {
    return this.space.largeValue(this.word(entry, WORD_VALUE));
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
    words[at] = (words[at] & ~META_CLOCK_MASK) | clock;
  }

  keyLength(entry: number): number {
    return this.word(entry, WORD_KEY_LENGTH);
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
    return ((entry & OFFSET_MASK) << 3) + HEADER_BYTES;
  }

  /** A copy of the key's bytes. */
  keyBytes(entry: number): Buffer {
    const start = this.keyPosition(entry);
    return Buffer.from(this.keyBuffer(entry).subarray(start, start + this.keyLength(entry)));
  }

  hashOf(entry: number): number {
    return this.word(entry, WORD_HASH);
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
    const at = word + (expiryOffset(words[word + WORD_KEY_LENGTH]) >>> 2);
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
    const oldBytes = this.word(entry, WORD_VALUE);
    if (valueBytes === oldBytes) {
      this.open(entry);
      return entry;
    }
    const head = valueOffset(this.keyLength(entry), this.word(entry, WORD_META));
    let at = entry;
    if (!this.arena.fits(entry, head + oldBytes, head + valueBytes)) {
      at = this.arena.allocGrowing(head + valueBytes);
      this.arena.copy(entry, 0, head + Math.min(oldBytes, valueBytes), at, 0);
      this.moved(entry, at);
      this.arena.free(entry, head + oldBytes);
    }
    this.setWord(at, WORD_VALUE, valueBytes);
    this.open(at);
    return at;
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
    const at = this.resizeValue(entry, 0);
    this.setEncoding(at, encoding);
    this.setWord(at, WORD_VALUE, this.space.adopt(value));
    return at;
  }

  /** Turns a large value into an inline one of `valueBytes` bytes to be filled; frees the old. Returns the entry. */
  replaceWithInline(entry: number, encoding: number, valueBytes: number): number {
    this.space.release(this.word(entry, WORD_VALUE)).free();
    this.setWord(entry, WORD_VALUE, 0);
    this.setEncoding(entry, encoding);
    return this.resizeValue(entry, valueBytes);
  }

  /**
   * Gives the key a value of another type or encoding, inline, `valueBytes` long, to be filled by the caller (open()
   * has been called). Expiry stays. Returns the entry, which may have moved.
   */
  overwrite(entry: number, type: number, encoding: number, valueBytes: number): number {
    const meta = this.word(entry, WORD_META);
    const code = (type << META_TYPE_SHIFT) | (encoding << META_ENCODING_SHIFT);
    if (!isInline((meta >>> META_ENCODING_SHIFT) & 15)) {
      this.space.release(this.word(entry, WORD_VALUE)).free();
      this.setWord(entry, WORD_VALUE, 0);
    }
    this.setWord(entry, WORD_META, (meta & META_EXPIRES) | code | (meta & META_CLOCK_MASK));
    return this.resizeValue(entry, valueBytes);
  }

  /** Gives the key a large value of any type; the old value is freed, expiry stays. Returns the entry (it may move). */
  overwriteLarge(entry: number, type: number, encoding: number, value: LargeValue): number {
    const at = this.overwrite(entry, type, encoding, 0);
    this.setWord(at, WORD_VALUE, this.space.adopt(value));
    return at;
  }

  /** Deletes a key and frees its value. */
  delete(entry: number): void {
    if (this.space.guard !== null) this.space.guard.beforeChange(this, this.hashOf(entry));
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
    const value = this.space.release(this.word(entry, WORD_VALUE));
    this.setEncoding(entry, 0);
    this.setWord(entry, WORD_VALUE, 0);
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
    const entry = this.arena.alloc(HEADER_BYTES + len + valueBytes);
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    words[word + WORD_HASH] = hash;
    words[word + WORD_KEY_LENGTH] = len;
    words[word + WORD_VALUE] = valueBytes;
    words[word + WORD_META] = (type << META_TYPE_SHIFT) | (encoding << META_ENCODING_SHIFT) | this.space.clock;
    this.arena.write(entry, HEADER_BYTES, buf, pos, len);
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

  /** Bytes the entry's block was asked for. */
  private blockSize(entry: number): number {
    const meta = this.word(entry, WORD_META);
    const inline = isInline((meta >>> META_ENCODING_SHIFT) & 15) ? this.word(entry, WORD_VALUE) : 0;
    return valueOffset(this.keyLength(entry), meta) + inline;
  }

  private freeEntry(entry: number): void {
    const size = this.blockSize(entry);
    if (!isInline(this.encoding(entry))) this.space.release(this.word(entry, WORD_VALUE)).free();
    this.arena.free(entry, size);
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
    const oldOffset = valueOffset(keyLength, oldMeta);
    const newOffset = valueOffset(keyLength, meta);
    const valueBytes = size - oldOffset;
    const at = this.arena.alloc(newOffset + valueBytes);
    this.arena.copy(entry, 0, HEADER_BYTES + keyLength, at, 0);
    this.setWord(at, WORD_META, meta);
    this.arena.copy(entry, oldOffset, valueBytes, at, newOffset);
    this.dict.replace(entry, at);
    this.arena.free(entry, size);
    return at;
  }
}
