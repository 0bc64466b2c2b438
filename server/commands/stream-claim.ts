// XPENDING, XCLAIM and XAUTOCLAIM: what was delivered and not acknowledged, and taking it over.

import type { Stream } from '../values/stream.ts';
import { StreamCursor } from '../values/stream-cursor.ts';
import type { StreamConsumer, StreamGroup } from '../values/stream-group.ts';
import { StreamId } from '../values/stream-id.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import {
  errorText,
  intervalEnd,
  intervalStart,
  isStrictId,
  readGroup,
  replyEntry,
  replyId,
  strictId,
  willChange,
} from './stream-access.ts';
import { GroupChanges } from './stream-propagate.ts';

const AUTOCLAIM_COUNT = 100;
/** XAUTOCLAIM looks at up to this many pending entries for each one it may return. */
const AUTOCLAIM_ATTEMPTS = 10;
/** The largest COUNT for which Redis can reckon with its ids of 16 bytes. */
const AUTOCLAIM_COUNT_MAX = 2 ** 59;
/** More ids than any machine has memory for. */
const AUTOCLAIM_IDS_MAX = 2 ** 43;

const id = new StreamId();
const start = new StreamId();
const end = new StreamId();
const cursor = new StreamCursor();

/** XPENDING key group [[IDLE min-idle-time] start end count [consumer]] */
export function xpending(c: Context): void {
  if (c.argc === 3) {
    summary(c, readGroup(c, 1, 2).group);
    return;
  }
  if (c.argc < 6 || c.argc > 9) throw new CommandError(ERRORS.syntax);
  let minIdleMs = 0;
  let at = 3;
  if (c.is(3, 'idle')) {
    minIdleMs = c.integer(4);
    if (c.argc < 8) throw new CommandError(ERRORS.syntax);
    at = 5;
  }
  const count = Math.max(0, c.integer(at + 2));
  intervalStart(c, at, start);
  intervalEnd(c, at + 1, end);
  const { group } = readGroup(c, 1, 2);
  const consumer = at + 3 < c.argc ? group.consumer(c.buf, c.pos[at + 3], c.len[at + 3]) : undefined;
  if (at + 3 < c.argc && consumer === undefined) c.reply.array(0);
  else listPending(c, group, consumer, minIdleMs, count);
}

function summary(c: Context, group: StreamGroup): void {
  const { reply } = c;
  const { pending } = group;
  reply.array(4);
  reply.int(pending.size);
  if (pending.size === 0) {
    reply.nil();
    reply.nil();
    reply.nilArray();
    return;
  }
  pending.first();
  replyId(c, pending.readId(id));
  pending.last();
  replyId(c, pending.readId(id));
  const mark = reply.beginAggregate();
  let owners = 0;
  for (const consumer of group.consumers) {
    if (consumer.pending.size === 0) continue;
    owners++;
    reply.array(2);
    reply.bulk(consumer.name);
    reply.bulkInt(consumer.pending.size);
  }
  reply.endAggregate(mark, 'array', owners);
}

/** Pending entries from `start` to `end`, of one consumer or of all. */
function listPending(
  c: Context,
  group: StreamGroup,
  consumer: StreamConsumer | undefined,
  minIdleMs: number,
  count: number,
): void {
  const { reply } = c;
  const index = consumer === undefined ? group.pending : consumer.pending;
  const mark = reply.beginAggregate();
  let replied = 0;
  let more = count > 0 && index.seekAtLeast(start);
  for (; more && replied < count; more = index.next()) {
    if (index.readId(id).compare(end) > 0) break;
    if (consumer !== undefined) group.pending.seek(id);
    const idleMs = c.nowMs - group.deliveredAtMs;
    if (minIdleMs !== 0 && idleMs < minIdleMs) continue;
    replied++;
    reply.array(4);
    replyId(c, id);
    reply.bulk(group.owner?.name ?? Buffer.alloc(0));
    reply.int(Math.max(0, idleMs));
    reply.int(group.deliveries);
  }
  reply.endAggregate(mark, 'array', replied);
}

/** What XCLAIM's options said. */
interface ClaimOptions {
  deliveredAtMs: number;
  /** -1 without RETRYCOUNT. */
  deliveries: number;
  force: boolean;
  justId: boolean;
  /** Not the first id of the request: the cursor may go on from where it is. */
  goOn: boolean;
}

const claimOptions: ClaimOptions = { deliveredAtMs: 0, deliveries: -1, force: false, justId: false, goOn: false };
const givenLastId = new StreamId();

/** XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id] */
export function xclaim(c: Context): void {
  const { stream, group } = readGroup(c, 1, 2);
  const minIdleMs = Math.max(0, c.integer(4, 'ERR Invalid min-idle-time argument for XCLAIM'));
  let idsEnd = 5;
  while (idsEnd < c.argc && isStrictId(c, idsEnd, id)) idsEnd++;
  parseClaimOptions(c, idsEnd);
  willChange(c, 1);
  let lastIdMoved = givenLastId.compare(group.lastId) > 0;
  if (lastIdMoved) group.lastId.set(givenLastId);
  const changes = new GroupChanges(c);
  const mark = c.reply.beginAggregate();
  let claimed = 0;
  for (let i = 5; i < idsEnd; i++) {
    strictId(c, i, id);
    const outcome = claimOne(c, stream, group, minIdleMs, claimOptions, changes);
    if (outcome === 'kept') continue;
    lastIdMoved = false;
    if (outcome === 'claimed') claimed++;
  }
  if (lastIdMoved) {
    changes.readUpTo(1, 2, group);
    c.keyspace.dirty++;
  }
  c.reply.endAggregate(mark, 'array', claimed);
  changes.propagate();
}

function parseClaimOptions(c: Context, from: number): void {
  const o = claimOptions;
  o.deliveries = -1;
  o.force = false;
  o.goOn = false;
  o.justId = false;
  givenLastId.setZero();
  let deliveredAtMs = -1;
  for (let i = from; i < c.argc; i++) {
    const more = i + 1 < c.argc;
    if (c.is(i, 'force')) o.force = true;
    else if (c.is(i, 'justid')) o.justId = true;
    else if (c.is(i, 'idle') && more) {
      deliveredAtMs = c.nowMs - c.integer(++i, 'ERR Invalid IDLE option argument for XCLAIM');
    } else if (c.is(i, 'time') && more) {
      deliveredAtMs = c.integer(++i, 'ERR Invalid TIME option argument for XCLAIM');
    } else if (c.is(i, 'retrycount') && more) {
      o.deliveries = c.integer(++i, 'ERR Invalid RETRYCOUNT option argument for XCLAIM');
    } else if (c.is(i, 'lastid') && more) {
      strictId(c, ++i, givenLastId);
    } else {
      throw new CommandError(`ERR Unrecognized XCLAIM option '${errorText(c, i)}'`);
    }
  }
  // A time in the future is a clock that differs from ours: then it counts as delivered now.
  o.deliveredAtMs = deliveredAtMs < 0 || deliveredAtMs > c.nowMs ? c.nowMs : deliveredAtMs;
}

/** The consumer named in argument 3, created if need be. */
function claimant(c: Context, group: StreamGroup): StreamConsumer {
  const known = group.consumer(c.buf, c.pos[3], c.len[3]);
  if (known !== undefined) {
    known.seenAtMs = c.nowMs;
    return known;
  }
  c.keyspace.dirty++;
  c.notify(1, 't', 'xgroup-createconsumer');
  return group.createConsumer(c.copy(3), c.nowMs);
}

/**
 * Claims the entry `id` and replies with it: 'claimed'; 'gone' when it was pending but deleted from the stream, so that
 * it is forgotten; 'kept' when there was nothing to claim or it is not idle enough.
 */
function claimOne(
  c: Context,
  stream: Stream,
  group: StreamGroup,
  minIdleMs: number,
  o: ClaimOptions,
  changes: GroupChanges,
): 'claimed' | 'gone' | 'kept' {
  let pending = group.pending.seek(id);
  const exists = cursor.find(stream, id, o.goOn);
  o.goOn = true;
  if (!exists) {
    if (!pending) return 'kept';
    changes.claimed(1, 2, group, id);
    group.removePending(id);
    c.keyspace.dirty++;
    return 'gone';
  }
  if (!pending && o.force) {
    group.addPending(id, c.nowMs, 1);
    pending = true;
  }
  if (!pending) return 'kept';
  if (group.owner !== undefined && minIdleMs > 0 && c.nowMs - group.deliveredAtMs < minIdleMs) return 'kept';
  const consumer = claimant(c, group);
  group.deliveredAtMs = o.deliveredAtMs;
  if (o.deliveries >= 0) group.deliveries = o.deliveries;
  else if (!o.justId) group.deliveries++;
  group.assign(id, consumer);
  consumer.activeAtMs = c.nowMs;
  if (o.justId) replyId(c, id);
  else replyEntry(c, cursor);
  changes.claimed(1, 2, group, id);
  c.keyspace.dirty++;
  return 'claimed';
}

/** XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID] */
export function xautoclaim(c: Context): void {
  const minIdleMs = Math.max(0, c.integer(4, 'ERR Invalid min-idle-time argument for XAUTOCLAIM'));
  intervalStart(c, 5, start);
  let count = AUTOCLAIM_COUNT;
  const o = claimOptions;
  o.justId = false;
  o.force = false;
  o.goOn = false;
  o.deliveries = -1;
  o.deliveredAtMs = c.nowMs;
  for (let i = 6; i < c.argc; i++) {
    if (c.is(i, 'count') && i + 1 < c.argc) {
      count = c.integerBetween(++i, 1, AUTOCLAIM_COUNT_MAX - 1, 'ERR COUNT must be > 0');
    } else if (c.is(i, 'justid')) {
      o.justId = true;
    } else {
      throw new CommandError(ERRORS.syntax);
    }
  }
  const { stream, group } = readGroup(c, 1, 2);
  if (count > AUTOCLAIM_IDS_MAX) {
    throw new CommandError('ERR Insufficient memory, failed allocating transient memory, COUNT too high.');
  }
  willChange(c, 1);
  const changes = new GroupChanges(c);
  const gone: StreamId[] = [];
  claimIdle(c, stream, group, minIdleMs, count, changes, gone);
  c.reply.array(gone.length);
  for (const deleted of gone) replyId(c, deleted);
  changes.propagate();
}

/**
 * Claims what is idle from `start` on and replies with the first two parts, the id to go on from and the claimed
 * entries. Ids that were pending but no longer exist are forgotten and collected in `gone`.
 */
function claimIdle(
  c: Context,
  stream: Stream,
  group: StreamGroup,
  minIdleMs: number,
  count: number,
  changes: GroupChanges,
  gone: StreamId[],
): void {
  const { pending } = group;
  let claimed = 0;
  let attempts = count * AUTOCLAIM_ATTEMPTS;
  let left = count;
  let more = pending.seekAtLeast(start);
  const entriesAt = c.reply.beginAggregate();
  for (; more && attempts > 0 && left > 0; attempts--) {
    pending.readId(id);
    const outcome = claimOne(c, stream, group, minIdleMs, claimOptions, changes);
    if (outcome === 'gone') gone.push(new StreamId().set(id));
    else if (outcome === 'claimed') claimed++;
    if (outcome !== 'kept') left--;
    end.set(id);
    more = end.increment() && pending.seekAtLeast(end);
  }
  c.reply.endAggregate(entriesAt, 'array', claimed);
  if (more) pending.readId(id);
  else id.setZero();
  prefixReply(c, entriesAt, id);
}

/** Puts the head of the three-part reply and the id to go on from in front of what was written since `mark`. */
function prefixReply(c: Context, mark: number, next: StreamId): void {
  const { reply } = c;
  const written = Buffer.from(reply.buf.subarray(mark, reply.pos));
  reply.pos = mark;
  reply.array(3);
  replyId(c, next);
  reply.raw(written);
}
