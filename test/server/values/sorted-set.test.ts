import { describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import type { TreeBound } from '../../../server/memory/counted-tree.ts';
import { SortedSet } from '../../../server/values/sorted-set.ts';

const seed = { k0: 1, k1: 2 };

function randomFrom(start: number): (bound: number) => number {
  let state = start;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * bound);
  };
}

type Pair = readonly [member: string, score: number];

function content(set: SortedSet): Pair[] {
  const pairs: Pair[] = [];
  if (set.length === 0) return pairs;
  const tree = set.tree;
  for (tree.seekRank(0); tree.valid; tree.next()) pairs.push([nameOf(set, tree.entry), tree.score]);
  return pairs;
}

function backwards(set: SortedSet): string[] {
  const names: string[] = [];
  const tree = set.tree;
  for (tree.seekRank(set.length - 1); tree.valid; tree.previous()) names.push(nameOf(set, tree.entry));
  return names;
}

function nameOf(set: SortedSet, entry: number): string {
  const start = set.memberPosition(entry);
  return set.memberBuffer(entry).toString('latin1', start, start + set.memberLength(entry));
}

function sorted(model: Map<string, number>): Pair[] {
  return [...model].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}

function entryOf(set: SortedSet, name: string): number {
  return set.find(Buffer.from(name), 0, name.length);
}

function put(set: SortedSet, name: string, score: number): void {
  set.put(Buffer.from(name), 0, name.length, score);
}

class AtLeast implements TreeBound {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  reached(score: number): boolean {
    return score >= this.value;
  }
}

describe('sorted set', () => {
  for (const [title, keys, scores] of [
    ['many scores', 4000, 100000],
    ['few scores, so that members decide', 4000, 3],
    ['a small set', 50, 10],
  ] as const) {
    it(`agrees with a plain model under random changes: ${title}`, () => {
      const random = randomFrom(keys + scores);
      const arena = new Arena();
      const set = new SortedSet(arena, seed);
      const model = new Map<string, number>();
      for (let round = 0; round < 12; round++) {
        const growing = round % 3 !== 2;
        for (let step = 0; step < 2000; step++) {
          const name = `member:${random(keys)}`;
          const score = random(scores) / 4;
          const entry = entryOf(set, name);
          expect(entry !== 0).toBe(model.has(name));
          if ((random(4) !== 0) === growing) {
            put(set, name, score);
            model.set(name, score);
          } else if (entry !== 0) {
            set.drop(entry);
            model.delete(name);
          }
        }
        check(set, model, random);
        if (round % 4 === 3) {
          const order = sorted(model);
          const rank = random(order.length);
          const count = random(order.length - rank + 1);
          set.dropRange(rank, count);
          for (const [name] of order.slice(rank, rank + count)) model.delete(name);
          check(set, model, random);
        }
      }
      set.free();
      expect(arena.usedBytes).toBe(0);
    });
  }

  it('takes members in ascending and descending order, and gives them back from both ends', () => {
    const arena = new Arena();
    const set = new SortedSet(arena, seed);
    for (let i = 0; i < 5000; i++) {
      put(set, `up:${i}`, i);
      put(set, `down:${i}`, -1 - i);
    }
    expect(set.length).toBe(10000);
    for (let rank = 0; rank < 10000; rank += 37) {
      set.tree.seekRank(rank);
      expect(set.tree.score).toBe(rank - 5000);
      expect(set.rank(set.tree.entry)).toBe(rank);
    }
    for (let i = 0; i < 5000; i++) {
      set.dropRange(0, 1);
      set.dropRange(set.length - 1, 1);
    }
    expect(set.length).toBe(0);
    expect(set.memoryBytes()).toBe(set.dict.tableBytes);
    set.free();
    expect(arena.usedBytes).toBe(0);
  });
});

function check(set: SortedSet, model: Map<string, number>, random: (bound: number) => number): void {
  const order = sorted(model);
  expect(set.length).toBe(order.length);
  expect(content(set)).toEqual(order);
  if (order.length === 0) return;
  expect(backwards(set)).toEqual(order.map(([name]) => name).reverse());
  for (let i = 0; i < 50; i++) {
    const rank = random(order.length);
    const [name, score] = order[rank]!;
    expect(set.rank(entryOf(set, name))).toBe(rank);
    expect(set.scoreOf(entryOf(set, name))).toBe(score);
    const wanted = order[random(order.length)]![1] + random(3) / 8;
    const first = order.findIndex((pair) => pair[1] >= wanted);
    expect(set.tree.seek(new AtLeast(wanted))).toBe(first < 0 ? order.length : first);
    expect(set.tree.valid).toBe(first >= 0);
  }
}
