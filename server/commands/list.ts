// List commands that do not wait. Those that do are in list-blocking.ts, moves between lists in list-move.ts.

import { INT64_MIN } from '../base/numbers.ts';
import { Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS, wrongArity } from './errors.ts';
import {
  createList,
  dropEnd,
  eachMatch,
  elementAt,
  insertAt,
  listLength,
  peekEnd,
  pushArguments,
  removeEqual,
  removeRange,
  replaceAt,
  replyRange,
} from './list-access.ts';
import { blockingHandlers } from './list-blocking.ts';
import { moveHandlers, noteRemoved, popSeveral } from './list-move.ts';
import { replyElement } from './packed-reply.ts';
import type { listSpecs } from './specs/list.ts';

export const listHandlers: Handlers<typeof listSpecs> = {
  ...moveHandlers,
  ...blockingHandlers,
  lpush: (c) => push(c, true, false),
  rpush: (c) => push(c, false, false),
  lpushx: (c) => push(c, true, true),
  rpushx: (c) => push(c, false, true),
  lpop: (c) => pop(c, true),
  rpop: (c) => pop(c, false),
  llen: (c) => {
    const entry = c.typedRead(1, Type.list);
    c.reply.int(entry === 0 ? 0 : listLength(c, entry));
  },
  lrange,
  lindex,
  lset,
  linsert,
  lrem,
  ltrim,
  lpos,
};

/** LPUSH key element [element ...] */
function push(c: Context, atHead: boolean, ifPresent: boolean): void {
  let entry = c.typedWrite(1, Type.list);
  if (entry === 0) {
    if (ifPresent) {
      c.reply.int(0);
      return;
    }
    entry = createList(c, 1);
  }
  c.reply.int(pushArguments(c, entry, 2, c.argc, atHead));
  c.changed(1, 'l', atHead ? 'lpush' : 'rpush');
  c.keyspace.dirty += c.argc - 3;
}

/** LPOP key [count] */
function pop(c: Context, fromHead: boolean): void {
  if (c.argc > 3) throw new CommandError(wrongArity(c.command.name));
  if (c.argc === 3) {
    popCount(c, fromHead);
    return;
  }
  const entry = c.typedWrite(1, Type.list);
  if (entry === 0) {
    c.reply.nil();
    return;
  }
  replyElement(c.reply, peekEnd(c, entry, fromHead));
  noteRemoved(c, 1, dropEnd(c, entry, fromHead), fromHead);
}

function popCount(c: Context, fromHead: boolean): void {
  const count = c.integerBetween(2, 0, Number.MAX_VALUE, 'ERR value is out of range, must be positive');
  const entry = c.typedWrite(1, Type.list);
  if (entry === 0) c.reply.nilArray();
  else if (count === 0) c.reply.array(0);
  else popSeveral(c, 1, entry, fromHead, count);
}

/** LRANGE key start stop */
function lrange(c: Context): void {
  let start = c.integer(2);
  let stop = c.integer(3);
  const entry = c.typedRead(1, Type.list);
  const length = entry === 0 ? 0 : listLength(c, entry);
  if (start < 0) start = Math.max(0, start + length);
  if (stop < 0) stop += length;
  const count = Math.max(0, Math.min(stop, length - 1) - start + 1);
  c.reply.array(count);
  if (count > 0) replyRange(c, entry, start, count, false);
}

/** LINDEX key index */
function lindex(c: Context): void {
  const entry = c.typedRead(1, Type.list);
  const index = entry === 0 ? -1 : positionArgument(c, 2, entry);
  if (index < 0) c.reply.nil();
  else replyElement(c.reply, elementAt(c, entry, index));
}

/** The index that argument `i` means in a list, -1 when out of range. */
function positionArgument(c: Context, i: number, entry: number): number {
  const length = listLength(c, entry);
  let index = c.integer(i);
  if (index < 0) index += length;
  return index >= 0 && index < length ? index : -1;
}

/** LSET key index element */
function lset(c: Context): void {
  const entry = c.typedWrite(1, Type.list);
  if (entry === 0) throw new CommandError(ERRORS.noSuchKey);
  const index = positionArgument(c, 2, entry);
  if (index < 0) throw new CommandError(ERRORS.indexOutOfRange);
  replaceAt(c, entry, index, 3);
  c.changed(1, 'l', 'lset');
  c.reply.ok();
}

/** LINSERT key BEFORE | AFTER pivot element */
function linsert(c: Context): void {
  const after = c.is(2, 'after');
  if (!after && !c.is(2, 'before')) throw new CommandError(ERRORS.syntax);
  const entry = c.typedWrite(1, Type.list);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  let pivot = -1;
  eachMatch(c, entry, 3, false, 0, (index) => {
    pivot = index;
    return false;
  });
  if (pivot < 0) {
    c.reply.int(-1);
    return;
  }
  const length = listLength(c, entry);
  insertAt(c, entry, pivot, after, 4);
  c.changed(1, 'l', 'linsert');
  c.reply.int(length + 1);
}

/** LREM key count element */
function lrem(c: Context): void {
  const count = c.integer(2);
  const entry = c.typedWrite(1, Type.list);
  const max = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  const gone = entry === 0 ? 0 : removeEqual(c, entry, 3, max, count < 0);
  if (gone > 0) noteRemoval(c, 'lrem', gone);
  c.reply.int(gone);
}

/** LTRIM key start stop */
function ltrim(c: Context): void {
  let start = c.integer(2);
  let stop = c.integer(3);
  const entry = c.typedWrite(1, Type.list);
  if (entry !== 0) {
    const length = listLength(c, entry);
    if (start < 0) start = Math.max(0, start + length);
    if (stop < 0) stop += length;
    const nothing = start > stop || start >= length;
    const head = nothing ? length : start;
    const tail = nothing ? 0 : Math.max(0, length - 1 - stop);
    const at = removeRange(c, entry, length - tail, tail);
    removeRange(c, at, 0, head);
    noteRemoval(c, 'ltrim', head + tail);
  }
  c.reply.ok();
}

/** Notes that `count` elements went from the list in argument 1, whose entry may have moved. */
function noteRemoval(c: Context, event: string, count: number): void {
  c.changed(1, 'l', event);
  c.keyspace.dirty += count - 1;
  const entry = c.db.find(c.buf, c.pos[1], c.len[1]);
  if (listLength(c, entry) === 0) c.deleteEmptied(1, entry);
}

/** LPOS key element [RANK rank] [COUNT count] [MAXLEN len] */
function lpos(c: Context): void {
  let rank = 1;
  let count = -1;
  let maxLength = 0;
  let rankOverflows = false;
  for (let i = 3; i < c.argc; i += 2) {
    if (i + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    if (c.is(i, 'rank')) {
      rank = c.integer(i + 1);
      if (rank === 0) throw new CommandError(RANK_ZERO);
      rankOverflows = rank < -Number.MAX_SAFE_INTEGER && c.int64(i + 1) === INT64_MIN;
    } else if (c.is(i, 'count')) {
      count = c.integerBetween(i + 1, 0, Number.MAX_VALUE, "ERR COUNT can't be negative");
    } else if (c.is(i, 'maxlen')) {
      maxLength = c.integerBetween(i + 1, 0, Number.MAX_VALUE, "ERR MAXLEN can't be negative");
    } else throw new CommandError(ERRORS.syntax);
  }
  const entry = c.typedRead(1, Type.list);
  let skip = rankOverflows ? 0 : Math.abs(rank) - 1;
  // The lowest integer has no opposite: Redis then begins with the first match from the tail and does not count.
  if (rankOverflows && count > 0) count = 0;
  if (count < 0) {
    let found = -1;
    if (entry !== 0) {
      eachMatch(c, entry, 2, rank < 0, maxLength, (index) => {
        if (skip-- > 0) return true;
        found = index;
        return false;
      });
    }
    if (found < 0) c.reply.nil();
    else c.reply.int(found);
    return;
  }
  const mark = c.reply.beginAggregate();
  let matches = 0;
  if (entry !== 0) {
    eachMatch(c, entry, 2, rank < 0, maxLength, (index) => {
      if (skip-- > 0) return true;
      c.reply.int(index);
      return ++matches !== count;
    });
  }
  c.reply.endAggregate(mark, 'array', matches);
}

const RANK_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
  'or use negative to start from the end of the list';
