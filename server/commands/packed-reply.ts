// Runs of listpack elements as bulk strings, straight from the arena into the reply: the hot part of LRANGE and HGETALL.

import type { ReplyWriter } from '../formats/resp/writer.ts';
import { ListpackElement } from '../memory/listpack.ts';

/** A string in the short form, and what a bulk string adds to it. */
const SHORT_BYTES = 63;
const OVERHEAD_BYTES = 7;
const CR = 13;
const LF = 10;

const element = new ListpackElement();

/** Writes an element as a bulk string. */
export function replyElement(reply: ReplyWriter, from: ListpackElement): void {
  if (from.integer) reply.bulkInt(from.value);
  else reply.bulkRange(from.buf, from.pos, from.len);
}

/**
 * Writes up to `count` entries of a listpack from position `start` of `b` on, which ends (with its end byte) at `end`.
 * Returns the position behind the last one.
 */
export function replyEntries(reply: ReplyWriter, b: Buffer, start: number, end: number, count: number): number {
  reply.reserve(shortBytes(end - start, count));
  let out = reply.buf;
  let o = reply.pos;
  let p = start;
  for (let rest = count; rest > 0 && p < end; rest--) {
    const first = b[p];
    if (first >= 0x80 && first < 0xc0) {
      const len = first & 63;
      out[o++] = 36;
      if (len > 9) {
        const tens = (len * 205) >>> 11;
        out[o++] = 48 + tens;
        out[o++] = 48 + len - tens * 10;
      } else {
        out[o++] = 48 + len;
      }
      out[o++] = CR;
      out[o++] = LF;
      p++;
      for (const stop = p + len; p < stop; ) out[o++] = b[p++];
      out[o++] = CR;
      out[o++] = LF;
      p++;
    } else {
      p += element.readAt(b, p);
      reply.pos = o;
      replyElement(reply, element);
      reply.reserve(shortBytes(end - p, rest));
      out = reply.buf;
      o = reply.pos;
    }
  }
  reply.pos = o;
  return p;
}

/** The most bytes that `count` short strings in `bytes` bytes of a listpack make. */
function shortBytes(bytes: number, count: number): number {
  const most = Math.min(count, bytes);
  return Math.min(bytes, most * SHORT_BYTES) + most * OVERHEAD_BYTES;
}
