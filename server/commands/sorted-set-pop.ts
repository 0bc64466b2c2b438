// Taking members from the ends of sorted sets: ZPOPMIN, ZPOPMAX, ZMPOP and their blocking forms.

import { Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { replyScore } from './sorted-set-arguments.ts';
import { SortedSetValue } from './sorted-set-value.ts';
import type { sortedSetSpecs } from './specs/sorted-set.ts';

const set = new SortedSetValue();

export const sortedSetPopHandlers: Handlers<typeof sortedSetSpecs> = {
  zpopmin: (c) => pop(c, false),
  zpopmax: (c) => pop(c, true),
  bzpopmin: (c) => blockingPop(c, false),
  bzpopmax: (c) => blockingPop(c, true),
  zmpop: (c) => multiplePop(c, 1),
  bzmpop: (c) => multiplePop(c, 2),
};

/** ZPOPMIN key [count], ZPOPMAX key [count] */
function pop(c: Context, highest: boolean): void {
  if (c.argc > 3) throw new CommandError(ERRORS.syntax);
  const count =
    c.argc === 3 ? c.integerBetween(2, 0, Number.MAX_VALUE, 'ERR value is out of range, must be positive') : 1;
  const entry = c.typedWrite(1, Type.zset);
  if (entry === 0 || count === 0) {
    c.reply.array(0);
    return;
  }
  const taken = Math.min(count, set.bind(c, entry).count);
  const nested = c.argc === 3 && c.reply.resp3;
  c.reply.array(nested ? taken : taken * 2);
  take(c, 1, highest, taken, nested);
}

/** BZPOPMIN key [key ...] timeout, BZPOPMAX likewise */
function blockingPop(c: Context, highest: boolean): void {
  const last = c.argc - 1;
  const deadlineMs = c.deadline(last);
  const key = firstServed(c, 1, last);
  if (key !== 0) {
    c.reply.array(3);
    c.reply.bulkRange(c.buf, c.pos[key], c.len[key]);
    take(c, key, highest, 1, false);
    if (c.server.events.propagating) c.rewrite([highest ? 'ZPOPMAX' : 'ZPOPMIN', c.copy(key)]);
    return;
  }
  waitFor(c, 1, last, deadlineMs);
}

/** ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]; BZMPOP has a timeout first */
function multiplePop(c: Context, at: number): void {
  const keys = c.integerBetween(at, 1, Number.MAX_VALUE, 'ERR numkeys should be greater than 0');
  const where = at + 1 + keys;
  if (where >= c.argc) throw new CommandError(ERRORS.syntax);
  const highest = c.is(where, 'max');
  if (!highest && !c.is(where, 'min')) throw new CommandError(ERRORS.syntax);
  let count = 0;
  for (let i = where + 1; i < c.argc; i += 2) {
    if (count > 0 || !c.is(i, 'count') || i + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    count = c.integerBetween(i + 1, 1, Number.MAX_VALUE, 'ERR count should be greater than 0');
  }
  const deadlineMs = at === 2 ? c.deadline(1) : 0;
  const key = firstServed(c, at + 1, where);
  if (key !== 0) {
    const taken = Math.min(Math.max(count, 1), set.count);
    c.reply.array(2);
    c.reply.bulkRange(c.buf, c.pos[key], c.len[key]);
    c.reply.array(taken);
    take(c, key, highest, taken, true);
    if (c.server.events.propagating) {
      c.rewrite([highest ? 'ZPOPMAX' : 'ZPOPMIN', c.copy(key), String(taken)]);
    }
  } else if (at === 1) {
    c.reply.nilArray();
  } else {
    waitFor(c, at + 1, where, deadlineMs);
  }
}

/** Binds the first non-empty sorted set among the keys; 0 when there is none. Returns its argument. */
function firstServed(c: Context, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const entry = c.lookupWrite(i);
    if (entry === 0) continue;
    if (c.db.type(entry) !== Type.zset) {
      // A client that waits is not bothered by values of another type that come and go.
      if (c.resumed) continue;
      throw new CommandError(ERRORS.wrongType);
    }
    set.bind(c, entry);
    return i;
  }
  return 0;
}

function waitFor(c: Context, from: number, end: number, deadlineMs: number): void {
  if (!c.mayBlock) {
    c.reply.nilArray();
    return;
  }
  const keys: Buffer[] = [];
  for (let i = from; i < end; i++) keys.push(c.copy(i));
  c.block({ keys, deadlineMs, onTimeout: 'nilArray' });
}

/** Writes and removes `count` members of the bound set, from one end on, and notes the change. */
function take(c: Context, key: number, highest: boolean, count: number, nested: boolean): void {
  const size = set.count;
  if (highest) set.seekBack(size - 1);
  else set.seekRank(0);
  for (let rest = count; rest > 0; rest--) {
    if (nested) c.reply.array(2);
    set.replyMember(c.reply);
    replyScore(c, set.cursorScore);
    if (rest === 1) break;
    if (highest) set.previous();
    else set.next();
  }
  // From the top down the cursor has come to the lowest of those that go.
  if (highest) set.removeFromCursor(size - count, count);
  else set.removeRange(0, count);
  c.changed(key, 'z', highest ? 'zpopmax' : 'zpopmin');
  c.keyspace.dirty += count - 1;
  if (count === size) c.deleteEmptied(key, set.entry);
}
