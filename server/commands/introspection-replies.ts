// COMMAND INFO and COMMAND DOCS of one command as replies: the shapes are Redis 7's, for RESP2 and RESP3.
import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Command } from './registry.ts';
import {
  type ArgumentSpec,
  type CommandSpec,
  type KeySearchBegin,
  type KeySearchFind,
  type KeySpec,
  keyFlags,
  legacyKeyRange,
  listedFlags,
  oneKey,
  resolveCategories,
} from './spec.ts';

/** The ten fields of COMMAND INFO; the last one holds the same of each subcommand. */
export function writeCommandInfo(reply: ReplyWriter, command: Command): void {
  const { spec } = command;
  const range = legacyKeyRange(spec);
  reply.array(10);
  reply.text(command.name);
  reply.int(spec.arity);
  writeStatusSet(reply, listedFlags(spec));
  reply.int(range.first);
  reply.int(range.last);
  reply.int(range.step);
  writeStatusSet(
    reply,
    resolveCategories(spec).map((category) => `@${category}`),
  );
  const tips = spec.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.text(tip);
  const keySpecs = spec.keySpecs ?? [];
  reply.set(keySpecs.length);
  for (const keySpec of keySpecs) writeKeySpec(reply, keySpec);
  const subcommands = command.subcommands?.all();
  if (subcommands === undefined) {
    reply.set(0);
    return;
  }
  reply.array(subcommands.length);
  for (const subcommand of subcommands) writeCommandInfo(reply, subcommand);
}

/** The map that COMMAND DOCS has for a command; what a command does not have is left out. */
export function writeCommandDocs(reply: ReplyWriter, command: Command): void {
  const { spec } = command;
  const subcommands = command.subcommands?.all();
  const flags = docFlags(spec);
  const fields = new MapFields(reply);
  fields.text('summary', spec.summary);
  fields.text('since', spec.since);
  fields.text('group', spec.group);
  fields.text('complexity', spec.complexity);
  if (flags.length > 0) {
    fields.key('doc_flags');
    writeStatusSet(reply, flags);
  }
  fields.text('deprecated_since', spec.deprecatedSince);
  fields.text('replaced_by', spec.replacedBy);
  if (spec.history !== undefined) {
    fields.key('history');
    writeHistory(reply, spec.history);
  }
  if (spec.arguments !== undefined) {
    fields.key('arguments');
    writeArguments(reply, spec.arguments);
  }
  if (subcommands !== undefined) {
    fields.key('subcommands');
    reply.map(subcommands.length);
    for (const subcommand of subcommands) {
      reply.text(subcommand.name);
      writeCommandDocs(reply, subcommand);
    }
  }
  fields.end();
}

function docFlags(spec: CommandSpec): string[] {
  const flags = spec.deprecatedSince === undefined ? [] : ['deprecated'];
  return spec.system === true ? [...flags, 'syscmd'] : flags;
}

function writeHistory(reply: ReplyWriter, history: NonNullable<CommandSpec['history']>): void {
  reply.set(history.length);
  for (const [since, change] of history) {
    reply.array(2);
    reply.text(since);
    reply.text(change);
  }
}

function writeArguments(reply: ReplyWriter, list: readonly ArgumentSpec[]): void {
  reply.array(list.length);
  for (const argument of list) writeArgument(reply, argument);
}

function writeArgument(reply: ReplyWriter, argument: ArgumentSpec): void {
  const fields = new MapFields(reply);
  fields.text('name', argument.name);
  fields.text('type', argument.type);
  fields.int('key_spec_index', argument.keySpec);
  fields.text('token', argument.token);
  fields.text('since', argument.since);
  fields.text('deprecated_since', argument.deprecatedSince);
  const flags: string[] = [];
  if (argument.optional === true) flags.push('optional');
  if (argument.multiple === true) flags.push('multiple');
  if (argument.multipleToken === true) flags.push('multiple_token');
  if (flags.length > 0) {
    fields.key('flags');
    writeStatusSet(reply, flags);
  }
  if (argument.arguments !== undefined) {
    fields.key('arguments');
    writeArguments(reply, argument.arguments);
  }
  fields.end();
}

function writeKeySpec(reply: ReplyWriter, keySpec: KeySpec): void {
  const fields = new MapFields(reply);
  fields.text('notes', keySpec.notes);
  fields.key('flags');
  writeStatusSet(
    reply,
    keyFlags.filter((flag) => keySpec.flags.includes(flag)),
  );
  fields.key('begin_search');
  writeBegin(reply, keySpec.begin);
  fields.key('find_keys');
  writeFind(reply, keySpec.find ?? oneKey);
  fields.end();
}

function writeBegin(reply: ReplyWriter, begin: KeySearchBegin): void {
  if (begin === 'unknown') writeSearch(reply, 'unknown', []);
  else if ('index' in begin) writeSearch(reply, 'index', [['index', begin.index]]);
  else {
    writeSearch(reply, 'keyword', [
      ['keyword', begin.keyword],
      ['startfrom', begin.startFrom],
    ]);
  }
}

function writeFind(reply: ReplyWriter, find: KeySearchFind): void {
  if (find === 'unknown') writeSearch(reply, 'unknown', []);
  else if ('lastKey' in find) {
    writeSearch(reply, 'range', [
      ['lastkey', find.lastKey],
      ['keystep', find.step],
      ['limit', find.limit],
    ]);
  } else {
    writeSearch(reply, 'keynum', [
      ['keynumidx', find.countIndex],
      ['firstkey', find.firstKey],
      ['keystep', find.step],
    ]);
  }
}

function writeSearch(reply: ReplyWriter, type: string, spec: readonly (readonly [string, string | number])[]): void {
  reply.map(2);
  reply.text('type');
  reply.text(type);
  reply.text('spec');
  reply.map(spec.length);
  for (const [name, value] of spec) {
    reply.text(name);
    if (typeof value === 'number') reply.int(value);
    else reply.text(value);
  }
}

/** Redis writes flags and categories as simple strings. */
function writeStatusSet(reply: ReplyWriter, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

/** A map whose fields are counted while they are written; values that are undefined leave their field out. */
class MapFields {
  private readonly reply: ReplyWriter;
  private readonly mark: number;
  private count = 0;

  constructor(reply: ReplyWriter) {
    this.reply = reply;
    this.mark = reply.beginAggregate();
  }

  key(name: string): void {
    this.count++;
    this.reply.text(name);
  }

  text(name: string, value: string | undefined): void {
    if (value === undefined) return;
    this.key(name);
    this.reply.text(value);
  }

  int(name: string, value: number | undefined): void {
    if (value === undefined) return;
    this.key(name);
    this.reply.int(value);
  }

  end(): void {
    this.reply.endAggregate(this.mark, 'map', this.count);
  }
}
