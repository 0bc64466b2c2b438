// FUNCTION, as far as a server without a script engine has any: libraries that a dump brought along are kept byte for byte
// and can be dropped. Everything else of the family is not served.

import type { Handlers } from './command.ts';
import { CommandError } from './errors.ts';
import type { scriptingSpecs } from './specs/scripting.ts';

export const functionHandlers: Handlers<typeof scriptingSpecs> = {
  function: {
    // FUNCTION FLUSH [ASYNC | SYNC]
    flush: (c) => {
      if (c.argc > 3 || (c.argc === 3 && !c.is(2, 'async') && !c.is(2, 'sync'))) {
        throw new CommandError('ERR FUNCTION FLUSH only supports SYNC|ASYNC option');
      }
      c.server.persistence.dropFunctions();
      c.keyspace.dirty++;
      c.reply.ok();
    },
  },
};
