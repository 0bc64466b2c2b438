// Expiry times as arguments, and the commands that set, read and clear them.

import { parseInteger } from '../base/numbers.ts';
import { NO_EXPIRY } from '../keyspace/database.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, invalidExpire, lastWord } from './errors.ts';
import type { genericSpecs } from './specs/generic.ts';

type ExpiryCommands =
  | 'expire'
  | 'pexpire'
  | 'expireat'
  | 'pexpireat'
  | 'ttl'
  | 'pttl'
  | 'expiretime'
  | 'pexpiretime'
  | 'persist';

export const expiryHandlers: Handlers<Pick<typeof genericSpecs, ExpiryCommands>> = {
  expire: (c) => expire(c, 'expire', 1000, c.nowMs),
  pexpire: (c) => expire(c, 'pexpire', 1, c.nowMs),
  expireat: (c) => expire(c, 'expireat', 1000, 0),
  pexpireat: (c) => expire(c, 'pexpireat', 1, 0),
  ttl: (c) => remaining(c, 1000, c.nowMs),
  pttl: (c) => remaining(c, 1, c.nowMs),
  expiretime: (c) => remaining(c, 1000, 0),
  pexpiretime: (c) => remaining(c, 1, 0),
  persist: (c) => {
    const entry = c.lookupWrite(1);
    const volatile = entry !== 0 && c.db.expireAt(entry) !== NO_EXPIRY;
    if (volatile) {
      c.db.clearExpire(entry);
      c.changed(1, 'g', 'persist');
    }
    c.reply.int(volatile ? 1 : 0);
  },
};

/**
 * The time that `EX s`, `PX ms`, `EXAT s` or `PXAT ms` at argument `i` names, in ms since 1970. Throws for times that
 * are not positive or out of range.
 */
export function expiryArgument(c: Context, i: number, commandName: string): number {
  const seconds = c.is(i, 'ex') || c.is(i, 'exat');
  const relative = c.is(i, 'ex') || c.is(i, 'px');
  const amount = c.integer(i + 1);
  const atMs = (seconds ? amount * 1000 : amount) + (relative ? c.nowMs : 0);
  if (amount <= 0 || atMs > 9223372036854775000) throw new CommandError(invalidExpire(commandName));
  return atMs;
}

/** EXPIRE key amount [NX | XX | GT | LT] */
function expire(c: Context, name: string, unitMs: number, baseMs: number): void {
  const condition = c.argc > 3 ? parseCondition(c) : null;
  const atMs = expiryOf(c, name, unitMs, Math.trunc(baseMs));
  const entry = c.lookupWrite(1);
  if (entry === 0 || (condition !== null && !condition(c.db.expireAt(entry), Number(atMs)))) {
    c.reply.int(0);
    return;
  }
  if (Number(atMs) <= c.nowMs && !c.replaying) {
    c.db.delete(entry);
    c.changed(1, 'g', 'del');
    c.rewrite(['DEL', c.copy(1)]);
  } else {
    c.db.setExpire(entry, Number(atMs));
    c.changed(1, 'g', 'expire');
    if (c.server.events.propagating) {
      const conditions = Array.from({ length: c.argc - 3 }, (_, i) => c.copy(i + 3));
      c.rewrite(['PEXPIREAT', c.copy(1), atMs.toString(), ...conditions]);
    }
  }
  c.reply.int(1);
}

const INT64_LIMIT = 9223372036854775807n;

/** The time in ms since 1970 that argument 2 stands for; a bigint where a number would not be exact. */
function expiryOf(c: Context, name: string, unitMs: number, baseMs: number): number | bigint {
  const near = parseInteger(c.buf, c.pos[2], c.len[2]) * unitMs;
  if (Number.isSafeInteger(near) && Number.isSafeInteger(near + baseMs)) return near + baseMs;
  const product = c.int64(2) * BigInt(unitMs);
  const atMs = product + BigInt(baseMs);
  if (product > INT64_LIMIT || product < -INT64_LIMIT || atMs > INT64_LIMIT) {
    throw new CommandError(invalidExpire(name));
  }
  return atMs;
}

/** Whether the new time may replace the old one, by the options from argument 3 on. */
function parseCondition(c: Context): (oldMs: number, newMs: number) => boolean {
  let nx = false;
  let xx = false;
  let gt = false;
  let lt = false;
  for (let i = 3; i < c.argc; i++) {
    if (c.is(i, 'nx')) nx = true;
    else if (c.is(i, 'xx')) xx = true;
    else if (c.is(i, 'gt')) gt = true;
    else if (c.is(i, 'lt')) lt = true;
    else throw new CommandError(`ERR Unsupported option ${lastWord(c.shown(i))}`);
  }
  if (nx && (xx || gt || lt)) {
    throw new CommandError('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if (gt && lt) throw new CommandError('ERR GT and LT options at the same time are not compatible');
  return (oldMs, newMs) => {
    if (nx && oldMs !== NO_EXPIRY) return false;
    if (xx && oldMs === NO_EXPIRY) return false;
    // A key without expiry counts as one that never expires.
    if (gt && (oldMs === NO_EXPIRY || newMs <= oldMs)) return false;
    if (lt && oldMs !== NO_EXPIRY && newMs >= oldMs) return false;
    return true;
  };
}

/** -2 without the key, -1 without an expiry. */
function remaining(c: Context, unitMs: number, baseMs: number): void {
  const entry = c.peekRead(1);
  if (entry === 0) {
    c.reply.int(-2);
    return;
  }
  const atMs = c.db.expireAt(entry);
  if (atMs === NO_EXPIRY) c.reply.int(-1);
  else if (unitMs === 1) c.reply.int(Math.max(0, atMs - baseMs));
  else c.reply.int(Math.floor((Math.max(0, atMs - baseMs) + 500) / 1000));
}
