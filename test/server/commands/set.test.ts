import { beforeEach, describe, expect, it } from 'vitest';
import { HandlerWorld } from '../../support/handler-world.ts';

let world: HandlerWorld;

beforeEach(() => {
  world = new HandlerWorld();
});

function members(key: string): string[] {
  const lines = world.run('SMEMBERS', key).split('\r\n');
  return lines.filter((_, i) => i >= 2 && i % 2 === 0 && i < lines.length).sort();
}

function encoding(key: string): string {
  return world.run('OBJECT', 'ENCODING', key).split('\r\n')[1]!;
}

function fill(key: string, count: number, prefix = 'member'): void {
  for (let i = 0; i < count; i++) world.run('SADD', key, `${prefix}${i}`);
}

describe('set encodings', () => {
  it('starts as intset or listpack and becomes a table at the limits', () => {
    world.run('SADD', 'numbers', '1', '2', '3');
    expect(encoding('numbers')).toBe('intset');
    world.run('SADD', 'words', 'a', '2');
    expect(encoding('words')).toBe('listpack');
    world.run('SADD', 'numbers', 'x');
    expect(encoding('numbers')).toBe('listpack');
    expect(members('numbers')).toEqual(['1', '2', '3', 'x']);
    fill('words', 127);
    expect(encoding('words')).toBe('hashtable');
    expect(world.run('SCARD', 'words')).toBe(':129\r\n');
    world.run('SADD', 'long', 'x', 'y'.repeat(65));
    expect(encoding('long')).toBe('hashtable');
  });

  it('has no listpacks when set-max-listpack-entries is 0', async () => {
    await world.settings.set([['set-max-listpack-entries', '0']]);
    world.run('SADD', 'words', 'a');
    expect(encoding('words')).toBe('hashtable');
    world.run('SADD', 'numbers', '1');
    world.run('SADD', 'numbers', 'x');
    expect(encoding('numbers')).toBe('hashtable');
  });

  it('turns an intset beyond its limit into a table', () => {
    for (let i = 0; i < 512; i++) world.run('SADD', 'numbers', String(i * 3));
    expect(encoding('numbers')).toBe('intset');
    world.run('SADD', 'numbers', '-1');
    expect(encoding('numbers')).toBe('hashtable');
    expect(world.run('SISMEMBER', 'numbers', '1533')).toBe(':1\r\n');
    expect(world.run('SISMEMBER', 'numbers', '1534')).toBe(':0\r\n');
  });

  it('stores results in the encoding their members call for', () => {
    world.run('SADD', 'a', '1', '2', 'x');
    world.run('SADD', 'b', '1', '2', 'y');
    world.run('SINTERSTORE', 'both', 'a', 'b');
    expect([encoding('both'), members('both')]).toEqual(['intset', ['1', '2']]);
    world.run('SUNIONSTORE', 'a', 'a', 'b');
    expect([encoding('a'), members('a')]).toEqual(['listpack', ['1', '2', 'x', 'y']]);
  });
});

describe('SPOP', () => {
  it('goes to the AOF as the removal of what was popped', () => {
    world.run('SADD', 'key', 'only', 'two');
    world.propagated.length = 0;
    const popped = world.run('SPOP', 'key').split('\r\n')[1];
    expect(world.propagated).toEqual([`SREM key ${popped}`]);
    world.run('SPOP', 'key', '5');
    expect(world.propagated[1]).toBe('DEL key');
    expect(world.events.slice(-2)).toEqual(['spop key', 'del key']);
    expect(world.run('EXISTS', 'key')).toBe(':0\r\n');
  });

  it.each([10, 100, 1500, 2900])('pops %i different members of a table', (count) => {
    fill('key', 3000);
    world.propagated.length = 0;
    const popped = world
      .run('SPOP', 'key', String(count))
      .split('\r\n')
      .filter((line) => line.startsWith('member'));
    expect(new Set(popped).size).toBe(count);
    expect(world.run('SCARD', 'key')).toBe(`:${3000 - count}\r\n`);
    expect(world.propagated.length).toBe(Math.ceil(count / 1024));
    for (const member of popped) expect(world.run('SISMEMBER', 'key', member)).toBe(':0\r\n');
  });
});

describe('SRANDMEMBER', () => {
  it.each(['table', 'listpack', 'intset'])('gives every member of a %s the same chance', (kind) => {
    if (kind === 'intset') fill('key', 20, '');
    else fill('key', 20);
    if (kind === 'table') world.run('SADD', 'key', 'x'.repeat(100));
    if (kind === 'table') world.run('SREM', 'key', 'x'.repeat(100));
    const counts = new Map<string, number>();
    for (let i = 0; i < 20000; i++) {
      const member = world.run('SRANDMEMBER', 'key').split('\r\n')[1]!;
      counts.set(member, (counts.get(member) ?? 0) + 1);
    }
    expect(counts.size).toBe(20);
    // 19 degrees of freedom: above 60 once in 250,000 runs; the draws are seeded.
    const square = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(square).toBeLessThan(60);
  });

  it('gives different members for a count, and draws for a negative one', () => {
    fill('key', 500);
    for (const count of [1, 50, 300, 499]) {
      const drawn = world
        .run('SRANDMEMBER', 'key', String(count))
        .split('\r\n')
        .filter((line) => line.startsWith('m'));
      expect([drawn.length, new Set(drawn).size]).toEqual([count, count]);
    }
    expect(world.run('SRANDMEMBER', 'key', '-700').startsWith('*700\r\n')).toBe(true);
    expect(world.run('SRANDMEMBER', 'key', '700').startsWith('*500\r\n')).toBe(true);
  });
});

describe('SSCAN', () => {
  it('finds every member that stays while others come and go', () => {
    fill('key', 1000, 'stays');
    const seen = new Set<string>();
    let cursor = '0';
    let step = 0;
    do {
      const lines = world.run('SSCAN', 'key', cursor, 'COUNT', '20').split('\r\n');
      cursor = lines[2]!;
      for (const line of lines) if (line.startsWith('stays')) seen.add(line);
      for (let i = 0; i < 40; i++) world.run(step % 3 === 2 ? 'SREM' : 'SADD', 'key', `other${(step * 40 + i) % 3000}`);
      step++;
    } while (cursor !== '0');
    expect(seen.size).toBe(1000);
  });
});
