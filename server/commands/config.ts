// CONFIG: views of the directive table.

import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';
import { replyHelp } from './help.ts';
import type { configSpecs } from './specs/config.ts';

export const configHandlers: Handlers<typeof configSpecs> = {
  config: {
    get: (c) => {
      const patterns: string[] = [];
      for (let i = 2; i < c.argc; i++) patterns.push(c.text(i));
      const found = c.server.configuration.get(patterns);
      c.reply.map(found.length);
      for (const [name, value] of found) {
        c.reply.text(name);
        c.reply.text(value);
      }
    },
    set,
    resetstat: (c) => {
      c.server.info.resetStatistics();
      c.reply.ok();
    },
    rewrite: (c) => {
      const error = c.server.configuration.rewrite();
      if (error !== null) throw new CommandError(error);
      c.reply.ok();
    },
    help: (c) => replyHelp(c),
  },
};

/** CONFIG SET directive value [directive value ...]: all or nothing. */
function set(c: Context): void {
  if (c.argc % 2 === 1) throw new CommandError("ERR wrong number of arguments for 'config|set' command");
  const pairs: [string, string][] = [];
  for (let i = 2; i < c.argc; i += 2) pairs.push([c.text(i), c.text(i + 1)]);
  const outcome = c.server.configuration.set(pairs);
  if (outcome instanceof Promise) {
    c.server.blocking.answerLater(c.session, outcome);
    return;
  }
  if (outcome !== null) throw new CommandError(outcome);
  c.reply.ok();
}
