// Small sorted sets as packed runs, against a sorted array.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PACKED_FIRST, PackedElement } from '../../../server/memory/packed.ts';
import type { BlockRegion } from '../../../server/memory/region.ts';
import {
  memberScore,
  ScoredTrail,
  scoredCount,
  scoredFind,
  scoredInsert,
  scoredNext,
  scoredRank,
  scoredRankOfScore,
  scoredRemove,
  scoredSeek,
} from '../../../server/values/sorted-set-packed.ts';
import { emptyRun, value } from '../memory/packed-samples.ts';

type Pair = readonly [member: string, score: number];

const score = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.constantFrom(4095, 4096, -8_388_609, 2 ** 40, 2 ** 53, -(2 ** 60), 0.5, -1e300, Infinity, -Infinity),
);
const pairs = fc.uniqueArray(fc.tuple(value, score), { selector: ([member]) => member, maxLength: 40 });

const element = new PackedElement();

function runOf(members: readonly Pair[]): BlockRegion {
  const region = emptyRun();
  for (const [member, at] of members) scoredInsert(region, at, Buffer.from(member, 'latin1'), 0, member.length);
  return region;
}

function inOrder(members: readonly Pair[]): Pair[] {
  return [...members].sort(
    (a, b) => a[1] - b[1] || Buffer.compare(Buffer.from(a[0], 'latin1'), Buffer.from(b[0], 'latin1')),
  );
}

function pairAt(region: BlockRegion, offset: number): Pair {
  return [element.read(region, offset).copy().toString('latin1'), memberScore(region, offset)];
}

function forward(region: BlockRegion): Pair[] {
  const out: Pair[] = [];
  for (let at = PACKED_FIRST; at < region.len; at = scoredNext(region, at)) out.push(pairAt(region, at));
  return out;
}

function backward(region: BlockRegion, trail: ScoredTrail, rank: number): Pair[] {
  const out: Pair[] = [];
  for (let at = trail.seek(region, rank); at !== 0; at = trail.back()) out.push(pairAt(region, at));
  return out;
}

describe('small sorted set', () => {
  it('has its members in order, forward and backward, from every rank on', () => {
    const trail = new ScoredTrail();
    fc.assert(
      fc.property(pairs, fc.nat(50), (members, rank) => {
        const region = runOf(members);
        const expected = inOrder(members);
        expect(scoredCount(region)).toBe(expected.length);
        expect(forward(region)).toEqual(expected);
        const from = rank % (expected.length + 1);
        expect(backward(region, trail, from)).toEqual(
          from === expected.length ? [] : expected.slice(0, from + 1).reverse(),
        );
      }),
    );
  });

  it('finds members and scores', () => {
    fc.assert(
      fc.property(pairs, value, score, (members, member, at) => {
        const region = runOf(members);
        const expected = inOrder(members);
        const rank = expected.findIndex(([name]) => name === member);
        const found = scoredFind(region, Buffer.from(member, 'latin1'), 0, member.length);
        expect(found).toBe(rank < 0 ? 0 : scoredSeek(region, rank));
        if (found !== 0) expect(scoredRank(region, found)).toBe(rank);
        expect(scoredRankOfScore(region, at, false)).toBe(expected.filter((pair) => pair[1] < at).length);
        expect(scoredRankOfScore(region, at, true)).toBe(expected.filter((pair) => pair[1] <= at).length);
      }),
    );
  });

  it('is walked backward with as many members as a user may allow', () => {
    const region = runOf([]);
    const trail = new ScoredTrail();
    const count = 9000;
    for (let i = 0; i < count; i++) scoredInsert(region, 0, Buffer.from(`m${String(i).padStart(5, '0')}`), 0, 6);
    const names = backward(region, trail, count - 1).map(([name]) => name);
    expect(names).toHaveLength(count);
    expect(names.slice(0, 2)).toEqual(['m08999', 'm08998']);
    expect(backward(region, trail, 1).map(([name]) => name)).toEqual(['m00001', 'm00000']);
    scoredRemove(region, scoredSeek(region, 10), count - 20);
    expect(backward(region, trail, 10).map(([name]) => name)[0]).toBe('m08990');
  });
});
