// ZRANDMEMBER: members by lot. Ranks are drawn, which the counted tree finds in O(log n).

import { Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { replyScore } from './sorted-set-arguments.ts';
import { SortedSetValue } from './sorted-set-value.ts';
import type { sortedSetSpecs } from './specs/sorted-set.ts';

const INT64_MAX = 2 ** 63;
/** Where more than one member in this many is wanted, one pass over all beats single draws. */
const DRAWS_PER_PASS = 4;

const set = new SortedSetValue();

export const sortedSetRandomHandlers: Handlers<typeof sortedSetSpecs> = { zrandmember };

/** ZRANDMEMBER key [count [WITHSCORES]] */
function zrandmember(c: Context): void {
  if (c.argc === 2) {
    const entry = c.typedRead(1, Type.zset);
    if (entry === 0) {
      c.reply.nil();
      return;
    }
    set.bind(c, entry).seekRank(c.server.random(set.count));
    set.replyMember(c.reply);
    return;
  }
  const count = countArgument(c);
  if (c.argc > 4 || (c.argc === 4 && !c.is(3, 'withscores'))) throw new CommandError(ERRORS.syntax);
  const withScores = c.argc === 4;
  if (withScores && Math.abs(count) >= INT64_MAX / 2) throw new CommandError('ERR value is out of range');
  const entry = c.typedRead(1, Type.zset);
  if (entry === 0 || count === 0) {
    c.reply.array(0);
    return;
  }
  const size = set.bind(c, entry).count;
  const drawn = count < 0 ? -count : Math.min(count, size);
  c.reply.array(withScores && !c.reply.resp3 ? drawn * 2 : drawn);
  if (count < 0) {
    for (let rest = drawn; rest > 0; rest--) {
      set.seekRank(c.server.random(size));
      replyPair(c, withScores);
    }
  } else if (drawn * DRAWS_PER_PASS >= size) {
    samplePass(c, drawn, size, withScores);
  } else {
    drawDistinct(c, drawn, size, withScores);
  }
}

function countArgument(c: Context): number {
  const count = c.integer(2);
  if (count <= -INT64_MAX && c.int64(2) === -(2n ** 63n)) {
    const limit = '9223372036854775807';
    throw new CommandError(`ERR value is out of range, value must between -${limit} and ${limit}`);
  }
  return count;
}

/** Goes through all members once and takes each with the chance that makes every selection equally likely. */
function samplePass(c: Context, count: number, size: number, withScores: boolean): void {
  let wanted = count;
  set.seekRank(0);
  for (let left = size; wanted > 0; left--) {
    if (c.server.random(left) < wanted) {
      replyPair(c, withScores);
      wanted--;
    }
    if (left > 1) set.next();
  }
}

function drawDistinct(c: Context, count: number, size: number, withScores: boolean): void {
  const ranks = new Set<number>();
  while (ranks.size < count) {
    const rank = c.server.random(size);
    if (ranks.has(rank)) continue;
    ranks.add(rank);
    set.seekRank(rank);
    replyPair(c, withScores);
  }
}

function replyPair(c: Context, withScores: boolean): void {
  if (withScores && c.reply.resp3) c.reply.array(2);
  set.replyMember(c.reply);
  if (withScores) replyScore(c, set.cursorScore);
}
