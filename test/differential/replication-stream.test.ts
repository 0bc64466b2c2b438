// What replicas get, beside a real redis-server: the same commands in the same words and the same order, with SELECT,
// MULTI and EXEC in the same places.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drive } from './support/drive.ts';
import { Generator } from './support/generate.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';
import type { StreamReader } from './support/stream-reader.ts';

const missing = missingServers();
const COMMANDS = Number(process.env['TSREDIS_DIFFERENTIAL_COMMANDS'] ?? 5000);
const SEED = Number(process.env['TSREDIS_DIFFERENTIAL_SEED'] ?? 1);

/** Blocks of commands; each ends where the streams are compared. */
const SCRIPTS: readonly (readonly [title: string, commands: string])[] = [
  [
    'strings',
    'set a 1|set b 2 ex 100|getset a 3|setex c 100 v|psetex d 100000 v|getex a ex 100|getex a persist|getex a|getdel b|getdel nothing|incr n|incrbyfloat n 1.5|hincrbyfloat h f 2.5|setrange s 2 xx|append s y|mset x 1 y 2|msetnx x 3|setnx x 4|set x 5 nx|set x 6 xx keepttl|set x 7 exat 9999999999',
  ],
  [
    'expiry',
    'set k v|expire k 100|pexpire k 100000|expireat k 9999999999|pexpireat k 9999999999000|expire k -1|set k v|expire k 100 nx|expire k 200 nx|persist k|persist k|restore r 0 "\\x00\\xc0\\x01\\n\\x00\\x95\\x1c"|copy k kk|rename k k2|renamenx k2 k3',
  ],
  [
    'sets',
    'sadd s 1 2 3|sadd s 1|srem s 9|srem s 1|spop s 2|sadd s 1 2 3|spop s 3|spop s|smove a b c|sadd s 5|smove s t 5|sinterstore d s t|sunionstore d s t',
  ],
  [
    'sorted sets',
    'zadd z 1 a 2 b 3 c|zadd z 1 a|zadd z incr 2 a|zincrby z 1 b|zpopmin z|zpopmax z 5|zadd z 1 a 2 b|zmpop 2 q z min|zmpop 1 z max count 10|zmpop 1 z max|zrangestore y z 0 -1|zadd z 1 a|zrangestore y z 0 -1|zremrangebyrank z 0 0|geoadd g 1 1 a|geosearchstore x g fromlonlat 1 1 byradius 10 km',
  ],
  [
    'lists',
    'rpush l 1 2 3 4 5 6|lmpop 2 q l left|lmpop 1 l right count 2|lmove l m left right|rpoplpush l m|lpop l|rpop l 5|lpop l|linsert m before 1 0|lset m 0 9|ltrim m 0 0|lrem m 0 9|lpushx none 1',
  ],
  [
    'blocking commands that find something',
    'rpush l 1 2 3 4 5 6|blpop l 0|brpop q l 0|blmove l m left right 0|brpoplpush l m 0|blmpop 0 2 q l left count 2|zadd z 1 a 2 b 3 c|bzpopmin z 0|bzpopmax q z 0|bzmpop 0 1 z min',
  ],
  [
    'transactions',
    'multi|exec|multi|set a 1|exec|multi|set a 1|set b 2|exec|multi|get a|exec|multi|del nothing|exec|multi|select 3|set a 1|select 0|set b 1|exec|multi|incr a|lpush a 1|exec|multi|publish c m|exec|multi|publish c m|set a 1|exec|publish c m|spublish c m',
  ],
  [
    'databases',
    'select 5|set a 1|select 0|set a 2|move a 6|swapdb 5 6|select 6|get a|select 0|copy a b db 3|flushdb|flushdb|flushall|flushall async',
  ],
  [
    'scripts of SORT, bits and HyperLogLogs',
    'rpush l 3 1 2|sort l store m|sort none store m|setbit b 3 1|bitop not c b|bitfield b set u8 0 5|pfadd p a|pfadd p a|pfmerge q p|pfcount q p',
  ],
  [
    'several writes for one command',
    'set e 1 px 1|set f 1 px 1|debug sleep 0.01|mget e f|set e 1 px 1|debug sleep 0.01|set e 2|set e 1 px 1|set f 1 px 1|debug sleep 0.01|del e f|set e 1 px 1|debug sleep 0.01|get e|set e 1 px 1|set f 1 px 1|debug sleep 0.01|multi|get e|get f|exec|hset h f v|set e 1 px 1|debug sleep 0.01|multi|hset h f w|get e|exec|set e 1 px 1|debug sleep 0.01|scan 0 count 100|set e 1 px 1|debug sleep 0.01|multi|scan 0|exec|set e 1 px 1|debug sleep 0.01|exists e|unlink e|lpush l 1|unlink l|debug sleep 0|sadd s 1|spop s',
  ],
];

describe.skipIf(missing !== null)(missing ?? 'the replication stream, beside redis-server', () => {
  let pair: Pair;
  let ours: StreamReader;
  let real: StreamReader;
  let marks = 0;
  beforeAll(async () => {
    // Keys expire on access alone: when the cycle comes by is chance.
    pair = await startPair([
      ['repl-diskless-sync-delay', '0'],
      ['repl-ping-replica-period', '3600'],
      ['proto-max-bulk-len', '1mb'],
    ]);
    await pair.same([['debug', 'set-active-expire', '0']]);
    [ours, real] = await Promise.all([pair.openStream('ours'), pair.openStream('real')]);
  });
  afterAll(async () => {
    ours?.close();
    real?.close();
    await pair.stop();
  });

  /** What came since the last mark, on both sides; times left out. */
  async function since(): Promise<[string[], string[]]> {
    const mark = `mark-${++marks}`;
    await pair.same([['publish', 'marks', mark]]);
    const [a, b] = await Promise.all([ours.upTo('publish', 'marks', mark), real.upTo('publish', 'marks', mark)]);
    const texts = [a, b].map((commands) =>
      commands.splice(0).map((words) => words.join(' ').replace(/\b\d{13}\b/g, 'time')),
    );
    return [texts[0]!, texts[1]!];
  }

  it.each(SCRIPTS)('%s', async (_title, commands) => {
    await pair.same([['flushall'], ['select', '0']]);
    await since();
    for (const line of commands.split('|')) await pair.same([wordsOf(line)]);
    const [a, b] = await since();
    expect(a).toEqual(b);
  });

  it('clients that waited for a key', async () => {
    await since();
    const waiting = [
      ['blpop', 'l', '0'],
      ['blmove', 'l', 'm', 'left', 'left', '0'],
      ['blmpop', '0', '2', 'l', 'x', 'left', 'count', '3'],
      ['bzpopmin', 'z', '0'],
      ['bzmpop', '0', '1', 'z', 'max', 'count', '2'],
      ['xread', 'block', '0', 'streams', 's', '0'],
    ];
    for (const command of waiting) {
      await pair.same([['flushall']]);
      const clients = await pair.connect();
      const replies = [clients.ours.call(command), clients.real.call(command)];
      while (!(await pair.real.call(['info', 'clients'])).includes('blocked_clients:1')) await undefined;
      while (!(await pair.ours.call(['info', 'clients'])).includes('blocked_clients:1')) await undefined;
      await pair.same(
        [
          ['multi'],
          ['rpush', 'l', '1', '2'],
          ['zadd', 'z', '1', 'a', '2', 'b'],
          ['xadd', 's', '*', 'f', 'v'],
          ['exec'],
        ],
        { compare: () => 'none' },
      );
      await Promise.all(replies);
      clients.ours.close();
      clients.real.close();
    }
    const [a, b] = await since();
    expect(a.map(withoutIds)).toEqual(b.map(withoutIds));
  });

  it(`is the same after ${COMMANDS} commands of all families`, { timeout: 60_000 + COMMANDS * 2 }, async () => {
    await pair.same([['flushall']]);
    await since();
    await drive(pair, new Generator(SEED), COMMANDS);
    const [a, b] = await since();
    expect(a.map(withoutIds)).toEqual(b.map(withoutIds));
  });
});

/** Stream ids that the clock made. */
function withoutIds(line: string): string {
  return line.replace(/\btime-\d+\b/g, 'id');
}

/** Words of a line; in double quotes with escapes. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted]) =>
    quoted === undefined
      ? word
      : quoted.replace(/\\x([0-9a-f]{2})|\\n/g, (_, hex?: string) =>
          hex === undefined ? '\n' : String.fromCharCode(Number.parseInt(hex, 16)),
        ),
  );
}
