import { describe, expect, it } from 'vitest';
import { completionsFor, hintFor } from '../../../src/cli/hints.ts';

describe('hints', () => {
  it.each([
    ['get', ' key'],
    ['get ', 'key'],
    ['GET k', ''],
    ['get k ', ''],
    ['getrange k', ' start end'],
    ['lpush list ', 'element [element ...]'],
    ['lpush list a b ', '[element [element ...]]'],
    ['config get', ' parameter [parameter ...]'],
    ['nosuch ', ''],
    ['set "quoted', ''],
    ['', ''],
  ])('after %j: %j', (line, hint) => {
    expect(hintFor(line)).toBe(hint);
  });

  it('drops options that were typed', () => {
    expect(hintFor('set k v ')).toContain('EX seconds');
    expect(hintFor('set k v ex ')).toContain('EX seconds');
    expect(hintFor('set k v ex 5 ')).not.toContain('EX seconds');
  });
});

describe('completion', () => {
  it('offers commands in the case that was typed', () => {
    expect(completionsFor('lra')).toEqual(['lrange']);
    expect(completionsFor('LRA')).toEqual(['LRANGE']);
    expect(completionsFor('config re')).toEqual(['config resetstat', 'config rewrite']);
  });

  it('offers help topics', () => {
    expect(completionsFor('help @hyp')).toEqual(['help @hyperloglog']);
    expect(completionsFor('help lra')).toEqual(['help LRANGE']);
  });
});
