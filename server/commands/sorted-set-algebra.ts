// Union, intersection and difference of sorted sets (plain sets count as members with score 1), and what they store.

import { parseDouble } from '../base/numbers.ts';
import { Type } from '../keyspace/layout.ts';
import { SortedSet } from '../values/sorted-set.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { SetValue } from './set-value.ts';
import { replyScore } from './sorted-set-arguments.ts';
import { storeResult } from './sorted-set-range.ts';
import { SortedSetValue } from './sorted-set-value.ts';
import type { sortedSetSpecs } from './specs/sorted-set.ts';

type Operation = 'union' | 'inter' | 'diff';
type Aggregate = (a: number, b: number) => number;

interface Options {
  aggregate: Aggregate;
  withScores: boolean;
  /** ZINTERCARD: stop at this many, 0: never. */
  limit: number;
}

/** Views for the keys of one request, kept for the next: at most this many. */
const VIEWS_KEPT_MAX = 64;
const sortedViews: SortedSetValue[] = [];
const plainViews: SetValue[] = [];

export const sortedSetAlgebraHandlers: Handlers<typeof sortedSetSpecs> = {
  zunion: (c) => answer(c, 'union'),
  zinter: (c) => answer(c, 'inter'),
  zdiff: (c) => answer(c, 'diff'),
  zunionstore: (c) => store(c, 'union', 'zunionstore'),
  zinterstore: (c) => store(c, 'inter', 'zinterstore'),
  zdiffstore: (c) => store(c, 'diff', 'zdiffstore'),
  zintercard: (c) => {
    const sources = openSources(c, 1);
    const { limit } = parseOptions(c, 2 + sources.length, sources, 'card');
    let count = 0;
    intersect(sources, sum, () => ++count !== limit);
    c.reply.int(count);
  },
};

/** ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES] and relatives */
function answer(c: Context, operation: Operation): void {
  const sources = openSources(c, 1);
  const options = parseOptions(c, 2 + sources.length, sources, operation === 'diff' ? 'diff' : 'answer');
  const result = compute(c, operation, sources, options.aggregate);
  const nested = options.withScores && c.reply.resp3;
  c.reply.array(options.withScores && !nested ? result.length * 2 : result.length);
  if (result.length > 0) {
    const tree = result.tree;
    for (tree.seekRank(0); tree.valid; tree.next()) {
      const entry = tree.entry;
      if (nested) c.reply.array(2);
      c.reply.bulkRange(result.memberBuffer(entry), result.memberPosition(entry), result.memberLength(entry));
      if (options.withScores) replyScore(c, tree.score);
    }
  }
  result.free();
}

/** ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] and relatives */
function store(c: Context, operation: Operation, event: string): void {
  const sources = openSources(c, 2);
  const options = parseOptions(c, 3 + sources.length, sources, operation === 'diff' ? 'diffstore' : 'store');
  storeResult(c, 1, compute(c, operation, sources, options.aggregate), event);
}

function compute(c: Context, operation: Operation, sources: readonly Source[], aggregate: Aggregate): SortedSet {
  const result = new SortedSet(c.keyspace.arena, c.keyspace.seed);
  if (operation === 'union') unite(sources, aggregate, result);
  else if (operation === 'diff') subtract(sources, result);
  else {
    intersect(sources, aggregate, (buf, pos, len, score) => {
      result.put(buf, pos, len, score);
      return true;
    });
  }
  return result;
}

/** A key that takes part: a sorted set, a plain set or (both null) nothing. */
class Source {
  weight = 1;
  readonly sorted: SortedSetValue | null;
  readonly plain: SetValue | null;

  constructor(sorted: SortedSetValue | null, plain: SetValue | null) {
    this.sorted = sorted;
    this.plain = plain;
  }

  get count(): number {
    return this.sorted?.count ?? this.plain?.count ?? 0;
  }

  get entry(): number {
    return this.sorted?.entry ?? this.plain?.entry ?? 0;
  }

  /** Visits all members with their own scores, until the visitor returns false. */
  walk(visit: (buf: Uint8Array, pos: number, len: number, score: number) => boolean): void {
    const sorted = this.sorted;
    if (sorted !== null) sorted.walk(() => visit(sorted.buf, sorted.pos, sorted.len, sorted.score));
    else this.plain?.walk((buf, pos, len) => visit(buf, pos, len, 1));
  }

  /** A member's own score, NaN when it is not there. */
  score(buf: Uint8Array, pos: number, len: number): number {
    if (this.sorted !== null) return this.sorted.find(buf, pos, len) ? this.sorted.score : Number.NaN;
    return this.plain?.has(buf, pos, len) ? 1 : Number.NaN;
  }

  weighted(score: number): number {
    const value = this.weight * score;
    return Number.isNaN(value) ? 0 : value;
  }
}

/** The sources counted by argument `at`; every type is checked before options are. */
function openSources(c: Context, at: number): Source[] {
  const count = c.integer(at);
  if (count < 1) throw new CommandError(`ERR at least 1 input key is needed for '${c.command.name}' command`);
  if (count > c.argc - at - 1) throw new CommandError(ERRORS.syntax);
  const sources: Source[] = [];
  for (let k = 0; k < count; k++) {
    const entry = c.lookupRead(at + 1 + k);
    const type = entry === 0 ? -1 : c.db.type(entry);
    if (type === Type.zset) {
      const view = sortedViews[k] ?? new SortedSetValue();
      if (k < VIEWS_KEPT_MAX) sortedViews[k] = view;
      sources.push(new Source(view.bind(c, entry), null));
    } else if (type === Type.set) {
      const view = plainViews[k] ?? new SetValue();
      if (k < VIEWS_KEPT_MAX) plainViews[k] = view;
      sources.push(new Source(null, view.bind(c, entry)));
    } else if (type === -1) {
      sources.push(new Source(null, null));
    } else {
      throw new CommandError(ERRORS.wrongType);
    }
  }
  return sources;
}

/** `form` tells which options there are: difference has no weights, a stored result no scores, a count only LIMIT. */
function parseOptions(
  c: Context,
  from: number,
  sources: readonly Source[],
  form: 'answer' | 'store' | 'diff' | 'diffstore' | 'card',
): Options {
  const options: Options = { aggregate: sum, withScores: false, limit: 0 };
  const weighs = form === 'answer' || form === 'store';
  for (let i = from; i < c.argc; i++) {
    const left = c.argc - 1 - i;
    if (weighs && left >= sources.length && c.is(i, 'weights')) {
      for (const source of sources) source.weight = weightArgument(c, ++i);
    } else if (weighs && left >= 1 && c.is(i, 'aggregate')) {
      options.aggregate = aggregateArgument(c, ++i);
    } else if ((form === 'answer' || form === 'diff') && c.is(i, 'withscores')) {
      options.withScores = true;
    } else if (form === 'card' && left >= 1 && c.is(i, 'limit')) {
      options.limit = c.integerBetween(++i, 0, Number.MAX_VALUE, "ERR LIMIT can't be negative");
    } else {
      throw new CommandError(ERRORS.syntax);
    }
  }
  return options;
}

function weightArgument(c: Context, i: number): number {
  const weight = parseDouble(c.text(i));
  if (Number.isNaN(weight)) throw new CommandError('ERR weight value is not a float');
  return weight;
}

function aggregateArgument(c: Context, i: number): Aggregate {
  if (c.is(i, 'sum')) return sum;
  if (c.is(i, 'min')) return smaller;
  if (c.is(i, 'max')) return larger;
  throw new CommandError(ERRORS.syntax);
}

/** Of 0 and -0, which are equal here, the first stays; to Math.min and Math.max they are not. */
function smaller(a: number, b: number): number {
  // biome-ignore lint/complexity/useMathMinMax: see above
  return b < a ? b : a;
}

function larger(a: number, b: number): number {
  // biome-ignore lint/complexity/useMathMinMax: see above
  return b > a ? b : a;
}

/** Infinities that cancel out make 0. */
function sum(a: number, b: number): number {
  const value = a + b;
  return Number.isNaN(value) ? 0 : value;
}

/** Smallest first: sums of doubles depend on the order, so it must be Redis'. */
function bySize(sources: readonly Source[]): Source[] {
  return [...sources].sort((a, b) => a.count - b.count);
}

function unite(sources: readonly Source[], aggregate: Aggregate, result: SortedSet): void {
  for (const source of bySize(sources)) {
    source.walk((buf, pos, len, own) => {
      const score = source.weighted(own);
      const entry = result.find(buf, pos, len);
      if (entry === 0) result.insertUnordered(buf, pos, len, score);
      else result.rescoreUnordered(entry, aggregate(result.scoreOf(entry), score));
      return true;
    });
  }
  result.order();
}

function intersect(
  sources: readonly Source[],
  aggregate: Aggregate,
  visit: (buf: Uint8Array, pos: number, len: number, score: number) => boolean,
): void {
  const [smallest, ...others] = bySize(sources);
  if (smallest.count === 0) return;
  smallest.walk((buf, pos, len, own) => {
    let score = smallest.weighted(own);
    for (const source of others) {
      // The same key again: its view may stand on another member just now, and the answer is known.
      const there = source.entry === smallest.entry ? own : source.score(buf, pos, len);
      if (Number.isNaN(there)) return true;
      // Not weighted(): Redis makes an infinite score times 0 a 0 only in the smallest.
      score = aggregate(score, source.weight * there);
    }
    return visit(buf, pos, len, score);
  });
}

function subtract(sources: readonly Source[], result: SortedSet): void {
  const [first, ...rest] = sources;
  const others = rest.filter((source) => source.count > 0);
  if (first.count === 0 || others.some((source) => source.entry === first.entry)) return;
  // Either every member of the first is looked for in the others, or all are walked once.
  const lookups = (first.count * (others.length + 1)) / 2;
  const walk = others.reduce((total, source) => total + source.count, first.count);
  if (lookups <= walk) {
    others.sort((a, b) => b.count - a.count);
    first.walk((buf, pos, len, score) => {
      for (const source of others) if (!Number.isNaN(source.score(buf, pos, len))) return true;
      result.put(buf, pos, len, score);
      return true;
    });
    return;
  }
  first.walk((buf, pos, len, score) => {
    result.put(buf, pos, len, score);
    return true;
  });
  for (const source of others) {
    source.walk((buf, pos, len) => {
      const entry = result.find(buf, pos, len);
      if (entry !== 0) result.drop(entry);
      return result.length > 0;
    });
  }
}
