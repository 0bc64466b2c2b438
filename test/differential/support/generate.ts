// Seeded random input for differential tests: the same seed gives the same commands on every machine.

export class Generator {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 to bound - 1. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * bound);
  }

  /** True once in `n`. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** `min` to `max` values of `make`. */
  several<T>(min: number, max: number, make: () => T): T[] {
    return Array.from({ length: min + this.below(max - min + 1) }, make);
  }

  /** An integer from -bound to bound, as text. */
  integer(bound: number): string {
    return String(this.below(2 * bound + 1) - bound);
  }

  /** An argument that should be a number: mostly right, sometimes at a limit, sometimes none. */
  number(bound: number): string {
    if (!this.once(12)) return this.integer(bound);
    return this.pick(NUMBERS);
  }

  /** A value: short words, integers at the limits of their encodings, long and binary strings. */
  value(): string {
    const kind = this.below(12);
    if (kind < 5) return `v${this.below(30)}`;
    if (kind < 8) return this.integer(this.pick([10, 130, 5000, 40000, 2 ** 24, 2 ** 32, 2 ** 52]));
    if (kind === 8) return this.pick(NUMBERS);
    if (kind === 9) return 'x'.repeat(this.below(200));
    if (kind === 10) return Array.from({ length: this.below(20) }, () => String.fromCharCode(this.below(256))).join('');
    return this.pick(['', '\0', '\r\n', '-', '1.5', '3.0e5', ' 1', '1 ', 'nan', 'inf']);
  }
}

const NUMBERS = [
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '9007199254740993',
  '4294967296',
  '-2147483649',
  '0',
  '-0',
  '+1',
  '01',
  '1.0',
  'abc',
  '',
  ' 5',
];
