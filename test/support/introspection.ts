// COMMAND in a test without a server: the handlers over a table of any specs.
import { Context } from '../../server/commands/context.ts';
import { commandSpecs } from '../../server/commands/docs.ts';
import { CommandError } from '../../server/commands/errors.ts';
import { introspectionHandlers } from '../../server/commands/introspection.ts';
import { type Command, CommandIndex } from '../../server/commands/registry.ts';
import type { Services } from '../../server/commands/services.ts';
import type { CommandSpec } from '../../server/commands/spec.ts';
import { type Reply, ReplyParser } from '../../server/formats/resp/reply.ts';
import { ReplyWriter } from '../../server/formats/resp/writer.ts';
import type { Keyspace } from '../../server/keyspace/keyspace.ts';

/** A table that serves all of the specs. */
export function indexOf(specs: Readonly<Record<string, CommandSpec>>, parent: Command | null = null): CommandIndex {
  const names = Object.keys(specs);
  const commands = names.map((word, id) => {
    const spec = specs[word]!;
    const command = {
      name: parent ? `${parent.name}|${word}` : word,
      spec,
      flags: 0,
      arity: spec.arity,
      handler: () => {},
      subcommands: null,
      parent,
      quick: false,
      id,
      stats: { calls: 0, microseconds: 0, rejectedCalls: 0, failedCalls: 0 },
    };
    return Object.assign(command, { subcommands: spec.subcommands ? indexOf(spec.subcommands, command) : null });
  });
  return new CommandIndex(commands, names);
}

/** Runs `COMMAND ...` and returns its reply. */
export function runCommand(commands: CommandIndex, args: readonly string[], resp3 = false): Reply {
  const reply = new ReplyWriter();
  reply.resp3 = resp3;
  const c = new Context(null as unknown as Keyspace, reply, { commands } as unknown as Services);
  const parts = args.map((arg) => Buffer.from(arg));
  c.argc = parts.length;
  c.buf = Buffer.concat(parts);
  c.len = Int32Array.from(parts, (part) => part.length);
  c.pos = Int32Array.from(parts, (_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.length, 0));
  const handlers = introspectionHandlers.command as Readonly<Record<string, (c: Context) => void>>;
  const family = indexOf({ command: commandSpecs['command']! }).all()[0]!;
  c.command = (parts[1] && family.subcommands!.find(parts[1], 0, parts[1].length)) || family;
  try {
    (handlers[(args[1] ?? '').toLowerCase()] ?? handlers['']!)(c);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    reply.error(error.text);
  }
  const parser = new ReplyParser();
  parser.feed(reply.buf.subarray(0, reply.pos));
  return parser.next()!;
}
