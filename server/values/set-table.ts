// Members in a hash table in the arena: a large set as it is, and the member side of a large sorted set.
//
//   word 0 next | word 1 hash | word 2 member length (Dict) | the owner's words | member bytes from `keyOffset` on

import { type HashSeed, hashBytes } from '../base/hash.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { Dict } from '../memory/dict.ts';

/** Where members stand when the owner has no words of its own: a plain set. */
const PLAIN_OFFSET = 12;

export class MemberTable {
  readonly dict: Dict;
  protected readonly arena: Arena;
  private readonly seed: HashSeed;
  private readonly keyOffset: number;
  private entryBytes = 0;
  private lastHash = 0;

  constructor(arena: Arena, seed: HashSeed, keyOffset: number) {
    this.arena = arena;
    this.seed = seed;
    this.keyOffset = keyOffset;
    this.dict = new Dict(arena, keyOffset);
  }

  get length(): number {
    return this.dict.size;
  }

  /** Bytes of entries and tables. */
  memoryBytes(): number {
    return this.entryBytes + this.dict.tableBytes;
  }

  /** The entry of a member, or 0. */
  find(buf: Uint8Array, pos: number, len: number): number {
    this.lastHash = hashBytes(this.seed, buf, pos, len);
    return this.dict.find(buf, pos, len, this.lastHash);
  }

  /** Adds the member that find() has just not found; the owner's words are left to fill. */
  insertFound(buf: Uint8Array, pos: number, len: number): number {
    const bytes = this.keyOffset + len;
    const entry = this.arena.alloc(bytes);
    this.entryBytes += this.arena.capacity(bytes);
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    words[word + 1] = this.lastHash;
    words[word + 2] = len;
    this.arena.write(entry, this.keyOffset, buf, pos, len);
    this.dict.insert(entry, this.lastHash);
    return entry;
  }

  /** Unlinks an entry and gives its block back. */
  removeEntry(entry: number): void {
    this.dict.remove(entry);
    this.release(entry);
  }

  /** Buffer, position and length of an entry's member. */
  memberBuffer(entry: number): Buffer {
    return this.arena.bytes[entry >>> SEGMENT_SHIFT];
  }

  memberPosition(entry: number): number {
    return ((entry & OFFSET_MASK) << 3) + this.keyOffset;
  }

  memberLength(entry: number): number {
    return this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + 2];
  }

  /** Frees every entry. */
  free(): void {
    this.dict.forEach((entry) => {
      this.release(entry);
    });
    this.dict.clear();
  }

  private release(entry: number): void {
    const bytes = this.keyOffset + this.memberLength(entry);
    this.entryBytes -= this.arena.capacity(bytes);
    this.arena.free(entry, bytes);
  }
}

/** A set too large for intset or packed run (a LargeValue of the keyspace). */
export class HashSet extends MemberTable {
  constructor(arena: Arena, seed: HashSeed) {
    super(arena, seed, PLAIN_OFFSET);
  }

  has(buf: Uint8Array, pos: number, len: number): boolean {
    return this.find(buf, pos, len) !== 0;
  }

  /** Adds a member; returns false when it is there already. The bytes must not lie in the arena's free blocks. */
  add(buf: Uint8Array, pos: number, len: number): boolean {
    if (this.find(buf, pos, len) !== 0) return false;
    this.insertFound(buf, pos, len);
    return true;
  }

  /** Removes a member; returns false when it is not there. */
  remove(buf: Uint8Array, pos: number, len: number): boolean {
    const entry = this.find(buf, pos, len);
    if (entry === 0) return false;
    this.removeEntry(entry);
    return true;
  }
}
