// THE command table: every family's specs joined with its handlers. A spec without a handler is not served, so it
// answers as an unknown command.

import { aclHandlers } from './acl.ts';
import { bitmapHandlers } from './bitmap.ts';
import { clientHandlers } from './client.ts';
import type { Handler, Handlers } from './command.ts';
import { configHandlers } from './config.ts';
import { connectionHandlers } from './connection.ts';
import { diagnosticsHandlers } from './diagnostics.ts';
import { commandSpecs } from './docs.ts';
import { dumpHandlers } from './dump.ts';
import { functionHandlers } from './functions.ts';
import { genericHandlers } from './generic.ts';
import { geoHandlers } from './geo.ts';
import { hashHandlers } from './hash.ts';
import { hashExpiryHandlers } from './hash-expiry.ts';
import { hyperloglogHandlers } from './hyperloglog.ts';
import { introspectionHandlers } from './introspection.ts';
import { listHandlers } from './list.ts';
import { pubsubHandlers } from './pubsub.ts';
import { type Command, CommandIndex, Flag } from './registry.ts';
import { replicationHandlers } from './replication.ts';
import { persistenceHandlers, serverHandlers } from './server.ts';
import { setHandlers } from './set.ts';
import { sortHandlers } from './sort.ts';
import { sortedSetHandlers } from './sorted-set.ts';
import { sortedSetRangeHandlers } from './sorted-set-range.ts';
import { type CommandSpec, legacyKeyRange } from './spec.ts';
import { streamHandlers } from './stream.ts';
import { stringHandlers } from './string.ts';
import { transactionHandlers } from './transaction.ts';

/** One line per family. */
const families: readonly Handlers<Record<string, CommandSpec>>[] = [
  stringHandlers,
  genericHandlers,
  dumpHandlers,
  connectionHandlers,
  serverHandlers,
  persistenceHandlers,
  configHandlers,
  introspectionHandlers,
  transactionHandlers,
  hashHandlers,
  setHandlers,
  sortedSetHandlers,
  sortedSetRangeHandlers,
  geoHandlers,
  hashExpiryHandlers,
  listHandlers,
  bitmapHandlers,
  hyperloglogHandlers,
  streamHandlers,
  sortHandlers,
  pubsubHandlers,
  clientHandlers,
  diagnosticsHandlers,
  functionHandlers,
  replicationHandlers,
  aclHandlers,
];

/** Commands that MULTI does not queue. */
const IMMEDIATE = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset']);
/** Commands that a RESP2 client may use while it is subscribed. */
const WHILE_SUBSCRIBED = new Set([
  'subscribe',
  'unsubscribe',
  'psubscribe',
  'punsubscribe',
  'ssubscribe',
  'sunsubscribe',
  'ping',
  'quit',
  'reset',
]);

/** Commands that come across keys that nobody named. */
const ANY_KEYS = new Set(['scan', 'randomkey']);

/** Builds the index of all served commands, with statistics at zero. */
export function createCommandTable(): CommandIndex {
  const commands: Command[] = [];
  let id = 0;
  for (const family of families) {
    for (const [name, served] of Object.entries(family)) {
      if (served === undefined) continue;
      const spec = commandSpecs[name];
      if (spec === undefined) throw new Error(`command table: '${name}' has a handler but no spec`);
      // The handler under '' is the container's own (COMMAND without a subcommand).
      const own = typeof served === 'function' ? served : (served[''] ?? null);
      const command = createCommand(name, spec, own, null, id++);
      if (typeof served !== 'function') {
        const subcommands: Command[] = [];
        const named = Object.entries(served).filter(([sub]) => sub !== '');
        for (const [sub, handler] of named) {
          const subSpec = spec.subcommands?.[sub];
          if (subSpec === undefined) throw new Error(`command table: '${name}|${sub}' has a handler but no spec`);
          subcommands.push(createCommand(`${name}|${sub}`, subSpec, handler, command, id++));
        }
        const words = named.map(([sub]) => sub);
        Object.assign(command, { subcommands: new CommandIndex(subcommands, words) });
      }
      commands.push(command);
    }
  }
  return new CommandIndex(
    commands,
    commands.map((command) => command.name),
  );
}

/** No command with one of these is quick, whatever else it says. */
const SLOW = Flag.blocking | Flag.admin;

function createCommand(
  name: string,
  spec: CommandSpec,
  handler: Handler | null,
  parent: Command | null,
  id: number,
): Command {
  let flags = 0;
  for (const flag of spec.flags ?? []) {
    if (flag in Flag) flags |= Flag[flag as keyof typeof Flag];
  }
  if (legacyKeyRange(spec).movable) flags |= Flag.movablekeys;
  if (IMMEDIATE.has(name)) flags |= Flag.immediate;
  if (WHILE_SUBSCRIBED.has(name)) flags |= Flag.whileSubscribed;
  if (ANY_KEYS.has(name)) flags |= Flag.anyKeys;
  return {
    name,
    spec,
    flags,
    arity: spec.arity,
    handler,
    subcommands: null,
    parent,
    quick: (flags & SLOW) === 0 && ((flags & Flag.fast) !== 0 || spec.complexity === 'O(1)'),
    id,
    stats: { calls: 0, microseconds: 0, rejectedCalls: 0, failedCalls: 0 },
  };
}
