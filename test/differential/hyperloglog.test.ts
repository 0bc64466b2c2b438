// HyperLogLog commands beside a real redis-server: the stored bytes must be the same after every change.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();

describe.skipIf(missing !== null)(missing ?? 'HyperLogLogs, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair([['hll-sparse-max-bytes', '600']]);
  });
  afterAll(async () => {
    await pair.stop();
  });

  for (const resp of ['2', '3']) {
    it(`stores the same bytes and gives the same replies in RESP${resp}`, async () => {
      await pair.same([['flushall']]);
      await pair.same([['hello', resp]], { compare: () => 'none' });
      const g = new Generator(Number(resp) * 65537);
      await pair.same([['rpush', 'list', 'a'], ['set', 'text', 'b'], ...g.several(6_000, 6_000, () => command(g))]);
      await pair.sameData();
    });
  }
});

function command(g: Generator): Command {
  const key = g.once(40) ? g.pick(['list', 'text']) : `p${g.below(8)}`;
  const element = () => (g.once(3) ? g.value() : `element-${g.below(50_000)}`);
  switch (g.below(20)) {
    case 0:
      return ['pfadd', key, ...g.several(100, 300, element)];
    case 1:
      return ['pfadd', key];
    case 2:
    case 3:
      return ['pfcount', key];
    case 4:
      return ['pfcount', ...g.several(2, 4, () => `p${g.below(9)}`)];
    case 5:
      return ['pfmerge', ...g.several(1, 4, () => `p${g.below(9)}`)];
    case 6:
      return ['pfdebug', g.pick(['encoding', 'decode', 'getreg', 'nonsense']), key];
    case 7:
      return g.once(4) ? ['pfdebug', 'todense', key] : ['get', `p${g.below(8)}`];
    case 8:
      return ['get', `p${g.below(8)}`];
    case 9:
      return g.once(3) ? ['del', key] : ['strlen', `p${g.below(8)}`];
    case 10:
      // Damages registers, mostly.
      return g.once(6) ? ['setrange', `p${g.below(8)}`, String(g.below(40)), g.value()] : ['strlen', key];
    default:
      return ['pfadd', key, ...g.several(1, 20, element)];
  }
}
