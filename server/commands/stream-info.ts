// XINFO STREAM [FULL], GROUPS and CONSUMERS.

import type { Stream } from '../values/stream.ts';
import { StreamCursor } from '../values/stream-cursor.ts';
import type { StreamConsumer, StreamGroup } from '../values/stream-group.ts';
import { StreamId } from '../values/stream-id.ts';
import { radixNodes } from '../values/stream-radix.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { errorText, readStream, replyEntries, replyEntry, replyId } from './stream-access.ts';
import { lagOf, UNKNOWN } from './stream-counters.ts';

const KEY = 2;
const FULL_COUNT = 10;

const cursor = new StreamCursor();
const id = new StreamId();
const ZERO = new StreamId();
const MAX = new StreamId().setMax();

/** XINFO STREAM key [FULL [COUNT count]] */
export function xinfoStream(c: Context): void {
  const stream = requireStream(c);
  const full = c.argc > 3;
  let count = FULL_COUNT;
  if (full) {
    if (c.argc === 5 || !c.is(3, 'full') || c.argc > 6) throw new CommandError(subcommandError(c));
    if (c.argc === 6) {
      if (!c.is(4, 'count')) throw new CommandError(subcommandError(c));
      count = c.integer(5);
      if (count < 0) count = FULL_COUNT;
    }
  }
  const { reply } = c;
  reply.map(full ? 9 : 10);
  number(c, 'length', stream.length);
  number(c, 'radix-tree-keys', stream.nodes.size);
  number(c, 'radix-tree-nodes', radixNodes(stream.nodes));
  idField(c, 'last-generated-id', stream.lastId);
  idField(c, 'max-deleted-entry-id', stream.maxDeletedId);
  number(c, 'entries-added', stream.entriesAdded);
  idField(c, 'recorded-first-entry-id', stream.firstId);
  if (full) replyFull(c, stream, count);
  else replySummary(c, stream);
}

function replySummary(c: Context, stream: Stream): void {
  number(c, 'groups', stream.groups.size);
  c.reply.text('first-entry');
  replyEdge(c, stream, false);
  c.reply.text('last-entry');
  replyEdge(c, stream, true);
}

function replyEdge(c: Context, stream: Stream, last: boolean): void {
  if (cursor.start(stream, ZERO, MAX, last).next()) replyEntry(c, cursor);
  else c.reply.nil();
}

function replyFull(c: Context, stream: Stream, count: number): void {
  const { reply } = c;
  reply.text('entries');
  replyEntries(c, cursor.start(stream, ZERO, MAX), count);
  reply.text('groups');
  reply.array(stream.groups.size);
  for (const group of stream.groups) {
    reply.map(7);
    name(c, group.name);
    groupCounters(c, stream, group);
    number(c, 'pel-count', group.pending.size);
    reply.text('pending');
    replyPending(c, group, count);
    reply.text('consumers');
    reply.array(group.consumers.size);
    for (const consumer of group.consumers) replyFullConsumer(c, group, consumer, count);
  }
}

function replyPending(c: Context, group: StreamGroup, count: number): void {
  const { reply } = c;
  const { pending } = group;
  let left = limited(pending.size, count);
  reply.array(left);
  for (let more = pending.first(); more && left > 0; more = pending.next(), left--) {
    reply.array(4);
    replyId(c, pending.readId(id));
    reply.bulk(group.owner?.name ?? Buffer.alloc(0));
    reply.int(group.deliveredAtMs);
    reply.int(group.deliveries);
  }
}

function replyFullConsumer(c: Context, group: StreamGroup, consumer: StreamConsumer, count: number): void {
  const { reply } = c;
  const { pending } = consumer;
  reply.map(5);
  name(c, consumer.name);
  number(c, 'seen-time', consumer.seenAtMs);
  number(c, 'active-time', consumer.activeAtMs);
  number(c, 'pel-count', pending.size);
  reply.text('pending');
  let left = limited(pending.size, count);
  reply.array(left);
  for (let more = pending.first(); more && left > 0; more = pending.next(), left--) {
    reply.array(3);
    replyId(c, pending.readId(id));
    group.pending.seek(id);
    reply.int(group.deliveredAtMs);
    reply.int(group.deliveries);
  }
}

function limited(size: number, count: number): number {
  return count === 0 ? size : Math.min(size, count);
}

/** XINFO GROUPS key */
export function xinfoGroups(c: Context): void {
  const stream = requireStream(c);
  c.reply.array(stream.groups.size);
  for (const group of stream.groups) {
    c.reply.map(6);
    name(c, group.name);
    number(c, 'consumers', group.consumers.size);
    number(c, 'pending', group.pending.size);
    groupCounters(c, stream, group);
  }
}

function groupCounters(c: Context, stream: Stream, group: StreamGroup): void {
  idField(c, 'last-delivered-id', group.lastId);
  numberOrNil(c, 'entries-read', group.entriesRead === UNKNOWN ? null : group.entriesRead);
  numberOrNil(c, 'lag', lagOf(stream, group));
}

/** XINFO CONSUMERS key group */
export function xinfoConsumers(c: Context): void {
  const group = requireStream(c).group(c.buf, c.pos[3], c.len[3]);
  if (group === undefined) {
    throw new CommandError(`NOGROUP No such consumer group '${errorText(c, 3)}' for key name '${errorText(c, KEY)}'`);
  }
  c.reply.array(group.consumers.size);
  for (const consumer of group.consumers) {
    c.reply.map(4);
    name(c, consumer.name);
    number(c, 'pending', consumer.pending.size);
    number(c, 'idle', Math.max(0, c.nowMs - consumer.seenAtMs));
    number(c, 'inactive', consumer.activeAtMs < 0 ? -1 : Math.max(0, c.nowMs - consumer.activeAtMs));
  }
}

function requireStream(c: Context): Stream {
  const stream = readStream(c, KEY);
  if (stream === undefined) throw new CommandError(ERRORS.noSuchKey);
  return stream;
}

function subcommandError(c: Context): string {
  return `ERR unknown subcommand or wrong number of arguments for '${errorText(c, 1)}'. Try XINFO HELP.`;
}

function name(c: Context, bytes: Buffer): void {
  c.reply.text('name');
  c.reply.bulk(bytes);
}

function number(c: Context, field: string, value: number): void {
  c.reply.text(field);
  c.reply.int(value);
}

function numberOrNil(c: Context, field: string, value: number | null): void {
  c.reply.text(field);
  if (value === null) c.reply.nil();
  else c.reply.int(value);
}

function idField(c: Context, field: string, value: StreamId): void {
  c.reply.text(field);
  replyId(c, value);
}
