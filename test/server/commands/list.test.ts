// What list and hash commands tell besides their replies: events, what goes to the AOF, how many changes they count.

import { describe, expect, it } from 'vitest';
import { Encoding } from '../../../server/keyspace/layout.ts';
import { HandlerWorld } from '../../support/handler-world.ts';

function encodingOf(world: HandlerWorld, key: string): number {
  const db = world.keyspace.databases[0];
  return db.encoding(db.find(Buffer.from(key), 0, key.length));
}

/** Runs a command and returns what it told: events, propagated commands, counted changes. */
function told(world: HandlerWorld, ...words: string[]): { events: string[]; propagated: string[]; dirty: number } {
  world.events.length = 0;
  world.propagated.length = 0;
  const before = world.keyspace.dirty;
  world.run(...words);
  return { events: [...world.events], propagated: [...world.propagated], dirty: world.keyspace.dirty - before };
}

describe('list commands', () => {
  it('tell what they changed', () => {
    const world = new HandlerWorld();
    expect(told(world, 'rpush', 'l', 'a', 'b', 'c')).toEqual({
      events: ['rpush l'],
      propagated: ['rpush l a b c'],
      dirty: 3,
    });
    expect(told(world, 'lpushx', 'none', 'a')).toEqual({ events: [], propagated: [], dirty: 0 });
    expect(told(world, 'linsert', 'l', 'before', 'x', 'y')).toEqual({ events: [], propagated: [], dirty: 0 });
    expect(told(world, 'lrem', 'l', '0', 'b')).toEqual({ events: ['lrem l'], propagated: ['lrem l 0 b'], dirty: 1 });
    expect(told(world, 'lmove', 'l', 'm', 'left', 'right')).toEqual({
      events: ['rpush m', 'lpop l'],
      propagated: ['lmove l m left right'],
      dirty: 1,
    });
    expect(told(world, 'lpop', 'l', '5')).toEqual({
      events: ['lpop l', 'del l'],
      propagated: ['lpop l 5'],
      dirty: 1,
    });
  });

  it('write blocking and many-key forms to the AOF as plain ones', () => {
    const world = new HandlerWorld();
    world.run('rpush', 'l', 'a', 'b', 'c', 'd', 'e');
    expect(told(world, 'blpop', 'none', 'l', '0').propagated).toEqual(['LPOP l']);
    expect(told(world, 'lmpop', '2', 'none', 'l', 'right', 'count', '2').propagated).toEqual(['RPOP l 2']);
    expect(told(world, 'blmove', 'l', 'm', 'right', 'left', '0').propagated).toEqual(['LMOVE l m right left']);
    expect(told(world, 'brpoplpush', 'l', 'm', '0')).toEqual({
      events: ['lpush m', 'rpop l', 'del l'],
      propagated: ['RPOPLPUSH l m'],
      dirty: 1,
    });
  });

  it('stand in their entry up to the limit of one node, and as a quicklist beyond', () => {
    const world = new HandlerWorld();
    for (let i = 0; i < 300; i++) world.run('rpush', 'l', 'x'.repeat(20));
    expect(encodingOf(world, 'l')).toBe(Encoding.listpack);
    for (let i = 0; i < 100; i++) world.run('lpush', 'l', 'x'.repeat(20));
    expect(encodingOf(world, 'l')).toBe(Encoding.quicklist);
    expect(world.run('llen', 'l')).toBe(':400\r\n');
    const used = world.keyspace.arena.usedBytes;
    world.run('del', 'l');
    expect(world.keyspace.arena.usedBytes).toBeLessThan(used - 400 * 20);
  });
});

describe('hash commands', () => {
  it('tell what they changed', () => {
    const world = new HandlerWorld();
    expect(told(world, 'hset', 'h', 'a', '1', 'b', '2')).toEqual({
      events: ['hset h'],
      propagated: ['hset h a 1 b 2'],
      dirty: 2,
    });
    expect(told(world, 'hincrbyfloat', 'h', 'a', '0.5').propagated).toEqual(['HSET h a 1.5']);
    expect(told(world, 'hsetnx', 'h', 'a', '7')).toEqual({ events: [], propagated: [], dirty: 0 });
    expect(told(world, 'hdel', 'h', 'a', 'x', 'b')).toEqual({
      events: ['hdel h', 'del h'],
      propagated: ['hdel h a x b'],
      dirty: 2,
    });
  });

  it('leave the listpack for the number of fields, for a long field and for a long value', () => {
    const world = new HandlerWorld();
    world.settings.set([['hash-max-listpack-entries', '3']]);
    world.run('hset', 'many', 'a', '1', 'b', '2', 'c', '3');
    expect(encodingOf(world, 'many')).toBe(Encoding.listpack);
    world.run('hset', 'many', 'd', '4');
    expect(encodingOf(world, 'many')).toBe(Encoding.hashtable);
    world.run('hset', 'field', 'f'.repeat(65), '1');
    expect(encodingOf(world, 'field')).toBe(Encoding.hashtable);
    world.run('hset', 'value', 'f', 'v'.repeat(64));
    expect(encodingOf(world, 'value')).toBe(Encoding.listpack);
    world.run('hset', 'value', 'f', 'v'.repeat(65));
    expect(encodingOf(world, 'value')).toBe(Encoding.hashtable);
    expect(world.run('hgetall', 'value')).toBe(`*2\r\n$1\r\nf\r\n$65\r\n${'v'.repeat(65)}\r\n`);
  });
});
