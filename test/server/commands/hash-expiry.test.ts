// Fields that expire: conditions, times, what is told and propagated, lazy and active expiry.

import { describe, expect, it } from 'vitest';
import { expireFieldsCycle, hasExpiringFields } from '../../../server/commands/hash-field-expiry.ts';
import { HandlerWorld } from '../../support/handler-world.ts';

function ints(...values: number[]): string {
  return `*${values.length}\r\n${values.map((value) => `:${value}\r\n`).join('')}`;
}

function worldWithHash(): HandlerWorld {
  const world = new HandlerWorld();
  world.run('hset', 'h', 'a', '1', 'b', '2', 'c', '3');
  world.events.length = 0;
  world.propagated.length = 0;
  return world;
}

describe('hash field expiry', () => {
  it('tells per field whether an expiry was set, and when it ends', () => {
    const world = worldWithHash();
    expect(world.run('hexpire', 'h', '10', 'FIELDS', '2', 'a', 'x')).toBe(ints(1, -2));
    expect(world.run('hpexpire', 'h', '1500', 'fields', '1', 'b')).toBe(ints(1));
    expect(world.run('httl', 'h', 'FIELDS', '4', 'a', 'b', 'c', 'x')).toBe(ints(10, 2, -1, -2));
    expect(world.run('hpttl', 'h', 'FIELDS', '2', 'a', 'b')).toBe(ints(10_000, 1500));
    expect(world.run('hpexpiretime', 'h', 'FIELDS', '1', 'a')).toBe(ints(world.nowMs + 10_000));
    expect(world.run('hexpiretime', 'h', 'FIELDS', '1', 'a')).toBe(ints(world.nowMs / 1000 + 10));
    expect(world.run('httl', 'none', 'FIELDS', '2', 'a', 'b')).toBe(ints(-2, -2));
    expect(world.run('hexpire', 'none', '10', 'FIELDS', '1', 'a')).toBe(ints(-2));
    expect(world.events).toEqual(['hexpire h', 'hexpire h', 'keymiss none']);
    expect(world.propagated).toEqual([
      `HPEXPIREAT h ${world.nowMs + 10_000} FIELDS 1 a`,
      `HPEXPIREAT h ${world.nowMs + 1500} FIELDS 1 b`,
    ]);
  });

  it('keeps to NX, XX, GT and LT', () => {
    const world = worldWithHash();
    const set = (seconds: number, condition: string) =>
      world.run('hexpire', 'h', String(seconds), condition, 'FIELDS', '1', 'a');
    expect(set(10, 'XX')).toBe(ints(0));
    expect(set(10, 'GT')).toBe(ints(0));
    expect(world.run('object', 'encoding', 'h')).toContain('listpack');
    expect(set(10, 'NX')).toBe(ints(1));
    expect(set(20, 'nx')).toBe(ints(0));
    expect(set(5, 'gt')).toBe(ints(0));
    expect(set(20, 'gt')).toBe(ints(1));
    expect(set(30, 'lt')).toBe(ints(0));
    expect(set(15, 'lt')).toBe(ints(1));
    expect(set(40, 'xx')).toBe(ints(1));
    expect(world.run('hexpire', 'h', '9', 'LT', 'FIELDS', '1', 'b')).toBe(ints(1));
  });

  it('deletes at once what expires in the past, the key with its last field', () => {
    const world = worldWithHash();
    expect(world.run('hpexpireat', 'h', '1000', 'FIELDS', '2', 'a', 'a')).toBe(ints(2, -2));
    expect(world.run('hexpireat', 'h', '1', 'FIELDS', '2', 'b', 'c')).toBe(ints(2, 2));
    expect(world.run('exists', 'h')).toBe(':0\r\n');
    expect(world.events).toEqual(['hdel h', 'hdel h', 'del h', 'keymiss h']);
    expect(world.propagated).toEqual(['HDEL h a', 'HDEL h b c']);
  });

  it('takes the expiry away with HPERSIST and HSET, and keeps it with HINCRBY', () => {
    const world = worldWithHash();
    world.run('hexpire', 'h', '10', 'FIELDS', '3', 'a', 'b', 'c');
    expect(world.run('hpersist', 'h', 'FIELDS', '2', 'a', 'x')).toBe(ints(1, -2));
    expect(world.run('hpersist', 'h', 'FIELDS', '1', 'a')).toBe(ints(-1));
    world.run('hset', 'h', 'b', 'new');
    world.run('hincrby', 'h', 'c', '4');
    expect(world.run('httl', 'h', 'FIELDS', '3', 'a', 'b', 'c')).toBe(ints(-1, -1, 10));
    expect(world.run('hmget', 'h', 'b', 'c')).toBe('*2\r\n$3\r\nnew\r\n$1\r\n7\r\n');
  });

  it('drops due fields when the hash is touched', () => {
    const world = worldWithHash();
    world.run('hexpire', 'h', '10', 'FIELDS', '1', 'a');
    world.run('hexpire', 'h', '20', 'FIELDS', '2', 'b', 'c');
    world.propagated.length = 0;
    world.nowMs += 10_000;
    expect(world.run('hgetall', 'h')).toContain('*4\r\n');
    expect(world.run('hlen', 'h')).toBe(':2\r\n');
    expect(world.propagated).toEqual(['HDEL h a']);
    world.nowMs += 10_000;
    expect(world.run('hget', 'h', 'b')).toBe('$-1\r\n');
    expect(world.run('exists', 'h')).toBe(':0\r\n');
    expect(world.events.slice(-4)).toEqual(['hexpired h', 'hexpired h', 'del h', 'keymiss h']);
  });

  it('drops due fields of hashes that nobody touches, under their present name', () => {
    const world = worldWithHash();
    for (let i = 0; i < 100; i++) world.run('hset', `other${i}`, 'f', 'v', 'g', 'w');
    for (let i = 0; i < 100; i++) world.run('hpexpire', `other${i}`, '500', 'FIELDS', '1', 'f');
    world.run('hpexpire', 'h', '500', 'FIELDS', '3', 'a', 'b', 'c');
    world.run('rename', 'h', 'moved');
    world.nowMs += 500;
    const { keyspace, services } = world;
    let dropped = 0;
    for (let turn = 0; turn < 6; turn++) dropped += expireFieldsCycle(keyspace, services, world.nowMs, 50, 1000);
    expect(dropped).toBe(103);
    expect(hasExpiringFields(keyspace.databases[0])).toBe(false);
    expect(keyspace.databases[0].size).toBe(100);
    expect(world.run('hlen', 'other7')).toBe(':1\r\n');
  });

  it('refuses what is wrong before anything changes', () => {
    const world = worldWithHash();
    const refused = (...words: string[]) => world.run(...words).trim();
    expect(refused('hexpire', 'h', 'x', 'FIELDS', '1', 'a')).toBe('-ERR value is not an integer or out of range');
    expect(refused('hexpire', 'h', '-1', 'FIELDS', '1', 'a')).toBe('-ERR invalid expire time, must be >= 0');
    expect(refused('hpexpireat', 'h', '70368744177664', 'FIELDS', '1', 'a')).toBe(
      "-ERR invalid expire time in 'hpexpireat' command",
    );
    expect(refused('hexpire', 'h', '1', 'a', '1', 'a')).toBe(
      '-ERR Mandatory argument FIELDS is missing or not at the right position',
    );
    expect(refused('hexpire', 'h', '1', 'FIELDS', '0', 'a')).toBe(
      '-ERR Parameter `numFields` should be greater than 0',
    );
    expect(refused('httl', 'h', 'FIELDS', '2', 'a')).toBe(
      '-ERR The `numfields` parameter must match the number of arguments',
    );
    world.run('set', 'text', 'v');
    expect(refused('hpersist', 'text', 'FIELDS', '1', 'a')).toMatch(/^-WRONGTYPE/);
    expect(world.propagated.at(-1)).toBe('set text v');
  });
});
