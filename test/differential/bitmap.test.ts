// Bitmap commands beside a real redis-server: generated sequences on few strings, some of them no strings at all.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();

describe.skipIf(missing !== null)(missing ?? 'bitmaps, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(async () => {
    await pair.stop();
  });

  for (const resp of ['2', '3']) {
    it(`gives the same replies in RESP${resp}`, async () => {
      await pair.same([['flushall']]);
      await pair.same([['hello', resp]], { compare: () => 'none' });
      const g = new Generator(Number(resp) * 104729);
      await pair.same([['rpush', 'list', 'a'], ...g.several(12_000, 12_000, () => command(g))]);
      await pair.sameData();
    });
  }
});

function command(g: Generator): Command {
  const key = g.once(40) ? 'list' : `b${g.below(8)}`;
  const offset = () => (g.once(20) ? g.number(100) : String(g.below(g.pick([16, 100, 2000]))));
  const range = () => [g.number(40), g.number(40)];
  const unit = () => (g.once(15) ? g.value() : g.pick(['bit', 'byte', 'BIT', 'Byte']));
  switch (g.below(16)) {
    case 0:
    case 1:
    case 2:
      return ['setbit', key, offset(), g.once(20) ? g.number(3) : g.pick(['0', '1', '1'])];
    case 3:
      return ['getbit', key, offset()];
    case 4:
    case 5:
      return ['bitcount', key, ...g.pick([[], range(), [...range(), unit()], [g.number(5)], [...range(), 'bit', 'x']])];
    case 6:
    case 7:
    case 8: {
      const bit = g.once(20) ? g.number(3) : g.pick(['0', '1']);
      return [
        'bitpos',
        key,
        bit,
        ...g.pick([[], [g.number(20)], range(), [...range(), unit()], [...range(), 'bit', 'x']]),
      ];
    }
    case 9:
    case 10: {
      const operation = g.once(25) ? g.value() : g.pick(['and', 'or', 'xor', 'AND']);
      return ['bitop', operation, `b${g.below(8)}`, ...g.several(1, 4, () => `b${g.below(9)}`)];
    }
    case 11:
      return ['bitop', 'not', key, ...g.several(1, g.once(10) ? 2 : 1, () => `b${g.below(9)}`)];
    case 12:
      return g.pick([
        ['set', `b${g.below(8)}`, g.value()],
        ['del', `b${g.below(8)}`],
        ['get', key],
        ['object', 'encoding', key],
      ]);
    case 13:
      return [g.pick(['bitfield_ro', 'bitfield_ro', 'bitfield']), key, ...g.several(0, 3, () => read(g)).flat()];
    default:
      return [
        g.once(20) ? 'bitfield_ro' : 'bitfield',
        key,
        ...g.several(1, 4, () => g.pick([read, write, write, overflow])(g)).flat(),
      ];
  }
}

function read(g: Generator): string[] {
  return [g.pick(['get', 'GET']), type(g), position(g)];
}

function write(g: Generator): string[] {
  return [g.pick(['set', 'incrby']), type(g), position(g), g.once(3) ? g.number(2 ** 40) : g.number(200)];
}

function overflow(g: Generator): string[] {
  return ['overflow', g.once(20) ? g.value() : g.pick(['wrap', 'sat', 'fail', 'SAT'])];
}

function type(g: Generator): string {
  if (g.once(25)) return g.pick(['u64', 'i65', 'i0', 'u', '', 'x8', 'i08', 'i-1', 'u1x']);
  return g.once(2) ? `i${1 + g.below(64)}` : `u${1 + g.below(63)}`;
}

function position(g: Generator): string {
  if (g.once(25)) return g.number(100);
  return g.once(4) ? `#${g.below(20)}` : String(g.below(300));
}
