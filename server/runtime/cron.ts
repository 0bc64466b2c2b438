// Housekeeping, `hz` times a second: expiry, resizing of tables, rates, limits of idle and slow clients, save points.

import { expireEntry } from '../commands/context.ts';
import { expireFieldsCycle } from '../commands/hash-field-expiry.ts';
import { expireCycle } from '../keyspace/expire-cycle.ts';
import type { Evictor } from './evict.ts';
import type { Server } from './server.ts';

/** Share of the time that active expiry may take at the default effort. */
const EXPIRE_SHARE = 0.25;
/** Time for moving buckets of growing tables in one round, ms. */
const REHASH_BUDGET_MS = 1;
const REHASH_BUCKETS = 100;
/** Hashes with expiring fields that one round looks at in each database, and fields that it drops in all. */
const EXPIRE_HASHES = 50;
const EXPIRE_FIELDS = 1000;

export class Cron {
  /** Other work of each round, e.g. the save points. */
  readonly tasks: ((nowMs: number) => void)[] = [];
  activeExpire = true;
  /** Rounds are skipped (DEBUG PAUSE-CRON). */
  paused = false;
  private readonly server: Server;
  private readonly evictor: Evictor;
  private timer: NodeJS.Timeout | null = null;
  private rounds = 0;

  constructor(server: Server, evictor: Evictor) {
    this.server = server;
    this.evictor = evictor;
  }

  /** Starts, or takes up a changed `hz`. */
  start(): void {
    this.stop();
    const hz = Math.min(500, Math.max(1, Number(this.server.settings.hz)));
    this.timer = setInterval(() => this.round(1000 / hz), 1000 / hz);
  }

  get running(): boolean {
    return this.timer !== null;
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private round(periodMs: number): void {
    if (this.paused) return;
    const { server } = this;
    const nowMs = server.now();
    this.rounds++;
    this.evictor.tick(nowMs);
    this.expire(nowMs, periodMs);
    this.rehash();
    this.sampleRates(nowMs);
    server.countClientMemory();
    server.stats.peakUsedBytes = Math.max(server.stats.peakUsedBytes, server.usedMemory());
    if (server.clients.pausing) server.clients.pausedMode(nowMs);
    if (this.rounds % Math.max(1, Math.round(1000 / periodMs)) === 0) this.checkClients(nowMs);
    for (const task of this.tasks) task(nowMs);
    server.serveReady();
  }

  private expire(nowMs: number, periodMs: number): void {
    const { server } = this;
    if (!this.activeExpire || server.loading || server.clients.pausing) return;
    if (server.following) {
      // Of all other keys the primary says when their time is over.
      server.replication.expireOwnKeys(nowMs);
      return;
    }
    const started = server.monotonicMs();
    const result = expireCycle(
      server.keyspace.databases,
      nowMs,
      periodMs * EXPIRE_SHARE,
      server.monotonicMs,
      server.random,
      (db, entry) => {
        expireEntry(db, entry, server);
        server.events.settle();
      },
    );
    expireFieldsCycle(server.keyspace, server, nowMs, EXPIRE_HASHES, EXPIRE_FIELDS);
    server.events.settle(false);
    if (result.timedOut) server.stats.expiredTimeCapReached++;
    server.stats.activeExpireMs += server.monotonicMs() - started;
  }

  private rehash(): void {
    const { server } = this;
    if (!server.settings.activerehashing) return;
    const deadline = server.monotonicMs() + REHASH_BUDGET_MS;
    for (const db of server.keyspace.databases) {
      while (db.table.resizing && db.table.rehash(REHASH_BUCKETS)) {
        if (server.monotonicMs() >= deadline) return;
      }
    }
  }

  private sampleRates(nowMs: number): void {
    const { stats } = this.server;
    stats.commandRate.sample(stats.commandsProcessed, nowMs);
    stats.inputRate.sample(stats.inputBytes, nowMs);
    stats.outputRate.sample(stats.outputBytes, nowMs);
  }

  /** Closes clients that have been idle for longer than `timeout`, and those over their soft output limit. */
  private checkClients(nowMs: number): void {
    const { server } = this;
    const timeoutMs = Number(server.settings.timeout) * 1000;
    for (const session of server.clients.all.values()) {
      const idle = nowMs - session.lastActiveMs;
      const exempt = session.blocked !== null || session.subscriptions > 0 || session.monitoring;
      if (timeoutMs > 0 && idle > timeoutMs && !exempt) {
        server.log('verbose', 'Closing idle client');
        session.transport.destroy();
      } else if (session.softLimitSinceMs > 0) server.queued(session);
    }
  }
}
