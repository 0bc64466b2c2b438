// SORT and SORT_RO.
// Syntax: SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE destination]

import { Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { createList, pushBytes } from './list-access.ts';
import { ElementVector, elementCount, loadElements, loadRange } from './sort-elements.ts';
import { alphabeticOrder, numericWeights, sortByNumbers, sortIndexes } from './sort-order.ts';
import { SortPattern } from './sort-pattern.ts';
import type { genericSpecs } from './specs/generic.ts';

export const sortHandlers: Pick<Handlers<typeof genericSpecs>, 'sort' | 'sort_ro'> = {
  sort: (c) => run(c, parse(c, true)),
  sort_ro: (c) => run(c, parse(c, false)),
};

/** The elements to sort, what they are sorted by, and what is stored or replied; all requests share them. */
const elements = new ElementVector();
const weights = new ElementVector();
const result = new ElementVector();

interface Options {
  descending: boolean;
  alpha: boolean;
  /** The order is the one that is there already: BY names the same key for all. */
  unsorted: boolean;
  by: SortPattern | null;
  get: SortPattern[];
  offset: number;
  /** -1: all. */
  count: number;
  /** Argument with the destination key, 0 without STORE. */
  storeAt: number;
}

function parse(c: Context, mayStore: boolean): Options {
  const o: Options = {
    descending: false,
    alpha: false,
    unsorted: false,
    by: null,
    get: [],
    offset: 0,
    count: -1,
    storeAt: 0,
  };
  for (let i = 2; i < c.argc; i++) {
    const left = c.argc - i - 1;
    if (c.is(i, 'asc')) o.descending = false;
    else if (c.is(i, 'desc')) o.descending = true;
    else if (c.is(i, 'alpha')) o.alpha = true;
    else if (c.is(i, 'limit') && left >= 2) {
      o.offset = c.integer(++i);
      o.count = c.integer(++i);
    } else if (mayStore && c.is(i, 'store') && left >= 1) {
      o.storeAt = ++i;
    } else if (c.is(i, 'by') && left >= 1) {
      o.by = new SortPattern(c.copy(++i));
      if (!o.by.varies) o.unsorted = true;
      else if (!c.server.auth.readsAllKeys(c.session, c.command, c)) throw new CommandError(patternDenied('BY'));
    } else if (c.is(i, 'get') && left >= 1) {
      if (!c.server.auth.readsAllKeys(c.session, c.command, c)) throw new CommandError(patternDenied('GET'));
      o.get.push(new SortPattern(c.copy(++i)));
    } else {
      throw new CommandError(ERRORS.syntax);
    }
  }
  return o;
}

/** Patterns name keys that the rules of the client's user cannot be held against beforehand. */
function patternDenied(option: string): string {
  return `ERR ${option} option of SORT denied due to insufficient ACL permissions.`;
}

function run(c: Context, o: Options): void {
  const entry = c.lookupRead(1);
  const type = entry === 0 ? Type.list : c.db.type(entry);
  if (type !== Type.list && type !== Type.set && type !== Type.zset) throw new CommandError(ERRORS.wrongType);
  if (o.unsorted && type === Type.set && o.storeAt > 0) {
    // What is stored must not depend on the order of a hash table.
    o.unsorted = false;
    o.alpha = true;
    o.by = null;
  }
  const total = entry === 0 ? 0 : elementCount(c, entry);
  const { first, last } = limits(o, total);
  elements.clear();
  let order: Uint32Array | null = null;
  let from = first;
  if (entry !== 0 && o.unsorted && type !== Type.set) {
    loadRange(c, entry, first, last - first + 1, o.descending, elements);
    from = 0;
  } else if (entry !== 0) {
    loadElements(c, entry, elements);
    if (!o.unsorted) order = sorted(c, o, first, last);
  }
  const count = last - first + 1;
  if (o.storeAt === 0 && o.get.length === 0) {
    replyElements(c, order, from, count);
    return;
  }
  pick(c, o, order, from, count);
  if (o.storeAt === 0) replyResult(c);
  else storeResult(c, o.storeAt);
}

/** Indexes of the first and last element wanted; none when last is below first. */
function limits(o: Options, total: number): { first: number; last: number } {
  const first = Math.min(Math.max(o.offset, 0), total);
  const count = Math.min(Math.max(o.count, -1), total);
  if (first >= total) return { first: 0, last: -1 };
  return { first, last: count < 0 ? total - 1 : Math.min(first + count - 1, total - 1) };
}

function sorted(c: Context, o: Options, first: number, last: number): Uint32Array {
  const by = o.by === null ? elements : resolveAll(c, o.by);
  if (o.alpha) return sortIndexes(elements.length, alphabeticOrder(by), o.descending, first, last);
  const numbers = numericWeights(by);
  if (numbers === null) throw new CommandError("ERR One or more scores can't be converted into double");
  return sortByNumbers(elements, numbers, o.descending, first, last);
}

function resolveAll(c: Context, pattern: SortPattern): ElementVector {
  weights.clear();
  for (let i = 0; i < elements.length; i++) pattern.resolve(c, elements, i, weights);
  return weights;
}

function replyElements(c: Context, order: Uint32Array | null, from: number, count: number): void {
  c.reply.array(count);
  for (let n = from; n < from + count; n++) {
    const i = order === null ? n : order[n];
    c.reply.bulkRange(elements.buf, elements.start(i), elements.size(i));
  }
}

/** Fills `result` with the elements wanted, or what GET asks for in their place. */
function pick(c: Context, o: Options, order: Uint32Array | null, from: number, count: number): void {
  result.clear();
  for (let n = from; n < from + count; n++) {
    const i = order === null ? n : order[n];
    if (o.get.length === 0) result.push(elements.buf, elements.start(i), elements.size(i));
    for (const pattern of o.get) pattern.resolve(c, elements, i, result);
  }
}

function replyResult(c: Context): void {
  c.reply.array(result.length);
  for (let i = 0; i < result.length; i++) {
    if (result.isMissing(i)) c.reply.nil();
    else c.reply.bulkRange(result.buf, result.start(i), result.size(i));
  }
}

function storeResult(c: Context, storeAt: number): void {
  const existing = c.lookupWrite(storeAt);
  if (existing !== 0) c.db.delete(existing);
  if (result.length > 0) {
    let entry = createList(c, storeAt);
    for (let i = 0; i < result.length; i++) {
      entry = pushBytes(c, entry, result.buf, result.start(i), result.size(i), false);
    }
    c.changed(storeAt, 'l', 'sortstore');
    c.keyspace.dirty += result.length - 1;
  } else if (existing !== 0) {
    c.changed(storeAt, 'g', 'del');
  }
  c.reply.int(result.length);
}
