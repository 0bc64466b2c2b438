// Places as numbers: the 52-bit cell numbers that geo commands keep as scores, and distances on the sphere.
//
// A cell of `step` bits per axis has an index in longitude and one in latitude. Its number interleaves their bits,
// latitude in the even positions, so that near cells mostly have near numbers.

export interface Point {
  longitude: number;
  latitude: number;
}

export const LONGITUDE_MAX = 180;
/** Web Mercator ends here: beyond it places can't be stored. */
export const LATITUDE_MAX = 85.05112878;
/** Bits per axis of a stored place. */
export const STEP_MAX = 26;
/** Part of an axis that a cell of a stored place takes. */
const CELL = 2 ** -STEP_MAX;

export const EARTH_RADIUS_METERS = 6372797.560856;
/** Radians per degree. */
export const DEGREES = Math.PI / 180;
const TWO_32 = 4294967296;
const HASH_LETTERS = '0123456789bcdefghjkmnpqrstuvwxyz';
const HASH_LENGTH = 11;

/** The index of the cell that a coordinate falls into, when `max` on both sides is the world's end. */
export function cellIndex(coordinate: number, max: number, step: number): number {
  return Math.floor(((coordinate + max) / (2 * max)) * (1 << step));
}

/** Where the cell with an index begins. */
export function cellStart(index: number, max: number, step: number): number {
  return -max + (index / (1 << step)) * (2 * max);
}

/** The number of a cell. */
export function interleave(latitudeIndex: number, longitudeIndex: number): number {
  const high = spread(latitudeIndex >>> 13) + 2 * spread(longitudeIndex >>> 13);
  const low = spread(latitudeIndex & 0x1fff) + 2 * spread(longitudeIndex & 0x1fff);
  return high * 67108864 + low;
}

/** The score of a place. */
export function encodePlace(longitude: number, latitude: number): number {
  return interleave(cellIndex(latitude, LATITUDE_MAX, STEP_MAX), cellIndex(longitude, LONGITUDE_MAX, STEP_MAX));
}

/** Writes the middle of the cell that a score names into `point`. */
export function decodePlace(score: number, point: Point): void {
  const whole = Math.trunc(score);
  const high = Math.floor(whole / TWO_32) >>> 0;
  const low = whole >>> 0;
  const latitude = ((gather(high) << 16) | gather(low)) >>> 0;
  const longitude = ((gather(high >>> 1) << 16) | gather(low >>> 1)) >>> 0;
  point.longitude = middle(longitude, LONGITUDE_MAX);
  point.latitude = middle(latitude, LATITUDE_MAX);
}

/** Distance in metres between two places in degrees (haversine). */
export function distanceMeters(
  fromLongitude: number,
  fromLatitude: number,
  longitude: number,
  latitude: number,
): number {
  const v = Math.sin((longitude * DEGREES - fromLongitude * DEGREES) / 2);
  if (v === 0) return latitudeDistanceMeters(fromLatitude, latitude);
  const from = fromLatitude * DEGREES;
  const to = latitude * DEGREES;
  const u = Math.sin((to - from) / 2);
  const a = u * u + Math.cos(from) * Math.cos(to) * v * v;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(a));
}

/** Distance in metres along a meridian. */
export function latitudeDistanceMeters(from: number, to: number): number {
  return EARTH_RADIUS_METERS * Math.abs(to * DEGREES - from * DEGREES);
}

/** How many degrees of latitude a distance on a meridian is; on the parallel of `latitude`, of longitude. */
export function degreesOf(meters: number, latitude = 0): number {
  return meters / EARTH_RADIUS_METERS / Math.cos(latitude * DEGREES) / DEGREES;
}

/** The standard geohash (11 letters, whole globe) of a place. */
export function geohashText(point: Point): string {
  const number = interleave(cellIndex(point.latitude, 90, STEP_MAX), cellIndex(point.longitude, 180, STEP_MAX));
  let text = '';
  for (let letter = 0; letter < HASH_LENGTH - 1; letter++) {
    text += HASH_LETTERS[Math.floor(number / 2 ** (52 - 5 * (letter + 1))) % 32];
  }
  // 52 bits make ten letters and two bits; the eleventh letter is always the first one, as in Redis.
  return `${text}0`;
}

/** The middle of a cell of STEP_MAX bits: cellStart of it and of the next, without a division. */
function middle(index: number, max: number): number {
  const start = -max + index * CELL * (2 * max);
  const end = -max + (index + 1) * CELL * (2 * max);
  const value = (start + end) / 2;
  return Math.min(max, Math.max(-max, value));
}

/** Puts a zero between the low 16 bits of a number. */
function spread(value: number): number {
  let v = value & 0xffff;
  v = (v | (v << 8)) & 0x00ff00ff;
  v = (v | (v << 4)) & 0x0f0f0f0f;
  v = (v | (v << 2)) & 0x33333333;
  return (v | (v << 1)) & 0x55555555;
}

/** The 16 bits at even positions of a 32-bit number. */
function gather(value: number): number {
  let v = value & 0x55555555;
  v = (v | (v >>> 1)) & 0x33333333;
  v = (v | (v >>> 2)) & 0x0f0f0f0f;
  v = (v | (v >>> 4)) & 0x00ff00ff;
  return (v | (v >>> 8)) & 0xffff;
}
