import { describe, expect, it } from 'vitest';
import { combineBits, countOnes, findBit, invertBits, readField, writeField } from '../../../server/values/bits.ts';
import { Generator } from '../../differential/support/generate.ts';

const bytes = Buffer.from(new ArrayBuffer(256));
const words = new Int32Array(bytes.buffer);

function fill(g: Generator): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = g.pick([0, 0, 0xff, 0xff, g.below(256)]);
}

function bitsOf(start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += bytes[i]!.toString(2).padStart(8, '0');
  return text;
}

describe('bits of a byte range', () => {
  it('are counted and found as in their binary text', () => {
    const g = new Generator(1);
    for (let round = 0; round < 3000; round++) {
      fill(g);
      const start = g.below(200);
      const end = start + g.below(257 - start);
      const text = bitsOf(start, end);
      expect(countOnes(bytes, words, start, end)).toBe(text.replaceAll('0', '').length);
      expect(findBit(bytes, words, start, end, 1)).toBe(text.indexOf('1'));
      expect(findBit(bytes, words, start, end, 0)).toBe(text.indexOf('0'));
    }
  });

  it('are combined and inverted', () => {
    const target = Buffer.from(new Uint8Array([0b1100, 1, 2, 3, 4, 5, 0xf0]).buffer);
    const source = Buffer.from(new Uint8Array([0b1010, 1, 0, 3, 4, 0, 0x3c]).buffer);
    combineBits('and', target, source, 7);
    expect([...target]).toEqual([0b1000, 1, 0, 3, 4, 0, 0x30]);
    combineBits('or', target, source, 7);
    expect([...target]).toEqual([0b1010, 1, 0, 3, 4, 0, 0x3c]);
    combineBits('xor', target, source, 7);
    expect([...target]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    invertBits(target, 7);
    expect([...target]).toEqual(new Array(7).fill(255));
  });
});

describe('fields', () => {
  it('are read and written at any offset and width without touching their neighbours', () => {
    const g = new Generator(2);
    for (let round = 0; round < 5000; round++) {
      fill(g);
      const width = 1 + g.below(32);
      const offset = g.below(100);
      const value = g.below(2 ** width);
      const before = bitsOf(10, 60);
      writeField(bytes, 10, offset, width, value);
      const written = value.toString(2).padStart(width, '0');
      expect(bitsOf(10, 60)).toBe(before.slice(0, offset) + written + before.slice(offset + width));
      expect(readField(bytes, 10, 60, offset, width)).toBe(value);
    }
  });

  it('are zero beyond the end', () => {
    bytes.fill(0xff);
    expect(readField(bytes, 0, 2, 12, 8)).toBe(0b11110000);
    expect(readField(bytes, 0, 2, 1000, 32)).toBe(0);
  });
});
