// Looking into the running server: MONITOR, SLOWLOG, LATENCY, MEMORY. DEBUG stands in debug.ts.

import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { debug } from './debug.ts';
import { CommandError, ERRORS } from './errors.ts';
import { replyHelp } from './help.ts';
import { latencyHandlers } from './latency.ts';
import type { diagnosticsSpecs } from './specs/diagnostics.ts';

const USAGE_SAMPLES = 5;

export const diagnosticsHandlers: Handlers<typeof diagnosticsSpecs> = {
  debug,
  latency: latencyHandlers,
  monitor: (c) => {
    if (c.inTransaction) throw new CommandError("ERR MONITOR isn't allowed for DENY BLOCKING client");
    c.server.clients.startMonitor(c.session);
    c.reply.ok();
  },
  slowlog: {
    get: slowlogGet,
    len: (c) => c.reply.int(c.server.slowLog.entries.length),
    reset: (c) => {
      c.server.slowLog.reset();
      c.reply.ok();
    },
    help: (c) => replyHelp(c),
  },
  memory: {
    usage: memoryUsage,
    stats: memoryStats,
    doctor: (c) => c.reply.verbatim('txt', Buffer.from(memoryAdvice(c))),
    'malloc-stats': (c) => c.reply.verbatim('txt', Buffer.from(c.server.memory.allocator())),
    purge: (c) => {
      c.server.memory.purge();
      c.reply.ok();
    },
    help: (c) => replyHelp(c),
  },
};

/** SLOWLOG GET [count]: -1 for all. */
function slowlogGet(c: Context): void {
  if (c.argc > 3) throw new CommandError("ERR wrong number of arguments for 'slowlog|get' command");
  let count = 10;
  if (c.argc === 3) {
    count = c.integerBetween(2, -1, Number.MAX_SAFE_INTEGER, 'ERR count should be greater than or equal to -1');
  }
  const { entries } = c.server.slowLog;
  const shown = entries.slice(0, count === -1 ? entries.length : count);
  c.reply.array(shown.length);
  for (const entry of shown) {
    c.reply.array(6);
    c.reply.int(entry.id);
    c.reply.int(entry.atSeconds);
    c.reply.int(entry.microseconds);
    c.reply.array(entry.args.length);
    for (const arg of entry.args) c.reply.bulk(arg);
    c.reply.text(entry.peer);
    c.reply.text(entry.clientName);
  }
}

/** MEMORY USAGE key [SAMPLES n] */
function memoryUsage(c: Context): void {
  let samples = USAGE_SAMPLES;
  for (let i = 3; i < c.argc; i += 2) {
    if (!c.is(i, 'samples') || i + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    samples = c.integer(i + 1);
    if (samples < 0) throw new CommandError(ERRORS.syntax);
  }
  const entry = c.peek(2);
  if (entry === 0) c.reply.nil();
  else c.reply.int(c.server.memory.usage(c.db, entry, samples));
}

function memoryStats(c: Context): void {
  const rows = c.server.memory.stats();
  c.reply.map(rows.length + c.keyspace.databases.filter((db) => db.size > 0).length);
  for (const [name, value] of rows) {
    c.reply.text(name);
    if (Number.isInteger(value)) c.reply.int(value);
    else c.reply.double(value);
  }
  for (const db of c.keyspace.databases) {
    if (db.size === 0) continue;
    c.reply.text(`db.${db.index}`);
    c.reply.map(2);
    c.reply.text('overhead.hashtable.main');
    c.reply.int(db.tableBytes);
    c.reply.text('overhead.hashtable.expires');
    c.reply.int(db.volatileSize * 4);
  }
}

function memoryAdvice(c: Context): string {
  const stats = new Map(c.server.memory.stats());
  if ((stats.get('total.allocated') ?? 0) < 5 * 1024 * 1024) {
    return 'There is too little data in this instance to judge its use of memory.\n';
  }
  if ((stats.get('allocator-fragmentation.ratio') ?? 1) > 1.4) {
    return 'Free blocks take much of the memory: values have changed their sizes a lot. MEMORY PURGE or a restart gives it back.\n';
  }
  return 'No memory issue was found in this instance.\n';
}
