// XRANGE, XREVRANGE, XREAD and XREADGROUP.

import type { Stream } from '../values/stream.ts';
import { StreamCursor } from '../values/stream-cursor.ts';
import type { StreamConsumer, StreamGroup } from '../values/stream-group.ts';
import { StreamId } from '../values/stream-id.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import {
  intervalEnd,
  intervalStart,
  isStrictId,
  readStream,
  replyEntries,
  replyEntry,
  replyId,
  strictId,
  willChange,
} from './stream-access.ts';
import { noteRead } from './stream-counters.ts';
import { GroupChanges } from './stream-propagate.ts';
import { lookUpForRead } from './stream-waiting.ts';

/** A client that waits without COUNT gets at most so many entries at once. */
const WAITING_COUNT = 1000;
/** Waiting longer than this (some 250,000 years) is waiting for ever. */
const WAIT_MS_MAX = 8e15;

const UNBALANCED = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.";

const cursor = new StreamCursor();
const start = new StreamId();
const end = new StreamId();
const MAX = new StreamId().setMax();

export function xrange(c: Context): void {
  range(c, false);
}

export function xrevrange(c: Context): void {
  range(c, true);
}

function range(c: Context, reverse: boolean): void {
  intervalStart(c, reverse ? 3 : 2, start);
  intervalEnd(c, reverse ? 2 : 3, end);
  let count = -1;
  for (let i = 4; i < c.argc; i += 2) {
    if (!c.is(i, 'count') || i + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    count = Math.max(0, c.integer(i + 1));
  }
  const stream = readStream(c, 1);
  if (stream === undefined) c.reply.array(0);
  else if (count === 0) c.reply.nilArray();
  else replyEntries(c, cursor.start(stream, start, end, reverse), Math.max(0, count));
}

/** The options of XREAD and XREADGROUP. One object serves all calls. */
const options = {
  group: false,
  count: 0,
  /** -1 without BLOCK. */
  timeoutMs: -1,
  groupAt: 0,
  consumerAt: 0,
  noAck: false,
  /** Arguments of the first key and number of keys; as many ids follow the keys. */
  keysAt: 0,
  keys: 0,
};

export function xread(c: Context): void {
  parseOptions(c, false);
  read(c);
}

export function xreadgroup(c: Context): void {
  parseOptions(c, true);
  read(c);
}

function parseOptions(c: Context, group: boolean): void {
  const o = options;
  o.group = group;
  o.count = 0;
  o.timeoutMs = -1;
  o.groupAt = 0;
  o.noAck = false;
  o.keysAt = 0;
  for (let i = 1; i < c.argc && o.keysAt === 0; i++) {
    const more = c.argc - i - 1;
    if (c.is(i, 'block') && more > 0) {
      o.timeoutMs = c.integer(++i, 'ERR timeout is not an integer or out of range');
      if (o.timeoutMs < 0) throw new CommandError(ERRORS.timeoutNegative);
    } else if (c.is(i, 'count') && more > 0) {
      o.count = Math.max(0, c.integer(++i));
    } else if (c.is(i, 'streams') && more > 0) {
      o.keysAt = i + 1;
      if (more % 2 !== 0) throw new CommandError(UNBALANCED);
      o.keys = more / 2;
    } else if (c.is(i, 'group') && more >= 2) {
      if (!group) throw new CommandError(notForXread('GROUP'));
      o.groupAt = i + 1;
      o.consumerAt = i + 2;
      i += 2;
    } else if (c.is(i, 'noack')) {
      if (!group) throw new CommandError(notForXread('NOACK'));
      o.noAck = true;
    } else {
      throw new CommandError(ERRORS.syntax);
    }
  }
  if (o.keysAt === 0) throw new CommandError(ERRORS.syntax);
  if (group && o.groupAt === 0) throw new CommandError('ERR Missing GROUP option for XREADGROUP');
}

function notForXread(option: string): string {
  return `ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`;
}

/** The id after which to read, per stream; the largest stands for XREADGROUP's `>`. Reused, grown on demand. */
const after: StreamId[] = [];
const streams: (Stream | undefined)[] = [];
const groups: (StreamGroup | undefined)[] = [];

function read(c: Context): void {
  const o = options;
  for (let k = 0; k < o.keys; k++) {
    after[k] ??= new StreamId();
    const found = lookUpForRead(c, o.keysAt + k, o.groupAt);
    streams[k] = found.stream;
    groups[k] = found.group;
    parsePosition(c, k);
  }
  const changes = new GroupChanges(c);
  const mark = c.reply.beginAggregate();
  let served = 0;
  for (let k = 0; k < o.keys; k++) {
    const stream = streams[k];
    if (stream === undefined || !hasSomething(stream, groups[k], after[k])) continue;
    served++;
    serve(c, k, stream, changes);
  }
  if (served > 0) c.reply.endAggregate(mark, c.reply.resp3 ? 'map' : 'array', served);
  if (o.group) changes.propagate();
  if (served === 0) waitOrGiveUp(c);
}

/** Reads the id argument of stream `k`. */
function parsePosition(c: Context, k: number): void {
  const { keysAt, keys, group } = options;
  const i = keysAt + keys + k;
  if (c.is(i, '$')) {
    if (group) {
      throw new CommandError(
        'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by ' +
          'specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
      );
    }
    const stream = streams[k];
    if (stream === undefined) after[k].setZero();
    else after[k].set(stream.lastId);
  } else if (c.is(i, '>')) {
    if (!group) {
      throw new CommandError(
        'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
      );
    }
    after[k].setMax();
  } else {
    strictId(c, i, after[k]);
  }
}

/** Whether the stream can be served at once. Turns `>` into the group's last id. */
function hasSomething(stream: Stream, group: StreamGroup | undefined, position: StreamId): boolean {
  if (group !== undefined && !position.isMax) return true;
  if (stream.length === 0 || !stream.edge(true, end)) return false;
  return end.compare(group === undefined ? position : group.lastId) > 0;
}

/** Replies with one stream's name and entries. */
function serve(c: Context, k: number, stream: Stream, changes: GroupChanges): void {
  const o = options;
  const key = o.keysAt + k;
  const count = o.count === 0 && c.resumed ? WAITING_COUNT : o.count;
  if (!c.reply.resp3) c.reply.array(2);
  c.reply.bulkRange(c.buf, c.pos[key], c.len[key]);
  const group = groups[k];
  if (group === undefined) {
    start.set(after[k]);
    start.increment();
    replyEntries(c, cursor.start(stream, start, MAX), count);
    return;
  }
  willChange(c, key);
  const consumer = seenConsumer(c, key, group, changes);
  if (after[k].isMax) {
    start.set(group.lastId);
    start.increment();
    deliver(c, key, stream, group, consumer, count, changes);
  } else {
    start.set(after[k]);
    start.increment();
    replayHistory(c, stream, group, consumer, count);
  }
  c.keyspace.dirty++;
}

function seenConsumer(c: Context, key: number, group: StreamGroup, changes: GroupChanges): StreamConsumer {
  const { consumerAt, groupAt, noAck } = options;
  const known = group.consumer(c.buf, c.pos[consumerAt], c.len[consumerAt]);
  if (known !== undefined) {
    known.seenAtMs = c.nowMs;
    return known;
  }
  const consumer = group.createConsumer(c.copy(consumerAt), c.nowMs);
  c.keyspace.dirty++;
  c.notify(key, 't', 'xgroup-createconsumer');
  // With acknowledgements the claims that follow create the consumer on the other side.
  if (noAck) changes.consumerCreated(key, groupAt, consumer.name);
  return consumer;
}

/** Delivers new entries from `start` on to a consumer. */
function deliver(
  c: Context,
  key: number,
  stream: Stream,
  group: StreamGroup,
  consumer: StreamConsumer,
  count: number,
  changes: GroupChanges,
): void {
  const { noAck, groupAt } = options;
  const mark = c.reply.beginAggregate();
  cursor.start(stream, start, MAX);
  let delivered = 0;
  let moved = false;
  while (cursor.next()) {
    const id = cursor.id;
    if (id.compare(group.lastId) > 0) {
      noteRead(stream, group, id);
      moved = noAck;
    }
    replyEntry(c, cursor);
    if (!noAck) {
      // An entry may be pending already, after XGROUP SETID went backwards.
      if (!group.pending.seek(id)) group.addPending(id, c.nowMs, 1);
      group.deliveredAtMs = c.nowMs;
      group.deliveries = 1;
      group.assign(id, consumer);
      changes.claimed(key, groupAt, group, id);
    }
    if (++delivered === count) break;
  }
  if (delivered > 0) consumer.activeAtMs = c.nowMs;
  if (moved) changes.readUpTo(key, groupAt, group);
  c.reply.endAggregate(mark, 'array', delivered);
}

const pendingId = new StreamId();

/** Replies with what is pending for a consumer from `start` on; deleted entries have a null in the place of fields. */
function replayHistory(c: Context, stream: Stream, group: StreamGroup, consumer: StreamConsumer, count: number): void {
  const { pending } = consumer;
  const mark = c.reply.beginAggregate();
  let replied = 0;
  for (let more = pending.seekAtLeast(start); more; more = pending.next()) {
    pending.readId(pendingId);
    if (cursor.find(stream, pendingId, replied > 0)) {
      replyEntry(c, cursor);
      if (group.pending.seek(pendingId)) {
        group.deliveredAtMs = c.nowMs;
        group.deliveries++;
      }
    } else {
      c.reply.array(2);
      replyId(c, pendingId);
      c.reply.nilArray();
    }
    if (++replied === count) break;
  }
  c.reply.endAggregate(mark, 'array', replied);
}

/** There is nothing to read: waits if the client wants to and may. */
function waitOrGiveUp(c: Context): void {
  const { timeoutMs, keysAt, keys, group } = options;
  if (timeoutMs < 0 || !c.mayBlock) {
    c.reply.nilArray();
    return;
  }
  const request = c.storedRequest();
  const waitFor: Buffer[] = [];
  for (let k = 0; k < keys; k++) {
    waitFor.push(request.args[keysAt + k]);
    // `$` means the last id of now, not of the time when something arrives.
    const i = keysAt + keys + k;
    if (!group && !isStrictId(c, i, start)) request.args[i] = Buffer.from(after[k].toString(), 'latin1');
  }
  c.block({
    keys: waitFor,
    deadlineMs: timeoutMs === 0 || timeoutMs > WAIT_MS_MAX ? 0 : c.nowMs + timeoutMs,
    onTimeout: 'nilArray',
    wakeOnDelete: group,
    request,
  });
}
