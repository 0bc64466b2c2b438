// Sorted sets beside a real redis-server, in both encodings and both protocols: the same commands, the same replies.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command, Comparison } from './support/pair.ts';
import { usualComparison } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

/** The `lex` keys hold members of one score, as ranges by member ask for. */
const KEYS = ['z1', 'z2', 'z3', 'z4', 'plain', 'text', 'none'];
const LEX_KEYS = ['lex1', 'lex2', 'nolex', 'wrong'];
const SCORES = ['inf', '-inf', '+inf', 'nan', '1e300', '-1e-300', '0.1', '3.14159', '1e17', '0x1f', '1.5e', ' 2'];

class SortedSetGenerator extends Generator {
  key(): string {
    return this.pick(KEYS);
  }

  member(): string {
    return this.once(4) ? this.value() : `m${this.below(60)}`;
  }

  score(): string {
    const kind = this.below(10);
    if (kind === 0) return this.pick(SCORES);
    // Whether -0 keeps its sign depends on the encodings it went through; nobody asks for that.
    if (kind === 1) return this.number(100).replace(/^-0$/, '0');
    if (kind === 2) return String(this.below(1000) / 7);
    if (kind === 3) return this.integer(2 ** this.below(53));
    return this.integer(20);
  }

  bound(): string {
    return (this.once(3) ? '(' : '') + this.score();
  }

  lexBound(): string {
    if (this.once(5)) return this.pick(['-', '+', '', 'm', '[', '(']);
    return this.pick(['[', '(']) + (this.once(3) ? this.value() : `m${this.below(60)}`);
  }

  maybe(...words: readonly string[]): readonly string[] {
    return this.once(3) ? words : [];
  }

  limit(): readonly string[] {
    return this.once(3) ? ['limit', this.number(8), this.number(8)] : [];
  }
}

function write(g: SortedSetGenerator): Command {
  switch (g.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const flags = g.once(3) ? g.several(1, 2, () => g.pick(['nx', 'xx', 'gt', 'lt', 'ch', 'incr', 'CH'])) : [];
      return ['zadd', g.key(), ...flags, ...g.several(1, 4, () => [g.score(), g.member()]).flat()];
    }
    case 4:
      return ['zincrby', g.key(), g.score(), g.member()];
    case 5:
      return ['zrem', g.key(), ...g.several(1, 3, () => g.member())];
    case 6:
      return [g.pick(['zpopmin', 'zpopmax']), g.key(), ...(g.once(2) ? [g.number(3)] : [])];
    case 7: {
      const keys = g.several(1, 3, () => g.key());
      const count = g.once(8) ? g.number(4) : String(keys.length);
      return ['zmpop', count, ...keys, g.pick(['min', 'max', 'MIN']), ...g.maybe('count', g.number(3))];
    }
    case 8:
      return g.pick([
        ['zremrangebyrank', g.key(), g.number(60), g.number(3)],
        ['zremrangebyscore', g.key(), g.bound(), g.bound()],
        ['zremrangebylex', g.pick(LEX_KEYS), g.lexBound(), g.lexBound()],
      ]);
    case 9:
      return ['zadd', g.pick(['lex1', 'lex2']), ...g.several(1, 8, () => ['0', g.member()]).flat()];
    case 10:
      return ['zrangestore', g.key(), g.key(), ...rangeArguments(g, true)];
    case 11:
      return [g.pick(['zunionstore', 'zinterstore', 'zdiffstore']), g.key(), ...combination(g)];
    case 12:
      return ['sadd', 'plain', ...g.several(1, 4, () => g.member())];
    default:
      return g.once(3) ? ['del', g.key()] : ['set', 'text', 'x'];
  }
}

function read(g: SortedSetGenerator): Command {
  switch (g.below(15)) {
    case 0:
    case 1:
    case 2:
      return ['zrange', g.key(), ...rangeArguments(g, false)];
    case 3:
      return ['zrevrange', g.key(), g.number(30), g.number(30), ...g.maybe('withscores')];
    case 4:
      return ['zrangebyscore', g.key(), g.bound(), g.bound(), ...g.maybe('withscores'), ...g.limit()];
    case 5:
      return ['zrevrangebyscore', g.key(), g.bound(), g.bound(), ...g.limit(), ...g.maybe('withscores')];
    case 6:
      return [g.pick(['zrangebylex', 'zrevrangebylex']), g.pick(LEX_KEYS), g.lexBound(), g.lexBound(), ...g.limit()];
    case 7:
      return g.once(2)
        ? ['zcount', g.key(), g.bound(), g.bound()]
        : ['zlexcount', g.pick(LEX_KEYS), g.lexBound(), g.lexBound()];
    case 8:
      return [g.pick(['zrank', 'zrevrank', 'zscore']), g.key(), g.member()];
    case 9:
      return ['zmscore', g.key(), ...g.several(1, 4, () => g.member())];
    case 10:
      return [g.pick(['zunion', 'zinter', 'zdiff']), ...combination(g), ...g.maybe('withscores')];
    case 11: {
      const keys = g.several(1, 3, () => g.key());
      return ['zintercard', g.once(6) ? g.number(3) : String(keys.length), ...keys, ...g.maybe('limit', g.number(4))];
    }
    case 12:
      return ['zscan', g.key(), '0', 'count', '100000', ...g.maybe('match', g.pick(['m1*', '*', 'v?']))];
    case 13:
      return ['zrandmember', g.key(), ...(g.once(4) ? [] : [drawCount(g), ...g.maybe('withscores')])];
    default:
      return g.pick([
        ['zcard', g.key()],
        ['object', 'encoding', g.key()],
        ['bzpopmin', 'none', g.pick(['x', '-1', 'nan'])],
      ]);
  }
}

/** No large negative number: both servers would draw as often. */
function drawCount(g: Generator): string {
  return g.once(8) ? g.pick(['-9223372036854775808', '9223372036854775807', 'x', '1.0', '']) : g.integer(5);
}

function rangeArguments(g: SortedSetGenerator, store: boolean): readonly string[] {
  const scores = store ? [] : g.maybe('withscores');
  switch (g.below(4)) {
    case 0:
      return [g.bound(), g.bound(), 'byscore', ...g.maybe('rev'), ...g.limit(), ...scores];
    case 1:
      return [g.lexBound(), g.lexBound(), 'BYLEX', 'limit', '0', '0', ...g.maybe('rev')];
    case 2:
      return [g.number(30), g.number(30), ...g.maybe('rev'), ...g.maybe(g.pick(['foo', 'limit', 'bylex'])), ...scores];
    default:
      return ['0', '-1', ...g.maybe('rev'), ...scores];
  }
}

function combination(g: SortedSetGenerator): readonly string[] {
  const keys = g.several(1, 3, () => g.key());
  return [
    g.once(8) ? g.number(3) : String(keys.length),
    ...keys,
    ...(g.once(3) ? ['weights', ...keys.map(() => g.score())] : []),
    ...g.maybe('aggregate', g.pick(['sum', 'min', 'MAX', 'foo'])),
  ];
}

const missing = missingServers();

for (const entries of ['128', '10']) {
  describe.skipIf(missing !== null)(missing ?? `sorted sets up to ${entries} as listpack, beside redis-server`, () => {
    let pair: Pair;

    beforeAll(async () => {
      pair = await startPair([['zset-max-listpack-entries', entries]]);
    });

    afterAll(async () => {
      await pair.stop();
    });

    for (const protocol of ['2', '3']) {
      it(`random commands give the same replies in RESP${protocol}`, async () => {
        await pair.same([['hello', protocol]], { compare: () => 'none' });
        await pair.same([['set', 'wrong', 'x']]);
        const g = new SortedSetGenerator(700 + Number(protocol) + Number(entries));
        const commands = g.several(15000, 15000, () => (g.once(2) ? write(g) : read(g)));
        await pair.same(commands, { compare: compareSortedSets });
        const all = [...KEYS, ...LEX_KEYS];
        await pair.same(
          all.flatMap((key): Command[] => [
            ['object', 'encoding', key],
            ['zrange', key, '0', '-1', 'withscores'],
            ...(key === 'plain' ? [] : [['dump', key]]),
          ]),
        );
      });
    }

    it('makes infinite scores times 0 what the order of the sets says', async () => {
      const weights = [
        ['0', '1'],
        ['1', '0'],
        ['0', '0'],
      ];
      const combined = weights.flatMap((pair) =>
        ['SUM', 'MIN', 'MAX'].flatMap((aggregate) =>
          ['zinter', 'zunion'].flatMap((command) =>
            [
              ['up', 'down'],
              ['down', 'up'],
            ].map((keys) => [command, '2', ...keys, 'WEIGHTS', ...pair, 'AGGREGATE', aggregate, 'WITHSCORES']),
          ),
        ),
      );
      await pair.same([['zadd', 'up', 'inf', 'm'], ['zadd', 'down', '-inf', 'm', '1', 'n'], ...combined]);
    });

    it('tells 0 and -0 apart as weights do', async () => {
      const weights = ['0', '-0'].flatMap((a) => ['0', '-0', '1'].map((b) => [a, b]));
      const unions = weights.flatMap((two) =>
        ['sum', 'min', 'max'].map((how) => [
          ...['zunion', '2', 'zeros', 'zeros', 'weights', ...two],
          ...['aggregate', how, 'withscores'],
        ]),
      );
      await pair.same([['zadd', 'zeros', '0', 'a', '-0', 'b', '1', 'c', '-1', 'd'], ...unions]);
    });
  });
}

function compareSortedSets(command: Command): Comparison {
  if (command[0] === 'zscan') return 'unordered';
  if (command[0] === 'zrandmember' && command.length === 2) return 'none';
  return usualComparison(command);
}
