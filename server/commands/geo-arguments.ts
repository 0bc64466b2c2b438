// Places, units and distances as arguments and in replies.

import { writeInteger } from '../base/numbers.ts';
import { LATITUDE_MAX, LONGITUDE_MAX, type Point } from '../values/geo-hash.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';
import { scoreArgument } from './sorted-set-arguments.ts';

/** Reads longitude and latitude from arguments `i` and `i + 1`. */
export function placeArgument(c: Context, i: number, point: Point): void {
  const longitude = scoreArgument(c, i);
  const latitude = scoreArgument(c, i + 1);
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    throw new CommandError(`ERR invalid longitude,latitude pair ${fixed6(longitude)},${fixed6(latitude)}`);
  }
  point.longitude = longitude;
  point.latitude = latitude;
}

/** Metres per unit. */
export function unitArgument(c: Context, i: number): number {
  if (c.is(i, 'm')) return 1;
  if (c.is(i, 'km')) return 1000;
  if (c.is(i, 'ft')) return 0.3048;
  if (c.is(i, 'mi')) return 1609.34;
  throw new CommandError('ERR unsupported unit provided. please use M, KM, FT, MI');
}

const POINT = 46;
/** Below this, ten thousandths are counted exactly enough to see how they round. */
const PLAIN_DISTANCE_MAX = 1e7;
/** So near to the middle of two ten thousandths the exact digits decide. */
const UNSURE = 1e-3;
const TEN_THOUSANDTHS = 10_000;

const digits = Buffer.alloc(32);

/** A distance with four digits after the point. */
export function replyDistance(c: Context, distance: number): void {
  const scaled = distance * TEN_THOUSANDTHS;
  const rounded = Math.round(scaled);
  if (!(distance >= 0 && distance < PLAIN_DISTANCE_MAX) || Math.abs(Math.abs(scaled - rounded) - 0.5) < UNSURE) {
    c.reply.text(distance.toFixed(4));
    return;
  }
  const whole = Math.floor(rounded / TEN_THOUSANDTHS);
  const end = writeInteger(digits, 0, whole);
  // The one in front keeps the zeros; the point goes over it.
  writeInteger(digits, end, TEN_THOUSANDTHS + (rounded - whole * TEN_THOUSANDTHS));
  digits[end] = POINT;
  c.reply.bulkRange(digits, 0, end + 5);
}

/** A coordinate with up to 17 digits after the point: a double in RESP3, a bulk string in RESP2. */
export function replyCoordinate(c: Context, degrees: number): void {
  const text = degrees.toFixed(17).replace(/\.?0+$/, '');
  if (c.reply.resp3) c.reply.raw(Buffer.from(`,${text}\r\n`, 'latin1'));
  else c.reply.text(text);
}

/** C's `%f`. */
function fixed6(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
