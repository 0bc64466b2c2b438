// OBJECT: what is known of a key's value beside the value.

import { parseInteger } from '../base/numbers.ts';
import { decodeFrequency, idleSeconds } from '../keyspace/access-clock.ts';
import { ENCODING_NAMES, Encoding, Type } from '../keyspace/layout.ts';
import type { Handler } from './command.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';
import { replyHelp } from './help.ts';

const SHARED_INTEGERS = 10_000;
const SHARED_REFCOUNT = 2147483647;

export const objectHandlers: Readonly<Record<string, Handler>> = {
  encoding: (c) => {
    const entry = requireKey(c);
    if (entry === 0) return;
    const encoding = c.db.encoding(entry);
    // A small list stands in its entry as one listpack; Redis' name for lists of this version is quicklist.
    const isList = c.db.type(entry) === Type.list;
    c.reply.text(ENCODING_NAMES[isList ? Encoding.quicklist : encoding]);
  },
  refcount: (c) => {
    const entry = requireKey(c);
    if (entry !== 0) c.reply.int(isSharedInteger(c, entry) ? SHARED_REFCOUNT : 1);
  },
  idletime: (c) => {
    const entry = requireKey(c);
    if (entry === 0) return;
    if (c.keyspace.lfu) {
      throw new CommandError(
        'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
      );
    }
    c.reply.int(idleSeconds(c.db.clock(entry), c.nowMs));
  },
  freq: (c) => {
    const entry = requireKey(c);
    if (entry === 0) return;
    if (!c.keyspace.lfu) {
      throw new CommandError(
        'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
      );
    }
    c.reply.int(decodeFrequency(c.db.clock(entry), c.nowMs, Number(c.server.settings.lfuDecayTime)));
  },
  help: (c) => replyHelp(c),
};

/** Redis keeps small integers once for all keys and never counts references to them. */
function isSharedInteger(c: Context, entry: number): boolean {
  if (c.db.encoding(entry) !== Encoding.int || countsUses(c)) return false;
  c.db.open(entry);
  const value = parseInteger(c.db.vbuf, c.db.vpos, c.db.vlen);
  return value >= 0 && value < SHARED_INTEGERS;
}

/** With a limit of memory and a policy that looks at each key's use, a value belongs to one key. */
function countsUses(c: Context): boolean {
  const { maxmemory, maxmemoryPolicy } = c.server.settings;
  return Number(maxmemory) > 0 && /-l[rf]u$/.test(maxmemoryPolicy);
}

/** The entry of argument 2; answers nil and returns 0 when it is missing. */
function requireKey(c: Context): number {
  const entry = c.peek(2);
  if (entry === 0) c.reply.nil();
  return entry;
}
