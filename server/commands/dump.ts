// DUMP and RESTORE: values as bytes that any server of the family understands.

import { lruClock } from '../keyspace/access-clock.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import type { genericSpecs } from './specs/generic.ts';
import type { replicationSpecs } from './specs/replication.ts';

type DumpSpecs = Pick<typeof genericSpecs, 'dump' | 'restore'> & Pick<typeof replicationSpecs, 'restore-asking'>;

export const dumpHandlers: Handlers<DumpSpecs> = {
  dump: (c) => {
    const entry = c.lookupRead(1);
    if (entry === 0) c.reply.nil();
    else c.reply.bulk(c.server.values.serialize(c.db, entry));
  },
  restore,
  'restore-asking': restore,
};

interface RestoreOptions {
  replace: boolean;
  absolute: boolean;
  /** Seconds since the last use, -1 when not given. */
  idleSeconds: number;
  /** LFU counter, -1 when not given. */
  frequency: number;
}

/** RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds | FREQ counter] */
function restore(c: Context): void {
  const options = parseOptions(c);
  const { values } = c.server;
  const there = c.lookupWrite(1) !== 0;
  if (there && !options.replace) throw new CommandError(ERRORS.busyKey);
  const ttl = c.integer(2);
  if (ttl < 0) throw new CommandError('ERR Invalid TTL value, must be >= 0');
  const payload = c.view(3);
  if (!values.isSound(payload)) throw new CommandError('ERR DUMP payload version or checksum are wrong');
  const expireAt = ttl === 0 || options.absolute ? ttl : ttl + c.nowMs;
  const entry = values.restore(c.db, c.copy(1), payload);
  if (entry === 0) throw new CommandError('ERR Bad data format');
  if (expireAt !== 0 && expireAt <= c.nowMs && !c.replaying) {
    c.db.delete(entry);
    if (there) {
      c.changed(1, 'g', 'del');
      c.rewrite(['DEL', c.copy(1)]);
    }
    c.reply.ok();
    return;
  }
  setUse(c, entry, options);
  if (expireAt !== 0) {
    c.db.setExpire(entry, expireAt);
    if (!options.absolute) propagateAbsolute(c, expireAt);
  }
  c.changed(1, 'g', 'restore');
  c.reply.ok();
}

function parseOptions(c: Context): RestoreOptions {
  const options: RestoreOptions = { replace: false, absolute: false, idleSeconds: -1, frequency: -1 };
  for (let i = 4; i < c.argc; i++) {
    const more = i + 1 < c.argc;
    if (c.is(i, 'replace')) options.replace = true;
    else if (c.is(i, 'absttl')) options.absolute = true;
    else if (c.is(i, 'idletime') && more && options.frequency === -1) {
      options.idleSeconds = c.integer(++i);
      if (options.idleSeconds < 0) throw new CommandError('ERR Invalid IDLETIME value, must be >= 0');
    } else if (c.is(i, 'freq') && more && options.idleSeconds === -1) {
      options.frequency = c.integer(++i);
      if (options.frequency < 0 || options.frequency > 255) {
        throw new CommandError('ERR Invalid FREQ value, must be >= 0 and <= 255');
      }
    } else throw new CommandError(ERRORS.syntax);
  }
  return options;
}

/** IDLETIME counts while the policy goes by last use, FREQ while it goes by frequency. */
function setUse(c: Context, entry: number, { idleSeconds, frequency }: RestoreOptions): void {
  if (c.keyspace.lfu) {
    if (frequency >= 0) c.db.setClock(entry, ((Math.floor(c.nowMs / 60000) & 0xffff) << 8) | frequency);
  } else if (idleSeconds >= 0) {
    c.db.setClock(entry, (lruClock(c.nowMs) - idleSeconds) & 0xffffff);
  }
}

/** The AOF and replicas must not count the time to live from when they see it. */
function propagateAbsolute(c: Context, expireAt: number): void {
  const words: (string | Buffer)[] = [c.copy(0), c.copy(1), String(expireAt)];
  for (let i = 3; i < c.argc; i++) words.push(c.copy(i));
  words.push('ABSTTL');
  c.rewrite(words);
}
