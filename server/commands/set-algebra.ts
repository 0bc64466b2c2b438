// Intersection, union and difference of sets, and what they store.

import { Encoding, Type } from '../keyspace/layout.ts';
import { HashSet } from '../values/set-table.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { replyNeighbour } from './packed-reply.ts';
import { type MemberVisitor, SetValue, storeSet } from './set-value.ts';
import type { setSpecs } from './specs/set.ts';

/** Produces the members of a result, each once; the visitor may stop it. */
type Operation = (c: Context, sets: readonly (SetValue | null)[], visit: MemberVisitor) => void;

/** Views for the keys of one request, kept for the next: at most this many. */
const VIEWS_KEPT_MAX = 64;
const views: SetValue[] = [];

export const algebraHandlers: Handlers<typeof setSpecs> = {
  sinter: (c) => answer(c, intersect),
  sunion: (c) => answer(c, unite),
  sdiff: (c) => answer(c, subtract),
  sinterstore: (c) => store(c, intersect, 'sinterstore'),
  sunionstore: (c) => store(c, unite, 'sunionstore'),
  sdiffstore: (c) => store(c, subtract, 'sdiffstore'),
  sintercard,
};

function answer(c: Context, operation: Operation): void {
  const sets = openSets(c, 1, c.argc - 1);
  const mark = c.reply.beginAggregate();
  const { reply } = c;
  // The members of a packed run stand together, those of a table anywhere.
  const packed = sets.every((set) => set !== null && set.encoding === Encoding.listpack);
  let count = 0;
  operation(c, sets, (buf, pos, len) => {
    if (packed) replyNeighbour(reply, buf as Buffer, pos, len);
    else reply.bulkRange(buf, pos, len);
    count++;
    return true;
  });
  c.reply.endAggregate(mark, 'set', count);
}

function store(c: Context, operation: Operation, event: string): void {
  const sets = openSets(c, 2, c.argc - 2);
  const result = newTable(c);
  operation(c, sets, (buf, pos, len) => {
    result.add(buf, pos, len);
    return true;
  });
  const count = result.length;
  const old = c.lookupWrite(1);
  if (old !== 0) c.db.delete(old);
  if (count > 0) {
    storeSet(c, 1, result);
    c.changed(1, 's', event);
  } else {
    result.free();
    if (old !== 0) c.changed(1, 'g', 'del');
  }
  c.reply.int(count);
}

/** SINTERCARD numkeys key [key ...] [LIMIT limit] */
function sintercard(c: Context): void {
  const keys = c.integerBetween(1, 1, Number.MAX_VALUE, 'ERR numkeys should be greater than 0');
  if (keys > c.argc - 2) throw new CommandError("ERR Number of keys can't be greater than number of args");
  let limit = 0;
  for (let i = 2 + keys; i < c.argc; i += 2) {
    if (!c.is(i, 'limit') || i + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    limit = c.integerBetween(i + 1, 0, Number.MAX_VALUE, "ERR LIMIT can't be negative");
  }
  let count = 0;
  intersect(c, openSets(c, 2, keys), () => ++count !== limit);
  c.reply.int(count);
}

/** The sets of `count` keys from argument `from` on, null for a missing key. All types are checked first. */
function openSets(c: Context, from: number, count: number): (SetValue | null)[] {
  const sets: (SetValue | null)[] = [];
  for (let k = 0; k < count; k++) {
    const entry = c.typedRead(from + k, Type.set);
    if (entry === 0) {
      sets.push(null);
      continue;
    }
    const view = views[k] ?? new SetValue();
    if (k < VIEWS_KEPT_MAX) views[k] = view;
    sets.push(view.bind(c, entry));
  }
  return sets;
}

/** Walks the smallest set and asks the others. */
function intersect(_: Context, sets: readonly (SetValue | null)[], visit: MemberVisitor): void {
  const present = sets.filter((set) => set !== null);
  if (present.length < sets.length) return;
  present.sort((a, b) => a.count - b.count);
  const [smallest] = present;
  const others = present.filter((set) => set.entry !== smallest.entry);
  for (const set of others) set.expectLooks(smallest.count);
  smallest.walk((buf, pos, len) => {
    for (const set of others) if (!set.hasMemberOf(smallest, buf, pos, len)) return true;
    return visit(buf, pos, len);
  });
}

function unite(c: Context, sets: readonly (SetValue | null)[], visit: MemberVisitor): void {
  const present = sets.filter((set) => set !== null);
  if (present.length === 1) {
    present[0].walk(visit);
    return;
  }
  const seen = newTable(c);
  for (const set of present) {
    set.walk((buf, pos, len) => {
      if (seen.add(buf, pos, len)) visit(buf, pos, len);
      return true;
    });
  }
  seen.free();
}

function subtract(c: Context, sets: readonly (SetValue | null)[], visit: MemberVisitor): void {
  const first = sets[0];
  if (first === null) return;
  const others = sets.slice(1).filter((set) => set !== null);
  if (others.some((set) => set.entry === first.entry)) return;
  // Either every member of the first is looked for in the others (which usually ends early), or all are walked once.
  const lookups = (first.count * (others.length + 1)) / 2;
  const walk = others.reduce((sum, set) => sum + set.count, first.count);
  if (lookups <= walk) {
    others.sort((a, b) => b.count - a.count);
    for (const set of others) set.expectLooks(first.count);
    first.walk((buf, pos, len) => {
      for (const set of others) if (set.hasMemberOf(first, buf, pos, len)) return true;
      return visit(buf, pos, len);
    });
    return;
  }
  subtractByRemoval(c, first, others, visit);
}

function subtractByRemoval(c: Context, first: SetValue, others: readonly SetValue[], visit: MemberVisitor): void {
  const rest = newTable(c);
  first.walk((buf, pos, len) => rest.add(buf, pos, len));
  for (const set of others) {
    set.walk((buf, pos, len) => {
      rest.remove(buf, pos, len);
      return rest.length > 0;
    });
  }
  rest.dict.forEach((entry) => {
    visit(rest.memberBuffer(entry), rest.memberPosition(entry), rest.memberLength(entry));
  });
  rest.free();
}

function newTable(c: Context): HashSet {
  return new HashSet(c.keyspace.arena, c.keyspace.seed);
}
