// Elements of packed runs and listpacks as bulk strings, straight from the arena into the reply: the hot part of HGETALL,
// SMEMBERS and LRANGE.

import type { ReplyWriter } from '../formats/resp/writer.ts';
import { backLengthBytes } from '../memory/listpack-entry.ts';
import { PackedElement } from '../memory/packed-entry.ts';

/** A string in the short form, and what a bulk string adds to it. */
const SHORT_BYTES = 63;
const OVERHEAD_BYTES = 7;
const DOLLAR = 36;
const CR = 13;
const LF = 10;
/** CR LF as a little-endian number of two bytes. */
const CRLF_WORD = 0x0a0d;

const element = new PackedElement();

/** Writes an element as a bulk string. */
export function replyElement(reply: ReplyWriter, from: PackedElement): void {
  if (from.integer) reply.bulkInt(from.value);
  else reply.bulkRange(from.buf, from.pos, from.len);
}

/** Writes bytes as a bulk string, fast when many in a row come from the same buffer. */
export function replyNeighbour(reply: ReplyWriter, b: Buffer, start: number, len: number): void {
  reply.bulkView(viewOf(b), start, len);
}

/**
 * Writes up to `count` entries from position `start` of `b` on, which end at `end`: of a packed run, or with `backLengths`
 * of a listpack.
 */
export function replyEntries(
  reply: ReplyWriter,
  b: Buffer,
  start: number,
  end: number,
  count: number,
  backLengths: boolean,
): void {
  // What follows a short string.
  const behind = backLengths ? 1 : 0;
  reply.reserve(shortBytes(end - start, count));
  let out = reply.buf;
  let to = reply.window();
  const from = viewOf(b);
  let o = reply.pos;
  let p = start;
  for (let rest = count; rest > 0 && p < end; rest--) {
    const first = b[p];
    if (first >= 0x80 && first < 0xc0) {
      const len = first & 63;
      p++;
      if (len > 9) {
        const tens = (len * 205) >>> 11;
        to.setInt32(o, DOLLAR | ((48 + tens) << 8) | ((48 + len - tens * 10) << 16) | (CR << 24), true);
        out[o + 4] = LF;
        o += 5;
        // The last four bytes may go over some that are there already.
        const last = p + len - 4;
        for (; p < last; p += 4, o += 4) to.setInt32(o, from.getInt32(p, true), true);
        o -= p - last;
        to.setInt32(o, from.getInt32(last, true), true);
        o += 4;
        p = last + 4;
      } else {
        to.setInt32(o, DOLLAR | ((48 + len) << 8) | (CR << 16) | (LF << 24), true);
        o += 4;
        for (const stop = p + len; p < stop; ) out[o++] = b[p++];
      }
      to.setInt16(o, CRLF_WORD, true);
      o += 2;
      p += behind;
    } else {
      const bytes = element.readAt(b, p);
      p += backLengths ? bytes + backLengthBytes(bytes) : bytes;
      reply.pos = o;
      replyElement(reply, element);
      reply.reserve(shortBytes(end - p, rest));
      out = reply.buf;
      to = reply.window();
      o = reply.pos;
    }
  }
  reply.pos = o;
}

/** The buffer seen last, and a view of it: mostly the next one asked for is in the same segment of the arena. */
let viewed: Buffer | null = null;
let view: DataView = new DataView(new ArrayBuffer(0));

function viewOf(b: Buffer): DataView {
  if (viewed !== b) {
    viewed = b;
    view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  }
  return view;
}

/** The most bytes that `count` short strings in `bytes` bytes make. */
function shortBytes(bytes: number, count: number): number {
  const most = Math.min(count, bytes);
  return Math.min(bytes, most * SHORT_BYTES) + most * OVERHEAD_BYTES;
}
