import { beforeEach, describe, expect, it } from 'vitest';
import { HandlerWorld } from '../../support/handler-world.ts';

let world: HandlerWorld;

beforeEach(() => {
  world = new HandlerWorld();
});

function encoding(key: string): string {
  return world.run('OBJECT', 'ENCODING', key).split('\r\n')[1]!;
}

function words(reply: string): string[] {
  return reply.split('\r\n').filter((line) => line !== '' && !/^[*$]/.test(line));
}

describe('sorted set encodings', () => {
  it('is a listpack up to the limits and a skiplist beyond', () => {
    for (let i = 0; i < 128; i++) world.run('ZADD', 'key', String(i % 7), `m${i}`);
    expect(encoding('key')).toBe('listpack');
    const before = words(world.run('ZRANGE', 'key', '0', '-1', 'WITHSCORES'));
    world.run('ZADD', 'key', '8', 'one more');
    expect(encoding('key')).toBe('skiplist');
    expect(words(world.run('ZRANGE', 'key', '0', '127', 'WITHSCORES'))).toEqual(before);
    world.run('ZADD', 'long', '1', 'x'.repeat(65));
    expect(encoding('long')).toBe('skiplist');
  });

  it('keeps scores to the last digit in both', () => {
    const scores = ['0.1', '-1.7976931348623157e+308', '9007199254740993', '1e17', 'inf', '-inf', '5e-324', '3'];
    const shown = [
      '0.10000000000000001',
      '-1.7976931348623157e+308',
      '9007199254740992',
      '1e+17',
      'inf',
      '-inf',
      '4.9406564584124654e-324',
      '3',
    ];
    for (const long of ['', 'x'.repeat(65)]) {
      for (const [i, score] of scores.entries()) world.run('ZADD', `key${long}`, score, `m${i}${long}`);
      const read = scores.map((_, i) => words(world.run('ZSCORE', `key${long}`, `m${i}${long}`))[0]);
      expect(read).toEqual(shown);
    }
  });
});

describe('pops', () => {
  it('go to the AOF as what they did', () => {
    world.run('ZADD', 'key', '1', 'a', '2', 'b', '3', 'c', '4', 'd');
    world.propagated.length = 0;
    expect(words(world.run('BZPOPMIN', 'none', 'key', '0'))).toEqual(['key', 'a', '1']);
    expect(words(world.run('ZMPOP', '2', 'none', 'key', 'MAX', 'COUNT', '2'))).toEqual(['key', 'd', '4', 'c', '3']);
    expect(words(world.run('BZMPOP', '0', '1', 'key', 'MIN'))).toEqual(['key', 'b', '2']);
    expect(world.propagated).toEqual(['ZPOPMIN key', 'ZPOPMAX key 2', 'ZPOPMIN key 1']);
    expect(world.events.slice(-2)).toEqual(['zpopmin key', 'del key']);
  });
});

describe('ZRANK and ZREVRANK', () => {
  it('give the score, too, when asked', () => {
    world.run('ZADD', 'key', '1', 'a', '2.5', 'b');
    expect(world.run('ZRANK', 'key', 'b', 'WITHSCORE')).toBe('*2\r\n:1\r\n$3\r\n2.5\r\n');
    expect(world.run('ZREVRANK', 'key', 'b', 'withscore')).toBe('*2\r\n:0\r\n$3\r\n2.5\r\n');
    expect(world.run('ZRANK', 'key', 'c', 'WITHSCORE')).toBe('*-1\r\n');
    expect(world.run('ZRANK', 'key', 'c')).toBe('$-1\r\n');
    expect(world.run('ZRANK', 'key', 'b', 'SCORE')).toBe('-ERR syntax error\r\n');
  });
});

describe('combinations', () => {
  it('take plain sets as members of score 1 and leave their sources alone', () => {
    world.run('ZADD', 'z', '10', 'a', '20', 'b');
    world.run('SADD', 's', 'b', 'c');
    expect(words(world.run('ZUNION', '2', 'z', 's', 'WEIGHTS', '1', '5', 'WITHSCORES'))).toEqual([
      'c',
      '5',
      'a',
      '10',
      'b',
      '25',
    ]);
    world.run('ZINTERSTORE', 'z', '2', 'z', 's', 'AGGREGATE', 'MIN');
    expect(words(world.run('ZRANGE', 'z', '0', '-1', 'WITHSCORES'))).toEqual(['b', '1']);
    expect(world.run('ZDIFFSTORE', 'z', '2', 'z', 's')).toBe(':0\r\n');
    expect(world.events.at(-1)).toBe('del z');
    expect(world.run('EXISTS', 'z')).toBe(':0\r\n');
  });

  it('give everything back to the arena', () => {
    for (let i = 0; i < 300; i++) world.run('ZADD', `z${i % 2}`, String(i), `m${i % 200}`);
    const used = world.keyspace.arena.usedBytes;
    for (const command of ['ZUNION', 'ZINTER', 'ZDIFF']) world.run(command, '2', 'z0', 'z1');
    expect(world.keyspace.arena.usedBytes).toBe(used);
    world.run('ZUNIONSTORE', 'out', '2', 'z0', 'z1');
    world.run('DEL', 'out', 'z0', 'z1');
    // What is left is the table of the keys themselves.
    expect(world.keyspace.clearAll()).toBe(0);
    expect(world.keyspace.arena.usedBytes).toBe(0);
  });
});
