// All databases of a server and what they share: the arena, the hash seed, large values, the access clock.

import { type HashSeed, hashBytes } from '../base/hash.ts';
import { Arena } from '../memory/arena.ts';
import { Database } from './database.ts';
import type { LargeValue } from './layout.ts';
import { ValueRegion } from './value-region.ts';

/**
 * Told before the entry that a hash belongs to changes, so that a running snapshot can write the old state out first.
 * See persistence/snapshot.ts.
 */
export interface ChangeGuard {
  beforeChange(db: Database, hash: number): void;
  /** A whole database is about to be emptied. */
  beforeClear(db: Database): void;
}

export interface KeyspaceStats {
  expiredKeys: number;
  evictedKeys: number;
  hits: number;
  misses: number;
}

export class Keyspace {
  readonly arena = new Arena();
  readonly databases: Database[] = [];
  readonly stats: KeyspaceStats = { expiredKeys: 0, evictedKeys: 0, hits: 0, misses: 0 };
  /** For handlers: views of inline values, bound anew by each. Two, for commands that move between keys. */
  readonly region = new ValueRegion();
  readonly otherRegion = new ValueRegion();
  /** Set while a snapshot is running. */
  guard: ChangeGuard | null = null;
  /** Access clock for new entries: LRU seconds modulo 2^24, or the LFU start value. Kept fresh by the cron. */
  clock = 0;
  /** Whether the clock of an entry counts its use (LFU) instead of telling its last use (LRU). */
  lfu = false;
  /** LFU: the entry's next clock after an access. See evict.ts. */
  nextFrequency: (clock: number) => number = (clock) => clock;
  /** Writes since the last save. */
  dirty = 0;
  readonly seed: HashSeed;
  private readonly large: (LargeValue | undefined)[] = [undefined];
  private readonly freeIds: number[] = [];

  constructor(databaseCount: number, seed: HashSeed) {
    this.seed = seed;
    for (let index = 0; index < databaseCount; index++) this.databases.push(new Database(this, index));
  }

  hash(buf: Uint8Array, pos: number, len: number): number {
    return hashBytes(this.seed, buf, pos, len);
  }

  /** Registers a large value; the id goes into its entry. */
  adopt(value: LargeValue): number {
    const id = this.freeIds.pop() ?? this.large.length;
    this.large[id] = value;
    return id;
  }

  /** The large value with an id (which came out of an entry, so it exists). */
  largeValue(id: number): LargeValue {
    return this.large[id]!;
  }

  /** Forgets an id without freeing the value. */
  release(id: number): LargeValue {
    const value = this.large[id]!;
    this.large[id] = undefined;
    this.freeIds.push(id);
    return value;
  }

  /** Exchanges two databases (SWAPDB). Their indexes stay with their positions. */
  swap(first: number, second: number): void {
    const a = this.databases[first];
    const b = this.databases[second];
    this.databases[first] = b;
    this.databases[second] = a;
    a.index = second;
    b.index = first;
  }

  /** Drops everything. Returns the number of keys that were there. */
  clearAll(): number {
    let removed = 0;
    for (const db of this.databases) removed += db.clear();
    if (this.arena.usedBytes === 0) this.arena.reset();
    return removed;
  }

  /** Keys in all databases. */
  get size(): number {
    let sum = 0;
    for (const db of this.databases) sum += db.size;
    return sum;
  }

  /** Bytes of data: blocks in use plus the hash tables. */
  get usedBytes(): number {
    let sum = this.arena.usedBytes;
    for (const db of this.databases) sum += db.tableBytes;
    return sum;
  }
}
