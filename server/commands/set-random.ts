// SPOP and SRANDMEMBER: members by lot.

import { Encoding, Type } from '../keyspace/layout.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { DRAWS_PER_PASS, SetValue } from './set-value.ts';
import type { setSpecs } from './specs/set.ts';

const COUNT_MAX = 2 ** 63;
/** Members per SREM into which SPOP with a count is turned for the AOF and for replicas. */
const MEMBERS_PER_COMMAND = 1024;

const set = new SetValue();

export const randomHandlers: Handlers<typeof setSpecs> = {
  spop: (c) => (c.argc === 2 ? popOne(c) : popMany(c)),
  srandmember: (c) => (c.argc === 2 ? drawOne(c) : drawMany(c)),
};

/** SPOP key */
function popOne(c: Context): void {
  const entry = c.typedWrite(1, Type.set);
  if (entry === 0) {
    c.reply.nil();
    return;
  }
  set.bind(c, entry).random(c.server.random);
  set.reply(c.reply);
  if (c.server.events.propagating) c.rewrite(['SREM', c.copy(1), set.copyMember()]);
  set.removeFound();
  c.changed(1, 's', 'spop');
  if (set.count === 0) c.deleteEmptied(1, set.entry);
}

/** SPOP key count */
function popMany(c: Context): void {
  if (c.argc > 3) throw new CommandError(ERRORS.syntax);
  const count = c.integerBetween(2, 0, COUNT_MAX, 'ERR value is out of range, must be positive');
  const entry = c.typedWrite(1, Type.set);
  if (entry === 0 || count === 0) {
    c.reply.set(0);
    return;
  }
  const size = set.bind(c, entry).count;
  const all = count >= size;
  const taken = all ? size : count;
  c.reply.set(taken);
  if (all) {
    if (c.server.events.propagating) c.rewrite(['DEL', c.copy(1)]);
    set.walk((buf, pos, len) => {
      c.reply.bulkRange(buf, pos, len);
      return true;
    });
  } else {
    const members: Buffer[] | null = c.server.events.propagating ? [] : null;
    set.takeSample(taken, c.server.random, (buf, pos, len) => {
      c.reply.bulkRange(buf, pos, len);
      members?.push(Buffer.from(buf.subarray(pos, pos + len)));
      return true;
    });
    if (members !== null) propagateRemoval(c, members);
  }
  c.changed(1, 's', 'spop');
  c.keyspace.dirty += taken - 1;
  if (all) c.deleteEmptied(1, set.entry);
}

function propagateRemoval(c: Context, members: readonly Buffer[]): void {
  const commands: (string | Buffer)[][] = [];
  for (let at = 0; at < members.length; at += MEMBERS_PER_COMMAND) {
    commands.push(['SREM', c.copy(1), ...members.slice(at, at + MEMBERS_PER_COMMAND)]);
  }
  c.rewrite(...commands);
}

/** SRANDMEMBER key */
function drawOne(c: Context): void {
  const entry = c.typedRead(1, Type.set);
  if (entry === 0) {
    c.reply.nil();
    return;
  }
  set.bind(c, entry).random(c.server.random);
  set.reply(c.reply);
}

/** SRANDMEMBER key count: that many different members, or with a negative count that many draws. */
function drawMany(c: Context): void {
  const count = c.integer(2);
  if (c.argc > 3) throw new CommandError(ERRORS.syntax);
  if (count <= -COUNT_MAX && c.int64(2) === -(2n ** 63n)) {
    const limit = '9223372036854775807';
    throw new CommandError(`ERR value is out of range, value must between -${limit} and ${limit}`);
  }
  const entry = c.typedRead(1, Type.set);
  if (entry === 0 || count === 0) {
    c.reply.array(0);
    return;
  }
  const size = set.bind(c, entry).count;
  const reply = (buf: Uint8Array, pos: number, len: number): boolean => {
    c.reply.bulkRange(buf, pos, len);
    return true;
  };
  c.reply.array(count < 0 ? -count : Math.min(count, size));
  if (count < 0) {
    for (let rest = -count; rest > 0; rest--) {
      set.random(c.server.random);
      set.reply(c.reply);
    }
  } else if (count >= size) {
    set.walk(reply);
  } else if (set.encoding !== Encoding.hashtable || count * DRAWS_PER_PASS >= size) {
    set.sample(count, c.server.random, reply);
  } else {
    drawDistinct(c, count);
  }
}

function drawDistinct(c: Context, count: number): void {
  const drawn = new Set<number>();
  while (drawn.size < count) {
    set.random(c.server.random);
    if (drawn.has(set.foundId)) continue;
    drawn.add(set.foundId);
    set.reply(c.reply);
  }
}
