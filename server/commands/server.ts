// The server as a whole: size, flushing, time, shutdown, saving.

import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { lolwut } from './lolwut.ts';
import type { persistenceSpecs } from './specs/persistence.ts';
import type { serverSpecs } from './specs/server.ts';

export const serverHandlers: Handlers<typeof serverSpecs> = {
  dbsize: (c) => c.reply.int(c.db.size),
  flushall: (c) => flush(c, true),
  flushdb: (c) => flush(c, false),
  info: (c) => {
    const sections: string[] = [];
    for (let i = 1; i < c.argc; i++) sections.push(c.text(i).toLowerCase());
    c.reply.verbatim('txt', Buffer.from(c.server.info.text(sections), 'latin1'));
  },
  lolwut,
  shutdown,
  swapdb,
  time: (c) => {
    const microseconds = c.server.nowMicroseconds();
    c.reply.array(2);
    c.reply.text(String(Math.floor(microseconds / 1e6)));
    c.reply.text(String(Math.floor(microseconds % 1e6)));
  },
};

export const persistenceHandlers: Handlers<typeof persistenceSpecs> = {
  save: (c) => {
    const error = c.server.persistence.save();
    if (error === null) c.reply.ok();
    else c.reply.error(error);
  },
  bgsave: (c) => {
    if (c.argc > 2 || (c.argc === 2 && !c.is(1, 'schedule'))) throw new CommandError(ERRORS.syntax);
    c.reply.simple(c.server.persistence.saveInBackground(c.argc === 2));
  },
  lastsave: (c) => c.reply.int(c.server.persistence.lastSaveSeconds),
  bgrewriteaof: (c) => c.reply.simple(c.server.persistence.rewriteAppendOnly()),
};

/** FLUSHALL and FLUSHDB [ASYNC | SYNC] */
function flush(c: Context, all: boolean): void {
  if (c.argc > 2 || (c.argc === 2 && !c.is(1, 'async') && !c.is(1, 'sync'))) throw new CommandError(ERRORS.syntax);
  c.server.events.databaseChanged(all ? null : c.db, c.session);
  const removed = all ? c.keyspace.clearAll() : c.db.clear();
  // One more, so that an empty database's flush is propagated, too.
  c.keyspace.dirty += removed + 1;
  if (all) {
    c.server.persistence.emptied();
    // Propagated also when the save has counted the changes as done.
    c.rewrite(c.storedRequest().args);
  }
  c.reply.ok();
}

/** SWAPDB index index */
function swapdb(c: Context): void {
  const first = c.int32(1, 'ERR invalid first DB index');
  const second = c.int32(2, 'ERR invalid second DB index');
  const count = c.keyspace.databases.length;
  if (first < 0 || second < 0 || first >= count || second >= count) throw new CommandError(ERRORS.dbIndex);
  if (first !== second) {
    const [before, after] = [c.keyspace.databases[first], c.keyspace.databases[second]];
    c.keyspace.swap(first, second);
    // Clients keep the index they selected, which now means the other data.
    for (const session of c.server.clients.all.values()) {
      if (session.db === before) session.db = after;
      else if (session.db === after) session.db = before;
    }
    c.db = c.session.db;
    c.server.events.swapped(before, after);
  }
  c.keyspace.dirty++;
  c.reply.ok();
}

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT] */
function shutdown(c: Context): void {
  let save: 'save' | 'nosave' | 'default' = 'default';
  let now = false;
  let force = false;
  let abort = false;
  for (let i = 1; i < c.argc; i++) {
    if (c.is(i, 'nosave')) {
      if (save === 'save') throw new CommandError(ERRORS.syntax);
      save = 'nosave';
    } else if (c.is(i, 'save')) {
      if (save === 'nosave') throw new CommandError(ERRORS.syntax);
      save = 'save';
    } else if (c.is(i, 'now')) now = true;
    else if (c.is(i, 'force')) force = true;
    else if (c.is(i, 'abort')) abort = true;
    else throw new CommandError(ERRORS.syntax);
  }
  if (abort && (save !== 'default' || now || force)) throw new CommandError(ERRORS.syntax);
  if (abort) {
    if (!c.server.abortShutdown()) throw new CommandError('ERR No shutdown in progress.');
    c.reply.ok();
    return;
  }
  const error = c.server.shutdown({ save, now, force });
  if (error !== null) throw new CommandError(error);
}
