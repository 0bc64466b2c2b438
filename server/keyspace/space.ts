// What all databases of a server share: the arena, the hash seed, large values, the access clock, the change guard.

import { type HashSeed, hashBytes } from '../base/hash.ts';
import { Arena } from '../memory/arena.ts';
import type { LargeValue } from './layout.ts';

/**
 * Told before the entry that a hash belongs to changes, so that a running snapshot can write the old state out first.
 * See persistence/snapshot.ts.
 */
export interface ChangeGuard {
  /** `db` is the Database. */
  beforeChange(db: object, hash: number): void;
  /** A whole database is about to be emptied. */
  beforeClear(db: object): void;
  /** Whether a change of that entry had better wait until Space.whenWritten is called: writing it out takes long. */
  delays(db: object, hash: number): boolean;
}

export interface KeyspaceStats {
  expiredKeys: number;
  evictedKeys: number;
  hits: number;
  misses: number;
}

export class Space {
  readonly arena = new Arena();
  readonly stats: KeyspaceStats = { expiredKeys: 0, evictedKeys: 0, hits: 0, misses: 0 };
  /** Set while a snapshot is running. */
  guard: ChangeGuard | null = null;
  /** Called when changes that were told to wait may be tried again. */
  whenWritten: () => void = () => undefined;
  /** Told of every key that appears, while someone asks for it (`n` in notify-keyspace-events). */
  created: ((db: object, buf: Uint8Array, pos: number, len: number) => void) | null = null;
  /** Asked before the table of a database grows by that many bytes, while memory is limited. */
  mayGrow: ((bytes: number) => boolean) | null = null;
  /** Access clock for new entries: LRU seconds modulo 2^24, or the LFU start value. Kept fresh by the cron. */
  clock = 0;
  /** Whether the clock of an entry counts its use (LFU) instead of telling its last use (LRU). */
  lfu = false;
  /** LFU: the entry's next clock after an access. See access-clock.ts. */
  nextFrequency: (clock: number) => number = (clock) => clock;
  /** Large values released so far: freeing one may take a while. */
  releases = 0;
  /** Writes since the last save. */
  dirty = 0;
  readonly seed: HashSeed;
  private expectedBuf: Uint8Array | null = null;
  private expectedPos = -1;
  private expectedHash = 0;
  private readonly large: (LargeValue | undefined)[] = [undefined];
  private readonly freeIds: number[] = [];

  constructor(seed: HashSeed) {
    this.seed = seed;
  }

  hash(buf: Uint8Array, pos: number, len: number): number {
    if (pos === this.expectedPos && buf === this.expectedBuf) return this.expectedHash;
    return hashBytes(this.seed, buf, pos, len);
  }

  /** Until expectNothing(), the key at `pos` of `buf` is known to have that hash. */
  expect(buf: Uint8Array, pos: number, hash: number): void {
    if (this.expectedBuf !== buf) this.expectedBuf = buf;
    this.expectedPos = pos;
    this.expectedHash = hash;
  }

  expectNothing(): void {
    this.expectedPos = -1;
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
    this.releases++;
    this.large[id] = undefined;
    this.freeIds.push(id);
    return value;
  }
}
