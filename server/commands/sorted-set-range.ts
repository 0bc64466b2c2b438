// Ranges of sorted sets by rank, score and member: ZRANGE and its older forms, ZRANGESTORE, ZCOUNT, ZREMRANGEBY*.

import { Type } from '../keyspace/layout.ts';
import { SortedSet } from '../values/sorted-set.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import {
  endOfMembers,
  endOfScores,
  type MemberBound,
  memberBoundArgument,
  replyScore,
  type ScoreBound,
  scoreBoundArgument,
  startOfMembers,
  startOfScores,
} from './sorted-set-arguments.ts';
import { SortedSetValue, storeSortedSet } from './sorted-set-value.ts';
import type { sortedSetRangeSpecs } from './specs/sorted-set-range.ts';

type RangeKind = 'rank' | 'score' | 'lex';

/** What a range command asks for; kind and direction may be given by its name. */
interface RangeOptions {
  kind: RangeKind | null;
  reverse: boolean | null;
  withScores: boolean;
  offset: number;
  /** -1: all. */
  limit: number;
}

/** Both ends of a range, parsed. */
type Bounds =
  | { readonly kind: 'rank'; readonly start: number; readonly stop: number }
  | { readonly kind: 'score'; readonly min: ScoreBound; readonly max: ScoreBound }
  | { readonly kind: 'lex'; readonly min: MemberBound; readonly max: MemberBound };

const set = new SortedSetValue();
/** The range found last: ranks `first` to `end - 1`. */
let first = 0;
let end = 0;

export const sortedSetRangeHandlers: Handlers<typeof sortedSetRangeSpecs> = {
  zrange: (c) => range(c, null, null),
  zrevrange: (c) => range(c, 'rank', true),
  zrangebyscore: (c) => range(c, 'score', false),
  zrevrangebyscore: (c) => range(c, 'score', true),
  zrangebylex: (c) => range(c, 'lex', false),
  zrevrangebylex: (c) => range(c, 'lex', true),
  zrangestore,
  zcount: (c) => count(c, 'score'),
  zlexcount: (c) => count(c, 'lex'),
  zremrangebyrank: (c) => removeRange(c, 'rank', 'zremrangebyrank'),
  zremrangebyscore: (c) => removeRange(c, 'score', 'zremrangebyscore'),
  zremrangebylex: (c) => removeRange(c, 'lex', 'zremrangebylex'),
};

/** ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES], and the forms that fix some of it */
function range(c: Context, kind: RangeKind | null, reverse: boolean | null): void {
  const options = parseOptions(c, 4, kind, reverse, false);
  const backwards = options.reverse === true;
  const bounds = parseBounds(c, options.kind ?? 'rank', 2, backwards);
  const entry = c.typedRead(1, Type.zset);
  if (entry === 0) {
    c.reply.array(0);
    return;
  }
  set.bind(c, entry);
  findRange(c, bounds, backwards);
  limitRange(options, backwards);
  const members = Math.max(0, end - first);
  const nested = options.withScores && c.reply.resp3;
  c.reply.array(options.withScores && !nested ? members * 2 : members);
  if (members === 0) return;
  if (backwards) set.seekBack(end - 1);
  else set.seekRank(first);
  if (!options.withScores) {
    set.replyMembers(c.reply, members, backwards);
    return;
  }
  for (let rest = members; rest > 0; rest--) {
    if (nested) c.reply.array(2);
    set.replyMember(c.reply);
    replyScore(c, set.cursorScore);
    if (rest === 1) break;
    if (backwards) set.previous();
    else set.next();
  }
}

/** ZRANGESTORE destination source start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
function zrangestore(c: Context): void {
  const options = parseOptions(c, 5, null, null, true);
  const backwards = options.reverse === true;
  const bounds = parseBounds(c, options.kind ?? 'rank', 3, backwards);
  const source = c.typedRead(2, Type.zset);
  const result = new SortedSet(c.keyspace.arena, c.keyspace.seed);
  if (source !== 0) {
    set.bind(c, source);
    findRange(c, bounds, backwards);
    limitRange(options, backwards);
    for (let rank = first; rank < end; rank++) {
      if (rank === first) set.seekRank(rank);
      else set.next();
      set.take();
      result.put(set.buf, set.pos, set.len, set.score);
    }
  }
  storeResult(c, 1, result, 'zrangestore');
}

/** Puts a computed sorted set in the place of the key in argument `i`, and answers with its size. */
export function storeResult(c: Context, i: number, result: SortedSet, event: string): void {
  const members = result.length;
  const old = c.lookupWrite(i);
  if (old !== 0) c.db.delete(old);
  if (members > 0) {
    storeSortedSet(c, i, result);
    c.changed(i, 'z', event);
  } else {
    result.free();
    if (old !== 0) c.changed(i, 'g', 'del');
  }
  c.reply.int(members);
}

/** ZCOUNT key min max, ZLEXCOUNT key min max */
function count(c: Context, kind: RangeKind): void {
  const bounds = parseBounds(c, kind, 2, false);
  const entry = c.typedRead(1, Type.zset);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  set.bind(c, entry);
  findRange(c, bounds, false);
  c.reply.int(Math.max(0, end - first));
}

/** ZREMRANGEBYRANK key start stop, ZREMRANGEBYSCORE and ZREMRANGEBYLEX key min max */
function removeRange(c: Context, kind: RangeKind, event: string): void {
  const bounds = parseBounds(c, kind, 2, false);
  const entry = c.typedWrite(1, Type.zset);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  set.bind(c, entry);
  findRange(c, bounds, false);
  const removed = Math.max(0, end - first);
  if (removed > 0) {
    set.removeRange(first, removed);
    c.changed(1, 'z', event);
    c.keyspace.dirty += removed - 1;
    if (set.count === 0) c.deleteEmptied(1, set.entry);
  }
  c.reply.int(removed);
}

function parseOptions(
  c: Context,
  from: number,
  kind: RangeKind | null,
  reverse: boolean | null,
  store: boolean,
): RangeOptions {
  const options: RangeOptions = { kind, reverse, withScores: false, offset: 0, limit: -1 };
  for (let i = from; i < c.argc; i++) {
    if (!store && c.is(i, 'withscores')) {
      options.withScores = true;
    } else if (c.is(i, 'limit') && i + 2 < c.argc) {
      options.offset = c.integer(i + 1);
      options.limit = c.integer(i + 2);
      i += 2;
    } else if (options.reverse === null && c.is(i, 'rev')) {
      options.reverse = true;
    } else if (options.kind === null && c.is(i, 'bylex')) {
      options.kind = 'lex';
    } else if (options.kind === null && c.is(i, 'byscore')) {
      options.kind = 'score';
    } else {
      throw new CommandError(ERRORS.syntax);
    }
  }
  if (options.limit !== -1 && (options.kind ?? 'rank') === 'rank') {
    throw new CommandError('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX');
  }
  // Without a limit an offset is no error, and ranks have none.
  if ((options.kind ?? 'rank') === 'rank') options.offset = 0;
  if (options.withScores && options.kind === 'lex') {
    throw new CommandError('ERR syntax error, WITHSCORES not supported in combination with BYLEX');
  }
  return options;
}

/** The two ends in arguments `i` and `i + 1`; a reversed range by score or member names its upper end first. */
function parseBounds(c: Context, kind: RangeKind, i: number, reverse: boolean): Bounds {
  if (kind === 'rank') return { kind, start: c.integer(i), stop: c.integer(i + 1) };
  const low = reverse ? i + 1 : i;
  const high = reverse ? i : i + 1;
  if (kind === 'score') return { kind, min: scoreBoundArgument(c, low), max: scoreBoundArgument(c, high) };
  return { kind, min: memberBoundArgument(c, low), max: memberBoundArgument(c, high) };
}

/** Sets `first` and `end` to the ranks of a range of the bound set. Ranks of a reversed range count from the top. */
function findRange(c: Context, bounds: Bounds, reverse: boolean): void {
  if (bounds.kind === 'score') {
    first = startOfScores(set, bounds.min);
    end = endOfScores(set, bounds.max);
  } else if (bounds.kind === 'lex') {
    first = startOfMembers(c, set, bounds.min);
    end = endOfMembers(c, set, bounds.max);
  } else {
    const size = set.count;
    const start = Math.max(0, bounds.start < 0 ? bounds.start + size : bounds.start);
    const stop = Math.min(size - 1, bounds.stop < 0 ? bounds.stop + size : bounds.stop);
    first = reverse ? size - 1 - stop : start;
    end = reverse ? size - start : stop + 1;
  }
}

/** Narrows the range to LIMIT's part; a negative offset leaves nothing, a negative count everything. */
function limitRange(options: RangeOptions, reverse: boolean): void {
  const { offset, limit } = options;
  if (offset < 0) {
    end = first;
    return;
  }
  if (reverse) {
    end -= offset;
    if (limit >= 0) first = Math.max(first, end - limit);
  } else {
    first += offset;
    if (limit >= 0) end = Math.min(end, first + limit);
  }
}
