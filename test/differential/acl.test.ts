// ACL beside a real redis-server: rules, users, permission checks, errors. Left out is what differs on purpose: the order
// of lists that come out of a hash table, and how rules are shortened where several ways lead to the same permissions.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();

describe.skipIf(missing !== null)(missing ?? 'ACL, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(async () => {
    await pair.stop();
  });

  it('takes, refuses and shows rules alike', async () => {
    const rules = [
      ...['+foo', '@foo', '+@foo', '-foo|bar', '+get|', '+|x', '+config|get|x', '+get|a|b', '-get|a', '+', '-', '+@'],
      ...[
        '&x',
        '~x',
        '%X~y',
        '%~y',
        '%R',
        '%',
        '%RW',
        '%RW~',
        '%RR~a',
        '~',
        '&',
        '~a b',
        '&a b',
        '%r~low',
        '%RW~*',
        '~\0',
      ],
      ...['<nopw', '#abc', '!abc', `!${'0'.repeat(64)}`, '(', ')', '()', '(on)', '(>pw)', '(reset)', '(~a', '( +get )'],
      ...['foo', '', 'ON', 'NoPass', 'clearselectors', '(%R~a %W~a)', '+CONFIG|GET', '+GET', '(&* &fail)', ' () '],
    ];
    const commands: Command[] = [];
    for (const rule of rules) {
      commands.push(['acl', 'setuser', 'one', rule], ['acl', 'getuser', 'one']);
      commands.push(['acl', 'setuser', `u${commands.length}`, 'allkeys', 'allchannels', rule]);
      commands.push(['acl', 'deluser', 'one', `u${commands.length - 1}`]);
    }
    await pair.same(commands);
  });

  for (const resp of ['2', '3']) {
    it(`shows users and refuses commands alike in RESP${resp}`, async () => {
      await pair.same([['hello', resp]], { compare: () => 'none' });
      await pair.same([
        [
          'acl',
          'setuser',
          'alice',
          'on',
          '>pw',
          '~a*',
          '%R~r*',
          '&c*',
          '+@all',
          '-@string',
          '+get',
          '(+set ~s* resetchannels)',
        ],
        ['acl', 'getuser', 'alice'],
        ['acl', 'setuser', 'bob', 'on', 'nopass', '+@read', '+acl|whoami', 'allkeys'],
        ['acl', 'getuser', 'bob'],
        ['acl', 'list'],
        ['acl', 'users'],
        ['acl', 'whoami'],
        ['acl', 'getuser', 'nobody'],
        ['acl', 'cat'],
        ['acl', 'cat', 'nosuch'],
        ['acl', 'cat', 'a', 'b'],
        ['acl', 'genpass', '-1'],
        ['acl', 'genpass', '5000'],
        ['acl', 'genpass', 'x'],
        ['acl', 'genpass', '1', '2'],
        ['acl', 'log', 'x'],
        ['acl', 'log', '1', '2'],
        ['acl', 'save'],
        ['acl', 'load'],
        ['acl', 'nosuch'],
        ['acl', 'setuser', 'a b', 'on'],
        ['acl', 'deluser', 'nobody', 'bob', 'bob'],
        ['acl', 'deluser', 'alice', 'default'],
        ['auth', 'x'],
        ['auth', 'nobody', 'x'],
        ['auth', 'a', 'b', 'c'],
        ['hello', '3', 'auth', 'nobody', 'x'],
        ['client', 'kill', 'user', 'nobody'],
      ]);
      const clients = await pair.connect();
      for (const command of [
        ['auth', 'alice', 'wrong'],
        ['auth', 'alice', 'pw'],
        ['get', 'a1'],
        ['set', 'a1', 'x'],
        ['set', 's1', 'x'],
        ['get', 's1'],
        ['publish', 'c1', 'x'],
        ['publish', 'd1', 'x'],
        ['subscribe', 'd1', 'c1'],
        ['sort', 'a1', 'by', 'w*'],
        ['multi'],
        ['lpush', 'b1', 'x'],
        ['exec'],
        ['multi'],
        ['lpush', 'a2', 'x'],
        ['exec'],
        ['reset'],
        ['acl', 'whoami'],
      ]) {
        const [ours, real] = await Promise.all([clients.ours.call(command), clients.real.call(command)]);
        expect(ours.toString('latin1'), command.join(' ')).toBe(real.toString('latin1'));
      }
      clients.ours.close();
      clients.real.close();
    });
  }

  it('tells the same of generated requests of generated users', async () => {
    await pair.same([['hello', '2']], { compare: () => 'none' });
    const g = new Generator(20_231);
    const commands: Command[] = [];
    for (let round = 0; round < 400; round++) {
      const rules = g.several(1, 6, () => rule(g));
      if (g.once(3)) rules.push(`(${g.several(1, 4, () => rule(g)).join(' ')})`);
      commands.push(['acl', 'setuser', 'gen', 'reset', ...rules]);
      for (let i = 0; i < 12; i++) commands.push(['acl', 'dryrun', 'gen', ...request(g)]);
    }
    await pair.same(commands);
  });

  it('has the same commands in each category', async () => {
    const categories = ['keyspace', 'read', 'write', 'set', 'sortedset', 'list', 'hash', 'string', 'bitmap', 'pubsub'];
    for (const category of categories) {
      const [ours, real] = await Promise.all([
        pair.ours.call(['acl', 'cat', category]),
        pair.real.call(['acl', 'cat', category]),
      ]);
      const known = new Set(words(ours));
      expect(words(real).filter((name) => !known.has(name))).toEqual([]);
    }
  });
});

function words(reply: Buffer): string[] {
  return reply
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line !== '' && !/^[*$]/.test(line));
}

const CATEGORIES = ['all', 'read', 'write', 'string', 'hash', 'keyspace', 'fast', 'slow', 'pubsub', 'dangerous'];
const NAMES = [
  'get',
  'set',
  'mget',
  'copy',
  'sort',
  'publish',
  'config',
  'config|get',
  'client|id',
  'bitfield',
  'touch',
];

function rule(g: Generator): string {
  const pattern = g.pick(['a*', 'b*', '*', 'a?', '[ab]1']);
  switch (g.below(7)) {
    case 0:
      return `${g.pick(['+', '-'])}@${g.pick(CATEGORIES)}`;
    case 1:
    case 2:
      return `${g.pick(['+', '+', '-'])}${g.pick(NAMES)}`;
    case 3:
      return `${g.pick(['~', '%R~', '%W~', '%RW~'])}${pattern}`;
    case 4:
      return `&${pattern}`;
    case 5:
      return g.pick(['+select|0', '+incrby|a1', 'resetkeys', 'resetchannels', '+@all', 'allkeys', 'allchannels']);
    default:
      return g.pick(['+@all', '+@read', '~a*']);
  }
}

function request(g: Generator): string[] {
  const key = () => g.pick(['a1', 'b1', 'c1', 'a', 'ab']);
  return g.pick([
    ['get', key()],
    ['set', key(), 'v'],
    ['set', key(), 'v', 'get'],
    ['mget', key(), key(), key()],
    ['copy', key(), key()],
    ['sort', key(), 'store', key()],
    ['sort', key()],
    ['bitfield', key(), 'get', 'u4', '0'],
    ['bitfield', key(), 'set', 'u4', '0', '1'],
    ['touch', key()],
    ['incrby', key(), '5'],
    ['zunionstore', key(), '2', key(), key()],
    ['lmpop', '2', key(), key(), 'left'],
    ['xread', 'streams', key(), '0'],
    ['object', 'encoding', key()],
    ['memory', 'usage', key()],
    ['config', 'get', 'x'],
    ['client', 'id'],
    ['select', g.pick(['0', '1'])],
    ['publish', key(), 'x'],
    ['subscribe', key(), key()],
    ['psubscribe', g.pick(['a*', 'b*', 'a1'])],
    ['ssubscribe', key()],
    ['ping'],
    ['auth', 'x'],
    ['nosuch', 'x'],
    ['get'],
    ['client', 'nosuch'],
    ['eval', 'return 1', '1', key()],
    ['georadius', key(), '1', '1', '1', 'm', 'store', key()],
    ['migrate', 'h', '1', key(), '0', '5'],
  ]);
}
