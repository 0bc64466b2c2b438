// Adding to sorted sets under ZADD's conditions: ZADD, ZINCRBY and GEOADD.

import { Type } from '../keyspace/layout.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { replyScore, scoreArgument } from './sorted-set-arguments.ts';
import { SortedSetValue } from './sorted-set-value.ts';

export const zaddFlag = {
  ifMissing: 1,
  ifThere: 2,
  ifGreater: 4,
  ifLess: 8,
  countChanged: 16,
  increment: 32,
} as const;

/** Scores of one request are kept here while the rest of it is checked. */
const SCORES_AT_REST = 64;
let scores = new Float64Array(SCORES_AT_REST);

const set = new SortedSetValue();

/** Adds the score-member pairs from argument `from` on to the sorted set of argument 1, and answers. */
export function addScores(c: Context, flags: number, from: number): void {
  const pairs = (c.argc - from) / 2;
  if (pairs < 1 || !Number.isInteger(pairs)) throw new CommandError(ERRORS.syntax);
  checkConditions(flags, pairs);
  if (pairs > scores.length) scores = new Float64Array(pairs * 2);
  for (let k = 0; k < pairs; k++) scores[k] = scoreArgument(c, from + k * 2);
  storePairs(c, flags, pairs, scores, from + 1, 2);
  if (scores.length > SCORES_AT_REST * 64) scores = new Float64Array(SCORES_AT_REST);
}

export function checkConditions(flags: number, pairs: number): void {
  if (flags === 0) return;
  const { ifMissing, ifThere, ifGreater, ifLess, increment } = zaddFlag;
  if ((flags & ifMissing) !== 0 && (flags & ifThere) !== 0) {
    throw new CommandError('ERR XX and NX options at the same time are not compatible');
  }
  const directions = [ifMissing, ifGreater, ifLess].filter((flag) => (flags & flag) !== 0);
  if (directions.length > 1) {
    throw new CommandError('ERR GT, LT, and/or NX options at the same time are not compatible');
  }
  if ((flags & increment) !== 0 && pairs > 1) {
    throw new CommandError('ERR INCR option supports a single increment-element pair');
  }
}

/** Stores `pairs` scores for the members in arguments `member`, `member + step`, ...; answers as ZADD does. */
export function storePairs(
  c: Context,
  flags: number,
  pairs: number,
  values: Float64Array,
  member: number,
  step: number,
): void {
  const increment = (flags & zaddFlag.increment) !== 0;
  const entry = c.typedWrite(1, Type.zset);
  if (entry !== 0) {
    set.bind(c, entry);
  } else if ((flags & zaddFlag.ifThere) !== 0) {
    if (increment) c.reply.nil();
    else c.reply.int(0);
    return;
  } else {
    set.create(c, 1, 1, c.len[member]);
  }
  let added = 0;
  let updated = 0;
  let processed = false;
  for (let k = 0; k < pairs; k++) {
    const outcome = storeOne(c, flags, member + k * step, values[k]);
    if (outcome === Outcome.added) added++;
    else if (outcome === Outcome.updated) updated++;
    if (outcome !== Outcome.refused) processed = true;
  }
  if (added + updated > 0) {
    c.changed(1, 'z', increment ? 'zincr' : 'zadd');
    c.keyspace.dirty += added + updated - 1;
  }
  if (!increment) c.reply.int((flags & zaddFlag.countChanged) !== 0 ? added + updated : added);
  else if (processed) replyScore(c, set.score);
  else c.reply.nil();
}

const Outcome = { refused: 0, same: 1, added: 2, updated: 3 } as const;

/** Stores one score; leaves the member's score in set.score. */
function storeOne(c: Context, flags: number, i: number, value: number): number {
  const pos = c.pos[i];
  const len = c.len[i];
  if (!set.find(c.buf, pos, len)) {
    if ((flags & zaddFlag.ifThere) !== 0) return Outcome.refused;
    set.add(c.buf, pos, len, value);
    set.score = value;
    return Outcome.added;
  }
  if ((flags & zaddFlag.ifMissing) !== 0) return Outcome.refused;
  const old = set.score;
  const score = (flags & zaddFlag.increment) !== 0 ? old + value : value;
  if (Number.isNaN(score)) throw new CommandError('ERR resulting score is not a number (NaN)');
  if ((flags & zaddFlag.ifGreater) !== 0 && score <= old) return Outcome.refused;
  if ((flags & zaddFlag.ifLess) !== 0 && score >= old) return Outcome.refused;
  set.score = score;
  if (score === old) return Outcome.same;
  set.setFoundScore(c.buf, pos, len, score);
  return Outcome.updated;
}
