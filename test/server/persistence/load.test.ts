// Every dump among the fixtures is loaded or refused as the checkers say; what was loaded survives a save, and damage
// leaves nothing behind.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSettings } from '../../../server/config/settings.ts';
import { RdbReader } from '../../../server/formats/rdb/reader.ts';
import { RDB_TYPE } from '../../../server/formats/rdb/types.ts';
import { RdbWriter } from '../../../server/formats/rdb/writer.ts';
import { Keyspace } from '../../../server/keyspace/keyspace.ts';
import { Dumper } from '../../../server/persistence/dumper.ts';
import type { Environment } from '../../../server/persistence/environment.ts';
import { DumpLoader, LoadError } from '../../../server/persistence/load.ts';
import { LoadVisitor } from '../../../server/persistence/load-visitor.ts';
import { Values } from '../../../server/persistence/values.ts';

const root = fileURLToPath(new URL('../../fixtures/rdb/', import.meta.url));

interface Fixture {
  file: string;
  verdicts: string[];
}

const fixtures: Fixture[] = readFileSync(join(root, 'expected.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [file = '', , , ...verdicts] = line.split('\t');
    return { file, verdicts };
  });

function environment(log: string[] = []): Environment {
  const settings = createSettings({ currentDirectory: () => '/', changeDirectory: () => undefined });
  settings.put('sanitize-dump-payload', 'yes');
  return {
    settings,
    keyspace: new Keyspace(16, { k0: 1, k1: 2 }),
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

function load(path: string, world: Environment): void {
  new DumpLoader(world, path, { isPreamble: false, replaces: false }).runNow();
}

function isOk(verdict: string): boolean {
  return verdict === 'ok';
}

/** Loads through a window that is as small as can be. */
function loadInPieces(path: string, world: Environment, bytes: number): void {
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
function digests(world: Environment): Map<string, string> {
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

describe('loading the fixtures', () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsredis-load-'));
  });

  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it.each(fixtures)('$file', ({ file, verdicts }) => {
    const world = environment();
    const sound = verdicts.filter((verdict) => verdict === 'ok').length;
    let failure: unknown = null;
    try {
      load(join(root, file), world);
    } catch (error) {
      failure = error;
    }
    if (failure instanceof LoadError && /contains (AUX )?module data/.test(failure.message)) {
      // Checkers pass over what belongs to modules; a server without them can't serve it.
      expect(sound).toBeGreaterThan(0);
    } else if (failure !== null) {
      expect(failure).toBeInstanceOf(LoadError);
      expect((failure as LoadError).message).toContain(join(root, file));
      expect(sound).toBeLessThan(2);
    } else {
      // Checkers call collections without members an error; servers drop them.
      if (!file.includes('empty_keys')) expect(sound).toBeGreaterThan(0);
      const copy = join(directory, 'copy.rdb');
      new Dumper(world).writeNow(copy, []);
      const again = environment();
      load(copy, again);
      rmSync(copy);
      expect(digests(again)).toEqual(digests(world));
    }
    world.keyspace.clearAll();
    // Nothing but a small table that was prepared for keys that did not come.
    expect(world.keyspace.arena.usedBytes).toBeLessThan(200);
  });

  it.each(fixtures.filter(({ file, verdicts }) => !/module|misc_with_stream/.test(file) && verdicts.every(isOk)))(
    '$file is the same whatever the pieces it comes in',
    ({ file }) => {
      const path = join(root, file);
      const whole = environment();
      load(path, whole);
      const pieces = environment();
      loadInPieces(path, pieces, 61);
      expect(digests(pieces)).toEqual(digests(whole));
    },
  );

  it('keeps the names of streams whose nodes come with the next window', () => {
    const world = environment();
    const writer = new RdbWriter((chunk) => chunks.push(chunk), { compression: false });
    const chunks: Uint8Array[] = [];
    writer.header(10);
    for (let i = 0; i < 50; i++) {
      writer.type(RDB_TYPE.stream2);
      writer.text(`stream-${i}`);
      for (let zeros = 10; zeros > 0; zeros--) writer.length(0);
    }
    writer.eof();
    const path = join(directory, 'streams.rdb');
    writeFileSync(path, Buffer.concat(chunks));
    loadInPieces(path, world, 1);
    const names = [...digests(world).keys()].sort();
    expect(names).toEqual(Array.from({ length: 50 }, (_, i) => `0 stream-${i} -1`).sort());
  });

  it('tells the key, the place and what to do about a file that ends too early', () => {
    const world = environment();
    const path = join(directory, 'short.rdb');
    const whole = readFileSync(join(root, 'redis-rdb-tools/dictionary.rdb'));
    writeFileSync(path, whole.subarray(0, whole.length - 100));
    expect(() => load(path, world)).toThrow(/Short read.*offset \d+.*Reading key '.*tsredis-check-rdb/s);
  });

  it.each(['redis-rdb-tools/redis_40_with_module.rdb', 'redis-rdb-tools/redis_60_with_module_aux.rdb'])(
    'loads %s without what belongs to modules when rdb-module-values is skip',
    (file) => {
      const log: string[] = [];
      const world = environment(log);
      expect(() => load(join(root, file), world)).toThrow(/module.*rdb-module-values skip/);
      world.keyspace.clearAll();
      world.settings.put('rdb-module-values', 'skip');
      load(join(root, file), world);
      expect(log.filter((line) => /^Leaving out .* of module '.{9}' in the RDB file/.test(line))).toHaveLength(1);
      const copy = join(directory, 'without-modules.rdb');
      new Dumper(world).writeNow(copy, []);
      const again = environment();
      load(copy, again);
      rmSync(copy);
      expect(digests(again)).toEqual(digests(world));
    },
  );

  it('refuses a file of a future version in the words of Redis', () => {
    const path = join(directory, 'future.rdb');
    writeFileSync(path, 'REDIS9999');
    expect(() => load(path, environment())).toThrow(/Can't handle RDB format version 9999/);
  });
});
