// Active expiry: finds keys whose time is over before anyone asks for them, in bounded slices of time.

import type { Database } from './database.ts';

/** Keys looked at before the clock is read again. */
const SAMPLE = 20;
/** The cycle goes on while more than this share of a sample was expired. */
const STALE_SHARE = 0.1;

export interface ExpireCycleResult {
  expired: number;
  timedOut: boolean;
}

/**
 * Samples the volatile keys of the databases, expiring those whose time is over through `expire`, until few are left
 * or `budgetMs` is used up. `random(n)` gives 0..n-1.
 */
export function expireCycle(
  databases: readonly Database[],
  nowMs: number,
  budgetMs: number,
  monotonicMs: () => number,
  random: (bound: number) => number,
  expire: (db: Database, entry: number) => void,
): ExpireCycleResult {
  const deadline = monotonicMs() + budgetMs;
  let expired = 0;
  for (const db of databases) {
    for (;;) {
      const found = sample(db, nowMs, random, expire);
      expired += found;
      if (found <= SAMPLE * STALE_SHARE) break;
      if (monotonicMs() >= deadline) return { expired, timedOut: true };
    }
  }
  return { expired, timedOut: false };
}

/** Looks at a run of volatile keys from a random start; returns how many it expired. */
function sample(
  db: Database,
  nowMs: number,
  random: (bound: number) => number,
  expire: (db: Database, entry: number) => void,
): number {
  const total = db.volatileSize;
  if (total === 0) return 0;
  let expired = 0;
  let at = total <= SAMPLE ? 0 : random(total);
  for (let i = Math.min(SAMPLE, total); i > 0 && db.volatileSize > 0; i--) {
    if (at >= db.volatileSize) at = 0;
    const entry = db.volatileEntry(at);
    if (db.expireAt(entry) <= nowMs) {
      // The last entry of the list takes this one's place: the same index is looked at again.
      expire(db, entry);
      expired++;
    } else at++;
  }
  return expired;
}
