// Which cells to look through for the places in a circle or a rectangle: the cell of its centre, sized to the area, and
// those of its eight neighbours that the area can reach.

import {
  cellIndex,
  cellStart,
  degreesOf,
  distanceMeters,
  interleave,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  latitudeDistanceMeters,
  STEP_MAX,
} from './geo-hash.ts';

/** Half of the world's width in Web Mercator, metres. */
const MERCATOR_MAX = 20037726.37;

export interface Area {
  longitude: number;
  latitude: number;
  /** Metres; null for a rectangle. */
  radius: number | null;
  /** Metres, of a rectangle. */
  width: number;
  height: number;
}

/** A range of scores: from `min` up to, not including, `max`. */
export interface ScoreRange {
  readonly min: number;
  readonly max: number;
}

/** Distance in metres of a place from the area's centre when it lies inside, -1 when outside. */
export function distanceInside(area: Area, longitude: number, latitude: number): number {
  if (area.radius !== null) {
    // No place is nearer than its parallel; the margin is for rounding.
    if (latitudeDistanceMeters(area.latitude, latitude) > area.radius * 1.000001) return -1;
    const distance = distanceMeters(area.longitude, area.latitude, longitude, latitude);
    return distance > area.radius ? -1 : distance;
  }
  if (latitudeDistanceMeters(latitude, area.latitude) > area.height / 2) return -1;
  // The rectangle's width is measured on the parallel of the place.
  if (distanceMeters(longitude, latitude, area.longitude, latitude) > area.width / 2) return -1;
  return distanceMeters(area.longitude, area.latitude, longitude, latitude);
}

/** Neighbours in the order in which their places are found: columns east, rows north. */
const NEIGHBOURS = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
] as const;

/** The ranges of scores that hold every place of the area, in search order. */
export function rangesOf(area: Area): ScoreRange[] {
  const bounds = boundsOf(area);
  const reach = area.radius ?? Math.sqrt((area.width / 2) ** 2 + (area.height / 2) ** 2);
  let step = stepsFor(reach, area.latitude);
  if (step > 1 && !coveredByNeighbours(area, bounds, step)) step--;
  const column = cellIndex(area.longitude, LONGITUDE_MAX, step);
  const row = cellIndex(area.latitude, LATITUDE_MAX, step);
  // Where the centre's cell itself reaches beyond the area, the neighbours on that side hold nothing of it.
  const trim = step >= 2;
  const noWest = trim && cellStart(column, LONGITUDE_MAX, step) < bounds.west;
  const noEast = trim && cellStart(column + 1, LONGITUDE_MAX, step) > bounds.east;
  const noSouth = trim && cellStart(row, LATITUDE_MAX, step) < bounds.south;
  const noNorth = trim && cellStart(row + 1, LATITUDE_MAX, step) > bounds.north;
  const ranges: ScoreRange[] = [];
  const shift = (1 << (STEP_MAX - step)) * (1 << (STEP_MAX - step));
  const mask = (1 << step) - 1;
  let last = -1;
  for (const [east, north] of NEIGHBOURS) {
    if ((east < 0 && noWest) || (east > 0 && noEast) || (north < 0 && noSouth) || (north > 0 && noNorth)) continue;
    // The centre's own row and column are taken as they are: a place at the world's end lies one cell behind the last.
    const number = interleave(north === 0 ? row : (row + north) & mask, east === 0 ? column : (column + east) & mask);
    // Huge areas have fewer cells than neighbours: the same cell comes up again.
    if (number === last) continue;
    last = number;
    ranges.push({ min: number * shift, max: (number + 1) * shift });
  }
  return ranges;
}

interface Bounds {
  west: number;
  east: number;
  south: number;
  north: number;
}

/** A box in degrees around the area. */
function boundsOf(area: Area): Bounds {
  const halfHeight = area.radius ?? area.height / 2;
  const halfWidth = area.radius ?? area.width / 2;
  const rows = degreesOf(halfHeight);
  // Parallels are shortest towards the nearer pole, so degrees are counted there.
  const columns = degreesOf(halfWidth, area.latitude < 0 ? area.latitude - rows : area.latitude + rows);
  return {
    west: area.longitude - columns,
    east: area.longitude + columns,
    south: area.latitude - rows,
    north: area.latitude + rows,
  };
}

/** Bits per axis at which a cell is about as large as the area's reach. */
function stepsFor(meters: number, latitude: number): number {
  if (meters === 0) return STEP_MAX;
  let step = -1;
  for (let reach = meters; reach < MERCATOR_MAX; reach *= 2) step++;
  // Cells get narrower towards the poles.
  if (Math.abs(latitude) > 66) step--;
  if (Math.abs(latitude) > 80) step--;
  return Math.min(STEP_MAX, Math.max(1, step));
}

/** Whether the centre's cell and its neighbours reach as far as the area does. */
function coveredByNeighbours(area: Area, bounds: Bounds, step: number): boolean {
  const mask = (1 << step) - 1;
  const column = cellIndex(area.longitude, LONGITUDE_MAX, step);
  const row = cellIndex(area.latitude, LATITUDE_MAX, step);
  return (
    cellStart(((row + 1) & mask) + 1, LATITUDE_MAX, step) >= bounds.north &&
    cellStart((row - 1) & mask, LATITUDE_MAX, step) <= bounds.south &&
    cellStart(((column + 1) & mask) + 1, LONGITUDE_MAX, step) >= bounds.east &&
    cellStart((column - 1) & mask, LONGITUDE_MAX, step) <= bounds.west
  );
}
