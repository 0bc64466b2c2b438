// Keys of requests against the real server's COMMAND GETKEYSANDFLAGS: a list of telling requests, then random ones made
// of each command's own words.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ArgumentSpec, commandSpecs, listCommandDocs } from '../../server/commands/docs.ts';
import { compileKeys, findKeys, KeyPositions } from '../../server/commands/key-positions.ts';
import { type CommandSpec, keyFlags } from '../../server/commands/spec.ts';
import { type PlainReply, type RealRedis, realRedisMissing, startRealRedis } from '../support/real-redis.ts';

const missing = realRedisMissing();

const samples = [
  'set k v',
  'set k v get',
  'set k v ex 10 GET',
  'set get v',
  'get k',
  'mset a 1 b 2',
  'mset a 1 b',
  'msetnx a 1 b 2',
  'mget a b c',
  'bitop and dest a b',
  'bitfield k get u8 0',
  'bitfield k get u8 0 set u8 0 1',
  'bitfield k overflow sat incrby u8 0 1',
  'bitfield k get u8',
  'lcs a b len',
  'lmpop 2 a b left',
  'lmpop 3 a b left',
  'lmpop 0 a left',
  'lmpop x a left',
  'blmpop 0 2 a b left',
  'blpop a b 0',
  'sintercard 2 a b limit 1',
  'sort k',
  'sort k by w_* get # get o_* limit 0 5 store d',
  'sort k store a store b',
  'sort k by store get store store d',
  'sort k store',
  'sort_ro k by w_*',
  'zunionstore d 2 a b weights 1 2',
  'zunionstore d 0 a b',
  'zunionstore d 5 a b',
  'zunion 2 a b',
  'zdiff 1 a',
  'zrangestore d s 0 1',
  'geosearchstore d s fromlonlat 1 1 byradius 1 m',
  'georadius k 1 1 1 m',
  'georadius k 1 1 1 m store d',
  'georadius k 1 1 1 m store d storedist e',
  'georadius k 1 1 1 m withdist storedist e',
  'georadiusbymember k m 1 m STORE d',
  'georadius_ro k 1 1 1 m',
  'xread streams a b 0 0',
  'xread count 1 block 0 STREAMS a b c 0 0 0',
  'xread streams a b 0',
  'xreadgroup group g c streams a 0',
  'xreadgroup group g c count 1 streams a b > >',
  'eval script 2 a b c',
  'eval script 0',
  'eval script 0 a',
  'eval script -1 a',
  'eval script x a',
  'eval script 3 a',
  'evalsha_ro sha 1 a',
  'fcall f 1 a b',
  'migrate h 1 k 0 100',
  'migrate h 1  0 100 keys a b',
  'migrate h 1  0 100 auth keys keys a b',
  'migrate h 1 k 0 100 keys a b',
  'migrate h 1  0 100 copy replace auth2 u p keys a',
  'object encoding k',
  'memory usage k samples 5',
  'xinfo stream k full',
  'xgroup create k g $',
  'copy a b',
  'rename a b',
  'smove a b m',
  'publish c m',
  'spublish c m',
  'ssubscribe c',
  'pfcount a b',
  'pfmerge d a b',
  'watch a b',
  'ping x',
  'del a',
  'restore k 0 v',
  'dump k',
  'command getkeys get a',
  'debug object k',
];

describe.skipIf(missing)(`keys of requests and redis-server${missing ? ` (${missing})` : ''}`, () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await startRealRedis();
  });
  afterAll(() => redis?.stop());

  async function compare(args: readonly string[]) {
    const theirs = await redis.call('COMMAND', 'GETKEYSANDFLAGS', ...args);
    const keys = await redis.call('COMMAND', 'GETKEYS', ...args);
    const ours = keysOf(args);
    expect([args.join(' '), ours]).toEqual([args.join(' '), theirs instanceof Error ? theirs.message : theirs]);
    if (Array.isArray(ours)) expect(ours.map((pair) => (pair as PlainReply[])[0])).toEqual(keys);
  }

  it.each(samples)('%s', (line) => compare(line.split(' ')));

  it('are the same for random requests of every command with keys', async () => {
    // Redis 7.2 gave ZRANK and ZREVRANK one more argument.
    const docs = listCommandDocs().filter(
      ({ name, spec }) => spec.keySpecs && !/^7\.[24]/.test(spec.since) && !/^z(rev)?rank$/.test(name),
    );
    const request = fc.constantFrom(...docs).chain(({ name, spec }) => {
      const vocabulary = fc.constantFrom(
        'a',
        'b',
        '0',
        '1',
        '2',
        '3',
        '-1',
        '',
        '17',
        ...wordsOf(spec.arguments ?? []),
      );
      const words = name.split('|');
      // COMMAND GETKEYS wants a request of two words at least.
      const shortest = Math.max(Math.abs(spec.arity), 2) - words.length;
      const longest = spec.arity > 0 ? shortest : shortest + 7;
      return fc.array(vocabulary, { minLength: shortest, maxLength: longest }).map((rest) => [...words, ...rest]);
    });
    await fc.assert(fc.asyncProperty(request, compare), { numRuns: 3000 });
  });
});

/** What COMMAND GETKEYSANDFLAGS answers by our table: pairs of a key and its flags, or the error's text. */
function keysOf(args: readonly string[]): PlainReply {
  const container: CommandSpec | undefined = commandSpecs[args[0]!];
  const spec = container?.subcommands?.[args[1] ?? ''] ?? container!;
  const plan = compileKeys(spec);
  if (!plan) return 'ERR The command has no key arguments';
  const wrong = spec.arity > 0 ? args.length !== spec.arity : args.length < -spec.arity;
  if (wrong) return 'ERR Invalid number of arguments specified for command';
  const parts = args.map((arg) => Buffer.from(arg));
  const pos: number[] = [];
  for (let i = 0, at = 0; i < parts.length; at += parts[i++]!.length) pos.push(at);
  const found = new KeyPositions();
  const view = { argc: args.length, buf: Buffer.concat(parts), pos, len: parts.map((part) => part.length) };
  if (!findKeys(plan, view, found) || found.count === 0) {
    return spec.flags?.includes('no_mandatory_keys') ? [] : 'ERR Invalid arguments specified for command';
  }
  return Array.from({ length: found.count }, (_, i) => [
    args[found.indexes[i]!]!,
    keyFlags.filter((_flag, bit) => (found.flags[i]! & (1 << bit)) !== 0),
  ]);
}

function wordsOf(list: readonly ArgumentSpec[]): string[] {
  return list.flatMap((argument) => [
    ...(argument.token ? [argument.token, argument.token.toLowerCase()] : []),
    ...wordsOf(argument.arguments ?? []),
  ]);
}
