// The hash table of keys. Its entries (layout.ts draws them) say twelve bits of their hash: enough to pass over nearly all
// others of a chain without a look at their keys, and to tell where an entry goes when a table of 65,536 buckets and more
// doubles. Where the whole hash is needed, in small tables and when an entry moves, it is computed again (entries of long
// keys have it).

import { equalBytes, viewOf } from '../base/bytes.ts';
import { type HashSeed, hashView } from '../base/hash.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { ChainedTable } from '../memory/chained-table.ts';
import {
  HEADER_BYTES,
  KEY_LENGTH_MASK,
  LONG_HEADER_BYTES,
  LONG_KEY,
  SIZES_KEY_MASK,
  sizesOf,
  storedTag,
  TAG_BITS,
  TAG_FROM,
  tagOf,
  WORD_LONG_HASH,
  WORD_LONG_KEY,
  WORD_SIZES,
} from './layout.ts';

export class KeyTable extends ChainedTable {
  private readonly seed: HashSeed;

  constructor(arena: Arena, seed: HashSeed) {
    super(arena);
    this.seed = seed;
  }

  override hashOf(entry: number): number {
    const segment = entry >>> SEGMENT_SHIFT;
    const words = this.arena.words[segment];
    const word = (entry & OFFSET_MASK) << 1;
    const length = words[word + WORD_SIZES] & KEY_LENGTH_MASK;
    if (length === LONG_KEY) return words[word + WORD_LONG_HASH];
    return hashView(this.seed, this.arena.views[segment], (word << 2) + HEADER_BYTES, length);
  }

  /** The entry itself if a key of that hash may be its own, else the one after it. */
  follow(entry: number, hash: number): number {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    return storedTag(words[word + WORD_SIZES]) === tagOf(hash) ? entry : words[word];
  }

  /** Reads the word behind an entry's key, and so the cache line that holds it; the first is read by follow(). */
  behindKey(entry: number): number {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const word = (entry & OFFSET_MASK) << 1;
    const keyLength = words[word + WORD_SIZES] & KEY_LENGTH_MASK;
    return words[Math.min(word + ((HEADER_BYTES + keyLength) >> 2), words.length - 1)];
  }

  /** What a doubling adds to the number of a bucket is one bit of the hash, which mostly is in the tag. */
  protected override bucketAfterGrowth(entry: number, bucket: number, buckets: number): number {
    const bit = 31 - Math.clz32(buckets) - TAG_FROM;
    if (bit < 0 || bit >= TAG_BITS) return super.bucketAfterGrowth(entry, bucket, buckets);
    const sizes = this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + WORD_SIZES];
    return ((storedTag(sizes) >>> bit) & 1) === 0 ? bucket : bucket + buckets;
  }

  protected override findInChain(head: number, buf: Uint8Array, pos: number, len: number, hash: number): number {
    const wanted = sizesOf(len, hash);
    let entry = head;
    while (entry !== 0) {
      const segment = entry >>> SEGMENT_SHIFT;
      const words = this.arena.words[segment];
      const word = (entry & OFFSET_MASK) << 1;
      if ((words[word + WORD_SIZES] & SIZES_KEY_MASK) === wanted) {
        const view = this.arena.views[segment];
        if (len < LONG_KEY) {
          if (equalBytes(view, (word << 2) + HEADER_BYTES, viewOf(buf), pos, len)) return entry;
        } else if (words[word + WORD_LONG_HASH] === hash && words[word + WORD_LONG_KEY] === len) {
          if (equalBytes(view, (word << 2) + LONG_HEADER_BYTES, viewOf(buf), pos, len)) return entry;
        }
      }
      entry = words[word];
    }
    return 0;
  }
}
