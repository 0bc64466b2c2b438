// The stream commands: who serves what.

import type { Handlers } from './command.ts';
import { replyHelp } from './help.ts';
import type { streamSpecs } from './specs/stream.ts';
import { xautoclaim, xclaim, xpending } from './stream-claim.ts';
import {
  xack,
  xgroupCreate,
  xgroupCreateConsumer,
  xgroupDeleteConsumer,
  xgroupDestroy,
  xgroupSetid,
} from './stream-groups.ts';
import { xinfoConsumers, xinfoGroups, xinfoStream } from './stream-info.ts';
import { xrange, xread, xreadgroup, xrevrange } from './stream-read.ts';
import { xadd, xdel, xlen, xsetid, xtrim } from './stream-write.ts';

export const streamHandlers: Handlers<typeof streamSpecs> = {
  xadd,
  xdel,
  xlen,
  xtrim,
  xsetid,
  xrange,
  xrevrange,
  xread,
  xreadgroup,
  xack,
  xpending,
  xclaim,
  xautoclaim,
  xgroup: {
    create: xgroupCreate,
    setid: xgroupSetid,
    destroy: xgroupDestroy,
    createconsumer: xgroupCreateConsumer,
    delconsumer: xgroupDeleteConsumer,
    help: replyHelp,
  },
  xinfo: { stream: xinfoStream, groups: xinfoGroups, consumers: xinfoConsumers, help: replyHelp },
};
