// Values that are freed later: one a turn, counted.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LazyFree } from '../../../server/runtime/lazy-free.ts';

it('frees one value a turn and counts them', async () => {
  const lazy = new LazyFree();
  let frees = 0;
  const value = { free: () => frees++, memoryBytes: () => 0, length: 100 };
  lazy.add(value);
  lazy.add(value);
  expect([frees, lazy.pending]).toEqual([0, 2]);
  await nextTurn();
  expect([frees, lazy.pending, lazy.freed]).toEqual([1, 1, 1]);
  await nextTurn();
  expect([frees, lazy.pending, lazy.freed]).toEqual([2, 0, 2]);
});
