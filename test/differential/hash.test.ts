// Hash commands beside a real redis-server: generated sequences on few keys, so that hashes grow, convert, shrink, go.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();
const SETTINGS = [
  ['hash-max-listpack-entries', '16'],
  ['hash-max-listpack-value', '64'],
] as const;

describe.skipIf(missing !== null)(missing ?? 'hashes, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair(SETTINGS);
  });
  afterAll(async () => {
    await pair.stop();
  });

  for (const resp of ['2', '3']) {
    it(`gives the same replies in RESP${resp}`, async () => {
      await pair.same([['flushall']]);
      await pair.same([['hello', resp]], { compare: () => 'none' });
      const g = new Generator(Number(resp) * 7919);
      await pair.same([['set', 'text', 'v'], ['set', 'number', '5'], ...g.several(12_000, 12_000, () => command(g))]);
      await pair.sameData(['type', 'encoding']);
    });
  }
});

function command(g: Generator): Command {
  const key = g.once(40) ? g.pick(['text', 'number']) : `h${g.below(12)}`;
  const field = () => (g.once(8) ? g.value() : `f${g.below(25)}`);
  switch (g.below(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [g.pick(['hset', 'hset', 'hmset', 'HSET']), key, ...g.several(1, 3, () => [field(), g.value()]).flat()];
    case 4:
      return [g.pick(['hset', 'hmset', 'hsetnx']), key, ...g.several(0, 4, field)];
    case 5:
      return ['hsetnx', key, field(), g.value()];
    case 6:
      return [g.pick(['hget', 'hexists', 'hstrlen']), key, field()];
    case 7:
      return ['hmget', key, ...g.several(1, 5, field)];
    case 8:
    case 9:
      return ['hdel', key, ...g.several(1, 4, field)];
    case 10:
    case 11:
      return ['hincrby', key, field(), g.number(1000)];
    case 12:
      return ['hincrbyfloat', key, field(), g.pick(['1.5', '-0.1', '3', '1e2', 'abc', '', '0.00001', g.number(50)])];
    case 13:
      return [g.pick(['hgetall', 'hkeys', 'hvals']), key];
    case 14:
      return [g.pick(['hlen', 'hgetall', 'object']), ...(g.once(3) ? ['encoding', key] : [key])];
    case 15:
      return [
        'hscan',
        key,
        '0',
        'count',
        '1000',
        ...(g.once(4) ? ['match', g.pick(['f1*', '*', '?1', '[a-f]*'])] : []),
      ];
    case 16:
      if (g.once(3)) return ['hscan', key, g.pick(['x', '', '1x']), 'count'];
      return ['hscan', g.pick(['text', 'no']), '0', ...g.several(0, 2, () => g.pick(['count', 'match', '0', 'type']))];
    case 17:
      return ['hrandfield', key, ...g.several(0, 2, () => g.pick(['100', '0', '-3', 'withvalues', 'x']))];
    case 18:
      if (g.once(4)) return ['del', `h${g.below(12)}`];
      return [g.pick(['type', 'exists']), key];
    default:
      return [g.pick(['hincrby', 'hincrbyfloat', 'hget', 'hdel', 'hlen']), key, ...g.several(0, 3, field)];
  }
}
