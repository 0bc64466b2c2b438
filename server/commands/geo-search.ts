// Places by area: GEOSEARCH, GEOSEARCHSTORE and the older GEORADIUS family.

import { Type } from '../keyspace/layout.ts';
import { type Area, distanceInside, rangesOf } from '../values/geo-area.ts';
import { exactDistanceMeters } from '../values/geo-exact.ts';
import { decodePlace, type Point } from '../values/geo-hash.ts';
import { SortedSet } from '../values/sorted-set.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { placeArgument, replyCoordinate, replyDistance, unitArgument } from './geo-arguments.ts';
import { scoreArgument } from './sorted-set-arguments.ts';
import { storeResult } from './sorted-set-range.ts';
import { SortedSetValue } from './sorted-set-value.ts';
import type { geoSpecs } from './specs/geo.ts';

interface Query {
  area: Area;
  /** Metres per unit of the distances asked for. */
  unit: number;
  hasCentre: boolean;
  hasShape: boolean;
  /** 0: all. */
  count: number;
  /** Any places will do, not the nearest. */
  any: boolean;
  order: 'none' | 'ascending' | 'descending';
  withDistance: boolean;
  withHash: boolean;
  withCoordinates: boolean;
  /** Argument of the key to store into, 0: answer. */
  storeAt: number;
  storeDistance: boolean;
}

/** What was found, in columns: no object per place. */
interface Found {
  readonly handles: number[];
  readonly scores: number[];
  /** Metres. */
  readonly distances: number[];
}

const COUNT_ERROR = 'ERR COUNT must be > 0';

const set = new SortedSetValue();
const point: Point = { longitude: 0, latitude: 0 };

export const geoSearchHandlers: Handlers<typeof geoSpecs> = {
  geosearch: (c) => geosearch(c, 1),
  geosearchstore: (c) => geosearch(c, 2),
  georadius: (c) => georadius(c, true),
  georadius_ro: (c) => georadius(c, false),
  georadiusbymember: (c) => georadiusByMember(c, true),
  georadiusbymember_ro: (c) => georadiusByMember(c, false),
};

/** GEOSEARCH key <FROMMEMBER member | FROMLONLAT x y> <BYRADIUS r unit | BYBOX w h unit> ...; STORE has its key first */
function geosearch(c: Context, source: number): void {
  const entry = bindSource(c, source);
  const query = newQuery();
  if (source === 2) query.storeAt = 1;
  parseOptions(c, query, source + 1, (i) => parseShape(c, query, i, entry !== 0, source === 2));
  const name = c.text(0);
  checkStore(query, 'GEOSEARCHSTORE');
  if (!query.hasCentre) {
    throw new CommandError(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`);
  }
  if (!query.hasShape) throw new CommandError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`);
  run(c, query, entry, 'geosearchstore');
}

/** GEORADIUS key longitude latitude radius unit [WITH...] [COUNT n [ANY]] [ASC | DESC] [STORE key | STOREDIST key] */
function georadius(c: Context, mayStore: boolean): void {
  const entry = bindSource(c, 1);
  const query = newQuery();
  placeArgument(c, 2, point);
  setCentre(query);
  radiusArgument(c, query, 4);
  parseOptions(c, query, 6, (i) => (mayStore ? parseStore(c, query, i) : 0));
  checkStore(query, 'STORE option in GEORADIUS');
  run(c, query, entry, 'georadiusstore');
}

/** GEORADIUSBYMEMBER key member radius unit [...] */
function georadiusByMember(c: Context, mayStore: boolean): void {
  const entry = bindSource(c, 1);
  const query = newQuery();
  if (entry !== 0) {
    centreOnMember(c, query, 2);
    radiusArgument(c, query, 3);
  }
  parseOptions(c, query, 5, (i) => (mayStore ? parseStore(c, query, i) : 0));
  checkStore(query, 'STORE option in GEORADIUS');
  run(c, query, entry, 'georadiusstore');
}

function bindSource(c: Context, i: number): number {
  const entry = c.typedRead(i, Type.zset);
  if (entry !== 0) set.bind(c, entry);
  return entry;
}

function newQuery(): Query {
  return {
    area: { longitude: 0, latitude: 0, radius: null, width: 0, height: 0 },
    unit: 1,
    hasCentre: false,
    hasShape: false,
    count: 0,
    any: false,
    order: 'none',
    withDistance: false,
    withHash: false,
    withCoordinates: false,
    storeAt: 0,
    storeDistance: false,
  };
}

/** Parses the options all forms share; `more` parses others and returns how many arguments they took, 0 for unknown. */
function parseOptions(c: Context, query: Query, from: number, more: (i: number) => number): void {
  for (let i = from; i < c.argc; i++) {
    if (c.is(i, 'withdist')) query.withDistance = true;
    else if (c.is(i, 'withhash')) query.withHash = true;
    else if (c.is(i, 'withcoord')) query.withCoordinates = true;
    else if (c.is(i, 'any')) query.any = true;
    else if (c.is(i, 'asc')) query.order = 'ascending';
    else if (c.is(i, 'desc')) query.order = 'descending';
    else if (c.is(i, 'count') && i + 1 < c.argc) {
      query.count = c.integer(++i);
      if (query.count <= 0) throw new CommandError(COUNT_ERROR);
    } else {
      const taken = more(i);
      if (taken === 0) throw new CommandError(ERRORS.syntax);
      i += taken - 1;
    }
  }
}

/** GEORADIUS' STORE and STOREDIST. */
function parseStore(c: Context, query: Query, i: number): number {
  const distance = c.is(i, 'storedist');
  if ((!distance && !c.is(i, 'store')) || i + 1 >= c.argc) return 0;
  query.storeAt = i + 1;
  query.storeDistance = distance;
  return 2;
}

/** GEOSEARCH's centre and shape, and GEOSEARCHSTORE's STOREDIST. */
function parseShape(c: Context, query: Query, i: number, there: boolean, store: boolean): number {
  const left = c.argc - 1 - i;
  if (store && c.is(i, 'storedist')) {
    query.storeDistance = true;
    return 1;
  }
  if (left >= 1 && !query.hasCentre && c.is(i, 'frommember')) {
    if (there) centreOnMember(c, query, i + 1);
    query.hasCentre = true;
    return 2;
  }
  if (left >= 2 && !query.hasCentre && c.is(i, 'fromlonlat')) {
    placeArgument(c, i + 1, point);
    setCentre(query);
    return 3;
  }
  if (left >= 2 && !query.hasShape && c.is(i, 'byradius')) {
    radiusArgument(c, query, i + 1);
    return 3;
  }
  if (left >= 3 && !query.hasShape && c.is(i, 'bybox')) {
    boxArguments(c, query, i + 1);
    return 4;
  }
  return 0;
}

function centreOnMember(c: Context, query: Query, i: number): void {
  if (!set.find(c.buf, c.pos[i], c.len[i])) throw new CommandError('ERR could not decode requested zset member');
  decodePlace(set.score, point);
  setCentre(query);
}

function setCentre(query: Query): void {
  query.area.longitude = point.longitude;
  query.area.latitude = point.latitude;
  query.hasCentre = true;
}

function radiusArgument(c: Context, query: Query, i: number): void {
  const radius = scoreArgument(c, i, 'ERR need numeric radius');
  if (radius < 0) throw new CommandError('ERR radius cannot be negative');
  query.unit = unitArgument(c, i + 1);
  query.area.radius = radius * query.unit;
  query.hasShape = true;
}

function boxArguments(c: Context, query: Query, i: number): void {
  const width = scoreArgument(c, i, 'ERR need numeric width');
  const height = scoreArgument(c, i + 1, 'ERR need numeric height');
  if (width < 0 || height < 0) throw new CommandError('ERR height or width cannot be negative');
  query.unit = unitArgument(c, i + 2);
  query.area.width = width * query.unit;
  query.area.height = height * query.unit;
  query.hasShape = true;
}

function checkStore(query: Query, what: string): void {
  if (query.storeAt === 0 || !(query.withDistance || query.withHash || query.withCoordinates)) return;
  throw new CommandError(`ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`);
}

function run(c: Context, query: Query, entry: number, event: string): void {
  if (query.any && query.count === 0) throw new CommandError('ERR the ANY argument requires COUNT argument');
  const found: Found = { handles: [], scores: [], distances: [] };
  if (entry !== 0) search(query, found);
  if (query.count > 0 && query.order === 'none' && !query.any) query.order = 'ascending';
  const order = ordered(query, found);
  const count = query.count > 0 ? Math.min(query.count, order.length) : order.length;
  if (query.storeAt > 0) store(c, query, found, order, count, event);
  else answer(c, query, found, order, count);
}

/** Collects the places inside the area, cell by cell. */
function search(query: Query, found: Found): void {
  const enough = query.any ? query.count : Number.POSITIVE_INFINITY;
  const size = set.count;
  for (const { min, max } of rangesOf(query.area)) {
    if (found.handles.length >= enough) return;
    let rank = set.rankOfScore(min, false);
    if (rank < size) set.seekRank(rank);
    for (; rank < size; rank++) {
      const score = set.cursorScore;
      if (score >= max) break;
      decodePlace(score, point);
      const distance = distanceInside(query.area, point.longitude, point.latitude);
      if (distance >= 0) {
        found.handles.push(set.handle);
        found.scores.push(score);
        found.distances.push(distance);
        if (found.handles.length >= enough) return;
      }
      if (rank + 1 < size) set.next();
    }
  }
}

/** Indexes into the columns in the order asked for. */
function ordered(query: Query, found: Found): number[] {
  const order = found.handles.map((_, index) => index);
  const { distances } = found;
  if (query.order === 'ascending') order.sort((a, b) => distances[a] - distances[b]);
  else if (query.order === 'descending') order.sort((a, b) => distances[b] - distances[a]);
  return order;
}

function answer(c: Context, query: Query, found: Found, order: readonly number[], count: number): void {
  const { withDistance, withHash, withCoordinates } = query;
  const extras = Number(withDistance) + Number(withHash) + Number(withCoordinates);
  c.reply.array(count);
  for (let k = 0; k < count; k++) {
    const index = order[k];
    if (extras > 0) c.reply.array(extras + 1);
    set.takeHandle(found.handles[index]);
    c.reply.bulkRange(set.buf, set.pos, set.len);
    if (withDistance) replyDistance(c, found.distances[index] / query.unit);
    if (withHash) c.reply.int(found.scores[index]);
    if (withCoordinates) {
      decodePlace(found.scores[index], point);
      c.reply.array(2);
      replyCoordinate(c, point.longitude);
      replyCoordinate(c, point.latitude);
    }
  }
}

function store(c: Context, query: Query, found: Found, order: readonly number[], count: number, event: string): void {
  const result = new SortedSet(c.keyspace.arena, c.keyspace.seed);
  for (let k = 0; k < count; k++) {
    const index = order[k];
    set.takeHandle(found.handles[index]);
    const score = query.storeDistance ? exactDistance(query, found.scores[index]) : found.scores[index];
    result.put(set.buf, set.pos, set.len, score);
  }
  storeResult(c, query.storeAt, result, event);
}

/** The distance of a place from the centre in the query's unit, as exact as a score shows it. */
function exactDistance(query: Query, score: number): number {
  decodePlace(score, point);
  const { longitude, latitude } = query.area;
  return exactDistanceMeters(longitude, latitude, point.longitude, point.latitude) / query.unit;
}
