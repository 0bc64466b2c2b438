import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../server/base/histogram.ts';

const microseconds = () => new Histogram({ lowest: 10, highest: 3_000_000, significantDigits: 3 });

describe('Histogram', () => {
  it('is empty at first', () => {
    const histogram = microseconds();
    expect([histogram.total, histogram.min, histogram.max, histogram.percentile(50)]).toEqual([0, 0, 0, 0]);
    expect(histogram.mean).toBeNaN();
  });

  // Edges as redis-benchmark prints them with the same three settings.
  it.each([
    [100, 96, 103],
    [200, 200, 207],
    [1000, 1000, 1007],
    [16_383, 16_376, 16_383],
    [16_384, 16_384, 16_399],
    [100_000, 99_968, 100_031],
  ])('puts %i into the bucket from %i to %i', (value, low, high) => {
    const histogram = microseconds();
    expect([histogram.lowestEquivalent(value), histogram.highestEquivalent(value)]).toEqual([low, high]);
  });

  it('keeps every value within three significant digits', () => {
    const histogram = microseconds();
    for (let value = 20_000; value < 3_000_000; value = Math.ceil(value * 1.37)) {
      const [low, high] = [histogram.lowestEquivalent(value), histogram.highestEquivalent(value)];
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
      expect((high - low) / value).toBeLessThan(0.001);
      expect(histogram.lowestEquivalent(high + 1)).toBe(high + 1);
    }
  });

  it('answers percentiles, counts and the mean', () => {
    const histogram = microseconds();
    for (let i = 1; i <= 1000; i++) histogram.record(i * 16);
    expect(histogram.total).toBe(1000);
    expect(histogram.percentile(50)).toBe(8007);
    expect(histogram.percentile(99.9)).toBe(15_991);
    expect(histogram.percentile(100)).toBe(16_007);
    expect([histogram.min, histogram.max]).toEqual([16, 16_007]);
    expect(histogram.countUpTo(1600)).toBe(100);
    expect(histogram.mean).toBeCloseTo(8012, 6);
    histogram.reset();
    expect(histogram.total).toBe(0);
  });

  it('counts what is out of range at its end', () => {
    const histogram = microseconds();
    histogram.record(-5);
    histogram.record(99_999_999);
    expect([histogram.min, histogram.total]).toEqual([0, 2]);
    expect(histogram.max).toBe(histogram.highestEquivalent(3_000_000));
  });
});
