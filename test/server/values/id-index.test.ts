import { describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { IdIndex } from '../../../server/values/id-index.ts';
import { StreamId } from '../../../server/values/stream-id.ts';
import { Generator } from '../../differential/support/generate.ts';

function idOf(n: number): StreamId {
  return new StreamId().setNumbers(Math.floor(n / 7), n % 7);
}

/** All ids by walking forward, as numbers. */
function walk(index: IdIndex): number[] {
  const id = new StreamId();
  const out: number[] = [];
  for (let more = index.first(); more; more = index.next()) {
    index.readId(id);
    const n = id.ms * 7 + Number(id.sequenceBigInt);
    out.push(n === index.get(0) ? n : -1);
  }
  return out;
}

describe('IdIndex', () => {
  it('behaves like a sorted map under random inserts, removals and seeks', () => {
    const arena = new Arena();
    const index = new IdIndex(arena, 1);
    const model = new Set<number>();
    const g = new Generator(4711);
    for (let step = 0; step < 60_000; step++) {
      // Phases of growth and decline, so that chunks split and join.
      const growing = Math.floor(step / 10_000) % 2 === 0;
      const n = g.below(4000);
      const there = index.seek(idOf(n));
      if (there !== model.has(n)) throw new Error(`step ${step}: ${n} is ${there ? 'there' : 'missing'}`);
      if (there && !(growing && !g.once(4))) {
        index.remove();
        model.delete(n);
      } else if (!there && (growing || g.once(4))) {
        index.insert(idOf(n));
        index.set(0, n);
        model.add(n);
      }
      if (step % 1000 === 0) {
        const sorted = [...model].sort((a, b) => a - b);
        expect(walk(index)).toEqual(sorted);
        checkSeeks(index, sorted, g.below(4000));
      }
    }
    expect(index.size).toBe(model.size);
    index.free();
    expect(arena.usedBytes).toBe(0);
  });

  it('stands on the following record after a removal', () => {
    const index = new IdIndex(new Arena(), 1);
    for (let n = 0; n < 2000; n++) {
      index.insert(idOf(n));
      index.set(0, n);
    }
    index.seek(idOf(100));
    for (let n = 100; n < 1900; n++) {
      expect(index.get(0)).toBe(n);
      expect(index.remove()).toBe(true);
    }
    expect(index.get(0)).toBe(1900);
    index.last();
    expect(index.remove()).toBe(false);
    expect(walk(index)).toHaveLength(199);
  });

  it('walks backward and keeps ids beyond 2^53 apart', () => {
    const index = new IdIndex(new Arena(), 0);
    const ids = ['0-1', '9007199254740993-0', '9007199254740994-0', '18446744073709551615-18446744073709551615'];
    const big = ids.map((text) => {
      const [ms, sequence] = text.split('-').map(BigInt);
      return new StreamId().setExact(ms!, sequence!);
    });
    for (const id of [2, 0, 3, 1]) index.insert(big[id]!);
    const seen: string[] = [];
    for (let more = index.last(); more; more = index.previous()) seen.push(index.readId(new StreamId()).toString());
    expect(seen).toEqual([...ids].reverse());
  });

  it('takes little more memory than its records', () => {
    const index = new IdIndex(new Arena(), 0);
    for (let n = 0; n < 10_000; n++) index.insert(idOf(n));
    expect(index.memoryBytes).toBeLessThan(10_000 * 16 * 1.1);
  });
});

function checkSeeks(index: IdIndex, sorted: readonly number[], n: number): void {
  const above = sorted.find((other) => other >= n);
  expect(index.seekAtLeast(idOf(n)) ? index.get(0) : undefined).toBe(above);
  const below = sorted.findLast((other) => other <= n);
  expect(index.seekAtMost(idOf(n)) ? index.get(0) : undefined).toBe(below);
}
