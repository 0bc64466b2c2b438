// XADD, XDEL, XTRIM, XSETID, XLEN.

import { Type } from '../keyspace/layout.ts';
import { type NodeLimits, STREAM_NODE_BYTES_MAX, type Stream } from '../values/stream.ts';
import { StreamId } from '../values/stream-id.ts';
import type { FieldArguments } from '../values/stream-node.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS, wrongArity } from './errors.ts';
import { createStream, idToAdd, readStream, replyId, streamAt, strictId, writeStream } from './stream-access.ts';
import { checkTrimOptions, isStar, parseTrimOptions, propagatedTrim, trimOptions, trimStream } from './stream-trim.ts';

const ID_TOO_SMALL = 'ERR The ID specified in XADD is equal or smaller than the target stream top item';

const given = new StreamId();
const fields: FieldArguments = {
  buf: Buffer.alloc(0),
  pos: new Int32Array(0),
  len: new Int32Array(0),
  first: 0,
  count: 0,
};
const limits: NodeLimits = { nodeBytesMax: 0, nodeEntriesMax: 0 };

export function xadd(c: Context): void {
  const idAt = parseTrimOptions(c, true);
  const automatic = idAt < c.argc && isStar(c, idAt);
  const sequenceGiven = automatic || idAt >= c.argc ? false : idToAdd(c, idAt, given);
  checkTrimOptions(c, true);
  const count = c.argc - idAt - 1;
  if (count < 2 || count % 2 === 1) throw new CommandError(wrongArity('xadd'));
  if (sequenceGiven && given.isZero) throw new CommandError('ERR The ID specified in XADD must be greater than 0-0');
  const entry = c.typedWrite(1, Type.stream);
  if (entry === 0 && trimOptions.noMakeStream) {
    c.reply.nil();
    return;
  }
  const textBytes = fieldBytes(c, idAt + 1);
  let stream: Stream | null = null;
  if (entry !== 0) {
    stream = streamAt(c, entry);
    if (stream.lastId.isMax) {
      throw new CommandError('ERR The stream has exhausted the last possible ID, unable to add more items');
    }
  }
  if (!nextId(c, stream, automatic, sequenceGiven)) throw new CommandError(ID_TOO_SMALL);
  if (textBytes > STREAM_NODE_BYTES_MAX) throw new CommandError('ERR Elements are too large to be stored');
  stream ??= createStream(c, 1);
  fields.buf = c.buf;
  fields.pos = c.pos;
  fields.len = c.len;
  fields.first = idAt + 1;
  fields.count = count >>> 1;
  limits.nodeBytesMax = c.server.settings.streamNodeMaxBytes;
  limits.nodeEntriesMax = c.server.settings.streamNodeMaxEntries;
  stream.append(given, fields, textBytes, limits);
  replyId(c, given);
  c.changed(1, 't', 'xadd');
  if (trimStream(stream) > 0) c.notify(1, 't', 'xtrim');
  const approximate = trimOptions.strategy !== 'none' && trimOptions.approximate;
  if ((approximate || !sequenceGiven) && c.server.events.propagating) {
    c.rewrite(propagatedTrim(c, stream, idAt, given));
  }
}

function fieldBytes(c: Context, first: number): number {
  let sum = 0;
  for (let i = first; i < c.argc; i++) sum += c.len[i];
  return sum;
}

/** Works out the new entry's id from `given` and the stream (null: a new one) into `given`; false when it can't be. */
function nextId(c: Context, stream: Stream | null, automatic: boolean, sequenceGiven: boolean): boolean {
  if (stream === null) {
    if (automatic) given.setNumbers(c.nowMs, 0);
    // A new stream's last id is 0-0.
    else if (given.isZero) given.increment();
    return true;
  }
  const last = stream.lastId;
  if (automatic) {
    given.setNumbers(c.nowMs, 0);
    if (given.compare(last) > 0) return true;
    // The clock stands still or went backwards: the sequence counts on.
    given.set(last);
    return given.increment();
  }
  if (!sequenceGiven && given.sameMs(last)) {
    if (last.sequenceIsMax) return false;
    given.set(last);
    given.increment();
  }
  return given.compare(last) > 0;
}

const doomed = new StreamId();

export function xdel(c: Context): void {
  const stream = writeStream(c, 1);
  if (stream === undefined) {
    c.reply.int(0);
    return;
  }
  for (let i = 2; i < c.argc; i++) strictId(c, i, doomed);
  let deleted = 0;
  let firstGone = false;
  for (let i = 2; i < c.argc; i++) {
    strictId(c, i, doomed);
    if (!stream.delete(doomed)) continue;
    deleted++;
    if (doomed.compare(stream.firstId) === 0) firstGone = true;
    if (doomed.compare(stream.maxDeletedId) > 0) stream.maxDeletedId.set(doomed);
  }
  if (deleted > 0) {
    if (stream.length === 0 || firstGone) stream.refreshFirstId();
    c.changed(1, 't', 'xdel');
    c.keyspace.dirty += deleted - 1;
  }
  c.reply.int(deleted);
}

export function xtrim(c: Context): void {
  parseTrimOptions(c, false);
  checkTrimOptions(c, false);
  const stream = writeStream(c, 1);
  const removed = stream === undefined ? 0 : trimStream(stream);
  if (removed > 0) {
    c.changed(1, 't', 'xtrim');
    c.keyspace.dirty += removed - 1;
    if (trimOptions.approximate && c.server.events.propagating) c.rewrite(propagatedTrim(c, stream!, 0, null));
  }
  c.reply.int(removed);
}

export function xlen(c: Context): void {
  c.reply.int(readStream(c, 1)?.length ?? 0);
}

const lastValid = new StreamId();
const newLast = new StreamId();
const newMaxDeleted = new StreamId();

export function xsetid(c: Context): void {
  strictId(c, 2, newLast);
  let entriesAdded = -1;
  newMaxDeleted.setZero();
  for (let i = 3; i < c.argc; i += 2) {
    if (c.is(i, 'entriesadded') && i + 1 < c.argc) {
      entriesAdded = c.integer(i + 1);
      if (entriesAdded < 0) throw new CommandError('ERR entries_added must be positive');
    } else if (c.is(i, 'maxdeletedid') && i + 1 < c.argc) {
      strictId(c, i + 1, newMaxDeleted);
      if (newLast.compare(newMaxDeleted) < 0) {
        throw new CommandError('ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id');
      }
    } else {
      throw new CommandError(ERRORS.syntax);
    }
  }
  const stream = writeStream(c, 1);
  if (stream === undefined) throw new CommandError(ERRORS.noSuchKey);
  if (stream.length > 0) {
    stream.edge(true, lastValid);
    if (newLast.compare(lastValid) < 0) {
      throw new CommandError('ERR The ID specified in XSETID is smaller than the target stream top item');
    }
    if (entriesAdded !== -1 && stream.length > entriesAdded) {
      throw new CommandError('ERR The entries_added specified in XSETID is smaller than the target stream length');
    }
  }
  stream.lastId.set(newLast);
  if (entriesAdded !== -1) stream.entriesAdded = entriesAdded;
  if (!newMaxDeleted.isZero) stream.maxDeletedId.set(newMaxDeleted);
  c.reply.ok();
  c.changed(1, 't', 'xsetid');
}
