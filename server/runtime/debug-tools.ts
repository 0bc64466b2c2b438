// What DEBUG reaches of the running server.

import { createHash } from 'node:crypto';
import type { DebugService } from '../commands/services.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import type { Cron } from './cron.ts';
import type { Server } from './server.ts';

/** Options of tests that are accepted without an effect here: they tune parts that this server does not have. */
const WITHOUT_EFFECT = new Set([
  'quicklist-packed-threshold',
  'set-disable-deny-scripts',
  'replicate',
  'config-rewrite-force-all',
  'replybuffer',
  'pause-cron',
  'dict-resizing',
  'listpack',
]);

const DIGEST_BYTES = 20;

export class DebugTools implements DebugService {
  private readonly server: Server;
  private readonly cron: Cron;
  /** Options that other parts look at (set-skip-checksum-validation). */
  readonly options = new Map<string, string>();

  constructor(server: Server, cron: Cron) {
    this.server = server;
    this.cron = cron;
  }

  setActiveExpire(on: boolean): void {
    this.cron.activeExpire = on;
  }

  /** Each key's digest XORed into one, so that the order of keys does not matter. */
  digest(): string {
    const sum = Buffer.alloc(DIGEST_BYTES);
    for (const db of this.server.keyspace.databases) {
      if (db.size === 0) continue;
      db.table.forEach((entry) => {
        const hash = createHash('sha1');
        hash.update(Buffer.from([db.index & 255, db.index >>> 8]));
        hash.update(db.keyBytes(entry));
        hash.update(this.digestValue(db, entry));
        const expireAt = db.expireAt(entry);
        if (expireAt !== NO_EXPIRY) hash.update('!!expire!!');
        mix(sum, hash.digest());
      });
    }
    return sum.toString('hex');
  }

  digestValue(db: Database, entry: number): string {
    return this.server.values.digest(db, entry).toString('hex');
  }

  sleep(seconds: number): void {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
  }

  setOption(name: string, value: string): boolean {
    if (name === 'set-skip-checksum-validation') {
      this.options.set(name, value);
      return true;
    }
    return WITHOUT_EFFECT.has(name);
  }

  describe(): string {
    return '';
  }
}

function mix(sum: Buffer, digest: Buffer): void {
  for (let i = 0; i < DIGEST_BYTES; i++) sum[i] ^= digest[i];
}
