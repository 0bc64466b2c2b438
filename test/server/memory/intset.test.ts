import { describe, expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import {
  INTSET_EMPTY_BYTES,
  IntsetValue,
  initIntset,
  intsetAdd,
  intsetCount,
  intsetGet,
  intsetHas,
  intsetRemove,
} from '../../../server/memory/intset.ts';
import { BlockRegion } from '../../../server/memory/region.ts';

function emptySet(): BlockRegion {
  const region = new BlockRegion(new Arena()).create(INTSET_EMPTY_BYTES);
  initIntset(region);
  return region;
}

function integerOf(text: string): IntsetValue {
  const value = new IntsetValue();
  const bytes = Buffer.from(text);
  if (!value.parse(bytes, 0, bytes.length)) throw new Error(`not an integer: ${text}`);
  return value;
}

function members(region: BlockRegion): string[] {
  const value = new IntsetValue();
  const digits = Buffer.alloc(32);
  return Array.from({ length: intsetCount(region) }, (_, index) => {
    intsetGet(region, index, value);
    return digits.toString('latin1', 0, value.format(digits, 0));
  });
}

describe('intset', () => {
  it('holds the bytes that RDB stores', () => {
    const region = emptySet();
    for (const text of ['3', '-1', '2']) intsetAdd(region, integerOf(text));
    const bytes = region.buf.subarray(region.pos, region.pos + region.len);
    expect(bytes.toString('hex')).toBe('0200000003000000ffff02000300');
    intsetAdd(region, integerOf('65536'));
    expect(region.buf.subarray(region.pos, region.pos + region.len).toString('hex')).toBe(
      '0400000004000000ffffffff020000000300000000000100',
    );
  });

  it('keeps every 64-bit value exactly, in order', () => {
    const texts = [
      '9223372036854775807',
      '-9223372036854775808',
      '4294967296',
      '-4294967297',
      '2147483648',
      '-2147483649',
      '32768',
      '-32769',
      '0',
      '9007199254740993',
      '-9007199254740993',
    ];
    const region = emptySet();
    for (const text of texts) expect(intsetAdd(region, integerOf(text))).toBe(true);
    for (const text of texts) expect(intsetAdd(region, integerOf(text))).toBe(false);
    const sorted = texts.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
    expect(members(region)).toEqual(sorted.map(String));
  });

  it('refuses what is not a canonical integer', () => {
    const value = new IntsetValue();
    for (const text of ['', '01', '-0', '+1', ' 1', '1.0', 'a', '9223372036854775808', '-9223372036854775809']) {
      expect(value.parse(Buffer.from(text), 0, text.length)).toBe(false);
    }
  });

  it('agrees with a JavaScript set under random changes', () => {
    let state = 12345;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % bound;
    };
    const region = emptySet();
    const model = new Set<bigint>();
    for (let step = 0; step < 5000; step++) {
      const number = BigInt(random(200) - 100) * 7n ** BigInt(random(20));
      const value = integerOf(String(number));
      expect(intsetHas(region, value)).toBe(model.has(number));
      if (random(2) === 0) expect(intsetAdd(region, value)).toBe(!model.has(number) && model.add(number) !== null);
      else expect(intsetRemove(region, value)).toBe(model.delete(number));
    }
    const sorted = [...model].sort((a, b) => (a < b ? -1 : 1));
    expect(members(region)).toEqual(sorted.map(String));
  });
});
