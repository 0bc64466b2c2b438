// HELP of containers: derived from the table, one line of syntax and one of summary per subcommand.

import type { Context } from './context.ts';
import type { ArgumentSpec, CommandSpec } from './spec.ts';

/** Answers `X HELP` for the container of the running subcommand. */
export function replyHelp(c: Context): void {
  const parent = c.command.parent;
  if (parent === null) return;
  const name = parent.name.toUpperCase();
  const lines = [`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const sub of parent.subcommands?.all() ?? []) {
    const word = sub.name.slice(parent.name.length + 1);
    if (word === 'help') continue;
    lines.push(`${word.toUpperCase()}${argumentsText(sub.spec)}`, `    ${sub.spec.summary}`);
  }
  lines.push('HELP', '    Print this help.');
  c.reply.array(lines.length);
  for (const line of lines) c.reply.simple(line);
}

function argumentsText(spec: CommandSpec): string {
  return (spec.arguments ?? []).map((argument) => ` ${argumentText(argument)}`).join('');
}

function argumentText(argument: ArgumentSpec): string {
  let text = '';
  if (argument.type === 'oneof') text = (argument.arguments ?? []).map(argumentText).join('|');
  else if (argument.type === 'block') text = (argument.arguments ?? []).map(argumentText).join(' ');
  else if (argument.type !== 'pure-token') text = `<${argument.name}>`;
  if (argument.token !== undefined) text = `${argument.token}${text === '' ? '' : ' '}${text}`;
  if (argument.multiple === true) text = `${text} [${text} ...]`;
  return argument.optional === true ? `[${text}]` : text;
}
