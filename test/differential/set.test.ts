// Sets beside a real redis-server: valid and invalid commands in both protocols must get the same replies.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command, Comparison } from './support/pair.ts';
import { usualComparison } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const KEYS = ['s1', 's2', 's3', 'i1', 'i2', 'other', 'none'];

function command(g: Generator): Command {
  const key = () => g.pick(KEYS);
  const member = () => (g.once(3) ? g.value() : String(g.below(40)));
  const members = () => g.several(1, 5, member);
  switch (g.below(24)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return ['sadd', key(), ...members()];
    case 4:
      return ['sadd', g.pick(['i1', 'i2']), ...g.several(1, 20, () => g.integer(2 ** g.below(64)))];
    case 5:
      return ['srem', key(), ...members()];
    case 6:
      return ['scard', key()];
    case 7:
      return ['sismember', key(), member()];
    case 8:
      return ['smismember', key(), ...members()];
    case 9:
      return ['smembers', key()];
    case 10:
      return ['smove', key(), key(), member()];
    case 11:
      return ['sinter', ...g.several(1, 4, key)];
    case 12:
      return ['sunion', ...g.several(1, 4, key)];
    case 13:
      return ['sdiff', ...g.several(1, 4, key)];
    case 14:
      return [g.pick(['sinterstore', 'sunionstore', 'sdiffstore']), key(), ...g.several(1, 4, key)];
    case 15: {
      const keys = g.several(1, 3, key);
      const count = g.once(6) ? g.number(4) : String(keys.length);
      return ['sintercard', count, ...keys, ...(g.once(2) ? ['limit', g.number(5)] : [])];
    }
    case 16:
      return ['srandmember', key(), ...(g.once(3) ? [drawCount(g)] : [])];
    case 17:
      return ['srandmember', key(), String(100000 + g.below(400))];
    case 18:
      return [
        'sscan',
        key(),
        '0',
        'count',
        '1000000',
        ...(g.once(3) ? ['match', g.pick(['*', '1*', 'v?', '[0-5]'])] : []),
      ];
    case 19:
      return g.once(2)
        ? ['sscan', key(), g.pick(['x', '1x', ' 0', '99999999999999999999999'])]
        : ['sscan', key(), '0', ...g.pick([['count', '0'], ['count', 'x'], ['match'], ['foo', '1']])];
    case 20:
      return g.pick([
        ['spop', key(), '-1'],
        ['spop', key(), '0'],
        ['spop', key(), 'x'],
        ['spop', key(), '1', '2'],
        ['spop', key(), '1000000'],
        ['srandmember', key(), '1', '1'],
        ['sadd', key()],
        ['sintercard', '1'],
      ]);
    case 21:
      return g.once(4) ? ['set', 'other', 'text'] : ['del', g.pick(KEYS)];
    case 22:
      return ['object', 'encoding', key()];
    default:
      return ['type', key()];
  }
}

/** No large negative number: both servers would draw as often. */
function drawCount(g: Generator): string {
  return g.once(8) ? g.pick(['-9223372036854775808', '9223372036854775807', 'x', '1.0', '']) : g.integer(8);
}

const missing = missingServers();

describe.skipIf(missing !== null)(missing ?? 'sets, beside redis-server', () => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await startPair([['set-max-intset-entries', '30']]);
  });

  afterAll(async () => {
    await pair.stop();
  });

  for (const protocol of ['2', '3']) {
    it(`random commands give the same replies in RESP${protocol}`, async () => {
      await pair.same([['hello', protocol]], { compare: () => 'none' });
      const g = new Generator(100 + Number(protocol));
      const commands = g.several(12000, 12000, () => command(g));
      await pair.same(commands, { compare: compareSets });
      await pair.same(
        [
          ['keys', '*'],
          ...KEYS.flatMap((key): Command[] => [
            ['object', 'encoding', key],
            ['smembers', key],
          ]),
        ],
        {
          compare: compareSets,
        },
      );
    });
  }

  it('dumps sets of integers as the same bytes', async () => {
    const sets = [
      ['1'],
      ['5', '-3', '32767'],
      ['32768', '0'],
      ['2147483648', '-1', '7'],
      ['9223372036854775807', '-9223372036854775808'],
    ];
    await pair.same([['flushall']]);
    for (const [i, members] of sets.entries()) {
      await pair.same([
        ['sadd', `i${i}`, ...members],
        ['dump', `i${i}`],
        ['sadd', `i${i}`, '100000'],
        ['srem', `i${i}`, '100000'],
        ['dump', `i${i}`],
      ]);
    }
  });

  it('gives whole sets in any order, and single draws of the same shape', async () => {
    const big = Array.from({ length: 1000 }, (_, i) => `m${i}`);
    await pair.same([
      ['flushall'],
      ['sadd', 'big', ...big],
      ['smembers', 'big'],
      ['spop', 'big', '10'],
      ['scard', 'big'],
      ['spop', 'big', '900'],
      ['scard', 'big'],
      ['srandmember', 'big', '20'],
      ['srandmember', 'big', '85'],
      ['srandmember', 'big', '-20'],
      ['spop', 'big'],
      ['spop', 'big', '1000'],
      ['exists', 'big'],
    ]);
  });
});

/** Which member a draw gives differs; a table's order does, too. */
function compareSets(command: Command): Comparison {
  if (command[0] === 'spop' && command[2] === '1000000') return 'unordered';
  if (command[0] === 'srandmember' && Number(command[2]) >= 100000) return 'unordered';
  if (command[0] === 'srandmember' && command.length === 2) return 'none';
  if (command[0] === 'sscan') return 'unordered';
  return usualComparison(command);
}
