// List commands beside a real redis-server: generated sequences on few keys and small nodes, so that lists split, merge
// and compress; then DUMP of every list, which shows the nodes themselves.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();

describe.skipIf(missing !== null)(missing ?? 'lists, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(async () => {
    await pair.stop();
  });

  for (const [resp, size, depth, plain] of [
    ['2', '-2', '0', '0'],
    ['3', '-1', '0', '0'],
    ['2', '5', '0', '0'],
    ['3', '1', '0', '0'],
    ['2', '8', '1', '0'],
    ['3', '30', '2', '0'],
    ['2', '0', '0', '0'],
    ['2', '6', '0', '100b'],
    ['3', '-2', '1', '60b'],
  ]) {
    it(`gives the same replies and nodes (RESP${resp}, size ${size}, depth ${depth}, plain from ${plain})`, async () => {
      await pair.same([['flushall']]);
      await pair.same([['hello', resp]], { compare: () => 'none' });
      await pair.same([['config', 'set', 'list-max-listpack-size', size, 'list-compress-depth', depth]]);
      await pair.same([['debug', 'quicklist-packed-threshold', plain]]);
      const g = new Generator(Number(size) * 131 + Number(depth));
      await pair.same([['set', 'text', 'v'], ...g.several(6000, 6000, () => command(g))]);
      await pair.sameData();
    });
  }

  it('serves waiting clients alike', async () => {
    await pair.same([['flushall'], ['hello', '2'], ['set', 'text', 'v']], { compare: () => 'none' });
    for (const [wait, ...pushes] of [
      [
        ['blpop', 'a', 'b', '0'],
        ['rpush', 'b', '1', '2'],
      ],
      [
        ['brpop', 'a', 'b', '0'],
        ['rpush', 'a', '1', '2'],
      ],
      [
        ['blmove', 'a', 'c', 'left', 'right', '0'],
        ['rpush', 'a', 'x'],
      ],
      [
        ['brpoplpush', 'a', 'a', '0'],
        ['rpush', 'a', 'x', 'y'],
      ],
      [
        ['blmpop', '0', '2', 'e', 'a', 'right', 'count', '2'],
        ['rpush', 'a', 'x', 'y'],
      ],
      [
        ['blmove', 'e', 'text', 'left', 'right', '0'],
        ['rpush', 'e', 'x'],
      ],
      [['blpop', 'a', '0.01'], ['ping']],
      [['blmove', 'q', 'c', 'left', 'right', '0.01'], ['ping']],
      [['brpoplpush', 'q', 'c', '0.01'], ['ping']],
      [['blmpop', '0.01', '1', 'q', 'left'], ['ping']],
      // The key that was written first serves.
      [['blpop', 'x', 'y', '0'], ['multi'], ['rpush', 'y', '1'], ['rpush', 'x', '2'], ['exec']],
      [['blmpop', '0', '2', 'x', 'v', 'left'], ['multi'], ['rpush', 'v', '1', '2'], ['lpush', 'x', '3'], ['exec']],
    ] as Command[][]) {
      await waitAlike(pair, wait, ...pushes);
    }
    await pair.sameData();
  });
});

/** Lets a second client wait on each server while the first one changes a key; compares both replies. */
async function waitAlike(pair: Pair, wait: Command, ...pushes: Command[]): Promise<void> {
  const waiting = await pair.connect();
  const served = Promise.all([waiting.ours.call(wait), waiting.real.call(wait)]);
  // A reply to PING on the same connection would wait, too; so ask the server for its waiting clients.
  await blockedOrDone(pair, served);
  await pair.same(pushes);
  const [ours, real] = await served;
  waiting.ours.close();
  waiting.real.close();
  expect(ours.toString('latin1'), wait.join(' ')).toBe(real.toString('latin1'));
}

async function blockedOrDone(pair: Pair, served: Promise<unknown>): Promise<void> {
  let done = false;
  served.then(() => {
    done = true;
  });
  for (;;) {
    const infos = await Promise.all([pair.ours.call(['info', 'clients']), pair.real.call(['info', 'clients'])]);
    if (done || infos.every((info) => /blocked_clients:[1-9]/.test(info.toString('latin1')))) return;
  }
}

function command(g: Generator): Command {
  const key = g.once(50) ? 'text' : `l${g.below(6)}`;
  const other = g.once(50) ? 'text' : `l${g.below(6)}`;
  const side = () => (g.once(30) ? 'up' : g.pick(['left', 'right', 'LEFT']));
  const value = () => (g.once(3) ? `w${g.below(10)}` : g.value());
  switch (g.below(24)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return [g.pick(['lpush', 'rpush', 'rpush']), key, ...g.several(1, 12, value)];
    case 5:
      return [g.pick(['lpushx', 'rpushx']), key, ...g.several(0, 3, value)];
    case 6:
    case 7:
    case 8:
    case 9:
      return ['linsert', key, g.once(30) ? 'at' : g.pick(['before', 'after']), `w${g.below(10)}`, value()];
    case 10:
      return [g.pick(['lpop', 'rpop']), key, ...g.several(0, 1, () => g.number(4))];
    case 11:
      return ['lrange', key, g.number(30), g.number(60)];
    case 12:
      return ['lindex', key, g.number(60)];
    case 13:
    case 14:
      return ['lset', key, g.number(40), value()];
    case 15:
      return ['lrem', key, g.number(2), `w${g.below(10)}`];
    case 16:
      return g.once(4) ? ['ltrim', key, g.number(20), g.number(60)] : ['llen', key];
    case 17:
      return [
        'lpos',
        key,
        `w${g.below(10)}`,
        ...g.several(0, 2, () => [g.pick(['rank', 'count', 'maxlen', 'x']), g.number(4)]).flat(),
      ];
    case 18:
      return ['lmove', key, other, side(), side()];
    case 19:
      return ['rpoplpush', key, other];
    case 20:
      return [
        'lmpop',
        g.once(10) ? g.number(3) : '2',
        key,
        other,
        side(),
        ...g.several(0, 1, () => ['count', g.number(5)]).flat(),
      ];
    case 21:
      // Only with keys that are there: an empty one would wait.
      return g.once(2) ? ['lrange', key, '0', '-1'] : ['object', 'encoding', key];
    case 22:
      return [g.pick(['blpop', 'brpop', 'blmpop', 'blmove']), key, g.pick(['x', '-1', ''])];
    default:
      return g.once(8) ? ['del', `l${g.below(6)}`] : ['dump', key];
  }
}
