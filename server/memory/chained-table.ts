// A chained hash table whose entries live in the arena. Of an entry it knows word 0, the address of the next one in its
// bucket (0 at the end); how a key is compared and where its hash comes from is told by the class on top: Dict for fields
// and members, the keyspace's KeyTable for keys. The owner allocates, fills and frees entries.
//
// Power-of-two tables, two at a time while it resizes, one bucket moved per access: no request ever waits for a
// rehash. Chaining, because SCAN's guarantee needs the reverse-binary cursor over power-of-two buckets.
//
// A small table is a block of the arena, a large one an array of its own: a value with few fields must not cost the
// garbage collector an array.

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from './arena.ts';

const INITIAL_BUCKETS = 4;
/** Largest table in the arena. */
const ARENA_BUCKETS_MAX = 1024;
/** The table of every dict that has had no entry yet: one empty bucket. Never written to. */
const NO_TABLE = new Int32Array(1);
/** Empty buckets that one rehash step may skip before it gives the request its turn back. */
const EMPTY_VISITS_MAX = 10;
/** Places in a chain among which fairEntry draws. */
const CHAIN_PLACES = 4;
/** Entries a bucket, on average, from which on the table grows whatever the owner says. */
const FULL_CHAIN = 4;
/** Draws that may miss before a resize in progress is helped along. */
const DRAWS_MAX = 64;

export abstract class ChainedTable {
  /** Number of entries. */
  size = 0;
  protected readonly arena: Arena;
  /** The words that hold the buckets: `mask + 1` of them, from word `origin(block)` on. */
  private table: Int32Array = NO_TABLE;
  private mask = 0;
  /** The table's block in the arena, 0 for an array of its own. */
  private block = 0;
  /** Where entries go while the table is being resized. */
  private target: Int32Array | null = null;
  private targetMask = 0;
  private targetBlock = 0;
  /** Next bucket of `table` to move to `target`. */
  private rehashAt = 0;
  private resizePauses = 0;
  /** Asked before the table grows by that many bytes; a no holds until the chains are long. Null: it may. */
  mayGrow: ((bytes: number) => boolean) | null = null;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** The hash of an entry's key. */
  abstract hashOf(entry: number): number;

  /** The entry of a key among those of a chain, or 0. */
  protected abstract findInChain(head: number, buf: Uint8Array, pos: number, len: number, hash: number): number;

  /** Finds the entry of a key: its address, or 0. `hash` is the key's hash by the owner's seed. */
  find(buf: Uint8Array, pos: number, len: number, hash: number): number {
    if (this.target !== null && this.resizePauses === 0) this.rehashStep();
    const found = this.findInChain(this.table[origin(this.block) + (hash & this.mask)], buf, pos, len, hash);
    if (found !== 0 || this.target === null) return found;
    return this.findInChain(this.target[origin(this.targetBlock) + (hash & this.targetMask)], buf, pos, len, hash);
  }

  /** Head of the chain in which a key of that hash stands, or 0, to be read ahead of time; find() looks further. */
  headOf(hash: number): number {
    return this.table[origin(this.block) + (hash & this.mask)];
  }

  /** Links a new entry, whose key is already written. The key must not be there. */
  insert(entry: number, hash: number): void {
    if (this.table === NO_TABLE) this.allocate(INITIAL_BUCKETS);
    if (this.target === null && this.size > this.mask && this.resizePauses === 0 && this.growthAllowed()) {
      this.startResize((this.mask + 1) << 1);
    }
    const table = this.target ?? this.table;
    const bucket =
      this.target === null
        ? origin(this.block) + (hash & this.mask)
        : origin(this.targetBlock) + (hash & this.targetMask);
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    words[(entry & OFFSET_MASK) << 1] = table[bucket];
    table[bucket] = entry;
    this.size++;
  }

  /** Unlinks an entry; the owner frees it. */
  remove(entry: number): void {
    this.relink(entry, this.next(entry));
    this.size--;
    this.shrinkWhenSparse();
  }

  /** Puts `moved` where `entry` was, after the owner copied the entry to a new block (with word 0 copied too). */
  replace(entry: number, moved: number): void {
    this.relink(entry, moved);
  }

  /** Grows the table at once for `count` expected entries, as a load with a known size does. */
  reserve(count: number): void {
    if (this.size > 0 || this.target !== null || count <= this.mask + 1) return;
    this.release();
    this.allocate(bucketsFor(count));
  }

  /** While paused, no entry changes its bucket. Calls nest. */
  pauseResize(): void {
    this.resizePauses++;
  }

  resumeResize(): void {
    this.resizePauses--;
    this.shrinkWhenSparse();
  }

  get resizePaused(): boolean {
    return this.resizePauses > 0;
  }

  get resizing(): boolean {
    return this.target !== null;
  }

  /** Moves up to `buckets` buckets; returns whether the resize goes on. For idle time. */
  rehash(buckets: number): boolean {
    for (let i = 0; i < buckets && this.target !== null && this.resizePauses === 0; i++) this.rehashStep();
    return this.target !== null;
  }

  /** Number of buckets in both tables. */
  get buckets(): number {
    return this.mask + 1 + (this.target === null ? 0 : this.targetMask + 1);
  }

  /** Bytes of the tables themselves. */
  get tableBytes(): number {
    return this.buckets << 2;
  }

  /** Buckets of the smaller table: every entry belongs to one of them by `hash & (homeBuckets - 1)`. */
  get homeBuckets(): number {
    return (this.target === null ? this.mask : Math.min(this.mask, this.targetMask)) + 1;
  }

  /** Calls `visit` with each entry whose hash falls into home bucket `home`. `visit` may not change the dict. */
  visitHome(home: number, visit: (entry: number) => void): void {
    const homes = this.homeBuckets;
    for (let bucket = home, { buckets } = this; bucket < buckets; bucket += homes) {
      this.visitChain(this.head(bucket), visit);
    }
  }

  /**
   * One SCAN step: visits every entry of the cursor's bucket (in both tables) and returns the next cursor, 0 at the
   * end. An entry that is there from the first to the last step is visited at least once, whatever resizes happen.
   */
  scan(cursor: number, visit: (entry: number) => void): number {
    if (this.size === 0) return 0;
    this.resizePauses++;
    let next = cursor | 0;
    if (this.target === null) {
      this.visitChain(this.table[origin(this.block) + (next & this.mask)], visit);
      next = advance(next, this.mask);
    } else {
      const grows = this.mask < this.targetMask;
      const smallMask = grows ? this.mask : this.targetMask;
      const largeMask = grows ? this.targetMask : this.mask;
      // Buckets of the target are counted after those of the table, see head().
      const small = grows ? 0 : this.mask + 1;
      const large = grows ? this.mask + 1 : 0;
      this.visitChain(this.head(small + (next & smallMask)), visit);
      do {
        this.visitChain(this.head(large + (next & largeMask)), visit);
        next = advance(next, largeMask);
      } while ((next & (smallMask ^ largeMask)) !== 0);
    }
    this.resizePauses--;
    return next >>> 0;
  }

  /** Calls `visit` with every entry. `visit` may remove or replace the entry it was given, nothing else. */
  forEach(visit: (entry: number) => void): void {
    this.resizePauses++;
    for (let bucket = 0, { buckets } = this; bucket < buckets; bucket++) this.visitChain(this.head(bucket), visit);
    this.resumeResize();
  }

  /** A random entry (uniform over buckets, then over the chain), 0 when empty. `random(n)` gives 0..n-1. */
  randomEntry(random: (bound: number) => number): number {
    if (this.size === 0) return 0;
    if (this.target !== null && this.resizePauses === 0) this.rehashStep();
    const { buckets } = this;
    for (;;) {
      const head = this.head(random(buckets));
      if (head !== 0) return this.pick(head, random);
    }
  }

  /**
   * A random entry, each with the same chance, 0 when empty: draws a bucket and a place in its chain together and tries
   * again where nothing stands. (In a chain of five or more the fourth and later ones share a place, which is too rare
   * to be seen.)
   */
  fairEntry(random: (bound: number) => number): number {
    if (this.size === 0) return 0;
    for (;;) {
      if (this.target !== null && this.resizePauses === 0) this.rehashStep();
      const entry = this.drawEntry(random);
      if (entry !== 0) return entry;
      // A nearly empty table is on its way to a smaller one: hurry.
      this.rehash(DRAWS_MAX);
    }
  }

  /** First entry of bucket `bucket` (0 to buckets - 1), for walks that stop early: pause resizes meanwhile. */
  head(bucket: number): number {
    const behind = bucket - this.mask - 1;
    return behind < 0 ? this.table[origin(this.block) + bucket] : this.target![origin(this.targetBlock) + behind];
  }

  /** The entry after `entry` in its chain, or 0. */
  next(entry: number): number {
    return this.arena.words[entry >>> SEGMENT_SHIFT][(entry & OFFSET_MASK) << 1];
  }

  /** Forgets all entries without freeing them, and gives the tables back. */
  clear(): void {
    this.release();
    if (this.target !== null) this.freeTable(this.targetBlock, this.targetMask + 1);
    this.target = null;
    this.targetBlock = 0;
    this.size = 0;
    this.rehashAt = 0;
  }

  /** Lengths of chains by number of buckets, for DEBUG HTSTATS: index is the chain length, capped at `longest`. */
  chainLengths(longest: number): number[] {
    const counts = new Array<number>(longest + 1).fill(0);
    for (let bucket = 0; bucket <= this.mask; bucket++) {
      let length = 0;
      for (let entry = this.head(bucket); entry !== 0; entry = this.next(entry)) length++;
      counts[Math.min(length, longest)]++;
    }
    return counts;
  }

  /** Up to DRAWS_MAX draws of a bucket and a place in its chain; 0 when none of them hit. */
  private drawEntry(random: (bound: number) => number): number {
    const skipped = this.target === null ? 0 : this.rehashAt;
    const places = (this.buckets - skipped) * CHAIN_PLACES;
    for (let draws = 0; draws < DRAWS_MAX; draws++) {
      const draw = random(places);
      const place = draw % CHAIN_PLACES;
      let entry = this.head(skipped + Math.floor(draw / CHAIN_PLACES));
      for (let steps = place; steps > 0 && entry !== 0; steps--) entry = this.next(entry);
      if (entry !== 0) return place < CHAIN_PLACES - 1 ? entry : this.pick(entry, random);
    }
    return 0;
  }

  /** The bucket of a table of twice as many for an entry of bucket `bucket` of `buckets`. */
  protected bucketAfterGrowth(entry: number, _bucket: number, buckets: number): number {
    return this.hashOf(entry) & (buckets * 2 - 1);
  }

  private visitChain(head: number, visit: (entry: number) => void): void {
    let entry = head;
    while (entry !== 0) {
      const next = this.next(entry);
      visit(entry);
      entry = next;
    }
  }

  private pick(head: number, random: (bound: number) => number): number {
    let length = 0;
    for (let entry = head; entry !== 0; entry = this.next(entry)) length++;
    let entry = head;
    for (let steps = length === 1 ? 0 : random(length); steps > 0; steps--) entry = this.next(entry);
    return entry;
  }

  /** Makes whatever points at `entry` point at `successor`. */
  private relink(entry: number, successor: number): void {
    const hash = this.hashOf(entry);
    if (this.relinkIn(this.table, origin(this.block) + (hash & this.mask), entry, successor)) return;
    if (this.target !== null) {
      const bucket = origin(this.targetBlock) + (hash & this.targetMask);
      if (this.relinkIn(this.target, bucket, entry, successor)) return;
    }
    throw new Error('hash table: the entry is not linked');
  }

  private relinkIn(table: Int32Array, bucket: number, entry: number, successor: number): boolean {
    let at = table[bucket];
    if (at === entry) {
      table[bucket] = successor;
      return true;
    }
    while (at !== 0) {
      const words = this.arena.words[at >>> SEGMENT_SHIFT];
      const word = (at & OFFSET_MASK) << 1;
      at = words[word];
      if (at === entry) {
        words[word] = successor;
        return true;
      }
    }
    return false;
  }

  private growthAllowed(): boolean {
    if (this.mayGrow === null || this.size > (this.mask + 1) * FULL_CHAIN) return true;
    return this.mayGrow((this.mask + 1) * 2 * Int32Array.BYTES_PER_ELEMENT);
  }

  private shrinkWhenSparse(): void {
    if (this.target !== null || this.resizePauses > 0) return;
    const buckets = this.mask + 1;
    if (buckets > INITIAL_BUCKETS && this.size * 10 < buckets) this.startResize(bucketsFor(this.size));
  }

  private startResize(buckets: number): void {
    if (buckets === this.mask + 1) return;
    this.targetBlock = this.allocateTable(buckets);
    this.target = this.tableAt(this.targetBlock, buckets);
    this.targetMask = buckets - 1;
    this.rehashAt = 0;
  }

  /** Moves the next bucket that has entries. */
  private rehashStep(): void {
    const target = this.target!;
    const { table } = this;
    const first = origin(this.block);
    const end = this.mask + 1;
    let visits = EMPTY_VISITS_MAX;
    while (this.rehashAt < end && table[first + this.rehashAt] === 0) {
      this.rehashAt++;
      if (--visits === 0) return;
    }
    if (this.rehashAt < end) {
      const targetFirst = origin(this.targetBlock);
      let entry = table[first + this.rehashAt];
      table[first + this.rehashAt] = 0;
      while (entry !== 0) {
        const words = this.arena.words[entry >>> SEGMENT_SHIFT];
        const word = (entry & OFFSET_MASK) << 1;
        const next = words[word];
        // A smaller table's number is the lower bits of this one's.
        const bucket =
          this.targetMask > this.mask
            ? this.bucketAfterGrowth(entry, this.rehashAt, end)
            : this.rehashAt & this.targetMask;
        words[word] = target[targetFirst + bucket];
        target[targetFirst + bucket] = entry;
        entry = next;
      }
      this.rehashAt++;
    }
    if (this.rehashAt < end) return;
    this.freeTable(this.block, end);
    this.table = target;
    this.block = this.targetBlock;
    this.mask = this.targetMask;
    this.target = null;
    this.targetBlock = 0;
  }

  /** Gives the dict an empty table. */
  private allocate(buckets: number): void {
    this.block = this.allocateTable(buckets);
    this.table = this.tableAt(this.block, buckets);
    this.mask = buckets - 1;
  }

  /** Goes back to no table. */
  private release(): void {
    if (this.table !== NO_TABLE) this.freeTable(this.block, this.mask + 1);
    this.table = NO_TABLE;
    this.mask = 0;
    this.block = 0;
  }

  /** A block for that many buckets, 0 when they get an array of their own. */
  private allocateTable(buckets: number): number {
    return buckets <= ARENA_BUCKETS_MAX ? this.arena.alloc(buckets << 2) : 0;
  }

  /** The words of a new table, its buckets empty. */
  private tableAt(block: number, buckets: number): Int32Array {
    if (block === 0) return new Int32Array(buckets);
    const words = this.arena.words[block >>> SEGMENT_SHIFT];
    words.fill(0, origin(block), origin(block) + buckets);
    return words;
  }

  private freeTable(block: number, buckets: number): void {
    if (block !== 0) this.arena.free(block, buckets << 2);
  }
}

/** Word of a block's segment at which the block starts; 0 for tables of their own. */
function origin(block: number): number {
  return (block & OFFSET_MASK) << 1;
}

function bucketsFor(count: number): number {
  let buckets = INITIAL_BUCKETS;
  while (buckets < count) buckets *= 2;
  return buckets;
}

/** The next cursor: increment the bits under `mask` from the highest one down. */
function advance(cursor: number, mask: number): number {
  return reverseBits(reverseBits(cursor | ~mask) + 1);
}

function reverseBits(value: number): number {
  let v = value;
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = ((v >>> 8) & 0x00ff00ff) | ((v & 0x00ff00ff) << 8);
  return (v >>> 16) | (v << 16);
}
