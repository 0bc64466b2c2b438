// A world to load dumps into without a server: an environment around a keyspace, and what can be asked of it.

import { readFileSync } from 'node:fs';
import { createSettings, type Settings } from '../../../server/config/settings.ts';
import { RdbReader } from '../../../server/formats/rdb/reader.ts';
import { Keyspace } from '../../../server/keyspace/keyspace.ts';
import type { Environment } from '../../../server/persistence/environment.ts';
import { DumpLoader } from '../../../server/persistence/load.ts';
import { LoadVisitor } from '../../../server/persistence/load-visitor.ts';
import { Values } from '../../../server/persistence/values.ts';

/** `log` gets what is logged. Keyspace and settings are new ones unless given. */
export function environment(
  log: string[] = [],
  keyspace = new Keyspace(16, { k0: 1, k1: 2 }),
  settings: Settings = createSettings({ currentDirectory: () => '/', changeDirectory: () => undefined }),
): Environment {
  settings.put('sanitize-dump-payload', 'yes');
  return {
    settings,
    keyspace,
    log: (_level, message) => log.push(message),
    now: () => 1_700_000_000_000,
    monotonicMs: () => performance.now(),
    randomBytes: (bytes) => Buffer.alloc(bytes, 1),
    redisVersion: '7.2.4',
    libraries: { all: () => [], load: () => null, clear: () => undefined },
    usedMemory: () => 0,
    replicationAux: () => [],
    replicationOffset: () => 0,
    logSynced: () => undefined,
    // Old fixtures have expired keys: they are to be seen.
    dropsExpired: () => false,
    watchFields: () => undefined,
    holdReplies: () => undefined,
    jobStarted: () => undefined,
    exit: () => undefined,
    hasExpiringFields: () => true,
  };
}

export function load(path: string, world: Environment): void {
  new DumpLoader(world, path, { isPreamble: false, replaces: false }).runNow();
}

/** Loads through a window that is as small as can be. */
export function loadInPieces(path: string, world: Environment, bytes: number): void {
  const visitor = new LoadVisitor(world, { isPreamble: false, replaces: false });
  const reader = new RdbReader(visitor, { windowBytes: 16 });
  visitor.reader = reader;
  const file = readFileSync(path);
  for (let at = 0; at < file.length; at += bytes) {
    // The window's end is told exactly: what is beyond must not be looked at.
    const piece = file.subarray(at, at + bytes);
    let from = 0;
    while (from < piece.length) {
      const room = reader.room();
      const count = Math.min(room.length, piece.length - from);
      room.fill(0xa5);
      room.set(piece.subarray(from, from + count));
      reader.filled(count);
      from += count;
      reader.run();
    }
  }
  reader.finish();
}

/** Keys of all databases with the digests of their values. */
export function digests(world: Environment): Map<string, string> {
  const values = new Values(world);
  const all = new Map<string, string>();
  for (const db of world.keyspace.databases) {
    db.table.forEach((entry) => {
      const key = `${db.index} ${db.keyBytes(entry).toString('latin1')} ${db.expireAt(entry)}`;
      all.set(key, `${db.type(entry)} ${values.digest(db, entry).toString('hex')}`);
    });
  }
  return all;
}
