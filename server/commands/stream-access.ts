// What all stream commands share: finding streams and groups, reading ids, replying with ids and entries.

import { Encoding, Type } from '../keyspace/layout.ts';
import type { ListpackElement } from '../memory/listpack-entry.ts';
import { Stream } from '../values/stream.ts';
import type { StreamCursor } from '../values/stream-cursor.ts';
import type { StreamGroup } from '../values/stream-group.ts';
import { IdText, type IdTextOptions, parseStreamId, STREAM_ID_TEXT_MAX, type StreamId } from '../values/stream-id.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';

const ID_INVALID = 'ERR Invalid stream ID specified as stream command argument';

const STRICT: IdTextOptions = { missingSequence: 'zero', strict: true };
const STRICT_END: IdTextOptions = { missingSequence: 'max', strict: true };
const START: IdTextOptions = { missingSequence: 'zero', strict: false };
const END: IdTextOptions = { missingSequence: 'max', strict: false };
const OPEN: IdTextOptions = { missingSequence: 'zero', strict: true, openSequence: true };

const PARENTHESIS = 40;

/** The stream at an entry (that is of type stream). */
export function streamAt(c: Context, entry: number): Stream {
  return c.db.large(entry) as Stream;
}

/** The stream of the key in argument `i` for reading; undefined when missing, WRONGTYPE for another type. */
export function readStream(c: Context, i: number): Stream | undefined {
  const entry = c.typedRead(i, Type.stream);
  return entry === 0 ? undefined : streamAt(c, entry);
}

/** readStream for a change. */
export function writeStream(c: Context, i: number): Stream | undefined {
  const entry = c.typedWrite(i, Type.stream);
  return entry === 0 ? undefined : streamAt(c, entry);
}

/** Creates an empty stream for the key in argument `i`, which is missing. */
export function createStream(c: Context, i: number): Stream {
  const stream = new Stream(c.keyspace.arena);
  c.db.createLarge(c.buf, c.pos[i], c.len[i], Type.stream, Encoding.stream, stream);
  return stream;
}

/** Tells a running snapshot that the key in argument `i`, which was looked up for reading, is about to change. */
export function willChange(c: Context, i: number): void {
  c.db.findForWrite(c.buf, c.pos[i], c.len[i]);
}

/** The stream and group that XCLAIM, XAUTOCLAIM and XPENDING need; NOGROUP without them. */
export function readGroup(c: Context, keyAt: number, groupAt: number): { stream: Stream; group: StreamGroup } {
  const stream = readStream(c, keyAt);
  const group = stream?.group(c.buf, c.pos[groupAt], c.len[groupAt]);
  if (stream === undefined || group === undefined) {
    throw new CommandError(`NOGROUP No such key '${errorText(c, keyAt)}' or consumer group '${errorText(c, groupAt)}'`);
  }
  return { stream, group };
}

/** An argument as error texts show it: up to the first zero byte. */
export function errorText(c: Context, i: number): string {
  const text = c.text(i);
  const zero = text.indexOf('\0');
  return zero < 0 ? text : text.slice(0, zero);
}

/** An id without `-` and `+`; a missing sequence is 0. */
export function strictId(c: Context, i: number, id: StreamId): void {
  if (parse(c, i, id, STRICT) === IdText.invalid) throw new CommandError(ID_INVALID);
}

/** strictId that tells instead of throwing. */
export function isStrictId(c: Context, i: number, id: StreamId): boolean {
  return parse(c, i, id, STRICT) !== IdText.invalid;
}

/** An id, or `-` and `+` for the smallest and the largest (XGROUP SETID). */
export function anyId(c: Context, i: number, id: StreamId): void {
  if (parse(c, i, id, START) === IdText.invalid) throw new CommandError(ID_INVALID);
}

/** XADD's id; returns whether the sequence was given (and not `*`). */
export function idToAdd(c: Context, i: number, id: StreamId): boolean {
  const result = parse(c, i, id, OPEN);
  if (result === IdText.invalid) throw new CommandError(ID_INVALID);
  return result === IdText.complete;
}

/** The start of an interval: `(` excludes the id itself. */
export function intervalStart(c: Context, i: number, id: StreamId): void {
  if (!parseBound(c, i, id, START, STRICT)) return;
  if (!id.increment()) throw new CommandError('ERR invalid start ID for the interval');
}

/** The end of an interval; a missing sequence is the largest. */
export function intervalEnd(c: Context, i: number, id: StreamId): void {
  if (!parseBound(c, i, id, END, STRICT_END)) return;
  if (!id.decrement()) throw new CommandError('ERR invalid end ID for the interval');
}

/** Reads an id with an optional `(`; returns whether it was there. */
function parseBound(c: Context, i: number, id: StreamId, plain: IdTextOptions, excluding: IdTextOptions): boolean {
  const excluded = c.len[i] > 1 && c.buf[c.pos[i]] === PARENTHESIS;
  const skip = excluded ? 1 : 0;
  const result = parseStreamId(c.buf, c.pos[i] + skip, c.len[i] - skip, id, excluded ? excluding : plain);
  if (result === IdText.invalid) throw new CommandError(ID_INVALID);
  return excluded;
}

function parse(c: Context, i: number, id: StreamId, options: IdTextOptions): number {
  return parseStreamId(c.buf, c.pos[i], c.len[i], id, options);
}

const idText = Buffer.allocUnsafeSlow(STREAM_ID_TEXT_MAX);

export function replyId(c: Context, id: StreamId): void {
  c.reply.bulkRange(idText, 0, id.write(idText, 0));
}

/** Replies with the entry under a cursor: its id and its fields and values. */
export function replyEntry(c: Context, cursor: StreamCursor): void {
  const { reply } = c;
  reply.array(2);
  replyId(c, cursor.id);
  const fields = cursor.fieldCount;
  reply.array(fields * 2);
  for (let i = 0; i < fields; i++) {
    cursor.nextField();
    replyElement(c, cursor.field);
    replyElement(c, cursor.value);
  }
}

function replyElement(c: Context, element: ListpackElement): void {
  if (element.integer) c.reply.bulkInt(element.value);
  else c.reply.bulkRange(element.buf, element.pos, element.len);
}

/** Replies with an array of the entries from a started cursor on, at most `count` (0: all). Returns how many. */
export function replyEntries(c: Context, cursor: StreamCursor, count: number): number {
  const mark = c.reply.beginAggregate();
  let replied = 0;
  while (cursor.next()) {
    replyEntry(c, cursor);
    if (++replied === count) break;
  }
  c.reply.endAggregate(mark, 'array', replied);
  return replied;
}
