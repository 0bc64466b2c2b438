// Sorted sets: ZADD and lookups of single members. Ranges, pops, draws and combinations have files of their own;
// sorted-set-value.ts knows the encodings.

import { globMatchRange } from '../base/glob.ts';
import { Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS, wrongArity } from './errors.ts';
import { parseScan, scanCursor } from './scan.ts';
import { addScores, zaddFlag } from './sorted-set-add.ts';
import { sortedSetAlgebraHandlers } from './sorted-set-algebra.ts';
import { replyScore } from './sorted-set-arguments.ts';
import { sortedSetPopHandlers } from './sorted-set-pop.ts';
import { sortedSetRandomHandlers } from './sorted-set-random.ts';
import { SortedSetValue } from './sorted-set-value.ts';
import type { sortedSetSpecs } from './specs/sorted-set.ts';

/** ZSCAN visits at most this many times COUNT buckets in one call. */
const SCAN_EFFORT = 10;

const set = new SortedSetValue();

export const sortedSetHandlers: Handlers<typeof sortedSetSpecs> = {
  ...sortedSetPopHandlers,
  ...sortedSetRandomHandlers,
  ...sortedSetAlgebraHandlers,
  zadd: (c) => zadd(c),
  zincrby: (c) => addScores(c, zaddFlag.increment, 2),
  zrem,
  zcard: (c) => {
    const entry = c.typedRead(1, Type.zset);
    c.reply.int(entry === 0 ? 0 : set.bind(c, entry).count);
  },
  zscore: (c) => {
    const entry = c.typedRead(1, Type.zset);
    if (entry !== 0 && set.bind(c, entry).find(c.buf, c.pos[2], c.len[2])) replyScore(c, set.score);
    else c.reply.nil();
  },
  zmscore: (c) => {
    const entry = c.typedRead(1, Type.zset);
    if (entry !== 0) set.bind(c, entry);
    c.reply.array(c.argc - 2);
    for (let i = 2; i < c.argc; i++) {
      if (entry !== 0 && set.find(c.buf, c.pos[i], c.len[i])) replyScore(c, set.score);
      else c.reply.nil();
    }
  },
  zrank: (c) => rank(c, false),
  zrevrank: (c) => rank(c, true),
  zscan,
};

/** ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...] */
function zadd(c: Context): void {
  let flags = 0;
  let i = 2;
  for (; i < c.argc; i++) {
    const flag = zaddOption(c, i);
    if (flag === 0) break;
    flags |= flag;
  }
  addScores(c, flags, i);
}

function zaddOption(c: Context, i: number): number {
  // Scores begin with a digit or a sign; only letters can be an option.
  if (c.len[i] === 0 || c.buf[c.pos[i]] < 65) return 0;
  if (c.is(i, 'nx')) return zaddFlag.ifMissing;
  if (c.is(i, 'xx')) return zaddFlag.ifThere;
  if (c.is(i, 'ch')) return zaddFlag.countChanged;
  if (c.is(i, 'incr')) return zaddFlag.increment;
  if (c.is(i, 'gt')) return zaddFlag.ifGreater;
  return c.is(i, 'lt') ? zaddFlag.ifLess : 0;
}

/** ZREM key member [member ...] */
function zrem(c: Context): void {
  const entry = c.typedWrite(1, Type.zset);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  set.bind(c, entry);
  let removed = 0;
  for (let i = 2; i < c.argc; i++) {
    if (!set.find(c.buf, c.pos[i], c.len[i])) continue;
    set.removeFound();
    removed++;
  }
  if (removed > 0) {
    c.changed(1, 'z', 'zrem');
    c.keyspace.dirty += removed - 1;
    if (set.count === 0) c.deleteEmptied(1, set.entry);
  }
  c.reply.int(removed);
}

/** ZRANK key member [WITHSCORE], ZREVRANK likewise */
function rank(c: Context, reverse: boolean): void {
  if (c.argc > 4) throw new CommandError(wrongArity(c.command.name));
  const withScore = c.argc === 4;
  if (withScore && !c.is(3, 'withscore')) throw new CommandError(ERRORS.syntax);
  const entry = c.typedRead(1, Type.zset);
  if (entry === 0 || !set.bind(c, entry).find(c.buf, c.pos[2], c.len[2])) {
    if (withScore) c.reply.nilArray();
    else c.reply.nil();
    return;
  }
  const forward = set.foundRank;
  if (withScore) c.reply.array(2);
  c.reply.int(reverse ? set.count - 1 - forward : forward);
  if (withScore) replyScore(c, set.score);
}

/** ZSCAN key cursor [MATCH pattern] [COUNT count] */
function zscan(c: Context): void {
  let cursor = scanCursor(c, 2);
  const entry = c.typedRead(1, Type.zset);
  if (entry === 0) {
    c.reply.array(2);
    c.reply.text('0');
    c.reply.array(0);
    return;
  }
  const { pattern, count } = parseScan(c, 3, false);
  set.bind(c, entry);
  const found: Buffer[] = [];
  let steps = count * SCAN_EFFORT;
  let seen = 0;
  do {
    cursor = set.scan(cursor, () => {
      seen += 2;
      if (pattern !== null && !globMatchRange(pattern, set.buf, set.pos, set.len)) return;
      found.push(set.copyMember(), Buffer.from(set.scoreText, 'latin1'));
    });
  } while (cursor !== 0 && --steps > 0 && seen < count);
  c.reply.array(2);
  c.reply.bulkInt(cursor);
  c.reply.array(found.length);
  for (const item of found) c.reply.bulk(item);
}
