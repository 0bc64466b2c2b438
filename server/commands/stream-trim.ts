// The trimming options of XADD and XTRIM: MAXLEN|MINID [=|~] threshold [LIMIT count].

import type { Stream, Trim } from '../values/stream.ts';
import { StreamId } from '../values/stream-id.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { strictId } from './stream-access.ts';

/** Without LIMIT, `~` removes at most the entries of this many nodes. */
const LIMIT_NODES = 100;
const LIMIT_DEFAULT = 10_000;
const LIMIT_MAX = 1_000_000;
const STAR = 42;

/** What the options said. One object serves all calls. */
export interface TrimOptions extends Omit<Trim, 'strategy'> {
  strategy: 'none' | Trim['strategy'];
  noMakeStream: boolean;
  /** Argument of `~` or `=`, 0 when there was none, and of the threshold. */
  specifierAt: number;
  thresholdAt: number;
  limitGiven: boolean;
}

export const trimOptions: TrimOptions = {
  strategy: 'none',
  maxLength: 0,
  minId: new StreamId(),
  approximate: false,
  limit: 0,
  noMakeStream: false,
  specifierAt: 0,
  thresholdAt: 0,
  limitGiven: false,
};

/**
 * Reads the options from argument 2 on into `trimOptions`. For XADD it stops at the first argument that is none (the id)
 * and returns its index; for XTRIM all must be options.
 */
export function parseTrimOptions(c: Context, forAdd: boolean): number {
  const o = trimOptions;
  o.strategy = 'none';
  o.approximate = false;
  o.limit = 0;
  o.limitGiven = false;
  o.noMakeStream = false;
  o.specifierAt = 0;
  let i = 2;
  for (; i < c.argc; i++) {
    const more = c.argc - 1 - i;
    if (forAdd && isStar(c, i)) break;
    if (c.is(i, 'maxlen') && more > 0) {
      i = parseThreshold(c, i, 'maxlen');
    } else if (c.is(i, 'minid') && more > 0) {
      i = parseThreshold(c, i, 'minid');
    } else if (c.is(i, 'limit') && more > 0) {
      o.limit = c.integer(++i);
      if (o.limit < 0) throw new CommandError('ERR The LIMIT argument must be >= 0.');
      o.limitGiven = true;
    } else if (forAdd && c.is(i, 'nomkstream')) {
      o.noMakeStream = true;
    } else if (forAdd) {
      break;
    } else {
      throw new CommandError(ERRORS.syntax);
    }
  }
  return i;
}

/** Whether an argument is XADD's `*`. */
export function isStar(c: Context, i: number): boolean {
  return c.len[i] === 1 && c.buf[c.pos[i]] === STAR;
}

/** Checks that the options go together; to be called after everything else has been read. */
export function checkTrimOptions(c: Context, forAdd: boolean): void {
  const o = trimOptions;
  if (o.limit > 0 && o.strategy === 'none') {
    throw new CommandError('ERR syntax error, LIMIT cannot be used without specifying a trimming strategy');
  }
  if (!forAdd && o.strategy === 'none') {
    throw new CommandError('ERR syntax error, XTRIM must be called with a trimming strategy');
  }
  if (c.replaying) {
    // The threshold that was written down already says what is to go.
    o.limit = 0;
  } else if (o.limitGiven) {
    if (!o.approximate) {
      throw new CommandError('ERR syntax error, LIMIT cannot be used without the special ~ option');
    }
  } else if (o.approximate) {
    const limit = LIMIT_NODES * c.server.settings.streamNodeMaxEntries;
    o.limit = Math.min(limit <= 0 ? LIMIT_DEFAULT : limit, LIMIT_MAX);
  }
}

function parseThreshold(c: Context, at: number, strategy: Trim['strategy']): number {
  const o = trimOptions;
  if (o.strategy !== 'none') {
    throw new CommandError('ERR syntax error, MAXLEN and MINID options at the same time are not compatible');
  }
  let i = at + 1;
  o.approximate = false;
  if (c.argc - 1 - at >= 2 && (c.is(i, '~') || c.is(i, '='))) {
    o.approximate = c.is(i, '~');
    o.specifierAt = i;
    i++;
  }
  if (strategy === 'maxlen') {
    o.maxLength = c.integer(i);
    if (o.maxLength < 0) throw new CommandError('ERR The MAXLEN argument must be >= 0.');
  } else {
    strictId(c, i, o.minId);
  }
  o.strategy = strategy;
  o.thresholdAt = i;
  return i;
}

/** Trims as `trimOptions` say; returns how many entries went. */
export function trimStream(stream: Stream): number {
  return trimOptions.strategy === 'none' ? 0 : stream.trim(trimOptions as Trim);
}

/**
 * The request as it must be propagated: what an approximate trim has left is said exactly, so that it comes out the same
 * everywhere. `id` takes the place of argument `idAt` (0: none).
 */
export function propagatedTrim(c: Context, stream: Stream, idAt: number, id: StreamId | null): (string | Buffer)[] {
  const words: (string | Buffer)[] = [];
  const exact = trimOptions.strategy !== 'none' && trimOptions.approximate;
  for (let i = 0; i < c.argc; i++) {
    if (id !== null && i === idAt) words.push(id.toString());
    else if (exact && i === trimOptions.specifierAt) words.push('=');
    else if (exact && i === trimOptions.thresholdAt) words.push(exactThreshold(stream));
    else words.push(c.copy(i));
  }
  return words;
}

const LAST_ID = '18446744073709551615-18446744073709551615';

function exactThreshold(stream: Stream): string {
  if (trimOptions.strategy === 'maxlen') return String(stream.length);
  // Nothing is left: nothing may be left of the copy.
  return stream.length === 0 ? LAST_ID : stream.firstId.toString();
}
