// `help` at the prompt: general help, a group, or the commands whose names begin with the words given.
import { REDIS_VERSION } from '../../server/base/version.ts';
import { type CommandDoc, commandDocsByGroup, listCommandDocs, syntaxOf } from '../../server/commands/docs.ts';
import type { CliHost } from './host.ts';

export function printHelp(host: CliHost, topic: readonly Buffer[]): void {
  host.write(Buffer.from(helpText(topic.map((word) => word.toString('utf8'))), 'utf8').toString('latin1'));
}

/** The text that `help` prints, lines ended as Redis ends them. */
export function helpText(words: readonly string[]): string {
  const [first] = words;
  if (first === undefined) return generalHelp();
  const inGroup = first.startsWith('@');
  const docs = inGroup ? docsOfGroup(first.slice(1)) : docsNamed(words);
  const entries = docs.map((doc) => `\r\n${commandHelp(doc, !inGroup)}`);
  return `${entries.join('')}\r\n`;
}

function generalHelp(): string {
  return `redis-cli ${REDIS_VERSION}
To get help about Redis commands type:
      "help @<group>" to get a list of commands in <group>
      "help <command>" for help on <command>
      "help <tab>" to get a list of possible help topics
      "quit" to exit

To set redis-cli preferences:
      ":set hints" enable online hints
      ":set nohints" disable online hints
Set your preferences in ~/.redisclirc
`;
}

function commandHelp({ name, spec }: CommandDoc, withGroup: boolean): string {
  const title = name.toUpperCase().replace('|', ' ');
  const group = withGroup ? `  \x1b[33mgroup:\x1b[0m ${spec.group}\r\n` : '';
  return `  \x1b[1m${title}\x1b[0m \x1b[90m${syntaxOf(spec)}\x1b[0m\r
  \x1b[33msummary:\x1b[0m ${spec.summary}\r
  \x1b[33msince:\x1b[0m ${spec.since}\r
${group}`;
}

function docsOfGroup(name: string): CommandDoc[] {
  for (const [group, docs] of commandDocsByGroup()) if (group === name.toLowerCase()) return docs;
  return [];
}

function docsNamed(words: readonly string[]): CommandDoc[] {
  const wanted = words.map((word) => word.toLowerCase());
  return listCommandDocs().filter(({ name }) => {
    const parts = name.split('|');
    return wanted.length <= parts.length && wanted.every((word, i) => word === parts[i]);
  });
}
