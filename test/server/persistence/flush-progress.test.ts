// How far the log is known to be on the disk.

import { describe, expect, it } from 'vitest';
import { FlushProgress } from '../../../server/persistence/flush-progress.ts';

describe('flush progress', () => {
  it('is where the last flush that ended began', () => {
    const progress = new FlushProgress();
    expect(progress.confirmed).toBe(-1);
    const first = progress.begin(10);
    expect(progress.confirmed).toBe(-1);
    progress.end(first, true);
    expect(progress.confirmed).toBe(10);
    progress.end(progress.begin(25), true);
    expect(progress.confirmed).toBe(25);
  });

  it('waits for the older of two files', () => {
    const progress = new FlushProgress();
    const older = progress.begin(10);
    const newer = progress.begin(20);
    progress.end(newer, true);
    expect(progress.confirmed).toBe(-1);
    progress.end(older, true);
    expect(progress.confirmed).toBe(20);
  });

  it('stands still after a failure, until sound files are there', () => {
    const progress = new FlushProgress();
    progress.end(progress.begin(10), true);
    progress.end(progress.begin(20), false);
    progress.end(progress.begin(30), true);
    expect(progress.confirmed).toBe(10);
    expect(progress.failures).toBe(1);
    progress.trust(28, true);
    expect(progress.confirmed).toBe(28);
    progress.end(progress.begin(40), true);
    expect(progress.confirmed).toBe(40);
  });

  it('forgets flushes from before offsets began anew', () => {
    const progress = new FlushProgress();
    const before = progress.begin(1000);
    progress.restart();
    const after = progress.begin(5);
    progress.end(before, true);
    expect(progress.confirmed).toBe(-1);
    progress.end(after, true);
    expect(progress.confirmed).toBe(5);
  });
});
