// MULTI, EXEC, WATCH. The queue and the watching live in the session; runtime/transaction.ts does the work.

import type { Handlers } from './command.ts';
import { CommandError } from './errors.ts';
import type { transactionSpecs } from './specs/transaction.ts';

export const transactionHandlers: Handlers<typeof transactionSpecs> = {
  multi: (c) => {
    if (c.session.queued !== null) throw new CommandError('ERR MULTI calls can not be nested');
    c.server.transactions.begin(c.session);
    c.reply.ok();
  },
  discard: (c) => {
    if (c.session.queued === null) throw new CommandError('ERR DISCARD without MULTI');
    c.server.transactions.discard(c.session);
    c.reply.ok();
  },
  exec: (c) => {
    if (c.session.queued === null) throw new CommandError('ERR EXEC without MULTI');
    c.server.transactions.execute(c.session);
  },
  watch: (c) => {
    if (c.session.queued !== null) throw new CommandError('ERR WATCH inside MULTI is not allowed');
    if (!c.session.watchBroken) {
      for (let i = 1; i < c.argc; i++) c.server.transactions.watch(c.session, c.copy(i));
    }
    c.reply.ok();
  },
  unwatch: (c) => {
    c.server.transactions.unwatch(c.session);
    c.session.watchBroken = false;
    c.reply.ok();
  },
};
