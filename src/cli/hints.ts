// What the prompt shows ahead of the cursor: the arguments still to come, and completions of command names.
import {
  type ArgumentSpec,
  argumentSyntax,
  commandDocsByGroup,
  findCommandSpec,
  listCommandDocs,
} from '../../server/commands/docs.ts';

/** The grey text after the line typed so far; empty when there is nothing to say. */
export function hintFor(line: string): string {
  const words = line.split(/\s+/).filter((word) => word !== '');
  const [name, second] = words;
  if (name === undefined || /["']/.test(line)) return '';
  const container = findCommandSpec(name);
  const subcommand = second === undefined ? undefined : findCommandSpec(name, second);
  const spec = subcommand ?? container;
  if (spec?.arguments === undefined) return '';
  const remaining = remainingArguments(spec.arguments, words.slice(subcommand === undefined ? 1 : 2));
  const text = remaining.map(argumentSyntax).join(' ');
  return text === '' || /\s$/.test(line) ? text : ` ${text}`;
}

/** The lines that Tab offers for `line`. */
export function completionsFor(line: string): string[] {
  const help = /^(help )(.*)$/i.exec(line);
  if (help !== null) {
    const topics = [...[...commandDocsByGroup().keys()].map((group) => `@${group}`), ...commandNames()];
    return topics.filter((topic) => startsWith(topic, help[2]!)).map((topic) => help[1]! + topic);
  }
  const upper = line !== line.toLowerCase();
  return [...commandNames(), 'HELP', 'QUIT', 'CLEAR']
    .filter((name) => startsWith(name, line))
    .map((name) => (upper ? name : name.toLowerCase()));
}

function commandNames(): string[] {
  return listCommandDocs().map(({ name }) => name.toUpperCase().replace('|', ' '));
}

function startsWith(text: string, beginning: string): boolean {
  return text.toLowerCase().startsWith(beginning.toLowerCase());
}

/** The arguments that the words leave open: each mandatory one takes its words, an optional one goes with its token. */
function remainingArguments(specs: readonly ArgumentSpec[], words: readonly string[]): ArgumentSpec[] {
  const open = [...specs];
  for (let i = 0; i < words.length && open.length > 0; ) {
    const at = open.findIndex((argument) => !argument.optional || hasToken(argument, words[i]!));
    const argument = open[at];
    if (argument === undefined) return open;
    const taken = Math.max(1, wordCount(argument));
    // An option stays in sight until its value has been typed.
    if (argument.optional && i + taken > words.length) return open;
    i += taken;
    // What may repeat stays in sight.
    if (argument.multiple) return [{ ...argument, optional: true }, ...open.slice(at + 1)];
    open.splice(at, 1);
  }
  return open;
}

function hasToken(argument: ArgumentSpec, word: string): boolean {
  if (argument.token !== undefined) return argument.token.toLowerCase() === word.toLowerCase();
  return (argument.arguments ?? []).some((part) => hasToken(part, word));
}

function wordCount(argument: ArgumentSpec): number {
  const own = argument.token === undefined ? 0 : 1;
  if (argument.type === 'pure-token') return 1;
  if (argument.type === 'oneof') return own + wordCount(argument.arguments![0]!);
  if (argument.type === 'block') {
    return own + argument.arguments!.reduce((sum, part) => sum + (part.optional ? 0 : wordCount(part)), 0);
  }
  return own + 1;
}
