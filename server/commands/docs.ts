// The command table without handlers: what COMMAND, the CLI's hints and help, and the README read.
import type { ArgumentSpec, CommandGroup, CommandSpec } from './spec.ts';
import { aclSpecs } from './specs/acl.ts';
import { bitmapSpecs } from './specs/bitmap.ts';
import { clientSpecs } from './specs/client.ts';
import { clusterSpecs } from './specs/cluster.ts';
import { configSpecs } from './specs/config.ts';
import { connectionSpecs } from './specs/connection.ts';
import { diagnosticsSpecs } from './specs/diagnostics.ts';
import { genericSpecs } from './specs/generic.ts';
import { geoSpecs } from './specs/geo.ts';
import { hashSpecs } from './specs/hash.ts';
import { hashExpirySpecs } from './specs/hash-expiry.ts';
import { hyperloglogSpecs } from './specs/hyperloglog.ts';
import { introspectionSpecs } from './specs/introspection.ts';
import { listSpecs } from './specs/list.ts';
import { moduleSpecs } from './specs/module.ts';
import { persistenceSpecs } from './specs/persistence.ts';
import { pubsubSpecs } from './specs/pubsub.ts';
import { replicationSpecs } from './specs/replication.ts';
import { scriptingSpecs } from './specs/scripting.ts';
import { sentinelSpecs } from './specs/sentinel.ts';
import { serverSpecs } from './specs/server.ts';
import { setSpecs } from './specs/set.ts';
import { sortedSetSpecs } from './specs/sorted-set.ts';
import { sortedSetRangeSpecs } from './specs/sorted-set-range.ts';
import { streamSpecs } from './specs/stream.ts';
import { stringSpecs } from './specs/string.ts';
import { transactionSpecs } from './specs/transaction.ts';

export type { ArgumentSpec, CommandGroup, CommandSpec };

/** Every command that has a spec, by its lower-case name; those for other modes than this server's, too. */
export const commandSpecs: Readonly<Record<string, CommandSpec>> = {
  ...stringSpecs,
  ...bitmapSpecs,
  ...listSpecs,
  ...setSpecs,
  ...hashSpecs,
  ...hashExpirySpecs,
  ...sortedSetSpecs,
  ...sortedSetRangeSpecs,
  ...geoSpecs,
  ...hyperloglogSpecs,
  ...streamSpecs,
  ...genericSpecs,
  ...transactionSpecs,
  ...pubsubSpecs,
  ...connectionSpecs,
  ...clientSpecs,
  ...serverSpecs,
  ...configSpecs,
  ...introspectionSpecs,
  ...aclSpecs,
  ...diagnosticsSpecs,
  ...persistenceSpecs,
  ...replicationSpecs,
  ...moduleSpecs,
  ...scriptingSpecs,
  ...clusterSpecs,
  ...sentinelSpecs,
};

/** A command or subcommand with the name under which it is listed: `get`, `config|set`. */
export type CommandDoc = { readonly name: string; readonly spec: CommandSpec };

/**
 * The spec of a command, or of its subcommand when one is named, in any case. A container's spec stands for words that
 * are none of its subcommands only when `subcommand` is left out.
 */
export function findCommandSpec(name: string, subcommand?: string): CommandSpec | undefined {
  const spec = entryOf(commandSpecs, name);
  return subcommand === undefined ? spec : spec?.subcommands && entryOf(spec.subcommands, subcommand);
}

/** All commands by name, each container followed by its subcommands. */
export function listCommandDocs(): CommandDoc[] {
  return Object.keys(commandSpecs)
    .sort()
    .flatMap((name) => withSubcommands(name, commandSpecs[name]!));
}

/** The groups in the order of the table, each with its commands by name, subcommands included. */
export function commandDocsByGroup(): Map<CommandGroup, CommandDoc[]> {
  const groups = new Map<CommandGroup, CommandDoc[]>();
  for (const spec of Object.values(commandSpecs)) if (!groups.has(spec.group)) groups.set(spec.group, []);
  for (const doc of listCommandDocs()) groups.get(doc.spec.group)!.push(doc);
  return groups;
}

/** Arguments as redis-cli shows them: `key value [NX|XX] [GET] [EX seconds|KEEPTTL]`. */
export function syntaxOf(spec: CommandSpec): string {
  return (spec.arguments ?? []).map(argumentSyntax).join(' ');
}

/** One argument as redis-cli shows it, brackets included when it is optional. */
export function argumentSyntax(argument: ArgumentSpec): string {
  const value = valueSyntax(argument);
  const token = argument.token === '' ? '""' : argument.token;
  let text = [token, value].filter(Boolean).join(' ');
  if (argument.multiple) text += ` [${argument.multipleToken ? text : value} ...]`;
  return argument.optional ? `[${text}]` : text;
}

function valueSyntax(argument: ArgumentSpec): string {
  const parts = argument.arguments ?? [];
  if (argument.type === 'block') return parts.map(argumentSyntax).join(' ');
  if (argument.type === 'oneof') return parts.map(argumentSyntax).join('|');
  // A pure token is its own value; the few without a token are typed as they are named.
  if (argument.type === 'pure-token') return argument.token === undefined ? argument.name : '';
  return argument.name;
}

function withSubcommands(name: string, spec: CommandSpec): CommandDoc[] {
  const subcommands = Object.entries(spec.subcommands ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [{ name, spec }, ...subcommands.map(([word, sub]) => ({ name: `${name}|${word}`, spec: sub }))];
}

/** An own entry, so that words like `constructor` name nothing. */
function entryOf(specs: Readonly<Record<string, CommandSpec>>, name: string): CommandSpec | undefined {
  const key = name.toLowerCase();
  return Object.hasOwn(specs, key) ? specs[key] : undefined;
}
