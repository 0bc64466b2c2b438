// Counts values in buckets of bounded relative error: as many significant digits as asked for over the whole range, in
// a fixed amount of memory. The layout (and so every printed figure) is that of HdrHistogram: halves of 2^k buckets, each
// half twice as coarse as the one before.

export interface HistogramOptions {
  /** Smallest difference that matters, at least 1. */
  lowest: number;
  /** Larger values are counted as this one. */
  highest: number;
  /** 1 to 5. */
  significantDigits: number;
}

export class Histogram {
  readonly #highest: number;
  readonly #unit: number;
  readonly #halfCount: number;
  readonly #counts: Float64Array;
  #total = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  constructor({ lowest, highest, significantDigits }: HistogramOptions) {
    this.#highest = highest;
    // Powers of two: the unit is the largest not above `lowest`, half the buckets tell 2 * 10^digits values apart.
    this.#unit = 2 ** Math.floor(Math.log2(lowest));
    this.#halfCount = 2 ** (Math.ceil(Math.log2(2 * 10 ** significantDigits)) - 1);
    this.#counts = new Float64Array(this.#indexOf(highest) + 1);
  }

  get total(): number {
    return this.#total;
  }

  /** Counts a value, rounded down to a whole number; what is above the range counts as its end. */
  record(value: number): void {
    const whole = Math.min(Math.max(0, Math.floor(value)), this.#highest);
    this.#counts[this.#indexOf(whole)]! += 1;
    this.#total++;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
  }

  /** The buckets that have values, as pairs of index and count: for a histogram of the same options elsewhere. */
  toPairs(): Float64Array {
    const pairs: number[] = [];
    for (let index = 0; index < this.#counts.length; index++) {
      if (this.#counts[index]! > 0) pairs.push(index, this.#counts[index]!);
    }
    return Float64Array.from(pairs);
  }

  /** Adds what toPairs gave. */
  addPairs(pairs: Float64Array): void {
    for (let at = 0; at < pairs.length; at += 2) {
      const index = pairs[at]!;
      this.#counts[index]! += pairs[at + 1]!;
      this.#total += pairs[at + 1]!;
      this.#min = Math.min(this.#min, this.#valueAt(index));
      this.#max = Math.max(this.#max, this.#valueAt(index));
    }
  }

  /** Lower edge of the smallest value's bucket; 0 without values. */
  get min(): number {
    return this.#total === 0 ? 0 : this.lowestEquivalent(this.#min);
  }

  /** Upper edge of the largest value's bucket; 0 without values. */
  get max(): number {
    return this.#total === 0 ? 0 : this.highestEquivalent(this.#max);
  }

  /** Mean of the buckets' middles; NaN without values. */
  get mean(): number {
    let sum = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index]!;
      if (count === 0) continue;
      const low = this.#valueAt(index);
      sum += count * (low + Math.floor(this.#sizeAt(low) / 2));
    }
    return sum / this.#total;
  }

  /** Upper edge of the bucket that holds the value at a percentile (0 to 100); 0 without values. */
  percentile(percentile: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percentile, 100) / 100) * this.#total + 0.5));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index]!;
      if (seen >= wanted) return this.highestEquivalent(this.#valueAt(index));
    }
    return 0;
  }

  /** How many values are in the bucket of `value` or below it. */
  countUpTo(value: number): number {
    const last = Math.min(this.#indexOf(value), this.#counts.length - 1);
    let seen = 0;
    for (let index = 0; index <= last; index++) seen += this.#counts[index]!;
    return seen;
  }

  lowestEquivalent(value: number): number {
    return this.#valueAt(this.#indexOf(value));
  }

  highestEquivalent(value: number): number {
    const low = this.lowestEquivalent(value);
    return low + this.#sizeAt(low) - 1;
  }

  #indexOf(value: number): number {
    const scaled = Math.floor(value / this.#unit);
    if (scaled < 2 * this.#halfCount) return scaled;
    const octave = Math.floor(Math.log2(scaled / this.#halfCount));
    return octave * this.#halfCount + Math.floor(scaled / 2 ** octave);
  }

  /** Lower edge of a bucket. */
  #valueAt(index: number): number {
    if (index < 2 * this.#halfCount) return index * this.#unit;
    const octave = Math.floor(index / this.#halfCount) - 1;
    return (index - octave * this.#halfCount) * 2 ** octave * this.#unit;
  }

  /** Width of the bucket that begins at `low`. */
  #sizeAt(low: number): number {
    const scaled = low / this.#unit;
    return scaled < 2 * this.#halfCount
      ? this.#unit
      : 2 ** Math.floor(Math.log2(scaled / this.#halfCount)) * this.#unit;
  }
}
