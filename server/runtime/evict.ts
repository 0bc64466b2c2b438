// maxmemory: frees memory by evicting keys, chosen among samples by the policy. Byte counts are the arena's own, so the
// limit is kept to the block.

import { countUse, decodeFrequency, idleSeconds, initialFrequency, lruClock } from '../keyspace/access-clock.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import type { Server } from './server.ts';

/** The best candidates seen so far, kept between calls as Redis does: samples add up to a good approximation. */
const POOL_SIZE = 16;
/** Evictions in one call before others get their turn. */
const EVICTIONS_MAX = 10_000;

interface Candidate {
  db: Database;
  key: Buffer;
  /** Higher is better to evict. */
  score: number;
}

export class Evictor {
  private readonly server: Server;
  private pool: Candidate[] = [];
  private nextDb = 0;

  constructor(server: Server) {
    this.server = server;
  }

  /** Makes the keyspace's access clock follow the policy. */
  configure(): void {
    const { keyspace, settings, host } = this.server;
    keyspace.lfu = settings.maxmemoryPolicy.includes('lfu');
    const decay = Number(settings.lfuDecayTime);
    const factor = Number(settings.lfuLogFactor);
    keyspace.nextFrequency = (clock) =>
      countUse(clock, host.now(), decay, factor, () => host.random(1 << 30) / (1 << 30));
    this.pool = [];
    this.tick(host.now());
  }

  /** Keeps the clock for new keys fresh. */
  tick(nowMs: number): void {
    const { keyspace } = this.server;
    keyspace.clock = keyspace.lfu ? initialFrequency(nowMs) : lruClock(nowMs);
  }

  /** Frees memory until the limit is kept. False when nothing (more) may be evicted. */
  readonly makeRoom = (): boolean => {
    const { server } = this;
    const tooMuch = this.used() - server.memoryMax;
    if (tooMuch <= 0) return true;
    const policy = server.settings.maxmemoryPolicy;
    if (policy === 'noeviction') return false;
    // Data has to shrink by that much. Buffers are left out: telling clients of evicted keys makes them grow.
    const { keyspace } = server;
    const target = keyspace.usedBytes - tooMuch;
    for (let evictions = 0; evictions < EVICTIONS_MAX; evictions++) {
      if (!this.evictOne(policy)) return false;
      if (keyspace.usedBytes <= target) return true;
    }
    return true;
  };

  private used(): number {
    return this.server.usedMemory() - this.server.replication.uncountedBytes;
  }

  private evictOne(policy: string): boolean {
    const victim = policy.endsWith('random') ? this.randomVictim(policy) : this.bestVictim(policy);
    if (victim === null) return false;
    const { db, entry } = victim;
    const key = db.keyBytes(entry);
    const { events, keyspace } = this.server;
    db.delete(entry);
    keyspace.stats.evictedKeys++;
    events.propagate(db, [Buffer.from('DEL'), key]);
    events.settle();
    events.keyChanged(db, key, 0, key.length, null);
    if (events.notifying) events.notify('e', 'evicted', db, key, 0, key.length);
    return true;
  }

  private randomVictim(policy: string): { db: Database; entry: number } | null {
    const { databases } = this.server.keyspace;
    for (let tries = 0; tries < databases.length; tries++) {
      const db = databases[this.nextDb++ % databases.length];
      if (policy === 'volatile-random') {
        if (db.volatileSize > 0) return { db, entry: db.volatileEntry(this.server.random(db.volatileSize)) };
      } else {
        const entry = db.table.randomEntry(this.server.random);
        if (entry !== 0) return { db, entry };
      }
    }
    return null;
  }

  private bestVictim(policy: string): { db: Database; entry: number } | null {
    for (;;) {
      let candidates = 0;
      for (const db of this.server.keyspace.databases) candidates += this.samplePool(db, policy);
      if (candidates === 0) return null;
      // The pool may name keys that have gone since; others are then sampled.
      while (this.pool.length > 0) {
        const { db, key } = this.pool.pop()!;
        const entry = db.find(key, 0, key.length);
        if (entry !== 0 && (policy.startsWith('allkeys') || db.expireAt(entry) !== NO_EXPIRY)) return { db, entry };
      }
    }
  }

  /** Samples a database into the pool; returns the number of keys that could be evicted. */
  private samplePool(db: Database, policy: string): number {
    const { random, settings } = this.server;
    const all = policy.startsWith('allkeys');
    const total = all ? db.size : db.volatileSize;
    if (total === 0) return 0;
    const nowMs = this.server.now();
    for (let i = Math.min(total, Number(settings.maxmemorySamples)); i > 0; i--) {
      const entry = all ? db.table.randomEntry(random) : db.volatileEntry(random(total));
      const score = this.score(db, entry, policy, nowMs);
      if (this.pool.length === POOL_SIZE && score <= this.pool[0].score) continue;
      const key = db.keyBytes(entry);
      if (this.pool.some((candidate) => candidate.db === db && candidate.key.equals(key))) continue;
      const at = this.pool.findIndex((candidate) => candidate.score > score);
      this.pool.splice(at < 0 ? this.pool.length : at, 0, { db, key, score });
      if (this.pool.length > POOL_SIZE) this.pool.shift();
    }
    return total;
  }

  private score(db: Database, entry: number, policy: string, nowMs: number): number {
    if (policy === 'volatile-ttl') return -db.expireAt(entry);
    const clock = db.clock(entry);
    if (policy.endsWith('lfu')) {
      return 255 - decodeFrequency(clock, nowMs, Number(this.server.settings.lfuDecayTime));
    }
    return idleSeconds(clock, nowMs);
  }
}
