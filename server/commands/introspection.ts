// COMMAND: what this server can do, for clients, proxies and shells. All of it is read from the table.
import { globMatch } from '../base/glob.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { replyHelp } from './help.ts';
import { writeCommandDocs, writeCommandInfo } from './introspection-replies.ts';
import { findKeys, type KeyPlan, KeyPositions, keyPlanOf } from './key-positions.ts';
import type { Command, CommandIndex } from './registry.ts';
import { type AclCategory, keyFlags, resolveCategories } from './spec.ts';
import type { introspectionSpecs } from './specs/introspection.ts';

export const introspectionHandlers: Handlers<typeof introspectionSpecs> = {
  command: {
    /** COMMAND */
    '': (c) => {
      if (c.argc > 1) throw new CommandError(`ERR unknown subcommand '${c.shown(1)}'. Try COMMAND HELP.`);
      infoOfAll(c);
    },
    /** COMMAND COUNT */
    count: (c) => c.reply.int(c.server.commands.all().length),
    docs,
    getkeys,
    getkeysandflags,
    /** COMMAND HELP */
    help: (c) => replyHelp(c),
    info,
    list,
  },
};

const SUBCOMMAND_MARK = 124;

/** Shared by all requests: a handler is done with it before the next one starts. */
const found = new KeyPositions();

/** COMMAND INFO [command-name ...] */
function info(c: Context): void {
  if (c.argc === 2) {
    infoOfAll(c);
    return;
  }
  c.reply.array(c.argc - 2);
  for (let i = 2; i < c.argc; i++) {
    const command = commandNamed(c, i);
    if (command === null) c.reply.nil();
    else writeCommandInfo(c.reply, command);
  }
}

function infoOfAll(c: Context): void {
  const commands = c.server.commands.all();
  c.reply.array(commands.length);
  for (const command of commands) writeCommandInfo(c.reply, command);
}

/** COMMAND DOCS [command-name ...]; names of no command are passed over. */
function docs(c: Context): void {
  const asked: Command[] = [];
  for (let i = 2; i < c.argc; i++) {
    const command = commandNamed(c, i);
    if (command !== null) asked.push(command);
  }
  const commands = c.argc === 2 ? c.server.commands.all() : asked;
  c.reply.map(commands.length);
  for (const command of commands) {
    c.reply.text(command.name);
    writeCommandDocs(c.reply, command);
  }
}

/** COMMAND LIST [FILTERBY (MODULE name | ACLCAT category | PATTERN pattern)] */
function list(c: Context): void {
  const matches = c.argc === 2 ? () => true : listFilter(c);
  const names: string[] = [];
  for (const command of withSubcommands(c.server.commands)) if (matches(command)) names.push(command.name);
  c.reply.array(names.length);
  for (const name of names) c.reply.text(name);
}

function listFilter(c: Context): (command: Command) => boolean {
  if (c.argc !== 5 || !c.is(2, 'filterby')) throw new CommandError(ERRORS.syntax);
  // This server has no modules, so none of its commands comes from one.
  if (c.is(3, 'module')) return () => false;
  if (c.is(3, 'aclcat')) {
    const category = c.text(4).toLowerCase() as AclCategory;
    return (command) => resolveCategories(command.spec).includes(category);
  }
  if (c.is(3, 'pattern')) {
    const pattern = c.copy(4);
    return (command) => globMatch(pattern, Buffer.from(command.name, 'latin1'), true);
  }
  throw new CommandError(ERRORS.syntax);
}

/** COMMAND GETKEYS command [arg ...] */
function getkeys(c: Context): void {
  const count = findRequestKeys(c);
  c.reply.array(count);
  for (let i = 0; i < count; i++) writeArgument(c, found.indexes[i] + 2);
}

/** COMMAND GETKEYSANDFLAGS command [arg ...] */
function getkeysandflags(c: Context): void {
  const count = findRequestKeys(c);
  c.reply.array(count);
  for (let i = 0; i < count; i++) {
    c.reply.array(2);
    writeArgument(c, found.indexes[i] + 2);
    const bits = found.flags[i];
    const flags = keyFlags.filter((_, bit) => (bits & (1 << bit)) !== 0);
    c.reply.set(flags.length);
    for (const flag of flags) c.reply.simple(flag);
  }
}

/** Fills `found` with the keys of the request that begins at argument 2; returns how many. */
function findRequestKeys(c: Context): number {
  const command = requestedCommand(c);
  if (command === null) throw new CommandError('ERR Invalid command specified');
  const plan: KeyPlan | null = keyPlanOf(command.spec);
  if (plan === null) throw new CommandError('ERR The command has no key arguments');
  const argc = c.argc - 2;
  if (command.arity > 0 ? argc !== command.arity : argc < -command.arity) {
    throw new CommandError('ERR Invalid number of arguments specified for command');
  }
  if (findKeys(plan, c, found, 2) && found.count > 0) return found.count;
  if (!plan.keysOptional) throw new CommandError('ERR Invalid arguments specified for command');
  return 0;
}

/** The command or subcommand that arguments 2 and 3 name, null for none. */
function requestedCommand(c: Context): Command | null {
  const command = c.server.commands.find(c.buf, c.pos[2], c.len[2]);
  if (command === null || command.subcommands === null || c.argc === 3) return command;
  return command.subcommands.find(c.buf, c.pos[3], c.len[3]);
}

/** The command that an argument names: `get`, or `config|set` for a subcommand. */
function commandNamed(c: Context, i: number): Command | null {
  const name = c.view(i);
  const mark = name.indexOf(SUBCOMMAND_MARK);
  if (mark < 0) return c.server.commands.find(name, 0, name.length);
  const container = c.server.commands.find(name, 0, mark);
  return container?.subcommands?.find(name, mark + 1, name.length - mark - 1) ?? null;
}

function* withSubcommands(index: CommandIndex): Generator<Command> {
  for (const command of index.all()) {
    yield command;
    if (command.subcommands !== null) yield* command.subcommands.all();
  }
}

function writeArgument(c: Context, i: number): void {
  c.reply.bulkRange(c.buf, c.pos[i], c.len[i]);
}
