// Distances to the last bit. Math.sin and friends may be off by one unit in the last place where a C library is not; in
// four printed digits nobody sees it, but a distance that is stored as a score shows all of them. Here sines and cosines
// are computed with twice the precision (a sum of two doubles) and rounded once, which is what good C libraries give.

import { DEGREES, EARTH_RADIUS_METERS, latitudeDistanceMeters } from './geo-hash.ts';

/** Splits a double into two halves of 26 bits, whose products are exact. */
const SPLITTER = 134217729;
/** Terms below this no longer change a sum of twice the precision. */
const NEGLIGIBLE = 2 ** -112;

/** The sum of two doubles that the last operation gave: `high` is the rounded value, `low` what rounding left out. */
let high = 0;
let low = 0;

/** distanceMeters with every step rounded correctly. */
export function exactDistanceMeters(
  fromLongitude: number,
  fromLatitude: number,
  longitude: number,
  latitude: number,
): number {
  const v = exactSine((longitude * DEGREES - fromLongitude * DEGREES) / 2);
  if (v === 0) return latitudeDistanceMeters(fromLatitude, latitude);
  const from = fromLatitude * DEGREES;
  const to = latitude * DEGREES;
  const u = exactSine((to - from) / 2);
  const a = u * u + exactCosine(from) * exactCosine(to) * v * v;
  return 2 * EARTH_RADIUS_METERS * exactArcsine(Math.sqrt(a));
}

/** The sine of an angle of at most pi or so, correctly rounded. */
export function exactSine(x: number): number {
  series(x, x, 1);
  return high;
}

/** The cosine of an angle of at most pi or so, correctly rounded. */
export function exactCosine(x: number): number {
  series(x, 1, 0);
  return high;
}

/** The arcsine of 0 to 1, correctly rounded: one Newton step from the library's value. */
export function exactArcsine(z: number): number {
  const guess = Math.asin(z);
  const slope = Math.cos(guess);
  if (slope < 1e-8) return guess;
  series(guess, guess, 1);
  return guess + (z - high - low) / slope;
}

/** Sums first - first*x^2/((n+1)(n+2)) + ...: the sine from x and 1, the cosine from 1 and 0. Result in high, low. */
function series(x: number, first: number, n: number): void {
  multiply(x, 0, x);
  const squareHigh = high;
  const squareLow = low;
  let termHigh = first;
  let termLow = 0;
  let sumHigh = first;
  let sumLow = 0;
  for (let k = n + 2; ; k += 2) {
    // term *= -x^2 / (k (k - 1))
    multiply(termHigh, termLow, squareHigh);
    low += termHigh * squareLow;
    divide(k * (1 - k));
    termHigh = high;
    termLow = low;
    if (Math.abs(termHigh) <= NEGLIGIBLE * Math.abs(sumHigh)) break;
    const sum = sumHigh + termHigh;
    const back = sum - sumHigh;
    sumLow += sumHigh - (sum - back) + (termHigh - back) + termLow;
    sumHigh = sum;
  }
  high = sumHigh + sumLow;
  low = sumHigh - high + sumLow;
}

/** (a + aLow) * b into high, low. */
function multiply(a: number, aLow: number, b: number): void {
  const product = a * b;
  const aBig = SPLITTER * a;
  const aTop = aBig - (aBig - a);
  const aRest = a - aTop;
  const bBig = SPLITTER * b;
  const bTop = bBig - (bBig - b);
  const bRest = b - bTop;
  const left = aTop * bTop - product + aTop * bRest + aRest * bTop + aRest * bRest;
  high = product;
  low = left + aLow * b;
}

/** (high + low) / d into high, low; d is a small integer. */
function divide(d: number): void {
  const numeratorHigh = high;
  const numeratorLow = low;
  const quotient = numeratorHigh / d;
  multiply(quotient, 0, d);
  const rest = (numeratorHigh - high - low + numeratorLow) / d;
  high = quotient + rest;
  low = quotient - high + rest;
}
