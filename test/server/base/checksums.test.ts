import { describe, expect, it } from 'vitest';
import { Crc64 } from '../../../server/base/crc64.ts';

const check = Buffer.from('123456789');

describe('crc64', () => {
  const hex = (crc: Crc64) =>
    (crc.high >>> 0).toString(16).padStart(8, '0') + (crc.low >>> 0).toString(16).padStart(8, '0');

  it('gives the check value of CRC-64/Jones', () => {
    const crc = new Crc64();
    crc.update(check, 0, check.length);
    expect(hex(crc)).toBe('e9c6d914c4b8d9ca');
  });

  it('is the same in one piece and in pieces of any size', () => {
    const data = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 31 + (i >> 3)) & 255));
    const whole = new Crc64();
    whole.update(data, 0, data.length);
    for (const size of [1, 3, 7, 8, 9, 64, 999]) {
      const pieces = new Crc64();
      for (let at = 0; at < data.length; at += size) pieces.update(data, at, Math.min(at + size, data.length));
      expect(hex(pieces)).toBe(hex(whole));
    }
  });

  it('is the same in script and in WebAssembly', () => {
    const data = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i * 7 + (i >> 5)) & 255));
    for (const [start, end] of [
      [0, 600],
      [3, 70_001],
      [1, 200_000],
    ] as const) {
      const fast = new Crc64();
      const slow = new Crc64();
      fast.update(data, start, end);
      slow.updateInScript(data, start, end);
      expect(hex(fast)).toBe(hex(slow));
    }
  });

  it('writes eight little-endian bytes and recognizes them', () => {
    const crc = new Crc64();
    crc.update(check, 0, check.length);
    const bytes = new Uint8Array(10);
    crc.write(bytes, 1);
    expect(Buffer.from(bytes).toString('hex')).toBe('00cad9b8c414d9c6e900');
    expect(crc.matches(bytes, 1)).toBe(true);
    expect(crc.matches(bytes, 0)).toBe(false);
  });
});
