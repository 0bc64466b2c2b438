// Dumps and logs of large data exchanged with a real redis-server: every type and encoding, from empty to as many elements
// as TSREDIS_ROUND_TRIP_ELEMENTS says (5,000; 1,000,000 is the whole test). DEBUG DIGEST of everything must agree, and
// DUMP of every collection whose order is fixed.

import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command, Pair } from './support/pair.ts';
import type { Argument, RawConnection } from './support/raw-connection.ts';
import { missingServers, startPair } from './support/servers.ts';

const missing = missingServers();
const elements = Number(process.env['TSREDIS_ROUND_TRIP_ELEMENTS'] ?? 5000);
/** Generous: on a busy machine a million elements take a quarter of an hour for each test. */
const timeoutMs = 60_000 + 4 * elements;
const ELEMENTS_PER_COMMAND = 500;
const checker = resolve('dist/bin/tsredis-check-rdb.js');

/** Sizes of collections: around every limit between encodings, then in steps up to the largest. */
const sizes = [1, 2, 127, 128, 129, 511, 512, 513, 1000, 10_000, 100_000, 1_000_000].filter((size) => size < elements);
sizes.push(elements);

/** Keys whose value is the same bytes wherever it is saved. */
const ordered: string[] = [];

/** Sends what makes a key of many elements, some hundred in a command. */
async function grow(server: RawConnection, head: readonly string[], size: number, element: (i: number) => string[]) {
  let batch: Argument[][] = [];
  for (let from = 0; from < size; from += ELEMENTS_PER_COMMAND) {
    const command: Argument[] = [...head];
    for (let i = from; i < Math.min(size, from + ELEMENTS_PER_COMMAND); i++) command.push(...element(i));
    batch.push(command);
    if (batch.length === 20) {
      await server.callAll(batch);
      batch = [];
    }
  }
  if (batch.length > 0) await server.callAll(batch);
}

/** Makes every type and encoding in every size on one server. */
async function fill(server: RawConnection): Promise<void> {
  const g = new Generator(elements);
  const text = (bytes: number) => {
    const letters = Buffer.alloc(bytes);
    for (let i = 0; i < bytes; i++) letters[i] = 32 + g.below(95);
    return letters.toString('latin1');
  };
  await server.call(['flushall']);
  for (const size of sizes) {
    ordered.push(`list:${size}`, `zset:${size}`, `stream:${size}`);
    await grow(server, ['rpush', `list:${size}`], size, () => [g.value()]);
    await grow(server, ['sadd', `set:${size}`], size, (i) => [`member ${i}`]);
    await grow(server, ['sadd', `integers:${size}`], size, (i) => [String(i * 7919 - 50_000)]);
    await grow(server, ['hset', `hash:${size}`], size, (i) => [`field ${i}`, g.value()]);
    await grow(server, ['zadd', `zset:${size}`], size, (i) => [String(g.below(1 << 20) / 64 - 5000), `member ${i}`]);
    const entries: Command[] = [];
    for (let i = 0; i < size; i++) entries.push(['xadd', `stream:${size}`, `${1000 + i}-${i % 3}`, 'field', g.value()]);
    while (entries.length > 0) await server.callAll(entries.splice(0, 5000));
    await server.callAll([
      ['xgroup', 'create', `stream:${size}`, 'readers', '0'],
      [
        'xreadgroup',
        'group',
        'readers',
        'one',
        'count',
        String(Math.min(size, 1000)),
        'streams',
        `stream:${size}`,
        '>',
      ],
      ['set', `string:${size}`, text(size)],
      ['setrange', `sparse:${size}`, String(size * 8), 'end'],
    ]);
  }
  await server.callAll([
    ['set', 'string:empty', ''],
    ['xgroup', 'create', 'stream:empty', 'readers', '$', 'mkstream'],
    ['pfadd', 'hyperloglog', ...Array.from({ length: 100 }, (_, i) => String(i))],
    ['rpush', 'list:plain', text(1_000_000), 'small'],
    ['set', 'volatile', 'v', 'px', '100000000000'],
    ['select', '9'],
    ['debug', 'populate', String(elements), 'key', '10'],
    ['select', '0'],
  ]);
}

describe.skipIf(missing !== null)(missing ?? `round trips of ${elements} elements`, () => {
  let pair: Pair;
  let directory: string;
  let digest: string;
  const ask = async (server: RawConnection, ...command: string[]) => String(await server.call(command));

  /** Both hold the same values, and values of fixed order the same bytes. */
  async function sameData(bytesOf = ordered): Promise<void> {
    expect(await ask(pair.ours, 'debug', 'digest')).toBe(digest);
    expect(await ask(pair.real, 'debug', 'digest')).toBe(digest);
    await pair.same(ordered.map((key) => ['object', 'encoding', key]));
    for (const key of bytesOf) await pair.same([['dump', key]]);
  }

  beforeAll(async () => {
    pair = await startPair([['enable-protected-configs', 'yes']]);
    directory = await mkdtemp(join(tmpdir(), 'tsredis-round-trip-'));
    await pair.same([['config', 'set', 'dir', directory]]);
    await pair.ours.call(['config', 'set', 'dbfilename', 'ours.rdb']);
    await pair.real.call(['config', 'set', 'dbfilename', 'real.rdb']);
  }, timeoutMs);

  afterAll(async () => {
    await pair.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('an empty data set', async () => {
    for (const [from, to, file, other] of [
      [pair.ours, pair.real, 'ours.rdb', 'real.rdb'],
      [pair.real, pair.ours, 'real.rdb', 'ours.rdb'],
    ] as const) {
      expect(await ask(from, 'save')).toBe('+OK\r\n');
      await copyFile(join(directory, file), join(directory, other));
      await to.call(['set', 'leftover', '1']);
      expect(await ask(to, 'debug', 'reload', 'nosave')).toBe('+OK\r\n');
      expect(await ask(to, 'dbsize')).toBe(':0\r\n');
    }
  });

  it(
    'real server -> dump -> ours -> dump -> real server',
    async () => {
      await fill(pair.real);
      digest = await ask(pair.real, 'debug', 'digest');
      expect(await ask(pair.real, 'save')).toBe('+OK\r\n');
      await rename(join(directory, 'real.rdb'), join(directory, 'ours.rdb'));
      expect(await ask(pair.ours, 'debug', 'reload', 'nosave')).toBe('+OK\r\n');
      await sameData();
      await rm(join(directory, 'ours.rdb'));
      expect(await ask(pair.ours, 'save')).toBe('+OK\r\n');
      const check = spawnSync('redis-check-rdb', [join(directory, 'ours.rdb')], { encoding: 'latin1' });
      expect(check.stdout).toContain('\\o/ RDB looks OK! \\o/');
      await rename(join(directory, 'ours.rdb'), join(directory, 'real.rdb'));
      await pair.real.call(['flushall']);
      expect(await ask(pair.real, 'debug', 'reload', 'nosave')).toBe('+OK\r\n');
      await sameData();
    },
    timeoutMs,
  );

  it.each(['yes', 'no'])(
    'ours -> log -> real server -> log -> ours (RDB preamble: %s)',
    async (preamble) => {
      const log = join(directory, 'appendonlydir');
      for (const [from, to] of [
        [pair.ours, pair.real],
        [pair.real, pair.ours],
      ] as const) {
        await rm(log, { recursive: true, force: true });
        await mkdir(log);
        await from.callAll([
          ['config', 'set', 'aof-use-rdb-preamble', preamble],
          ['config', 'set', 'appendonly', 'yes'],
        ]);
        await rewritten(from);
        expect(await ask(from, 'config', 'set', 'appendonly', 'no')).toBe('+OK\r\n');
        await to.call(['flushall']);
        expect(await ask(to, 'debug', 'loadaof')).toBe('+OK\r\n');
      }
      // Commands do not tell when a consumer was seen: that is the time of loading.
      await sameData(preamble === 'yes' ? ordered : ordered.filter((key) => !key.startsWith('stream')));
    },
    timeoutMs,
  );

  it(
    'ours in versions 11 and 12, which 7.0 cannot read',
    async () => {
      for (const version of ['11', '12']) {
        expect(await ask(pair.ours, 'config', 'set', 'rdb-version', version)).toBe('+OK\r\n');
        expect(await ask(pair.ours, 'save')).toBe('+OK\r\n');
        const check = spawnSync(process.execPath, [checker, join(directory, 'ours.rdb')], { encoding: 'latin1' });
        expect(check.stdout).toContain('\\o/ RDB looks OK! \\o/');
        expect(check.status).toBe(0);
        const refused = spawnSync('redis-check-rdb', [join(directory, 'ours.rdb')], { encoding: 'latin1' });
        expect(refused.stdout).toContain(`Can't handle RDB format version ${version}`);
        await pair.ours.call(['flushall']);
        expect(await ask(pair.ours, 'debug', 'reload', 'nosave')).toBe('+OK\r\n');
        expect(await ask(pair.ours, 'debug', 'digest')).toBe(digest);
      }
    },
    timeoutMs,
  );

  it(
    'ours takes 12 for fields that expire, and 10 again when they are gone',
    async () => {
      const version = async () => {
        expect(await ask(pair.ours, 'save')).toBe('+OK\r\n');
        return Number((await readHead(join(directory, 'ours.rdb'))).slice(5));
      };
      await pair.ours.callAll([
        ['flushall'],
        ['config', 'set', 'rdb-version', '10'],
        ['hset', 'hash', 'a', '1', 'b', '2'],
        ['hexpire', 'hash', '1000', 'fields', '1', 'a'],
      ]);
      expect(await version()).toBe(12);
      const before = await ask(pair.ours, 'hpexpiretime', 'hash', 'fields', '2', 'a', 'b');
      expect(await ask(pair.ours, 'debug', 'reload', 'nosave')).toBe('+OK\r\n');
      expect(await ask(pair.ours, 'hpexpiretime', 'hash', 'fields', '2', 'a', 'b')).toBe(before);
      await pair.ours.call(['hpersist', 'hash', 'fields', '1', 'a']);
      expect(await version()).toBe(10);
      await pair.ours.callAll([
        ['hexpire', 'hash', '1000', 'fields', '1', 'a'],
        ['rename', 'hash', 'other'],
        ['del', 'other'],
      ]);
      expect(await version()).toBe(10);
    },
    timeoutMs,
  );
});

async function readHead(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    return (await file.read(Buffer.alloc(9), 0, 9, 0)).buffer.toString('latin1');
  } finally {
    await file.close();
  }
}

/** Resolves when the first rewrite is over. */
async function rewritten(server: RawConnection): Promise<void> {
  for (;;) {
    const info = String(await server.call(['info', 'persistence']));
    if (!/aof_last_bgrewrite_status:ok/.test(info)) throw new Error(info);
    if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}
