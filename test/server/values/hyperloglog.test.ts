import { describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { BlockRegion } from '../../../server/memory/region.ts';
import {
  addRegister,
  CORRUPT,
  cacheCount,
  cachedCount,
  countDistinct,
  countRegisters,
  describeSparse,
  dropCachedCount,
  emptyHyperLogLog,
  HEADER_BYTES,
  isHyperLogLog,
  isSparse,
  makeDense,
  mergeRegisters,
  REGISTERS,
  raiseRegister,
  registerOf,
} from '../../../server/values/hyperloglog.ts';
import { Generator } from '../../differential/support/generate.ts';

function create(): BlockRegion {
  const bytes = emptyHyperLogLog();
  const region = new BlockRegion(new Arena()).create(bytes.length);
  region.buf.set(bytes, region.pos);
  return region;
}

function registers(region: BlockRegion): Buffer {
  const max = Buffer.alloc(REGISTERS);
  expect(mergeRegisters(max, region.buf, region.pos, region.len)).toBe(true);
  return max;
}

function describeRuns(region: BlockRegion): string {
  return describeSparse(region.buf, region.pos + HEADER_BYTES, region.pos + region.len);
}

describe('HyperLogLog', () => {
  it('keeps the same registers sparse and dense as a plain array', () => {
    const g = new Generator(3);
    const model = Buffer.alloc(REGISTERS);
    const sparse = create();
    const dense = create();
    makeDense(dense);
    for (let step = 0; step < 4000; step++) {
      // Neighbouring registers, so that runs split and merge.
      const index = g.once(3) ? g.below(REGISTERS) : g.below(300);
      const rank = 1 + g.below(g.once(50) ? 32 : 4);
      const raised = model[index]! < rank ? 1 : 0;
      model[index] = Math.max(model[index]!, rank);
      expect(raiseRegister(sparse, index, rank, 1_000_000)).toBe(raised);
      expect(raiseRegister(dense, index, rank, 0)).toBe(raised);
      if (step % 500 === 0) expect(registers(sparse).equals(model)).toBe(true);
    }
    expect(isSparse(sparse)).toBe(true);
    expect(registers(sparse).equals(model)).toBe(true);
    expect(registers(dense).equals(model)).toBe(true);
    const count = countRegisters(model);
    expect(countDistinct(sparse.buf, sparse.pos, sparse.len)).toBe(count);
    expect(countDistinct(dense.buf, dense.pos, dense.len)).toBe(count);
  });

  it('puts elements where Redis puts them', () => {
    const places = [
      ['', 5938, 2],
      ['a', 12711, 2],
      ['hello', 9216, 1],
      ['1234567', 10327, 3],
      ['12345678', 10579, 3],
      ['123456789012345678901', 13010, 3],
    ] as const;
    for (const [text, index, rank] of places) {
      expect(registerOf(Buffer.from(text), 0, text.length)).toBe(index | (rank << 14));
    }
  });

  it('merges neighbouring runs of the same value', () => {
    const region = create();
    for (const index of [5, 7, 6]) raiseRegister(region, index, 2, 3000);
    expect(describeRuns(region)).toBe('z:5 v:2,3 Z:16376');
    raiseRegister(region, 6, 9, 3000);
    expect(describeRuns(region)).toBe('z:5 v:2,1 v:9,1 v:2,1 Z:16376');
  });

  it('becomes dense when it outgrows the limit or a rank is too high', () => {
    const region = create();
    const full = create();
    for (let index = 0; isSparse(full) && index < REGISTERS; index += 10) raiseRegister(full, index, 1, 100);
    expect(isSparse(full)).toBe(false);
    raiseRegister(region, 0, 33, 3000);
    expect(isSparse(region)).toBe(false);
    expect(registers(region)[0]).toBe(33);
  });

  it('estimates within a few percent', () => {
    const region = create();
    const element = Buffer.alloc(4);
    for (let n = 1; n <= 100_000; n++) {
      element.writeInt32LE(n);
      addRegister(region, registerOf(element, 0, 4), 3000);
      if (n === 100 || n === 10_000 || n === 100_000) {
        const estimate = countDistinct(region.buf, region.pos, region.len);
        expect(Math.abs(estimate - n) / n).toBeLessThan(0.03);
      }
    }
  });

  it('keeps a count until it is dropped', () => {
    const { buf, pos } = create();
    expect(cachedCount(buf, pos)).toBe(0);
    cacheCount(buf, pos, 2 ** 40 + 5);
    expect(cachedCount(buf, pos)).toBe(2 ** 40 + 5);
    dropCachedCount(buf, pos);
    expect(cachedCount(buf, pos)).toBe(-1);
  });

  it('recognises what is none, and damage', () => {
    const region = create();
    expect(isHyperLogLog(region.buf, region.pos, region.len)).toBe(true);
    expect(isHyperLogLog(region.buf, region.pos, 15)).toBe(false);
    region.buf[region.pos + HEADER_BYTES] = 0x41;
    expect(countDistinct(region.buf, region.pos, region.len)).toBe(CORRUPT);
    expect(makeDense(region)).toBe(false);
    region.buf[region.pos + 4] = 0;
    expect(isHyperLogLog(region.buf, region.pos, region.len)).toBe(false);
  });
});
