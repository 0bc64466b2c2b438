import { describe, expect, it } from 'vitest';
import { addLongDouble } from '../../../server/base/long-double.ts';
import {
  formatDouble,
  isInt64,
  parseDouble,
  parseInt64,
  parseInteger,
  writeInteger,
} from '../../../server/base/numbers.ts';

const whole = <Result>(parse: (buf: Uint8Array, pos: number, len: number) => Result, text: string): Result =>
  parse(Buffer.from(`xx${text}yy`), 2, text.length);

describe('integers', () => {
  it.each(['0', '7', '-1', '123456789012345', '-999999999999999'])('reads %s exactly', (text) => {
    expect(whole(parseInteger, text)).toBe(Number(text));
    expect(whole(isInt64, text)).toBe(true);
  });

  it.each(['', '-', '+1', '01', '-0', ' 1', '1 ', '1.0', '1e3', '0x10', '9223372036854775808', '-9223372036854775809'])(
    'refuses %j',
    (text) => {
      expect(whole(parseInteger, text)).toBeNaN();
      expect(whole(parseInt64, text)).toBeNull();
      expect(whole(isInt64, text)).toBe(false);
    },
  );

  it.each(['9223372036854775807', '-9223372036854775808', '1234567890123456', '-1234567890123456'])(
    'holds %s as 64 bits',
    (text) => {
      expect(whole(parseInt64, text)).toBe(BigInt(text));
      expect(whole(isInt64, text)).toBe(true);
    },
  );

  it('writes what it reads', () => {
    const buf = Buffer.alloc(32);
    for (const value of [0, 9, 10, 99, 100, -1, 2147483647, 2147483648, -2147483649, 1e15, Number.MAX_SAFE_INTEGER]) {
      expect(buf.toString('latin1', 3, writeInteger(buf, 3, value))).toBe(String(value));
    }
  });
});

describe('doubles', () => {
  it.each([
    ['3.0', 3],
    ['.5', 0.5],
    ['-1e-3', -0.001],
    ['+inf', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['0x10', 16],
  ])('reads %s', (text, value) => {
    expect(parseDouble(text)).toBe(value);
  });

  it.each(['', 'nan', '1.2.3', ' 1', '1 ', 'e5', '--1', '1,5'])('refuses %j', (text) => {
    expect(parseDouble(text)).toBeNaN();
  });

  it.each([
    [0.1, '0.10000000000000001'],
    [1e17, '1e+17'],
    [12345678901234568, '12345678901234568'],
    [1.5e-7, '1.4999999999999999e-07'],
    [-0, '-0'],
    [100, '100'],
    // A tie goes to the even digit.
    [822412898547776 + 0.625, '822412898547776.62'],
    [822412898547776 + 0.875, '822412898547776.88'],
    [-1000000000000000 - 0.125, '-1000000000000000.1'],
  ])('prints %d as C does', (value, text) => {
    expect(formatDouble(value)).toBe(text);
  });

  it.each([
    ['0.1', '0.2', '0.3'],
    ['3.0e3', '200', '3200'],
    ['10.50', '0.1', '10.6'],
    ['5', '-5', '0'],
    ['1', '-1.00000000000000001', '-0.00000000000000001'],
    ['1e300', '1e300', `2${'0'.repeat(300)}`],
  ])('adds %s and %s to %s in long doubles', (a, b, sum) => {
    const result = addLongDouble(a, b);
    // 64 bits of mantissa do not hold 10^300 exactly.
    if (sum.length > 100) expect(result).toMatch(/^2|^1\d{300}$/);
    else expect(result).toBe(sum);
  });

  it('does not add to infinity', () => {
    expect(addLongDouble('inf', '1')).toBeNull();
  });
});
