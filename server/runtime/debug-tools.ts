// What DEBUG reaches of the running server.

import type { DebugService } from '../commands/services.ts';
import { parseMemoryText } from '../config/values.ts';
import type { Database } from '../keyspace/database.ts';
import { addDigest, DIGEST_BYTES, mixDigest } from '../persistence/digest.ts';
import { quicklistLimits } from '../values/quicklist-limits.ts';
import { type CrashCause, endProcess, reportCrash } from './crash-report.ts';
import type { Cron } from './cron.ts';
import type { Server } from './server.ts';

/** Options of tests that are accepted without an effect here: they tune parts that this server does not have. */
const WITHOUT_EFFECT = new Set([
  'set-disable-deny-scripts',
  'config-rewrite-force-all',
  'replybuffer',
  'dict-resizing',
  'listpack',
]);

const PLAIN_THRESHOLD = 2 ** 30;
const PLAIN_THRESHOLD_MAX = 2 ** 32;

export class DebugTools implements DebugService {
  private readonly server: Server;
  private readonly cron: Cron;

  constructor(server: Server, cron: Cron) {
    this.server = server;
    this.cron = cron;
  }

  setActiveExpire(on: boolean): void {
    this.cron.activeExpire = on;
  }

  /** Redis' own number: each key's digest XORed into one, so that the order of keys does not matter. */
  digest(): string {
    const sum = Buffer.alloc(DIGEST_BYTES);
    const index = Buffer.alloc(4);
    for (const db of this.server.keyspace.databases) {
      if (db.size === 0) continue;
      index.writeUInt32BE(db.index);
      mixDigest(sum, index);
      db.table.forEach((entry) => {
        const digest = Buffer.alloc(DIGEST_BYTES);
        mixDigest(digest, db.keyBytes(entry));
        this.server.values.addDigest(digest, db, entry);
        addDigest(sum, digest);
      });
    }
    return sum.toString('hex');
  }

  digestValue(db: Database, entry: number): string {
    return this.server.values.digest(db, entry).toString('hex');
  }

  replicate(args: readonly Buffer[]): void {
    this.server.replication.feed(args);
  }

  sleep(seconds: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
  }

  crash(kind: 'signal' | 'panic' | 'assertion'): never {
    const causes: Readonly<Record<typeof kind, CrashCause>> = {
      signal: { kind: 'signal', signal: 'SIGSEGV' },
      panic: { kind: 'panic', message: 'DEBUG PANIC was called' },
      assertion: { kind: 'assertion', condition: 'DEBUG ASSERT is never called' },
    };
    reportCrash(this.server, causes[kind], new Error().stack ?? '');
    return endProcess(this.server, causes[kind]);
  }

  setOption(name: string, value: string): boolean {
    if (name === 'set-skip-checksum-validation') this.server.values.checksums = value === '0';
    else if (name === 'aof-flush-sleep') this.server.persistence.delayFlush(Number(value) / 1000);
    else if (name === 'pause-cron') this.cron.paused = value !== '0';
    else if (name === 'quicklist-packed-threshold') return setPlainThreshold(value);
    else return WITHOUT_EFFECT.has(name);
    return true;
  }

  describe(): string {
    return '';
  }
}

/** Bytes from which a list's element gets a node of its own; 0 for the usual number. */
function setPlainThreshold(text: string): boolean {
  const bytes = Number(parseMemoryText(text) ?? Number.NaN);
  if (!(bytes <= PLAIN_THRESHOLD_MAX)) return false;
  quicklistLimits.plainFromBytes = bytes === 0 ? PLAIN_THRESHOLD : bytes;
  return true;
}
