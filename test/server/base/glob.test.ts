import { describe, expect, it } from 'vitest';
import { globMatch } from '../../../server/base/glob.ts';

const matches = (pattern: string, text: string, nocase = false) =>
  globMatch(Buffer.from(pattern, 'latin1'), Buffer.from(text, 'latin1'), nocase);

describe('globMatch', () => {
  it.each([
    ['*', ''],
    ['*', 'anything'],
    ['h?llo', 'hello'],
    ['h*llo', 'heeeello'],
    ['h[ae]llo', 'hallo'],
    ['h[^e]llo', 'hbllo'],
    ['h[a-c]llo', 'hbllo'],
    ['h[c-a]llo', 'hbllo'],
    ['a\\*b', 'a*b'],
    ['[\\]]', ']'],
    ['*a*b*c', 'xxaxxbxxc'],
    ['\xff*', '\xff\x00'],
  ])('%j takes %j', (pattern, text) => {
    expect(matches(pattern, text)).toBe(true);
  });

  it.each([
    ['', 'a'],
    ['a', ''],
    ['h?llo', 'hllo'],
    ['h[^e]llo', 'hello'],
    ['a\\*b', 'axb'],
    ['*a', 'ab'],
    ['a*b', 'acx'],
  ])('%j refuses %j', (pattern, text) => {
    expect(matches(pattern, text)).toBe(false);
  });

  it('folds ASCII letters when asked', () => {
    expect(matches('MAX[A-Z]*', 'maxmemory', true)).toBe(true);
    expect(matches('MAX*', 'maxmemory')).toBe(false);
  });

  it('answers hostile patterns at once', () => {
    expect(matches(`${'*a'.repeat(200)}b`, 'a'.repeat(20_000))).toBe(false);
  });
});
