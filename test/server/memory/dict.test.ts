import { describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { HashSet } from '../../../server/values/set-table.ts';

const seed = { k0: 11, k1: 22 };

function randomFrom(start: number): (bound: number) => number {
  let state = start;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * bound);
  };
}

/** A table of words: the smallest owner of a dict. */
class Words {
  readonly arena = new Arena();
  readonly set = new HashSet(this.arena, seed);

  add(word: string): boolean {
    return this.set.add(Buffer.from(word), 0, word.length);
  }

  remove(word: string): boolean {
    return this.set.remove(Buffer.from(word), 0, word.length);
  }

  has(word: string): boolean {
    return this.set.has(Buffer.from(word), 0, word.length);
  }

  nameOf(entry: number): string {
    const start = this.set.memberPosition(entry);
    return this.set.memberBuffer(entry).toString('latin1', start, start + this.set.memberLength(entry));
  }
}

describe('dict', () => {
  it('agrees with a JavaScript set while it grows and shrinks', () => {
    const words = new Words();
    const model = new Set<string>();
    const random = randomFrom(3);
    for (let step = 0; step < 60000; step++) {
      const growing = Math.floor(step / 10000) % 2 === 0;
      const word = `w${random(8000)}`;
      if (random(4) > 0 === growing) expect(words.add(word)).toBe(!model.has(word) && model.add(word) !== null);
      else expect(words.remove(word)).toBe(model.delete(word));
    }
    expect(words.set.length).toBe(model.size);
    const found: string[] = [];
    words.set.dict.forEach((entry) => {
      found.push(words.nameOf(entry));
    });
    expect(found.sort()).toEqual([...model].sort());
    words.set.free();
    expect(words.arena.usedBytes).toBe(0);
  });

  it('gives every entry the same chance in a fair draw, in the middle of a resize, too', () => {
    for (const resizing of [false, true]) {
      const words = new Words();
      const random = randomFrom(5);
      for (let i = 0; i < (resizing ? 65 : 50); i++) words.add(`w${i}`);
      const { dict, length } = words.set;
      if (!resizing) while (dict.rehash(1)) expect(dict.resizing).toBe(true);
      // A paused resize stays where it is, between two tables.
      dict.pauseResize();
      expect(dict.resizing).toBe(resizing);
      const counts = new Map<string, number>();
      const rounds = length * 1000;
      for (let i = 0; i < rounds; i++) {
        const name = words.nameOf(dict.fairEntry(random));
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const square = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
      expect(counts.size).toBe(length);
      // At most 64 degrees of freedom: above 130 once in a million runs, and the draws are seeded.
      expect(square).toBeLessThan(130);
    }
  });

  it('shrinks after most entries went in one walk, and draws what is left', () => {
    const words = new Words();
    for (let i = 0; i < 100000; i++) words.add(`w${i}`);
    const { dict } = words.set;
    while (dict.rehash(1000)) expect(dict.resizing).toBe(true);
    let kept = 0;
    dict.forEach((entry) => {
      if (kept++ >= 3) words.set.removeEntry(entry);
    });
    const random = randomFrom(9);
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) seen.add(words.nameOf(dict.fairEntry(random)));
    expect(seen.size).toBe(3);
    while (dict.rehash(1000)) expect(dict.resizing).toBe(true);
    expect(dict.buckets).toBeLessThan(16);
  });

  it('visits in a scan every entry that is there from the first step to the last', () => {
    const words = new Words();
    for (let i = 0; i < 3000; i++) words.add(`stays${i}`);
    const random = randomFrom(13);
    const seen = new Set<string>();
    let cursor = 0;
    let step = 0;
    do {
      cursor = words.set.dict.scan(cursor, (entry) => seen.add(words.nameOf(entry)));
      for (let i = 0; i < 30; i++) {
        const word = `other${random(20000)}`;
        if (step % 4000 < 2500) words.add(word);
        else words.remove(word);
      }
      step++;
    } while (cursor !== 0);
    for (let i = 0; i < 3000; i++) expect(seen.has(`stays${i}`)).toBe(true);
    expect(words.has('stays0')).toBe(true);
  });
});
