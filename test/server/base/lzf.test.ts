import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LzfCompressor, lzfDecompress, lzfDecompressInScript, lzfExpands } from '../../../server/base/lzf.ts';

function pack(compressor: LzfCompressor, input: Uint8Array): Buffer | null {
  const output = Buffer.alloc(input.length + 8);
  const length = compressor.compress(input, 0, input.length, output, input.length - 4);
  return length === 0 ? null : output.subarray(0, length);
}

describe('lzf', () => {
  // What redis-server 7.0.15 stores for these strings (DUMP).
  it.each([
    ['a'.repeat(30), '016161e01100016161'],
    ['A'.repeat(21), '014141e00a00'],
    ['A'.repeat(22), '014141e00a000041'],
  ])('compresses %s as Redis does', (text, hex) => {
    expect(pack(new LzfCompressor(), Buffer.from(text))?.toString('hex')).toBe(hex);
  });

  it('gives back what went in, with one compressor for many inputs', () => {
    const compressor = new LzfCompressor();
    const bytes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 2000 });
    fc.assert(
      fc.property(bytes, (values) => {
        const input = Buffer.from(values);
        const packed = pack(compressor, input);
        if (packed === null) return;
        const output = Buffer.alloc(input.length);
        expect(lzfDecompress(packed, 0, packed.length, output, 0, output.length)).toBe(true);
        expect(output.equals(input)).toBe(true);
      }),
    );
  });

  it('says 0 when the result would be too long', () => {
    const noise = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * i * 37 + i) & 255));
    expect(pack(new LzfCompressor(), noise)).toBeNull();
  });

  it('refuses streams that are cut, too long, or reach back before the output', () => {
    const output = Buffer.alloc(64);
    const expand = (hex: string, length: number) =>
      lzfDecompress(Buffer.from(hex, 'hex'), 0, hex.length / 2, output, 8, length);
    expect(expand('026162', 3)).toBe(false);
    expect(expand('01616120ff', 4)).toBe(false);
    expect(expand('016161e0', 8)).toBe(false);
    expect(expand('0161612001', 4)).toBe(false);
    expect(expand('0161612001', 5)).toBe(true);
  });

  it('never writes outside the range it was given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 100 }), (input, length) => {
        const output = Buffer.alloc(length + 20, 0x55);
        lzfDecompress(input, 0, input.length, output, 10, length);
        expect(output.subarray(0, 10).every((byte) => byte === 0x55)).toBe(true);
        expect(output.subarray(length + 10).every((byte) => byte === 0x55)).toBe(true);
      }),
    );
  });

  it('is the same in script and in WebAssembly', () => {
    const compressor = new LzfCompressor();
    const bytes = fc.oneof(
      fc.array(fc.integer({ min: 97, max: 99 }), { minLength: 4, maxLength: 3000 }),
      fc
        .array(fc.constantFrom(...'the quick brown fox '), { minLength: 4, maxLength: 3000 })
        .map((all) => all.map((c) => c.charCodeAt(0))),
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 300 }),
    );
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 8 }), (values, less) => {
        const input = Buffer.from([1, 2, 3, ...values, 4]);
        const end = input.length - 1;
        const outputMax = Math.max(0, values.length - less);
        const a = Buffer.alloc(values.length + 8);
        const b = Buffer.alloc(values.length + 8);
        const length = compressor.compress(input, 3, end, a, outputMax);
        expect(compressor.compressInScript(input, 3, end, b, outputMax)).toBe(length);
        expect(a.subarray(0, length).equals(b.subarray(0, length))).toBe(true);
        const mangled = a.subarray(0, length);
        if (less === 7 && length > 2) mangled[length >> 1] = values[0] ?? 0;
        const x = Buffer.alloc(values.length);
        const y = Buffer.alloc(values.length);
        const sound = lzfDecompress(mangled, 0, length, x, 0, x.length);
        expect(lzfExpands(mangled, 0, length, x.length)).toBe(sound);
        expect(lzfDecompressInScript(mangled, 0, length, y, 0, y.length)).toBe(sound);
        if (sound) expect(x.equals(y)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
