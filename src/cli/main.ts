// tsredis-cli from its arguments to its exit status. What few runs need is imported when it is needed: a command in a
// script should cost little more than starting Node.
import { runCommand } from './command.ts';
import { CliExit, type CliHost } from './host.ts';
import { type CliOptions, parseCommandLine } from './options.ts';
import { splitArguments } from './quote.ts';
import { Session } from './session.ts';

/** Runs the program and returns its exit status. */
export async function runCli(argv: readonly Buffer[], host: CliHost, version: string): Promise<number> {
  try {
    return await run(argv, host, version);
  } catch (error) {
    if (error instanceof CliExit) return error.status;
    throw error;
  }
}

async function run(argv: readonly Buffer[], host: CliHost, version: string): Promise<number> {
  const parsed = parseCommandLine(argv);
  if ('error' in parsed) {
    host.writeError(`${parsed.error}\n`);
    return parsed.exitStatus;
  }
  if ('show' in parsed) {
    const text = parsed.show === 'version' ? `redis-cli ${version}\n` : (await import('./usage.ts')).usage(version);
    host.write(text);
    return parsed.exitStatus;
  }
  const { options, command } = parsed;
  await takePassword(options, host);
  const session = new Session(options, host);
  try {
    return await runSession(session, command);
  } finally {
    session.disconnect();
  }
}

async function runSession(session: Session, command: Buffer[]): Promise<number> {
  const { options } = session;
  if (options.mode !== undefined) {
    const { runMode } = await import('./modes/table.ts');
    return await runMode(options.mode, session, command);
  }
  if (command.length === 0) {
    const { runPrompt } = await import('./prompt.ts');
    return await runPrompt(session);
  }
  return await runOneShot(session, command);
}

async function runOneShot(session: Session, command: Buffer[]): Promise<number> {
  const { options, host } = session;
  const args = options.quotedInput ? unquoteAll(command) : [...command];
  if (args === undefined) {
    host.write('Invalid quoted string\n');
    return 1;
  }
  if (options.lastArgumentFromStdin) {
    args.push(host.readStdin());
  } else if (options.stdinTag !== undefined) {
    const tag = options.stdinTag;
    const at = args.findIndex((arg) => arg.equals(tag));
    if (at < 0) {
      host.writeError('Using -X option but stdin tag not match.\n');
      return 1;
    }
    args[at] = host.readStdin();
  }
  return (await runCommand(session, args, options.repeat)) ? 0 : 1;
}

/** Each argument read as a quoted string; undefined when one is not exactly one. */
function unquoteAll(command: readonly Buffer[]): Buffer[] | undefined {
  const args: Buffer[] = [];
  for (const word of command) {
    const words = splitArguments(word);
    if (words?.length !== 1) return undefined;
    args.push(words[0]!);
  }
  return args;
}

/** The password: asked for, or given (with a warning), or from the environment. */
async function takePassword(options: CliOptions, host: CliHost): Promise<void> {
  if (options.password !== undefined && options.authWarning && !options.askPassword) {
    host.writeError(
      "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n",
    );
  }
  if (options.askPassword) {
    const { askPassword } = await import('./password.ts');
    options.password = await askPassword(host, 'Please input password: ');
    return;
  }
  options.password ??= host.env['REDISCLI_AUTH'];
}
