// Places: members of a sorted set whose scores are cell numbers (values/geo-hash.ts). geo-search.ts finds them by area.

import { Type } from '../keyspace/layout.ts';
import { decodePlace, distanceMeters, encodePlace, geohashText, type Point } from '../values/geo-hash.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { placeArgument, replyCoordinate, replyDistance, unitArgument } from './geo-arguments.ts';
import { geoSearchHandlers } from './geo-search.ts';
import { storePairs, zaddFlag } from './sorted-set-add.ts';
import { SortedSetValue } from './sorted-set-value.ts';
import type { geoSpecs } from './specs/geo.ts';

const set = new SortedSetValue();
const point: Point = { longitude: 0, latitude: 0 };
const other: Point = { longitude: 0, latitude: 0 };

export const geoHandlers: Handlers<typeof geoSpecs> = {
  ...geoSearchHandlers,
  geoadd,
  geodist,
  geohash: (c) => {
    forEachMember(c, (found) => {
      if (found) c.reply.text(geohashText(point));
      else c.reply.nil();
    });
  },
  geopos: (c) => {
    forEachMember(c, (found) => {
      if (!found) {
        c.reply.nilArray();
        return;
      }
      c.reply.array(2);
      replyCoordinate(c, point.longitude);
      replyCoordinate(c, point.latitude);
    });
  },
};

/** GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...] */
function geoadd(c: Context): void {
  let flags = 0;
  let first = 2;
  for (; first < c.argc; first++) {
    if (c.is(first, 'nx')) flags |= zaddFlag.ifMissing;
    else if (c.is(first, 'xx')) flags |= zaddFlag.ifThere;
    else if (c.is(first, 'ch')) flags |= zaddFlag.countChanged;
    else break;
  }
  const both = zaddFlag.ifMissing | zaddFlag.ifThere;
  const places = (c.argc - first) / 3;
  if (places < 1 || !Number.isInteger(places) || (flags & both) === both) throw new CommandError(ERRORS.syntax);
  const scores = new Float64Array(places);
  for (let k = 0; k < places; k++) {
    placeArgument(c, first + k * 3, point);
    scores[k] = encodePlace(point.longitude, point.latitude);
  }
  const { dirty } = c.keyspace;
  storePairs(c, flags, places, scores, first + 2, 3);
  if (c.keyspace.dirty > dirty && c.server.events.propagating) propagateAsScores(c, scores, first);
}

/** Replicas and the AOF get the scores themselves, as Redis sends them. */
function propagateAsScores(c: Context, scores: Float64Array, first: number): void {
  const words: (string | Buffer)[] = ['zadd'];
  for (let i = 1; i < first; i++) words.push(c.copy(i));
  scores.forEach((score, k) => {
    words.push(String(score), c.copy(first + 2 + k * 3));
  });
  c.rewrite(words);
}

/** GEODIST key member1 member2 [M | KM | FT | MI] */
function geodist(c: Context): void {
  if (c.argc > 5) throw new CommandError(ERRORS.syntax);
  const unit = c.argc === 5 ? unitArgument(c, 4) : 1;
  const entry = c.typedRead(1, Type.zset);
  if (entry === 0) {
    c.reply.nil();
    return;
  }
  set.bind(c, entry);
  if (!locate(c, 2, point) || !locate(c, 3, other)) {
    c.reply.nil();
    return;
  }
  replyDistance(c, distanceMeters(point.longitude, point.latitude, other.longitude, other.latitude) / unit);
}

/** GEOHASH key [member ...], GEOPOS key [member ...]: `answer` finds each member's place in `point`. */
function forEachMember(c: Context, answer: (found: boolean) => void): void {
  const entry = c.typedRead(1, Type.zset);
  if (entry !== 0) set.bind(c, entry);
  c.reply.array(c.argc - 2);
  for (let i = 2; i < c.argc; i++) answer(entry !== 0 && locate(c, i, point));
}

function locate(c: Context, i: number, into: Point): boolean {
  if (!set.find(c.buf, c.pos[i], c.len[i])) return false;
  decodePlace(set.score, into);
  return true;
}
