// Scores and bounds of sorted-set commands, as arguments and in replies.

import { parseDouble, plainDecimal } from '../base/numbers.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import type { SortedSetValue } from './sorted-set-value.ts';

export const NOT_A_SCORE_RANGE = 'ERR min or max is not a float';
export const NOT_A_MEMBER_RANGE = 'ERR min or max not valid string range item';

/** `(`, before an end that is not part of its range. */
const OPENING = 40;

const INFINITE = /^[+-]?inf/i;
/** A digit other than 0 before the exponent, decimal or hexadecimal. */
const NOT_ZERO = /^[+-]?(?:0x[0.]*[1-9a-f]|[0.]*[1-9])/i;

/** A score: any double but nan; what overflows or underflows is refused. */
export function scoreArgument(c: Context, i: number, error: string = ERRORS.notAFloat): number {
  const plain = plainDecimal(c.buf, c.pos[i], c.len[i]);
  if (!Number.isNaN(plain)) return plain;
  const text = c.text(i);
  const value = parseDouble(text);
  const overflowed = Math.abs(value) === Number.POSITIVE_INFINITY && !INFINITE.test(text);
  if (Number.isNaN(value) || overflowed || (value === 0 && NOT_ZERO.test(text))) throw new CommandError(error);
  return value;
}

/** One end of a range of scores: a number, `(number`, inf or -inf. */
export interface ScoreBound {
  readonly value: number;
  readonly exclusive: boolean;
}

/** Parses a score bound as leniently as strtod: blanks before the number, and nothing at all is 0. */
export function scoreBoundArgument(c: Context, i: number): ScoreBound {
  const open = c.len[i] > 0 && c.buf[c.pos[i]] === OPENING ? 1 : 0;
  const plain = plainDecimal(c.buf, c.pos[i] + open, c.len[i] - open);
  if (!Number.isNaN(plain)) return { value: plain, exclusive: open === 1 };
  const whole = c.text(i);
  const exclusive = whole.startsWith('(');
  const end = whole.indexOf('\0');
  const text = whole.slice(exclusive ? 1 : 0, end < 0 ? undefined : end);
  const value = text === '' ? 0 : parseDouble(text.replace(/^[ \t\n\v\f\r]+/, ''));
  if (Number.isNaN(value)) throw new CommandError(NOT_A_SCORE_RANGE);
  return { value, exclusive };
}

/** One end of a range of members: `-`, `+`, `[member` or `(member`. */
export interface MemberBound {
  /** First argument byte decides: below everything, above everything, or a member. */
  readonly kind: 'lowest' | 'highest' | 'member';
  readonly exclusive: boolean;
  /** The argument whose bytes after the first are the member. */
  readonly argument: number;
}

export function memberBoundArgument(c: Context, i: number): MemberBound {
  const first = c.len[i] > 0 ? String.fromCharCode(c.buf[c.pos[i]]) : '';
  if (c.len[i] === 1 && first === '-') return { kind: 'lowest', exclusive: false, argument: i };
  if (c.len[i] === 1 && first === '+') return { kind: 'highest', exclusive: false, argument: i };
  if (first !== '[' && first !== '(') throw new CommandError(NOT_A_MEMBER_RANGE);
  return { kind: 'member', exclusive: first === '(', argument: i };
}

/** Rank of the first member inside a range that begins with `min`. */
export function startOfScores(set: SortedSetValue, min: ScoreBound): number {
  return set.rankOfScore(min.value, min.exclusive);
}

/** Rank of the first member behind a range that ends with `max`. */
export function endOfScores(set: SortedSetValue, max: ScoreBound): number {
  return set.rankOfScore(max.value, !max.exclusive);
}

export function startOfMembers(c: Context, set: SortedSetValue, min: MemberBound): number {
  return rankOfBound(c, set, min, min.exclusive);
}

export function endOfMembers(c: Context, set: SortedSetValue, max: MemberBound): number {
  return rankOfBound(c, set, max, !max.exclusive);
}

/** Writes a score: a double in RESP3, a bulk string in RESP2. Whole numbers take a short cut. */
export function replyScore(c: Context, score: number): void {
  if (!c.reply.resp3 && Number.isSafeInteger(score) && !Object.is(score, -0)) c.reply.bulkInt(score);
  else c.reply.double(score);
}

function rankOfBound(c: Context, set: SortedSetValue, bound: MemberBound, behind: boolean): number {
  if (bound.kind === 'lowest') return 0;
  if (bound.kind === 'highest') return set.count;
  const i = bound.argument;
  return set.rankOfMember(c.buf, c.pos[i] + 1, c.len[i] - 1, behind);
}
