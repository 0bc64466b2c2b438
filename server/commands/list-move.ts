// Elements that move from one list to another: LMOVE, RPOPLPUSH and LMPOP, and what their blocking forms need of them.

import { copyRange } from '../base/bytes.ts';
import { Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { createList, dropEnd, listLength, peekEnd, pushBytes, removeRange, replyRange } from './list-access.ts';
import type { listSpecs } from './specs/list.ts';

export const moveHandlers: Handlers<Pick<typeof listSpecs, 'lmove' | 'rpoplpush' | 'lmpop'>> = {
  lmove: (c) => {
    const fromHead = sideArgument(c, 3);
    const toHead = sideArgument(c, 4);
    move(c, c.typedWrite(1, Type.list), fromHead, toHead);
  },
  rpoplpush: (c) => move(c, c.typedWrite(1, Type.list), false, true),
  lmpop: (c) => {
    const request = parseMultiPop(c, 1);
    if (!popFirst(c, request)) c.reply.nilArray();
  },
};

/** The element on its way from one list to the other, unless it is larger. */
const moving = Buffer.alloc(1024);

/** What LMPOP and BLMPOP ask for. */
export interface MultiPop {
  /** Argument index of the first key, and behind the last. */
  from: number;
  to: number;
  fromHead: boolean;
  count: number;
}

/** LEFT or RIGHT: whether it is the head. */
export function sideArgument(c: Context, i: number): boolean {
  if (c.is(i, 'left')) return true;
  if (c.is(i, 'right')) return false;
  throw new CommandError(ERRORS.syntax);
}

/**
 * Moves one element from the list at `source`, the key in argument 1 (0: there is none), to the key in argument 2, and
 * answers with it.
 */
export function move(c: Context, source: number, fromHead: boolean, toHead: boolean): void {
  if (source === 0) {
    c.reply.nil();
    return;
  }
  const target = c.typedWrite(2, Type.list);
  const found = peekEnd(c, source, fromHead).text();
  const { len } = found;
  const bytes = len <= moving.length ? moving : Buffer.allocUnsafeSlow(len);
  copyRange(found.buf, found.pos, len, bytes, 0);
  const rest = dropEnd(c, source, fromHead);
  const to = target === source ? rest : target;
  const pushed = pushBytes(c, to === 0 ? createList(c, 2) : to, bytes, 0, len, toHead);
  c.changed(2, 'l', toHead ? 'lpush' : 'rpush');
  c.keyspace.dirty--;
  c.reply.bulkRange(bytes, 0, len);
  noteRemoved(c, 1, target === source ? pushed : rest, fromHead);
}

/** LMPOP's arguments from numkeys at argument `i` on. */
export function parseMultiPop(c: Context, i: number): MultiPop {
  const keys = c.integerBetween(i, 1, Number.MAX_VALUE, 'ERR numkeys should be greater than 0');
  const from = i + 1;
  const to = from + keys;
  if (to >= c.argc) throw new CommandError(ERRORS.syntax);
  const fromHead = sideArgument(c, to);
  let count = -1;
  for (let at = to + 1; at < c.argc; at += 2) {
    if (count !== -1 || !c.is(at, 'count') || at + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    count = c.integerBetween(at + 1, 1, Number.MAX_VALUE, 'ERR count should be greater than 0');
  }
  return { from, to, fromHead, count: count === -1 ? 1 : count };
}

/** Pops from the first list that is there and answers with key and elements; false when there is none. */
export function popFirst(c: Context, request: MultiPop): boolean {
  for (let i = request.from; i < request.to; i++) {
    if (isPassedOver(c, i)) continue;
    const entry = listToPop(c, i);
    if (entry === 0) continue;
    c.reply.array(2);
    c.reply.bulkRange(c.buf, c.pos[i], c.len[i]);
    const size = popSeveral(c, i, entry, request.fromHead, request.count);
    c.rewrite([request.fromHead ? 'LPOP' : 'RPOP', c.copy(i), String(size)]);
    return true;
  }
  return false;
}

/** Pops up to `count` elements of the list at the key in argument `i`, writes them as an array; returns how many. */
export function popSeveral(c: Context, i: number, entry: number, fromHead: boolean, count: number): number {
  const length = listLength(c, entry);
  const size = Math.min(count, length);
  c.reply.array(size);
  replyRange(c, entry, fromHead ? 0 : length - 1, size, !fromHead);
  const at = removeRange(c, entry, fromHead ? 0 : length - size, size);
  c.keyspace.dirty += size - 1;
  noteRemoved(c, i, at, fromHead);
  return size;
}

/** Whether a client that has waited is not to be served with the key in argument `i`, because another one woke it. */
export function isPassedOver(c: Context, i: number): boolean {
  if (!c.resumed) return false;
  const key = c.server.blocking.servingKey;
  return key !== null && key !== c.text(i);
}

/**
 * The list at the key in argument `i`, 0 when there is none. Throws WRONGTYPE, but not for a client that has waited: it
 * waits on until a list comes.
 */
export function listToPop(c: Context, i: number): number {
  const entry = c.lookupWrite(i);
  if (entry === 0 || c.db.type(entry) === Type.list) return entry;
  if (c.resumed) return 0;
  throw new CommandError(ERRORS.wrongType);
}

/** Notes that elements were popped of the list at the key in argument `i`. */
export function noteRemoved(c: Context, i: number, entry: number, fromHead: boolean): void {
  c.changed(i, 'l', fromHead ? 'lpop' : 'rpop');
  if (listLength(c, entry) === 0) c.deleteEmptied(i, entry);
}
