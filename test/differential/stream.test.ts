// Stream commands beside a real redis-server: generated sequences on few streams with small nodes, so that nodes fill up,
// empty and go. What tells the time of day is compared by shape.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from './support/generate.ts';
import { type Command, type Comparison, usualComparison } from './support/pair.ts';
import type { RawConnection } from './support/raw-connection.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();
const SETTINGS = [
  ['stream-node-max-entries', '6'],
  ['stream-node-max-bytes', '300'],
] as const;

describe.skipIf(missing !== null)(missing ?? 'streams, beside redis-server', () => {
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
      const g = new Generator(Number(resp) * 31339);
      const commands = [['rpush', 'list', 'a'], ...g.several(15_000, 15_000, () => command(g))];
      await pair.same(commands, { compare: comparison });
    });
  }
});

describe.skipIf(missing !== null)(missing ?? 'waiting for streams, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(async () => {
    await pair.stop();
  });

  const cases: [what: string, before: Command[], waiting: Command, wake: Command[]][] = [
    ['$', [], ['xread', 'block', '0', 'streams', 's', '$'], [['xadd', 's', '5-1', 'a', 'b']]],
    [
      'two streams',
      [['xadd', 't', '1-1', 'x', 'y']],
      ['xread', 'block', '0', 'streams', 's', 't', '0', '$'],
      [['xadd', 't', '2-2', 'c', 'd']],
    ],
    [
      'an id to come',
      [],
      ['xread', 'count', '1', 'block', '0', 'streams', 's', '5-1'],
      [
        ['xadd', 's', '5-1', 'a', 'b'],
        ['xadd', 's', '5-2', 'a', 'b'],
      ],
    ],
    [
      'another type',
      [['xadd', 's', '1-1', 'a', 'b']],
      ['xread', 'block', '0', 'streams', 's', '$'],
      [
        ['del', 's'],
        ['set', 's', 'x'],
        ['del', 's'],
        ['xadd', 's', '9-9', 'q', 'r'],
      ],
    ],
    ['a time', [], ['xread', 'block', '20', 'streams', 's', '$'], []],
    [
      'a group',
      [['xgroup', 'create', 's', 'g', '$', 'mkstream']],
      ['xreadgroup', 'group', 'g', 'c', 'block', '0', 'streams', 's', '>'],
      [
        ['xadd', 's', '5-1', 'a', 'b'],
        ['xpending', 's', 'g'],
      ],
    ],
    [
      'a group that goes',
      [['xgroup', 'create', 's', 'g', '$', 'mkstream']],
      ['xreadgroup', 'group', 'g', 'c', 'block', '0', 'streams', 's', '>'],
      [['xgroup', 'destroy', 's', 'g']],
    ],
    [
      'a stream that goes',
      [['xgroup', 'create', 's', 'g', '$', 'mkstream']],
      ['xreadgroup', 'group', 'g', 'c', 'block', '0', 'streams', 's', '>'],
      [['del', 's']],
    ],
    [
      'a rename',
      [
        ['xgroup', 'create', 's', 'g', '$', 'mkstream'],
        ['xadd', 't', '1-1', 'a', 'b'],
      ],
      ['xreadgroup', 'group', 'g', 'c', 'block', '0', 'streams', 's', '>'],
      [['rename', 't', 's']],
    ],
  ];
  for (const [what, before, waiting, wake] of cases) {
    it(`ends a wait for ${what} alike`, async () => {
      await pair.same([['flushall'], ...before]);
      const clients = await pair.connect();
      const blocked = [clients.ours, clients.real].map((client) => client.call(waiting));
      await Promise.all([pair.ours, pair.real].map(untilBlocked(wake.length > 0)));
      await pair.same(wake);
      const [ours, real] = await Promise.all(blocked);
      expect(ours!.toString('latin1')).toBe(real!.toString('latin1'));
      clients.ours.close();
      clients.real.close();
    });
  }

  it('does not wait inside a transaction', async () => {
    await pair.same([['multi'], ['xread', 'block', '0', 'streams', 'none', '$'], ['exec']]);
  });
});

/** Polls until a client is blocked; there is no other way to know that it is. */
function untilBlocked(expected: boolean): (client: RawConnection) => Promise<void> {
  return async (client) => {
    while (expected && !(await client.call(['info', 'clients'])).includes('blocked_clients:1')) await undefined;
  };
}

/** Idle times and the like, which differ by milliseconds, are compared by shape; so is what 7.2 added to XINFO. */
function comparison(cmd: Command): Comparison {
  const name = String(cmd[0]).toLowerCase();
  if (name === 'xpending' && cmd.length > 3) return 'shape';
  if (name === 'xinfo') {
    const sub = String(cmd[1]).toLowerCase();
    if (sub === 'consumers' || (sub === 'stream' && cmd.length > 3)) return 'shape';
  }
  return usualComparison(cmd);
}

let tick = 0;

function command(g: Generator): Command {
  // The p streams have no groups, so that nothing in them tells the time.
  const kind = g.below(24);
  const plain = (kind < 13 || kind > 21) && g.once(3);
  const key = g.once(60) ? 'list' : `${plain ? 'p' : 's'}${g.below(5)}`;
  switch (kind) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return add(g, key);
    case 7:
      return ['xdel', key, ...g.several(1, 5, () => id(g))];
    case 8:
      return ['xtrim', key, ...trim(g)];
    case 9:
    case 10:
      return range(g, key);
    case 11:
      return ['xlen', key];
    case 12:
      return g.once(2)
        ? [
            'xinfo',
            'stream',
            key,
            ...g.pick([[], [], ['full'], ['full', 'count', g.number(5)], ['fool'], ['full', 'x']]),
          ]
        : ['xinfo', g.pick(['groups', 'consumers']), key, ...g.several(0, 1, () => group(g))];
    case 13:
      return read(g, key);
    case 14:
    case 15:
    case 16:
      return readGroup(g, key);
    case 17:
      return ['xack', key, group(g), ...g.several(1, 6, () => id(g))];
    case 18:
      return groupCommand(g, key);
    case 19:
      return claim(g, key);
    case 20:
      return [
        'xautoclaim',
        key,
        group(g),
        consumer(g),
        g.pick(['0', '0', '100000', 'x', '-5']),
        bound(g),
        ...g.pick([[], ['count', g.number(4)], ['justid'], ['count', '2', 'justid'], ['count'], ['x']]),
      ];
    case 21:
      return [
        'xpending',
        key,
        group(g),
        ...g.pick([[], [], [bound(g), bound(g), g.number(9)], pendingRange(g), ['-']]),
      ];
    case 22:
      return [
        'xsetid',
        key,
        id(g),
        ...g.pick([
          [],
          [],
          ['entriesadded', g.pick(['x', '-1', g.integer(90), String(g.below(90))])],
          ['maxdeletedid', id(g)],
          ['x', '1'],
          ['entriesadded'],
        ]),
      ];
    default:
      return g.once(5) ? ['del', key] : ['dump', `p${g.below(5)}`];
  }
}

function add(g: Generator, key: string): Command {
  const fields = g.once(3)
    ? g.several(1, 6, () => g.value())
    : ['temperature', g.value(), 'humidity', g.value(), ...(g.once(4) ? ['7', g.value()] : [])];
  const options = g.once(4) ? trim(g) : [];
  if (g.once(20)) options.push('nomkstream');
  return ['xadd', key, ...options, nextId(g), ...fields];
}

function nextId(g: Generator): string {
  if (g.once(15)) return id(g).replace(/^\*$/, '0-*');
  tick += g.below(3);
  return g.once(6) ? `${tick}-*` : `${tick}-${g.below(50)}`;
}

function id(g: Generator): string {
  if (g.once(30)) {
    return g.pick([
      '-',
      '+',
      '0-0',
      'x',
      '1-',
      '-1',
      '(1-1',
      '1-*',
      '*',
      '18446744073709551615-1',
      '99999999999999999999',
      '01-02',
      ' 3',
      '+4-5',
      '5--1',
      '5--01',
      '7-\0',
    ]);
  }
  const ms = Math.max(0, tick - g.below(60));
  return g.once(3) ? String(ms) : `${ms}-${g.below(50)}`;
}

function bound(g: Generator): string {
  if (g.once(4)) return g.pick(['-', '+', '-', '+', '(18446744073709551615-18446744073709551615', '(0-0', '(', '(-']);
  return g.once(5) ? `(${id(g)}` : id(g);
}

function trim(g: Generator): string[] {
  const specifier = g.pick([[], ['='], ['~'], ['~']]);
  const threshold = g.once(2) ? ['maxlen', ...specifier, g.number(30)] : ['minid', ...specifier, id(g)];
  const limit = g.once(5) ? ['limit', g.number(20)] : [];
  return g.once(20)
    ? g.pick([limit, [...threshold, 'maxlen', '3'], ['maxlen'], ['maxlen', '~']])
    : [...threshold, ...limit];
}

function range(g: Generator, key: string): Command {
  const count = g.pick([[], [], ['count', g.number(8)], ['count'], ['cont', '1'], ['count', '2', 'count', '3']]);
  return [g.pick(['xrange', 'xrevrange']), key, bound(g), bound(g), ...count];
}

function read(g: Generator, key: string): Command {
  const streams = g.once(3)
    ? [key, `s${g.below(6)}`, g.pick(['$', id(g)]), id(g)]
    : [key, g.pick(['$', '>', id(g), id(g)])];
  const options = g.pick([[], ['count', g.number(5)], ['block', '1'], ['noack'], ['group', 'g', 'c'], ['block', '-1']]);
  return ['xread', ...options, 'streams', ...streams, ...(g.once(30) ? ['x'] : [])];
}

function readGroup(g: Generator, key: string): Command {
  const options = g.pick([[], [], ['count', g.number(5)], ['noack'], ['count', '3', 'noack'], ['block', '1']]);
  const position = g.once(3) ? g.pick([id(g), '0', '$']) : '>';
  return ['xreadgroup', 'group', group(g), consumer(g), ...options, 'streams', key, position];
}

function entriesRead(g: Generator): string[] {
  return ['entriesread', g.pick(['x', '-2', '-1', String(g.below(20))])];
}

function groupCommand(g: Generator, key: string): Command {
  const position = g.once(9) ? g.pick(['-', '+']) : g.pick(['$', '0', id(g)]);
  switch (g.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [
        'xgroup',
        'create',
        key,
        group(g),
        position,
        ...g.pick([[], ['mkstream'], entriesRead(g), ['x'], [...entriesRead(g), 'mkstream', 'mkstream']]),
      ];
    case 4:
    case 5:
      return [
        'xgroup',
        'setid',
        key,
        group(g),
        position,
        ...g.pick([[], entriesRead(g), ['mkstream'], [...entriesRead(g), ...entriesRead(g)]]),
      ];
    case 6:
      return ['xgroup', 'destroy', key, group(g)];
    case 7:
      return ['xgroup', 'createconsumer', key, group(g), consumer(g)];
    case 8:
      return ['xgroup', 'delconsumer', key, group(g), consumer(g)];
    default:
      return ['xgroup', g.pick(['foo', 'create', 'destroy', 'setid']), key];
  }
}

function claim(g: Generator, key: string): Command {
  const options = g.pick([
    [],
    ['force'],
    ['justid'],
    ['retrycount', g.number(9)],
    ['idle', g.number(999)],
    ['time', g.number(999)],
    ['lastid', id(g)],
    ['force', 'justid', 'lastid', id(g)],
    ['lastid'],
    ['x'],
  ]);
  const idle = g.pick(['0', '0', '100000', 'x', '-5']);
  return ['xclaim', key, group(g), consumer(g), idle, ...g.several(1, 5, () => id(g)), ...options];
}

function pendingRange(g: Generator): string[] {
  const whose = g.once(2) ? [consumer(g)] : [];
  return [...(g.once(3) ? ['idle', g.pick(['0', '100000', 'x'])] : []), '-', '+', '10', ...whose];
}

function group(g: Generator): string {
  return `g${g.below(3)}`;
}

function consumer(g: Generator): string {
  return g.pick(['alice', 'bob', 'carol', 'Dave', '']);
}
