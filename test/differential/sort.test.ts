// SORT beside a real redis-server: lists, sets and sorted sets of all encodings, patterns over strings and hashes.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import { type Command, type Comparison, usualComparison } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();
const SETTINGS = [
  ['hash-max-listpack-entries', '4'],
  ['zset-max-listpack-entries', '8'],
  ['set-max-intset-entries', '8'],
] as const;

describe.skipIf(missing !== null)(missing ?? 'SORT, beside redis-server', () => {
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
      const g = new Generator(Number(resp) * 86028121);
      await pair.same(data(g));
      await pair.same(
        g.several(8000, 8000, () => sort(g)),
        { compare: comparison },
      );
      // Not the encoding: the real server turns a sorted set into a skiplist only to sort it, ours leaves it as it is.
      await pair.sameData(['type']);
    });
  }
});

/** A set in no order has the order of its table. */
function comparison(command: Command): Comparison {
  const words = command.map((word) => String(word).toLowerCase());
  const unordered = words.includes('by') && words[words.indexOf('by') + 1] === 'nosort' && words[1].startsWith('set');
  return unordered
    ? words.includes('limit') || words.includes('get')
      ? 'shape'
      : 'unordered'
    : usualComparison(command);
}

function data(g: Generator): Command[] {
  const commands: Command[] = [['set', 'text', 'x']];
  for (let key = 0; key < 6; key++) {
    const size = g.pick([1, 3, 7, 20, 150]);
    for (let n = 0; n < size; n++) {
      // Sizes and words for numeric and alphabetic sorting; a few values that are neither.
      const word = key < 3 ? g.integer(g.pick([5, 100, 10_000])) : g.once(10) ? g.value() : `w${g.below(200)}`;
      commands.push(
        ['rpush', `list${key}`, word],
        ['sadd', `set${key}`, word],
        ['zadd', `zset${key}`, g.integer(50), word],
      );
    }
  }
  for (let n = -100; n <= 100; n += 1 + g.below(3)) {
    commands.push([
      'set',
      `weight_${n}`,
      g.once(20) ? g.pick(['', 'x', '1e3', 'inf', '-2.5', '0x10', ' 7']) : g.integer(40),
    ]);
    commands.push(['hset', `object_${n}`, 'weight', g.integer(40), 'name', `n${g.below(99)}`]);
    if (g.once(9)) commands.push(['hset', `object_${n}`, 'a', '1', 'b', '2', 'c', '3', 'd', '4']);
    if (g.once(20)) commands.push(['rpush', `weight_w${n}`, 'x']);
    else commands.push(['set', `weight_w${n}`, `v${g.below(9999)}`]);
  }
  return commands;
}

function sort(g: Generator): Command {
  const key = g.once(40) ? g.pick(['text', 'missing']) : `${g.pick(['list', 'set', 'zset'])}${g.below(6)}`;
  const command = [g.once(6) ? 'sort_ro' : 'sort', key];
  // Ties between alphabetic weights come out in no defined order, so such a sort goes by something unique.
  const alpha = !g.once(3);
  const by = g.pick(
    alpha ? ['', '', 'nosort'] : ['', '', 'weight_*', 'object_*->weight', 'nosort', 'none_*', '*->x', 'object_*->'],
  );
  if (by !== '') command.push(g.pick(['by', 'BY']), by);
  if (alpha) command.push('alpha');
  if (g.once(3)) command.push('limit', g.number(30), g.number(20));
  for (const pattern of g.several(0, g.once(2) ? 3 : 0, () => g.pick(GET))) command.push('get', pattern);
  if (g.once(3)) command.push(g.pick(['asc', 'desc', 'DESC']));
  if (g.once(8)) command.push('store', g.pick(['stored', 'other']));
  if (g.once(40)) command.push(g.pick(['get', 'by', 'limit', 'x', 'store']));
  return command;
}

const GET = [
  '#',
  'weight_*',
  'object_*->name',
  'object_*->none',
  'fixed',
  'object_*',
  'weight_*->x',
  '*',
  'object_*->',
];
