// From the histogram of register values to the number of distinct elements: Otmar Ertl's improved raw estimator
// ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6).

import { RANK_BITS, REGISTERS } from './hyperloglog-hash.ts';

const ALPHA_INFINITY = 0.5 / Math.log(2);

/** `histogram[v]` is the number of registers that hold v, 0 to 51. Returns the estimate, a whole number. */
export function estimate(histogram: Int32Array): number {
  const m = REGISTERS;
  let z = m * tau((m - histogram[RANK_BITS + 1]) / m);
  for (let value = RANK_BITS; value >= 1; value--) {
    z += histogram[value];
    z *= 0.5;
  }
  z += m * sigma(histogram[0] / m);
  return Math.round((ALPHA_INFINITY * m * m) / z);
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY;
  let x = start;
  let weight = 1;
  let sum = x;
  let before: number;
  do {
    x *= x;
    before = sum;
    sum += x * weight;
    weight += weight;
  } while (before !== sum);
  return sum;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let x = start;
  let weight = 1;
  let sum = 1 - x;
  let before: number;
  do {
    x = Math.sqrt(x);
    before = sum;
    weight *= 0.5;
    sum -= (1 - x) * (1 - x) * weight;
  } while (before !== sum);
  return sum / 3;
}
