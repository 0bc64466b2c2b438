// The bytes of a keyspace entry, and the codes stored in it.
//
//   word 0   next (ChainedTable)
//   word 1   sizes:  | 31..19 value length | 18..7 tag: bits 16 to 27 of the key's hash | 6..0 key length |
//   word 2   meta:   | 31 expires | 30..28 type | 27..24 encoding | 23..0 access clock (LRU seconds, or LFU) |
//   byte 12  key bytes; a key of 127 bytes and more (LONG_KEY) has its length in word 3 and its hash in word 4, as to
//            compute that again would take long, and stands from byte 20 on
//   then, from the next multiple of 4:
//     only with META_EXPIRES: expiry in ms since 1970 (low word, high word) and the entry's index in the database's list
//     of volatile entries
//     only where the value length is LONG_VALUE: a word with the real length, or the id of a large value
//   then the value bytes.
//
// Most keys and values are short, and every byte here is paid for by each of millions of keys.

/** Bytes before the key, and before a long key. */
export const HEADER_BYTES = 12;
export const LONG_HEADER_BYTES = 20;
const EXPIRY_BYTES = 12;
const LONG_VALUE_BYTES = 4;

// Word 0, the next entry, belongs to the table alone.
export const WORD_SIZES = 1;
export const WORD_META = 2;
export const WORD_LONG_KEY = 3;
export const WORD_LONG_HASH = 4;

/** Key length that says: see WORD_LONG_KEY. */
export const LONG_KEY = 127;
const TAG_SHIFT = 7;
export const KEY_LENGTH_MASK = (1 << TAG_SHIFT) - 1;
/** The lowest bit of a hash that is in its tag, and the number of those that are. */
export const TAG_FROM = 16;
export const TAG_BITS = 12;
const TAG_MASK = (1 << TAG_BITS) - 1;
export const VALUE_LENGTH_SHIFT = TAG_SHIFT + TAG_BITS;
/** The bits of WORD_SIZES that a key decides. */
export const SIZES_KEY_MASK = (1 << VALUE_LENGTH_SHIFT) - 1;
/** Value length that says: see the word before the value. */
export const LONG_VALUE = 0xffffffff >>> VALUE_LENGTH_SHIFT;

export const META_EXPIRES = 1 << 31;
export const META_TYPE_SHIFT = 28;
export const META_ENCODING_SHIFT = 24;
export const META_CLOCK_MASK = 0xffffff;

/** Type codes; the names are what TYPE answers. */
export const Type = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  stream: 5,
} as const;

export const TYPE_NAMES = ['string', 'list', 'set', 'zset', 'hash', 'stream'] as const;

/**
 * Encoding codes. Up to `intset` the value's bytes stand in the entry itself; from `hashtable` on the entry holds the id
 * of a large value (see LargeValue). `listpack` is what clients are told: a list is one, a hash, set or sorted set has its
 * elements as a packed run (memory/packed.ts).
 */
export const Encoding = {
  raw: 0,
  int: 1,
  embstr: 2,
  listpack: 3,
  intset: 4,
  hashtable: 8,
  skiplist: 9,
  quicklist: 10,
  stream: 11,
} as const;

/** Longest string that shares one allocation with its object in Redis. */
const EMBSTR_BYTES_MAX = 44;

/** The encoding of a new string that is no integer. */
export function textEncoding(bytes: number): number {
  return bytes <= EMBSTR_BYTES_MAX ? Encoding.embstr : Encoding.raw;
}

/** Names as OBJECT ENCODING prints them, by code. */
export const ENCODING_NAMES: readonly string[] = [
  'raw',
  'int',
  'embstr',
  'listpack',
  'intset',
  '',
  '',
  '',
  'hashtable',
  'skiplist',
  'quicklist',
  'stream',
];

/** Whether values of this encoding stand in the entry itself. */
export function isInline(encoding: number): boolean {
  return encoding < Encoding.hashtable;
}

/** WORD_SIZES of a key's entry, but for the length of its value. */
export function sizesOf(keyLength: number, hash: number): number {
  return Math.min(keyLength, LONG_KEY) | (tagOf(hash) << TAG_SHIFT);
}

/** The bits of a hash that an entry has. */
export function tagOf(hash: number): number {
  return (hash >>> TAG_FROM) & TAG_MASK;
}

/** The tag in a word WORD_SIZES. */
export function storedTag(sizes: number): number {
  return (sizes >>> TAG_SHIFT) & TAG_MASK;
}

/** Bytes from the entry's start to the end of its key. */
export function keyEnd(keyLength: number): number {
  return (keyLength < LONG_KEY ? HEADER_BYTES : LONG_HEADER_BYTES) + keyLength;
}

/** Bytes from the entry's start to its expiry block, if it has one. */
export function expiryOffset(keyLength: number): number {
  return (keyEnd(keyLength) + 3) & ~3;
}

/** Bytes from the entry's start to its value. `isLong`: with a word for the length or id of the value before it. */
export function valueOffset(keyLength: number, meta: number, isLong: boolean): number {
  if (meta >= 0 && !isLong) return keyEnd(keyLength);
  return expiryOffset(keyLength) + (meta < 0 ? EXPIRY_BYTES : 0) + (isLong ? LONG_VALUE_BYTES : 0);
}

/** Words from the entry's start to the one before a long or large value. */
export function longWord(keyLength: number, meta: number): number {
  return (expiryOffset(keyLength) + (meta < 0 ? EXPIRY_BYTES : 0)) >>> 2;
}

/**
 * A value too large or too rich to stand in its entry: a hash table, sorted set, quicklist or stream. One JavaScript
 * object per such value; its elements live in the arena.
 */
export interface LargeValue {
  /** Gives all blocks back to the arena. The value must not be used afterwards. */
  free(): void;
  /** Bytes the value takes in the arena and in tables. */
  memoryBytes(): number;
  /** Elements, for the effort that freeing the value takes (LAZYFREE) and for MEMORY USAGE samples. */
  readonly length: number;
}
