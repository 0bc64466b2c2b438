// tsredis config: checks a configuration file, explains directives, writes a documented one.
import { Command } from 'commander';
import type { Directive } from '../../server/config/directive.ts';
import { directives } from '../../server/config/directives.ts';
import { lookUp } from '../../server/config/settings.ts';
import { OpsError } from '../errors.ts';
import { nearestDirective, parseConf, renderConf } from '../setup/conf.ts';
import { readBytes } from '../setup/files.ts';
import { parseAssignment } from './instance-model.ts';
import type { ToolIo } from './io.ts';

const examples = `
Examples:
  tsredis config check /etc/redis/6379.conf
  tsredis config explain maxmemory-policy
  tsredis config template --set maxmemory=1gb > redis.conf

Exit status: 0 fine, 1 not readable, 2 wrong arguments, 6 a line is wrong.`;

export function configCommand(io: ToolIo): Command {
  const config = new Command('config')
    .description('check a configuration file, explain directives, write a documented file')
    .addHelpText('after', examples);
  config
    .command('check <file>')
    .description('read it as the server would; say which line is wrong')
    .option('--json', 'print one JSON document')
    .action((file: string, flags: { json?: boolean }) => check(io, file, flags.json ?? false));
  config
    .command('explain <directive>')
    .description('what it does, its default, its values')
    .action((name: string) => explain(io, name));
  config
    .command('template')
    .description('print a configuration with every directive explained')
    .option('--minimal', 'only the lines that are set')
    .option('--set <name=value...>', 'set these directives')
    .action((flags: { minimal?: boolean; set?: string[] }) => {
      const options = {
        title: 'Configuration of a Redis-compatible server',
        notes: [],
        minimal: flags.minimal ?? false,
      };
      const text = renderConf((flags.set ?? []).map(parseAssignment), options);
      parseConf('template', text);
      io.print(text.trimEnd());
    });
  return config;
}

function check(io: ToolIo, path: string, json: boolean): void {
  const bytes = readBytes(path);
  if (bytes === undefined) throw new OpsError('file-not-readable', { path, reason: 'there is no such file' });
  const settings = parseConf(path, bytes.toString('utf8'), io.host);
  const changed = (directives as readonly Directive[]).filter(
    (directive) => directive.name !== 'dir' && !directive.kind.equal(settings.value(directive), directive.initial),
  );
  if (json) {
    const values = changed.map(({ name, sensitive }) => [name, sensitive ? '***' : settings.text(name)]);
    io.print(JSON.stringify({ path, valid: true, changed: Object.fromEntries(values) }, null, 2));
    return;
  }
  io.print(`${path} is valid; ${changed.length} directives differ from their default`);
}

function explain(io: ToolIo, name: string): void {
  const directive = lookUp(name);
  if (directive === undefined) {
    const near = nearestDirective(name);
    throw new OpsError('usage', {
      detail: `there is no directive ${name}${near === undefined ? '' : `; did you mean ${near}?`}`,
    });
  }
  const { kind, initial, about, alias, immutable } = directive;
  const value = kind.format(initial);
  io.print(directive.name);
  io.print(`  ${about}`);
  io.print(`  default  ${value === '' ? '""' : value}`);
  io.print(`  values   ${kind.hint}`);
  if (alias !== undefined) io.print(`  also     ${alias}`);
  if (immutable) io.print('  Only from the file or the command line; CONFIG SET refuses it.');
}
