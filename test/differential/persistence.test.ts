// Dumps exchanged with a real redis-server, in both directions: a data set of every type and encoding is written by one
// server and loaded by the other; types, encodings, expiries and DUMP of every key must agree.

import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command, Pair } from './support/pair.ts';
import { members, type RawConnection } from './support/raw-connection.ts';
import { missingServers, startPair } from './support/servers.ts';

const missing = missingServers();

/** Commands that make keys of every type and encoding, from one element to many. */
function dataSet(g: Generator): Command[] {
  const commands: Command[] = [];
  const text = (bytes: number) => Array.from({ length: bytes }, () => String.fromCharCode(97 + g.below(26))).join('');
  const add = (...command: string[]) => commands.push(command);
  const strings = ['', '0', '-1', '127', '128', '-129', '32767', '65536', '2147483647', '2147483648', '-2147483649'];
  strings.push(
    '9223372036854775807',
    '-9223372036854775808',
    '01',
    '1.5',
    text(44),
    text(45),
    'x'.repeat(1000),
    text(70000),
  );
  for (const [i, value] of strings.entries()) add('set', `string:${i}`, value);
  for (const count of [1, 2, 8, 100, 128, 129, 512, 513, 3000]) {
    for (let i = 0; i < count; i++) {
      add('rpush', `list:${count}`, g.value());
      add('sadd', `integers:${count}`, g.integer(2 ** (count % 64)));
      add('sadd', `set:${count}`, `m${i}`);
      add('zadd', `zset:${count}`, String(g.below(1000) / 8 - 20), `m${i}`);
      add('hset', `hash:${count}`, `f${i}`, g.value());
      add(
        'xadd',
        `stream:${count}`,
        `${1000 + i * 3}-${i}`,
        ...(g.once(3) ? ['a', g.value()] : ['f', String(i), 'g', g.value()]),
      );
    }
  }
  add('zadd', 'zset:infinite', 'inf', 'a', '-inf', 'b', '0', 'c', '-0', 'd', '1e300', 'e', '3.0000000000000004', 'f');
  add('rpush', 'list:long', text(9000), text(100), text(9000));
  add('hset', 'hash:long', 'field', text(65));
  add('zadd', 'zset:long', '1', text(65));
  add('xgroup', 'create', 'stream:100', 'group', '0');
  add('xgroup', 'create', 'stream:100', 'empty', '$');
  add('xdel', 'stream:128', '1000-0', '1006-2');
  add('xtrim', 'stream:3000', 'maxlen', '1500');
  for (let i = 0; i < 11; i++) add('set', `volatile:${i}`, 'v', 'px', String(100_000_000 + i * 1_000_000_000_000));
  add('select', '3');
  add('set', 'other', 'database');
  add('hset', 'hash', 'a', 'b');
  add('select', '0');
  return commands;
}

/** The bytes of a bulk string. */
const content = (reply: Buffer) => reply.subarray(reply.indexOf('\r\n') + 2, reply.length - 2);

const keysOf = async (server: RawConnection) => members(await server.call(['keys', '*'])).map(content);

/** Makes both servers hold the same data set. */
async function fill(pair: Pair): Promise<void> {
  await pair.same([['flushall'], ...dataSet(new Generator(7))], { compare: () => 'none' });
}

async function sameValues(pair: Pair): Promise<void> {
  for (const db of ['0', '3']) {
    await pair.same([['select', db], ['dbsize']]);
    const keys = await keysOf(pair.real);
    const checks: Command[] = [];
    for (const key of keys) {
      checks.push(['type', key], ['object', 'encoding', key], ['pexpiretime', key], ['debug', 'digest-value', key]);
    }
    await pair.same(checks);
  }
  await pair.same([['select', '0']]);
}

describe.skipIf(missing !== null)(missing ?? 'dumps, beside redis-server', () => {
  let pair: Pair;
  let directory: string;
  const config = (name: string, value: string): Command => ['config', 'set', name, value];

  beforeAll(async () => {
    pair = await startPair([['enable-protected-configs', 'yes']]);
    directory = await mkdtemp(join(tmpdir(), 'tsredis-exchange-'));
    await pair.same([config('dir', directory)]);
    await pair.ours.call(config('dbfilename', 'ours.rdb'));
    await pair.real.call(config('dbfilename', 'real.rdb'));
    await fill(pair);
  });

  afterAll(async () => {
    await pair.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('DUMP gives the same bytes for values whose order is fixed', async () => {
    const keys = await keysOf(pair.real);
    const encodings = await pair.real.callAll(keys.map((key) => ['object', 'encoding', key]));
    const fixed = keys.filter((_, i) => !String(encodings[i]).includes('hashtable'));
    await pair.same(fixed.map((key) => ['dump', key]));
  });

  it('the real server loads what ours has saved', async () => {
    expect(String(await pair.ours.call(['save']))).toBe('+OK\r\n');
    await copyFile(join(directory, 'ours.rdb'), join(directory, 'real.rdb'));
    await pair.real.call(['debug', 'reload', 'nosave']);
    await sameValues(pair);
  });

  it('ours loads what the real server has saved', async () => {
    await pair.ours.call(['flushall']);
    expect(String(await pair.real.call(['save']))).toBe('+OK\r\n');
    await copyFile(join(directory, 'real.rdb'), join(directory, 'ours.rdb'));
    expect(String(await pair.ours.call(['debug', 'reload', 'nosave']))).toBe('+OK\r\n');
    await sameValues(pair);
  });

  it('RESTORE takes the payloads of the other', async () => {
    const keys = await keysOf(pair.real);
    const payloads = await pair.real.callAll(keys.map((key) => ['dump', key]));
    const own = await pair.ours.callAll(keys.map((key) => ['dump', key]));
    const expiry = (await pair.real.callAll(keys.map((key) => ['pexpiretime', key]))).map((reply) =>
      String(Math.max(0, Number(String(reply).slice(1)))),
    );
    const restored = await pair.ours.callAll(
      keys.map((key, i) => ['restore', key, expiry[i], content(payloads[i]), 'absttl', 'replace']),
    );
    expect(restored.map(String).filter((reply) => reply !== '+OK\r\n')).toEqual([]);
    const taken = await pair.real.callAll(
      keys.map((key, i) => ['restore', key, expiry[i], content(own[i]), 'absttl', 'replace']),
    );
    expect(taken.map(String).filter((reply) => reply !== '+OK\r\n')).toEqual([]);
    await sameValues(pair);
  });

  it('refuses wrong payloads in the same words', async () => {
    const payload = (await pair.real.call(['dump', 'list:8'])).subarray(5);
    const good = payload.subarray(0, payload.length - 2);
    const flipped = Buffer.from(good);
    flipped[3] ^= 1;
    await pair.same([
      ['restore', 'new', '0', 'rubbish'],
      ['restore', 'new', '0', flipped],
      ['restore', 'new', '-1', good],
      ['restore', 'new', 'x', good],
      ['restore', 'string:0', '0', good],
      ['restore', 'new', '0', good, 'idletime', '-1'],
      ['restore', 'new', '0', good, 'freq', '256'],
      ['restore', 'new', '0', good, 'idletime', '1', 'freq', '1'],
      ['restore', 'new', '0', good, 'absttl', 'nonsense'],
      ['exists', 'new'],
      ['dump', 'missing'],
    ]);
  });

  it('DEBUG RELOAD changes nothing', async () => {
    const before = await pair.ours.call(['debug', 'digest']);
    expect(String(await pair.ours.call(['debug', 'reload']))).toBe('+OK\r\n');
    expect(String(await pair.ours.call(['debug', 'digest']))).toBe(String(before));
    await sameValues(pair);
  });

  it.each(['yes', 'no'])('each loads the append-only log of the other (RDB preamble: %s)', async (preamble) => {
    const ours = join(directory, `ours-${preamble}`);
    const real = join(directory, `real-${preamble}`);
    await Promise.all([mkdir(ours), mkdir(real)]);
    await fill(pair);
    await pair.ours.call(config('dir', ours));
    await pair.real.call(config('dir', real));
    await pair.same([config('aof-use-rdb-preamble', preamble), config('appendonly', 'yes')]);
    await Promise.all([rewritten(pair.ours), rewritten(pair.real)]);
    // What comes after the base goes into an increment, a transaction among it.
    await pair.same([
      ['multi'],
      ['incr', 'counter'],
      ['select', '5'],
      ['rpush', 'moved', 'a', 'b'],
      ['exec'],
      ['select', '0'],
      ['set', 'volatile:0', 'again', 'px', '1000000000'],
      ['getex', 'volatile:1', 'persist'],
      ['incrbyfloat', 'float', '1.25'],
      ['copy', 'hash:3000', 'hash:copy'],
      ['zadd', 'zset:512', 'incr', '1.5', 'm1'],
      config('appendonly', 'no'),
    ]);
    const expected = String(await pair.real.call(['debug', 'digest']));
    expect(String(await pair.ours.call(['debug', 'digest']))).toBe(expected);
    await rename(join(ours, 'appendonlydir'), join(directory, 'log'));
    await rename(join(real, 'appendonlydir'), join(ours, 'appendonlydir'));
    await rename(join(directory, 'log'), join(real, 'appendonlydir'));
    expect(String(await pair.ours.call(['debug', 'loadaof']))).toBe('+OK\r\n');
    expect(String(await pair.real.call(['debug', 'loadaof']))).toBe('+OK\r\n');
    expect(String(await pair.ours.call(['debug', 'digest']))).toBe(expected);
    expect(String(await pair.real.call(['debug', 'digest']))).toBe(expected);
  });
});

/** Resolves when the first rewrite is over. */
async function rewritten(server: RawConnection): Promise<void> {
  for (;;) {
    const info = String(await server.call(['info', 'persistence']));
    if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info)) return;
  }
}
