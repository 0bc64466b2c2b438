// Packed runs against a plain array of strings, and their bytes against known ones.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PACKED_FIRST,
  PackedElement,
  PackedValue,
  packedAppend,
  packedCount,
  packedDelete,
  packedFind,
  packedInsertPair,
  packedNext,
  packedReplace,
  packedSeek,
} from '../../../server/memory/packed.ts';
import type { BlockRegion } from '../../../server/memory/region.ts';
import { bytesOf, emptyRun, limits, runOf, value } from './packed-samples.ts';

/** A change: its kind, a place (taken modulo what there is), two values. */
type Change = readonly [kind: 'append' | 'pair' | 'replace' | 'delete', place: number, first: string, second: string];

const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.tuple(fc.constantFrom('append', 'pair', 'replace', 'delete'), fc.nat(1000), value, value),
  { maxLength: 60 },
);

const element = new PackedElement();

function encoded(text: string): PackedValue {
  return new PackedValue().set(Buffer.from(`..${text}`, 'latin1'), 2, text.length);
}

function content(region: BlockRegion): string[] {
  const out: string[] = [];
  for (let at = PACKED_FIRST; at < region.len; at = element.next) {
    out.push(element.read(region, at).copy().toString('latin1'));
  }
  return out;
}

function change(region: BlockRegion, model: string[], [kind, place, first, second]: Change): void {
  const at = place % (model.length + 1);
  const offset = at === model.length ? region.len : packedSeek(region, at);
  if (kind === 'append') {
    packedAppend(region, Buffer.from(first, 'latin1'), 0, first.length);
    model.push(first);
  } else if (kind === 'pair') {
    packedInsertPair(region, offset, encoded(first), encoded(second));
    model.splice(at, 0, first, second);
  } else if (kind === 'delete') {
    packedDelete(region, offset, place % 4);
    model.splice(at, place % 4);
  } else if (at < model.length) {
    packedReplace(region, offset, encoded(first));
    model[at] = first;
  }
}

describe('packed run', () => {
  it('takes two bytes, and those of its entries', () => {
    const region = runOf(['1', '-1', '4095', '300', '40000', '-8388609', '5000000000', 'hello', '']);
    expect(bytesOf(region).toString('hex')).toBe(
      '0900' + '01dfffcfffc12cf2409c00f3ffff7ffff400f2052a01000000' + '8568656c6c6f80',
    );
  });

  it('does what an array does', () => {
    fc.assert(
      fc.property(changes, value, (steps, needle) => {
        const region = emptyRun();
        const model: string[] = [];
        for (const step of steps) {
          change(region, model, step);
          expect(packedCount(region)).toBe(model.length);
        }
        expect(content(region)).toEqual(model);
        const found = packedFind(region, Buffer.from(needle, 'latin1'), 0, needle.length, 0);
        expect(found).toBe(model.includes(needle) ? packedSeek(region, model.indexOf(needle)) : 0);
        expect(packedSeek(region, model.length)).toBe(0);
        if (model.length > 1) expect(packedNext(region, PACKED_FIRST)).toBe(packedSeek(region, 1));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps and finds values of all encodings', () => {
    const region = runOf(limits);
    expect(content(region)).toEqual(limits);
    for (const text of limits) {
      const found = packedFind(region, Buffer.from(text, 'latin1'), 0, text.length, 0);
      expect(found).toBe(packedSeek(region, limits.indexOf(text)));
    }
  });

  it('tells values of all encodings from each other', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const region = runOf([one]);
        expect(encoded(other).equals(region.buf, region.pos + PACKED_FIRST)).toBe(one === other);
      }),
    );
  });

  it('finds fields among pairs only', () => {
    const region = runOf(['value', 'name', 'name', 'value']);
    expect(packedFind(region, Buffer.from('name'), 0, 4, 1)).toBe(packedSeek(region, 2));
    expect(packedFind(region, Buffer.from('4096'), 0, 4, 1)).toBe(0);
  });

  it('finds elements by their index, be they all of one length, mostly or by chance on average', () => {
    const samples = [
      Array.from({ length: 50 }, (_, i) => `member ${String(i).padStart(3, '0')}`),
      Array.from({ length: 50 }, (_, i) => (i === 20 ? '5' : `member ${i + 10}`)),
      ['ab', 'abc', 'a', 'ab', '', 'abcd'],
      Array.from({ length: 50 }, (_, i) => String(i)),
      Array.from({ length: 5 }, (_, i) => String(i).repeat(5000)),
    ];
    for (const values of samples) {
      const region = runOf(values);
      const found = values.map((_, i) => element.read(region, packedSeek(region, i)).copy().toString());
      expect(found).toEqual(values);
      expect(packedSeek(region, values.length)).toBe(0);
    }
  });

  it('counts beyond 65,534 elements and notices when they are fewer again', () => {
    const region = emptyRun();
    const bytes = Buffer.from('0123456789');
    for (let i = 0; i < 65_540; i++) packedAppend(region, bytes, i % 10, 1);
    expect(packedCount(region)).toBe(65_540);
    expect(packedSeek(region, 65_539)).toBe(region.len - 1);
    expect(packedSeek(region, 65_540)).toBe(0);
    packedDelete(region, PACKED_FIRST + 10, 65_000);
    expect(packedCount(region)).toBe(540);
    expect(region.buf.readUInt16LE(region.pos)).toBe(540);
  });
});
