// The bytes of a keyspace entry, and the codes stored in it.
//
//   word 0   next      (Dict)            word 3   value length in bytes, or the id of a large value
//   word 1   hash      (Dict)            word 4   meta
//   word 2   key length (Dict)           byte 20  key bytes
//   then, only with META_EXPIRES, from the next multiple of 4: expiry in ms since 1970 (low word, high word) and the
//   entry's index in the database's list of volatile entries; then the value bytes.
//
//   meta:   | 31 expires | 30..28 type | 27..24 encoding | 23..0 access clock (LRU seconds, or LFU) |

export const HEADER_BYTES = 20;
export const EXPIRY_BYTES = 12;

// Word 0, the next entry, belongs to the Dict alone.
export const WORD_HASH = 1;
export const WORD_KEY_LENGTH = 2;
export const WORD_VALUE = 3;
export const WORD_META = 4;

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
 * of a large value (see LargeValue).
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

/** Bytes from the entry's start to its value. */
export function valueOffset(keyLength: number, meta: number): number {
  return meta < 0 ? expiryOffset(keyLength) + EXPIRY_BYTES : HEADER_BYTES + keyLength;
}

/** Bytes from the entry's start to its expiry block. */
export function expiryOffset(keyLength: number): number {
  return (HEADER_BYTES + keyLength + 3) & ~3;
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
