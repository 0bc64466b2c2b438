// Every dump among the fixtures is loaded or refused as the checkers say; what was loaded survives a save, and damage
// leaves nothing behind.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RDB_TYPE } from '../../../server/formats/rdb/types.ts';
import { RdbWriter } from '../../../server/formats/rdb/writer.ts';
import { Dumper } from '../../../server/persistence/dumper.ts';
import { LoadError } from '../../../server/persistence/load.ts';
import { digests, environment, load, loadInPieces } from './load-world.ts';

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

function isOk(verdict: string): boolean {
  return verdict === 'ok';
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
    } else if (failure instanceof LoadError && failure.message.includes('The value is an array')) {
      expect(file).toBe('rediscope/native-types.rdb');
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

  it.each([
    {
      what: 'an entry that goes over the end',
      kind: 'Hash',
      type: RDB_TYPE.hashListpack,
      count: 2,
      entries: '01018461',
    },
    { what: 'half a pair', kind: 'Hash', type: RDB_TYPE.hashListpack, count: 3, entries: '010102010301' },
    { what: 'a byte that begins no entry', kind: 'Zset', type: RDB_TYPE.zsetListpack, count: 2, entries: '0101f501' },
    { what: 'a string without its end', kind: 'Set', type: RDB_TYPE.setListpack, count: 1, entries: '8261' },
  ])('refuses a listpack with $what, although entries are not checked', ({ kind, type, count, entries }) => {
    const world = environment();
    world.settings.put('sanitize-dump-payload', 'no');
    const bytes = entries.length / 2 + 7;
    const listpack = Buffer.concat([Buffer.of(bytes, 0, 0, 0, count, 0), Buffer.from(entries, 'hex'), Buffer.of(0xff)]);
    const chunks: Uint8Array[] = [];
    const writer = new RdbWriter((chunk) => chunks.push(chunk), { compression: false });
    writer.header(11);
    writer.type(type);
    writer.text('key');
    writer.string(listpack, 0, bytes);
    writer.eof();
    const path = join(directory, 'damaged.rdb');
    writeFileSync(path, Buffer.concat(chunks));
    expect(() => load(path, world)).toThrow(`${kind} listpack integrity check failed.`);
    expect(world.keyspace.databases[0]?.size).toBe(0);
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
