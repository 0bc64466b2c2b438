// Sets: SADD, SREM and their relatives. set-value.ts knows the encodings; set-random.ts draws, set-algebra.ts combines.

import { globMatchRange } from '../base/glob.ts';
import { Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { parseScan, scanCursor } from './scan.ts';
import { algebraHandlers } from './set-algebra.ts';
import { randomHandlers } from './set-random.ts';
import { SetValue } from './set-value.ts';
import type { setSpecs } from './specs/set.ts';

/** SSCAN visits at most this many times COUNT buckets in one call. */
const SCAN_EFFORT = 10;

/** The sets of the request being served. */
const set = new SetValue();
const other = new SetValue();

export const setHandlers: Handlers<typeof setSpecs> = {
  ...randomHandlers,
  ...algebraHandlers,
  sadd,
  srem,
  scard: (c) => {
    const entry = c.typedRead(1, Type.set);
    c.reply.int(entry === 0 ? 0 : set.bind(c, entry).count);
  },
  sismember: (c) => {
    const entry = c.typedRead(1, Type.set);
    c.reply.int(entry !== 0 && set.bind(c, entry).has(c.buf, c.pos[2], c.len[2]) ? 1 : 0);
  },
  smismember: (c) => {
    const entry = c.typedRead(1, Type.set);
    if (entry !== 0) set.bind(c, entry);
    c.reply.array(c.argc - 2);
    for (let i = 2; i < c.argc; i++) c.reply.int(entry !== 0 && set.has(c.buf, c.pos[i], c.len[i]) ? 1 : 0);
  },
  smembers: (c) => {
    const entry = c.typedRead(1, Type.set);
    if (entry === 0) {
      c.reply.set(0);
      return;
    }
    c.reply.set(set.bind(c, entry).count);
    set.replyAll(c.reply);
  },
  smove,
  sscan,
};

/** SADD key member [member ...] */
function sadd(c: Context): void {
  const entry = c.typedWrite(1, Type.set);
  if (entry === 0) set.create(c, 1, 2, c.argc - 2);
  else set.bind(c, entry);
  let added = 0;
  for (let i = 2; i < c.argc; i++) if (set.add(c.buf, c.pos[i], c.len[i])) added++;
  if (added > 0) {
    c.changed(1, 's', 'sadd');
    c.keyspace.dirty += added - 1;
  }
  c.reply.int(added);
}

/** SREM key member [member ...] */
function srem(c: Context): void {
  const entry = c.typedWrite(1, Type.set);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  set.bind(c, entry);
  let removed = 0;
  for (let i = 2; i < c.argc; i++) if (set.remove(c.buf, c.pos[i], c.len[i])) removed++;
  if (removed > 0) {
    c.changed(1, 's', 'srem');
    c.keyspace.dirty += removed - 1;
    if (set.count === 0) c.deleteEmptied(1, set.entry);
  }
  c.reply.int(removed);
}

/** SMOVE source destination member */
function smove(c: Context): void {
  const source = c.lookupWrite(1);
  if (source === 0) {
    // The destination's type does not matter when there is nothing to move.
    c.reply.int(0);
    return;
  }
  c.typedWrite(1, Type.set);
  const destination = c.typedWrite(2, Type.set);
  set.bind(c, source);
  if (source === destination) {
    c.reply.int(set.has(c.buf, c.pos[3], c.len[3]) ? 1 : 0);
    return;
  }
  if (!set.remove(c.buf, c.pos[3], c.len[3])) {
    c.reply.int(0);
    return;
  }
  c.changed(1, 's', 'srem');
  if (set.count === 0) c.deleteEmptied(1, set.entry);
  if (destination === 0) other.create(c, 2, 3, 1);
  else other.bind(c, destination);
  if (other.add(c.buf, c.pos[3], c.len[3])) c.changed(2, 's', 'sadd');
  c.reply.int(1);
}

/** SSCAN key cursor [MATCH pattern] [COUNT count] */
function sscan(c: Context): void {
  let cursor = scanCursor(c, 2);
  const entry = c.typedRead(1, Type.set);
  if (entry === 0) {
    c.reply.array(2);
    c.reply.text('0');
    c.reply.array(0);
    return;
  }
  const { pattern, count } = parseScan(c, 3, false);
  set.bind(c, entry);
  const found: Buffer[] = [];
  let steps = count * SCAN_EFFORT;
  let seen = 0;
  do {
    cursor = set.scan(cursor, (buf, pos, len) => {
      seen++;
      if (pattern === null || globMatchRange(pattern, buf, pos, len)) {
        found.push(Buffer.from(buf.subarray(pos, pos + len)));
      }
      return true;
    });
  } while (cursor !== 0 && --steps > 0 && seen < count);
  c.reply.array(2);
  c.reply.bulkInt(cursor);
  c.reply.array(found.length);
  for (const member of found) c.reply.bulk(member);
}
