// XGROUP and XACK.

import type { Stream } from '../values/stream.ts';
import type { StreamGroup } from '../values/stream-group.ts';
import { StreamId } from '../values/stream-id.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';
import { anyId, createStream, errorText, readStream, strictId, willChange, writeStream } from './stream-access.ts';
import { UNKNOWN } from './stream-counters.ts';

const KEY = 2;
const GROUP = 3;
const NO_KEY =
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option ' +
  'to create an empty stream automatically.';

const position = new StreamId();

/** XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n] */
export function xgroupCreate(c: Context): void {
  const { makeStream, entriesRead } = parseOptions(c, true);
  let stream = writeStream(c, KEY);
  if (stream === undefined && !makeStream) throw new CommandError(NO_KEY);
  // An option that is given twice makes it too long.
  if (c.argc > 8) throw syntaxError(c);
  readPosition(c, stream, strictId);
  if (stream === undefined) {
    stream = createStream(c, KEY);
    signal(c);
  }
  if (stream.createGroup(c.copy(GROUP), position, entriesRead) === undefined) {
    throw new CommandError('BUSYGROUP Consumer Group name already exists');
  }
  c.reply.ok();
  c.changed(KEY, 't', 'xgroup-create');
}

/** XGROUP SETID key group id|$ [ENTRIESREAD n] */
export function xgroupSetid(c: Context): void {
  const { entriesRead } = parseOptions(c, false);
  const { stream, group } = existing(c);
  if (c.argc > 7) throw syntaxError(c);
  readPosition(c, stream, anyId);
  group.lastId.set(position);
  group.entriesRead = entriesRead;
  c.reply.ok();
  c.changed(KEY, 't', 'xgroup-setid');
}

/** XGROUP DESTROY key group */
export function xgroupDestroy(c: Context): void {
  const stream = writeStream(c, KEY);
  if (stream === undefined) throw new CommandError(NO_KEY);
  const group = stream.group(c.buf, c.pos[GROUP], c.len[GROUP]);
  if (group !== undefined) {
    stream.destroyGroup(group);
    c.changed(KEY, 't', 'xgroup-destroy');
  }
  c.reply.int(group === undefined ? 0 : 1);
}

/** XGROUP CREATECONSUMER key group consumer */
export function xgroupCreateConsumer(c: Context): void {
  const { group } = existing(c);
  const known = group.consumer(c.buf, c.pos[4], c.len[4]) !== undefined;
  if (!known) {
    group.createConsumer(c.copy(4), c.nowMs);
    c.keyspace.dirty++;
    c.notify(KEY, 't', 'xgroup-createconsumer');
  }
  c.reply.int(known ? 0 : 1);
}

/** XGROUP DELCONSUMER key group consumer */
export function xgroupDeleteConsumer(c: Context): void {
  const { group } = existing(c);
  const consumer = group.consumer(c.buf, c.pos[4], c.len[4]);
  let pending = 0;
  if (consumer !== undefined) {
    pending = consumer.pending.size;
    group.deleteConsumer(consumer);
    c.changed(KEY, 't', 'xgroup-delconsumer');
  }
  c.reply.int(pending);
}

const acknowledged = new StreamId();

/** XACK key group id [id ...] */
export function xack(c: Context): void {
  const group = readStream(c, 1)?.group(c.buf, c.pos[2], c.len[2]);
  if (group === undefined) {
    c.reply.int(0);
    return;
  }
  for (let i = 3; i < c.argc; i++) strictId(c, i, acknowledged);
  willChange(c, 1);
  let done = 0;
  for (let i = 3; i < c.argc; i++) {
    strictId(c, i, acknowledged);
    if (group.acknowledge(acknowledged)) done++;
  }
  c.keyspace.dirty += done;
  c.reply.int(done);
}

function parseOptions(c: Context, forCreate: boolean): { makeStream: boolean; entriesRead: number } {
  let makeStream = false;
  let entriesRead = UNKNOWN;
  for (let i = 5; i < c.argc; i++) {
    if (forCreate && c.is(i, 'mkstream')) {
      makeStream = true;
    } else if (c.is(i, 'entriesread') && i + 1 < c.argc) {
      entriesRead = c.integer(++i);
      if (entriesRead < 0 && entriesRead !== UNKNOWN) {
        throw new CommandError('ERR value for ENTRIESREAD must be positive or -1');
      }
    } else {
      throw syntaxError(c);
    }
  }
  return { makeStream, entriesRead };
}

function syntaxError(c: Context): CommandError {
  return new CommandError(
    `ERR unknown subcommand or wrong number of arguments for '${errorText(c, 1)}'. Try XGROUP HELP.`,
  );
}

/** The id argument: `$` is the stream's last. */
function readPosition(c: Context, stream: Stream | undefined, read: typeof strictId): void {
  if (!c.is(4, '$')) read(c, 4, position);
  else if (stream === undefined) position.setZero();
  else position.set(stream.lastId);
}

function existing(c: Context): { stream: Stream; group: StreamGroup } {
  const stream = writeStream(c, KEY);
  if (stream === undefined) throw new CommandError(NO_KEY);
  const group = stream.group(c.buf, c.pos[GROUP], c.len[GROUP]);
  if (group === undefined) {
    throw new CommandError(
      `NOGROUP No such consumer group '${errorText(c, GROUP)}' for key name '${errorText(c, KEY)}'`,
    );
  }
  return { stream, group };
}

/** A stream has come into being without a group yet: whoever watches the key must know, even if the group fails. */
function signal(c: Context): void {
  c.server.events.keyChanged(c.db, c.buf, c.pos[KEY], c.len[KEY], c.session);
}
