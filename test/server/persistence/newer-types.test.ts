// What becomes of the types that came after Redis 7.4 and Valkey 9.1 when they are loaded or restored: what clients see,
// what the log says, and what is refused.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crc64 } from '../../../server/base/crc64.ts';
import { Dumper } from '../../../server/persistence/dumper.ts';
import type { Environment } from '../../../server/persistence/environment.ts';
import { DumpLoader } from '../../../server/persistence/load.ts';
import { PushedDump } from '../../../server/persistence/push-load.ts';
import { Values } from '../../../server/persistence/values.ts';
import { HandlerWorld } from '../../support/handler-world.ts';
import { fileOf, type Sample, samples } from '../formats/rdb/newer-samples.ts';
import { digests, environment, load, loadInPieces } from './load-world.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsredis-newer-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function sample(name: string): Sample {
  return samples.find((one) => one.name === name) as Sample;
}

/** Writes a dump and returns its path. */
function saved(bytes: Buffer): string {
  const path = join(directory, 'sample.rdb');
  writeFileSync(path, bytes);
  return path;
}

type World = { clients: HandlerWorld; log: string[]; environment: Environment };

function world(): World {
  const clients = new HandlerWorld();
  const log: string[] = [];
  return { clients, log, environment: environment(log, clients.keyspace, clients.settings) };
}

/** Loads a file as the server does at start. */
function loaded(bytes: Buffer, into = world()): World {
  const loader = new DumpLoader(into.environment, saved(bytes), { isPreamble: false, replaces: false });
  loader.runNow();
  loader.visitor.logTotals();
  return into;
}

const MS = '1786686652452';
const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

describe('streams', () => {
  it.each(['stream-v4', 'stream-v5'])('keep entries, groups, consumers and what is pending (%s)', (name) => {
    const { clients } = loaded(fileOf(sample(name)));
    expect(clients.run('XRANGE', 'k', '-', '+')).toBe(
      `*1\r\n*2\r\n${bulk(`${MS}-0`)}*2\r\n${bulk('field')}${bulk('stream-value')}`,
    );
    expect(clients.run('XPENDING', 'k', 'g', '-', '+', '1', 'c')).toMatch(
      new RegExp(`^\\*1\r\n\\*4\r\n\\$15\r\n${MS}-0\r\n\\$1\r\nc\r\n:\\d+\r\n:3\r\n$`),
    );
    expect(clients.run('XINFO', 'GROUPS', 'k')).toContain(`${bulk('last-delivered-id')}${bulk(`${MS}-0`)}`);
  });

  it('hand entries that were given back to whoever claims', () => {
    const { clients } = loaded(fileOf(sample('stream-v5')));
    expect(clients.run('XPENDING', 'k', 'g')).toBe(
      `*4\r\n:3\r\n${bulk(`${MS}-0`)}${bulk(`${MS}-2`)}*2\r\n` +
        `*2\r\n${bulk('')}${bulk('2')}*2\r\n${bulk('c')}${bulk('1')}`,
    );
    // Delivered so often that no number holds it: the largest that ours do.
    const pending = clients.run('XPENDING', 'k', 'g', '-', '+', '9', '');
    expect(pending).toMatch(/^\*2\r\n/);
    expect(pending).toContain(`:${Number.MAX_SAFE_INTEGER}\r\n`);
    for (const sequence of [1, 2]) clients.run('XADD', 'k', `${MS}-${sequence}`, 'field', 'value');
    expect(clients.run('XCLAIM', 'k', 'g', 'other', '1', `${MS}-1`, 'JUSTID')).toBe(`*1\r\n${bulk(`${MS}-1`)}`);
    expect(clients.run('XAUTOCLAIM', 'k', 'g', 'other', '1', `${MS}-1`, 'JUSTID')).toContain(
      `*1\r\n${bulk(`${MS}-2`)}`,
    );
    expect(clients.run('XACK', 'k', 'g', `${MS}-1`, `${MS}-2`)).toBe(':2\r\n');
  });

  it('say once for each kind what was left out of how many', () => {
    const { body } = sample('stream-v5');
    const named = (name: string) => Buffer.concat([Buffer.from([27, 1]), Buffer.from(name), body.subarray(3)]);
    const { log } = loaded(fileOf({ ...sample('stream-v5'), body: Buffer.concat(['a', 'b', 'c'].map(named)) }));
    expect(log.at(-1)).toBe('Done loading RDB, keys loaded: 3, keys expired: 0.');
    expect(log.filter((line) => line.includes('IDMP'))).toEqual([
      'Left out: what 3 streams kept to recognise messages that come twice (IDMP); producers that send one again add it again.',
    ]);
    expect(log.filter((line) => line.includes('XNACK'))).toEqual([
      'Loaded as pending of a consumer with an empty name: 6 pending entries given back by consumers (XNACK); XAUTOCLAIM finds them.',
    ]);
  });

  it('say so as well when they came with a full synchronisation', () => {
    const { environment: replica, log } = world();
    const dump = new PushedDump(replica, null);
    dump.push(fileOf(sample('stream-v5')));
    dump.finish();
    expect(log.filter((line) => /IDMP|XNACK/.test(line))).toHaveLength(2);
  });

  it('are not spoken of when there is nothing to lose', () => {
    const { log, clients } = loaded(withoutArray());
    expect(log.filter((line) => /IDMP|XNACK/.test(line))).toEqual([]);
    expect(clients.run('XLEN', 'lab:stream')).toBe(':1\r\n');
  });

  it('survive a save in our own format', () => {
    const { environment: first } = loaded(fileOf(sample('stream-v5')));
    const path = join(directory, 'again.rdb');
    new Dumper(first).writeNow(path, []);
    const again = world();
    load(path, again.environment);
    const ask = (of: World) => of.clients.run('XPENDING', 'k', 'g', '-', '+', '9');
    expect(ask(again).split('\r\n')).toHaveLength(3 * 7 + 2);
    expect(ask(again)).toContain(`:${Number.MAX_SAFE_INTEGER}\r\n`);
    expect(digests(again.environment)).toEqual(digests(first));
  });

  it('are refused when a given back entry is not pending, or owned, or comes twice', () => {
    const path = (from: string, to: string) => {
      const hex = fileOf(sample('stream-v5')).toString('hex');
      expect(hex).toContain(from);
      return saved(Buffer.from(hex.replace(from, to), 'hex'));
    };
    const id = '0000019ffed2c02400000000000000';
    const strange = environment();
    strange.settings.put('sanitize-dump-payload', 'no');
    expect(() => load(path(`02${id}01`, `02${id}07`), strange)).toThrow(
      /NACK zone entry not found in group global PEL/,
    );
    expect(() => load(path(`02${id}01`, `02${id}00`), environment())).toThrow(
      /NACK zone entry has a consumer assigned/,
    );
  });
});

describe('hashes with templates', () => {
  const hashes = samples.filter(({ name }) => name.startsWith('hash-template'));

  it.each(hashes)('are plain hashes here: $name', ({ name }) => {
    const { clients } = loaded(fileOf(sample(name)));
    expect(clients.run('HGETALL', 'k')).toBe(`*4\r\n${['field1', '1', 'field2', '2'].map(bulk).join('')}`);
    expect(clients.run('OBJECT', 'ENCODING', 'k')).toBe(bulk('listpack'));
    expect(clients.run('HSET', 'k', 'field3', '3')).toBe(':1\r\n');
  });

  it.each(hashes)('have the encoding that our limits ask for: $name', ({ name }) => {
    const into = world();
    into.clients.settings.put('hash-max-listpack-entries', 1);
    expect(loaded(fileOf(sample(name)), into).clients.run('OBJECT', 'ENCODING', 'k')).toBe(bulk('hashtable'));
  });

  it.each(hashes)('are the same whatever the pieces they come in: $name', ({ name }) => {
    const path = saved(fileOf(sample(name)));
    const whole = environment();
    load(path, whole);
    const pieces = environment();
    loadInPieces(path, pieces, 1);
    expect(digests(pieces)).toEqual(digests(whole));
    expect(digests(pieces).size).toBeGreaterThan(0);
  });
});

/** The real dump without its one array; the checksum is off. */
function withoutArray(): Buffer {
  const whole = readFileSync(new URL('../../fixtures/rdb/rediscope/native-types.rdb', import.meta.url));
  const from = whole.indexOf('\x1c\x09lab:array', 'latin1');
  const to = whole.indexOf('\x11\x07lab:geo', 'latin1');
  const end = whole.length - 8;
  return Buffer.concat([whole.subarray(0, from), whole.subarray(to, end), Buffer.alloc(8)]);
}

describe('what has no counterpart here', () => {
  it.each([
    ['array', /array \(type 28, since RDB version 14 of Redis 8\.8\).*delete such keys/],
    ['path-hash', /path hash \(type 23, since RDB version 81 of Valkey 9\.2\).*delete such keys/],
    ['inline command', /carries a command \('DEL'\) between its keys/],
    ['key metadata', /metadata of keys I can't load: no matching class 'META-AAAB' \(set 'rdb-module-values skip'/],
  ])('is refused with the key, the type and what to do: %s', (name, message) => {
    expect(() => load(saved(fileOf(sample(name))), environment())).toThrow(message);
  });

  it('names the type as the program that wrote it does', () => {
    expect(() => load(saved(fileOf(sample('path-hash'))), environment())).toThrow(
      /Reading key 'k'\n.*Reading type 23 \(path-hash\)/,
    );
    expect(() => load(saved(fileOf(sample('array'))), environment())).toThrow(
      /Reading key 'k'\n.*Reading type 28 \(array\)/,
    );
  });

  it('does not matter once it has expired', () => {
    const { body } = sample('array');
    const expired = Buffer.concat([Buffer.from('fc0100000000000000', 'hex'), body]);
    const there = { ...environment(), dropsExpired: () => true };
    load(saved(fileOf({ ...sample('array'), body: expired })), there);
    expect([...digests(there).keys()]).toEqual(['0 s -1']);
  });

  it('is left out, counted and named when it is metadata of modules and rdb-module-values is skip', () => {
    const into = world();
    into.clients.settings.put('rdb-module-values', 'skip');
    const { clients, log } = loaded(fileOf(sample('key metadata')), into);
    expect(clients.run('GET', 'k')).toBe(bulk('v'));
    expect(clients.run('PEXPIRETIME', 'k')).toBe(':2199023255552\r\n');
    expect(log.filter((line) => line.startsWith('Left out'))).toEqual([
      "Left out of the RDB file: 1 values or facts of module 'META-AAAB'.",
      "Left out of the RDB file: 1 values or facts of module 'META-Aa0_'.",
    ]);
  });

  it('is the only thing that keeps the real dump of 8.9 from being loaded', () => {
    const { clients } = loaded(withoutArray());
    const keys = ['bitmap', 'bitfield', 'geo', 'hash', 'hll', 'list', 'set', 'stream', 'string', 'zset'];
    expect(clients.run('DBSIZE')).toBe(`:${keys.length}\r\n`);
    for (const key of keys) expect(clients.run('EXISTS', `lab:${key}`)).toBe(':1\r\n');
    expect(clients.run('HGET', 'lab:hash', 'field')).toBe(bulk('hash-value'));
  });
});

describe('RESTORE', () => {
  /** The payload that DUMP would make of a sample's first key, of that version. */
  function payload(name: string, version: number, from = 0, tail = 0): Buffer {
    const { body } = sample(name);
    const end = body.length - tail;
    const value = Buffer.concat([
      body.subarray(from, from + 1),
      body.subarray(from + 3, end),
      Buffer.from([version, 0]),
    ]);
    const crc = new Crc64();
    crc.update(value, 0, value.length);
    const sum = Buffer.alloc(8);
    crc.write(sum, 0);
    return Buffer.concat([value, sum]);
  }

  function restore(bytes: Buffer): World & { entry: number } {
    const into = world();
    const values = new Values(into.environment);
    expect(values.isSound(bytes)).toBe(true);
    const entry = values.restore(into.clients.keyspace.databases[0], Buffer.from('k'), bytes);
    return { ...into, entry };
  }

  it.each([
    ['hash-template-listpack', 15],
    ['hash-template-array', 15],
    ['hash-template-array, packed names', 15],
  ])('makes a plain hash of %s', (name, version) => {
    const { clients, entry } = restore(payload(name, version));
    expect(entry).not.toBe(0);
    expect(clients.run('HGETALL', 'k')).toBe(`*4\r\n${['field1', '1', 'field2', '2'].map(bulk).join('')}`);
  });

  it('takes streams, and says what was left out', () => {
    const { clients, log } = restore(payload('stream-v5', 14));
    expect(clients.run('XPENDING', 'k', 'g')).toMatch(/^\*4\r\n:3\r\n/);
    expect(log).toEqual([
      expect.stringMatching(/^Left out: what 1 stream kept .*IDMP/),
      expect.stringMatching(/^Loaded as pending .* 2 pending entries .*XNACK/),
    ]);
  });

  it.each([
    ['array', 14, 0, 6, /array \(type 28/],
    ['hash-template-array-ref, twice', 15, 17, 7, /Invalid hash template ID 5/],
    ['hash-template-listpack-ref', 15, 17, 0, /Invalid hash template ID 5/],
  ])('refuses %s', (name, version, from, tail, message) => {
    const { clients, log, entry } = restore(payload(name, version, from, tail));
    expect(entry).toBe(0);
    expect(clients.run('EXISTS', 'k')).toBe(':0\r\n');
    expect(log.join('\n')).toMatch(message);
  });

  it('knows payloads up to version 15', () => {
    const values = new Values(environment());
    expect(values.isSound(payload('hash-template-array', 15))).toBe(true);
    expect(values.isSound(payload('hash-template-array', 16))).toBe(false);
  });
});
