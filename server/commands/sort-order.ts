// Putting elements in order: numbers for SORT, bytes for SORT ALPHA, and no more of the order than LIMIT asks for.

import { parseDouble, parseInteger } from '../base/numbers.ts';
import type { ElementVector } from './sort-elements.ts';

type Compare = (a: number, b: number) => number;

/** Below this an exact sort of everything is as fast as choosing first. */
const CHOOSE_MIN = 64;

const REST_ELEMENTS = 4096;
/** Reused by all requests while they have a reasonable size: memory of an array costs more than sorting a hundred elements. */
let weightNumbers = new Float64Array(0);
let orders: readonly [Uint32Array, Uint32Array] = [new Uint32Array(0), new Uint32Array(0)];

/** Whether memory kept for `kept` elements will do for so many: it is given back after unusual requests. */
function suits(kept: number, length: number): boolean {
  return kept >= length && kept <= REST_ELEMENTS * 4;
}

/**
 * The weights of the elements as numbers, valid until the next call; a missing one counts as 0. Null when one of them is no number.
 */
export function numericWeights(weights: ElementVector): Float64Array | null {
  if (!suits(weightNumbers.length, weights.length)) {
    weightNumbers = new Float64Array(Math.max(weights.length, REST_ELEMENTS));
  }
  const numbers = weightNumbers;
  for (let i = 0; i < weights.length; i++) {
    numbers[i] = 0;
    if (weights.isMissing(i)) continue;
    const value = toNumber(weights, i);
    if (Number.isNaN(value)) return null;
    numbers[i] = value;
  }
  return numbers;
}

/** By the weights' bytes; missing ones come first. */
export function alphabeticOrder(weights: ElementVector): Compare {
  return (a, b) => {
    const aMissing = weights.isMissing(a);
    const bMissing = weights.isMissing(b);
    if (aMissing || bMissing) return aMissing === bMissing ? 0 : aMissing ? -1 : 1;
    return weights.compare(a, b);
  };
}

/**
 * The indexes of the elements by their numbers, equal ones by the elements' bytes, so that the order is always the same.
 * See sortIndexes for `first` and `last`. The numbers are changed; the result may be longer, and is valid until the next call.
 */
export function sortByNumbers(
  elements: ElementVector,
  numbers: Float64Array,
  descending: boolean,
  first: number,
  last: number,
): Uint32Array {
  const { length } = elements;
  const sign = descending ? -1 : 1;
  const ties = (a: number, b: number): number => sign * elements.compare(a, b) || a - b;
  if (isFewOf(length, first, last)) {
    const compare: Compare = (a, b) => sign * (numbers[a] - numbers[b]) || ties(a, b);
    return chooseAndSort(length, compare, first, last);
  }
  if (descending) for (let i = 0; i < length; i++) numbers[i] = -numbers[i];
  if (!suits(orders[0].length, length)) {
    const room = Math.max(length, REST_ELEMENTS);
    orders = [new Uint32Array(room), new Uint32Array(room)];
  }
  let [from, to] = orders;
  for (let i = 0; i < length; i++) from[i] = i;
  // What compares two elements stands in the loop itself: a function called for each pair takes several times as long.
  for (let width = 1; width < length; width *= 2) {
    for (let start = 0; start < length; start += width * 2) {
      const middle = Math.min(start + width, length);
      const end = Math.min(middle + width, length);
      let left = start;
      let right = middle;
      for (let at = start; at < end; at++) {
        let takesLeft = left < middle;
        if (takesLeft && right < end) {
          const a = numbers[from[left]];
          const b = numbers[from[right]];
          takesLeft = a < b || (a === b && ties(from[left], from[right]) < 0);
        }
        to[at] = takesLeft ? from[left++] : from[right++];
      }
    }
    const sorted = to;
    to = from;
    from = sorted;
  }
  return from;
}

/**
 * The indexes 0 to length - 1 in order, of which only those from `first` to `last` are certain to stand right. What
 * compares equal keeps its place.
 */
export function sortIndexes(length: number, compare: Compare, descending: boolean, first: number, last: number) {
  const total: Compare = descending ? (a, b) => compare(b, a) || a - b : (a, b) => compare(a, b) || a - b;
  if (last < first) return indexes(length);
  return isFewOf(length, first, last) ? chooseAndSort(length, total, first, last) : indexes(length).sort(total);
}

/** Whether so few elements are wanted that choosing them before sorting pays. */
function isFewOf(length: number, first: number, last: number): boolean {
  return length >= CHOOSE_MIN && (last - first + 1) * 4 < length;
}

function indexes(length: number): Uint32Array {
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  return order;
}

function chooseAndSort(length: number, compare: Compare, first: number, last: number): Uint32Array {
  const order = indexes(length);
  if (last < first) return order;
  if (last < length - 1) choose(order, 0, length - 1, last, compare);
  if (first > 0) choose(order, 0, last, first, compare);
  order.subarray(first, last + 1).sort(compare);
  return order;
}

/** Moves what belongs at index `k` there, smaller ones before it, larger ones behind it (quickselect). */
function choose(order: Uint32Array, from: number, to: number, k: number, compare: Compare): void {
  let low = from;
  let high = to;
  while (low < high) {
    const pivot = order[medianOfThree(order, low, high, compare)];
    let i = low;
    let j = high;
    while (i <= j) {
      while (compare(order[i], pivot) < 0) i++;
      while (compare(order[j], pivot) > 0) j--;
      if (i > j) break;
      const swapped = order[i];
      order[i++] = order[j];
      order[j--] = swapped;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return;
  }
}

function medianOfThree(order: Uint32Array, low: number, high: number, compare: Compare): number {
  const middle = (low + high) >>> 1;
  const a = order[low];
  const b = order[middle];
  const c = order[high];
  if (compare(a, b) < 0) {
    if (compare(b, c) < 0) return middle;
    return compare(a, c) < 0 ? high : low;
  }
  if (compare(a, c) < 0) return low;
  return compare(b, c) < 0 ? high : middle;
}

/** A number as C's strtod reads it when nothing may follow; NaN otherwise. Nothing at all counts as 0. */
function toNumber(weights: ElementVector, i: number): number {
  const integer = parseInteger(weights.buf, weights.start(i), weights.size(i));
  if (!Number.isNaN(integer)) return integer;
  const text = weights.view(i).toString('latin1').split('\0', 1)[0]!;
  if (text === '') return 0;
  const trimmed = text.replace(/^[ \t\n\v\f\r]+/, '');
  const value = parseDouble(trimmed);
  if (Number.isFinite(value)) return value === 0 && /[1-9]/.test(trimmed.split(/[ep]/i, 1)[0]!) ? Number.NaN : value;
  return /inf/i.test(trimmed) ? value : Number.NaN;
}
