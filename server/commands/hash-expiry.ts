// Commands for the expiry of single hash fields, as Redis 7.4 brought them. A hash with such fields is a hash table.

import { Encoding } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, invalidExpire } from './errors.ts';
import { findField, hashForRead, hashForWrite, tableOf, toHashTable } from './hash-access.ts';
import { watchFields } from './hash-field-expiry.ts';
import type { hashExpirySpecs } from './specs/hash-expiry.ts';

export const hashExpiryHandlers: Handlers<typeof hashExpirySpecs> = {
  hexpire: (c) => expire(c, 1000, c.nowMs),
  hpexpire: (c) => expire(c, 1, c.nowMs),
  hexpireat: (c) => expire(c, 1000, 0),
  hpexpireat: (c) => expire(c, 1, 0),
  httl: (c) => tell(c, 1000, c.nowMs),
  hpttl: (c) => tell(c, 1, c.nowMs),
  hexpiretime: (c) => tell(c, 1000, 0),
  hpexpiretime: (c) => tell(c, 1, 0),
  hpersist,
};

/** Latest time that Redis takes, ms since 1970. */
const TIME_MAX_MS = 2 ** 46 - 1;

/** Answers for one field. */
const NO_FIELD = -2;
const NO_EXPIRY = -1;
const NOT_MET = 0;
const DONE = 1;
const DELETED = 2;

type Condition = 'nx' | 'xx' | 'gt' | 'lt' | null;

/** HEXPIRE key amount [NX | XX | GT | LT] FIELDS numfields field [field ...] */
function expire(c: Context, unitMs: number, baseMs: number): void {
  const entry = hashForWrite(c, 1);
  const atMs = timeArgument(c, unitMs, baseMs);
  const condition = conditionArgument(c);
  const first = fieldsFrom(c, condition === null ? 3 : 4);
  const past = atMs <= c.nowMs && !c.replaying;
  const expired: Buffer[] = [];
  const removed: Buffer[] = [];
  let at = entry;
  c.reply.array(c.argc - first);
  for (let i = first; i < c.argc; i++) {
    const result = at === 0 ? NO_FIELD : judge(c, at, i, atMs, condition);
    if (result !== DONE) {
      c.reply.int(result);
      continue;
    }
    if (c.db.encoding(at) === Encoding.listpack) at = toHashTable(c, at);
    const table = tableOf(c.db, at);
    const field = table.find(c.buf, c.pos[i], c.len[i]);
    if (past) {
      table.remove(field);
      removed.push(c.copy(i));
    } else {
      table.setExpire(field, atMs);
      expired.push(c.copy(i));
    }
    c.reply.int(past ? DELETED : DONE);
  }
  if (expired.length > 0) {
    watchFields(c.db, c.buf, c.pos[1], c.len[1]);
    c.changed(1, 'h', 'hexpire');
    c.rewrite(['HPEXPIREAT', c.copy(1), String(atMs), 'FIELDS', String(expired.length), ...expired]);
  }
  if (removed.length > 0) {
    c.changed(1, 'h', 'hdel');
    c.rewrite(['HDEL', c.copy(1), ...removed]);
    if (tableOf(c.db, at).length === 0) c.deleteEmptied(1, at);
  }
}

/** What an expiry at `atMs` for the field in argument `i` would come to: DONE when it may be set. */
function judge(c: Context, entry: number, i: number, atMs: number, condition: Condition): number {
  const oldMs = expiryOf(c, entry, i);
  if (oldMs === NO_FIELD) return NO_FIELD;
  if (condition === null) return DONE;
  if (condition === 'nx') return oldMs === NO_EXPIRY ? DONE : NOT_MET;
  if (condition === 'xx') return oldMs === NO_EXPIRY ? NOT_MET : DONE;
  // A field without expiry counts as one that never expires.
  if (condition === 'gt') return oldMs !== NO_EXPIRY && atMs > oldMs ? DONE : NOT_MET;
  return oldMs === NO_EXPIRY || atMs < oldMs ? DONE : NOT_MET;
}

/** HTTL key FIELDS numfields field [field ...] and its relatives */
function tell(c: Context, unitMs: number, baseMs: number): void {
  const entry = hashForRead(c, 1);
  const first = fieldsFrom(c, 2);
  c.reply.array(c.argc - first);
  for (let i = first; i < c.argc; i++) {
    const atMs = entry === 0 ? NO_FIELD : expiryOf(c, entry, i);
    if (atMs < 0) c.reply.int(atMs);
    else c.reply.int(unitMs === 1 ? atMs - baseMs : Math.ceil((atMs - baseMs) / unitMs));
  }
}

/** HPERSIST key FIELDS numfields field [field ...] */
function hpersist(c: Context): void {
  const entry = hashForWrite(c, 1);
  const first = fieldsFrom(c, 2);
  let persisted = 0;
  c.reply.array(c.argc - first);
  for (let i = first; i < c.argc; i++) {
    const atMs = entry === 0 ? NO_FIELD : expiryOf(c, entry, i);
    if (atMs < 0) {
      c.reply.int(atMs);
      continue;
    }
    const table = tableOf(c.db, entry);
    table.clearExpire(table.find(c.buf, c.pos[i], c.len[i]));
    persisted++;
    c.reply.int(DONE);
  }
  if (persisted > 0) c.changed(1, 'h', 'hpersist');
}

/** When the field in argument `i` expires: ms since 1970, NO_EXPIRY or NO_FIELD. */
function expiryOf(c: Context, entry: number, i: number): number {
  if (c.db.encoding(entry) === Encoding.listpack) return findField(c, entry, i) ? NO_EXPIRY : NO_FIELD;
  const table = tableOf(c.db, entry);
  const field = table.find(c.buf, c.pos[i], c.len[i]);
  return field === 0 ? NO_FIELD : table.expireAt(field);
}

function timeArgument(c: Context, unitMs: number, baseMs: number): number {
  const amount = c.integer(2);
  if (amount < 0) throw new CommandError('ERR invalid expire time, must be >= 0');
  if (amount * unitMs > TIME_MAX_MS - baseMs) throw new CommandError(invalidExpire(c.command.name));
  return amount * unitMs + baseMs;
}

function conditionArgument(c: Context): Condition {
  for (const word of ['nx', 'xx', 'gt', 'lt'] as const) if (c.is(3, word)) return word;
  return null;
}

/** The argument index of the first field in `FIELDS numfields field ...` at argument `i`. */
function fieldsFrom(c: Context, i: number): number {
  if (i + 1 >= c.argc || !c.is(i, 'fields')) {
    throw new CommandError('ERR Mandatory argument FIELDS is missing or not at the right position');
  }
  const count = c.integer(i + 1);
  if (count < 1) throw new CommandError('ERR Parameter `numFields` should be greater than 0');
  if (count !== c.argc - i - 2) {
    throw new CommandError('ERR The `numfields` parameter must match the number of arguments');
  }
  return i + 2;
}
