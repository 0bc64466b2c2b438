// What is pushed to many clients is put together once, whatever else they get.

import { expect, it } from 'vitest';
import { SharedText } from '../../../server/runtime/shared-text.ts';

it('gives those who take the same steps the same text', () => {
  const root = new SharedText('');
  const one = root.with('a').with('b').with('c');
  const other = root.with('a').with('b').with('c');
  expect(one.text).toBe('abc');
  expect(other).toBe(one);
});

it('keeps the texts of those who take other steps apart', () => {
  const root = new SharedText('');
  const one = root.with('a').with('b');
  const other = root.with('x').with('b');
  expect(one.text).toBe('ab');
  expect(other.text).toBe('xb');
  expect(one.with('c').text).toBe('abc');
  expect(root.with('a').with('b').text).toBe('ab');
});

it('forgets what was put together, which stays whole for those who have it', () => {
  const root = new SharedText('');
  const before = root.with('a');
  root.forget();
  expect(root.with('a')).not.toBe(before);
  expect(before.with('b').text).toBe('ab');
});
