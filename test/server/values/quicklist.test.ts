// Quicklists against a plain array, with seeded random operations, for node limits, compression and plain nodes.

import { afterEach, describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { LISTPACK_FIRST, ListpackElement } from '../../../server/memory/listpack.ts';
import { Quicklist, readPlain } from '../../../server/values/quicklist.ts';
import { quicklistLimits } from '../../../server/values/quicklist-limits.ts';

const PLAIN_FROM = quicklistLimits.plainFromBytes;
const element = new ListpackElement();

function seededRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * bound);
  };
}

function content(list: Quicklist): string[] {
  const out: string[] = [];
  for (let node = 0; node < list.nodeCount; node++) {
    const region = list.read(node);
    const before = out.length;
    if (list.isPlain(node)) {
      readPlain(region, element);
      out.push(element.copy().toString('latin1'));
    } else {
      for (let at = LISTPACK_FIRST; at < region.len - 1; at = element.next) {
        out.push(element.read(region, at).copy().toString('latin1'));
      }
    }
    expect(list.countOf(node)).toBe(out.length - before);
  }
  return out;
}

function compressed(list: Quicklist): boolean[] {
  return Array.from({ length: list.nodeCount }, (_, node) => list.isCompressed(node));
}

function push(list: Quicklist, text: string, atHead: boolean): void {
  const bytes = Buffer.from(text, 'latin1');
  if (atHead) list.pushHead(bytes, 0, bytes.length);
  else list.pushTail(bytes, 0, bytes.length);
}

function change(list: Quicklist, model: string[], random: (bound: number) => number): void {
  const text = [`${random(1000)}`, 'x'.repeat(random(120)), `word${random(50)}`][random(3)];
  const bytes = Buffer.from(text, 'latin1');
  const index = random(model.length);
  switch (random(model.length === 0 ? 2 : 9)) {
    case 0:
      push(list, text, true);
      model.unshift(text);
      break;
    case 1:
      push(list, text, false);
      model.push(text);
      break;
    case 2:
    case 3:
    case 4: {
      const after = random(2) === 1;
      list.insert(index, after, bytes, 0, bytes.length);
      model.splice(after ? index + 1 : index, 0, text);
      break;
    }
    case 5:
      list.replace(index, bytes, 0, bytes.length);
      model[index] = text;
      break;
    case 6: {
      const count = Math.min(random(random(10) === 0 ? 60 : 4), model.length - index);
      list.deleteRange(index, count);
      model.splice(index, count);
      break;
    }
    case 7: {
      const fromHead = random(2) === 0;
      list.peek(fromHead, element);
      expect(element.copy().toString('latin1')).toBe(fromHead ? model.shift() : model.pop());
      list.drop(fromHead);
      break;
    }
    default:
      list.get(index, element);
      expect(element.copy().toString('latin1')).toBe(model[index]);
  }
}

describe('quicklist', () => {
  afterEach(() => {
    quicklistLimits.plainFromBytes = PLAIN_FROM;
  });

  for (const [fill, depth, plainFrom] of [
    [-2, 0, PLAIN_FROM],
    [4, 0, PLAIN_FROM],
    [1, 0, PLAIN_FROM],
    [16, 1, PLAIN_FROM],
    [8, 3, 60],
    [0, 0, 100],
    [-1, 0, 1],
  ]) {
    it(`does what an array does (fill ${fill}, depth ${depth}, plain from ${plainFrom})`, () => {
      quicklistLimits.plainFromBytes = plainFrom;
      for (let seed = 1; seed <= 4; seed++) {
        const random = seededRandom(seed * 31 + fill);
        const arena = new Arena();
        const list = new Quicklist(arena, fill, depth);
        const model: string[] = [];
        for (let step = 0; step < 1500; step++) {
          change(list, model, random);
          expect(list.length).toBe(model.length);
          if (step % 100 === 0) expect(content(list)).toEqual(model);
        }
        expect(content(list)).toEqual(model);
        list.free();
        expect(arena.usedBytes).toBe(0);
      }
    });
  }

  it('compresses the nodes between the ends, and only those', () => {
    const list = new Quicklist(new Arena(), 10, 2);
    for (let i = 0; i < 100; i++) push(list, 'a'.repeat(50), false);
    expect(compressed(list)).toEqual([false, false, true, true, true, true, true, true, false, false]);
    list.get(50, element);
    expect(element.copy().toString()).toBe('a'.repeat(50));
    list.replace(50, Buffer.from('b'.repeat(50)), 0, 50);
    expect(compressed(list).filter(Boolean)).toHaveLength(6);
    list.deleteRange(0, 20);
    expect(compressed(list)).toEqual([false, false, true, true, true, true, false, false]);
  });

  it('counts the bytes that it takes', () => {
    const arena = new Arena();
    const list = new Quicklist(arena, -2, 0);
    for (let i = 0; i < 10_000; i++) push(list, `element ${i}`, i % 2 === 0);
    expect(list.memoryBytes()).toBeGreaterThan(arena.usedBytes);
    expect(list.memoryBytes()).toBeLessThan(arena.usedBytes + 4096);
  });
});
