// The toolkit: finds the subcommand, runs it, and turns a failure into a message and an exit status.
import { Command, CommanderError } from 'commander';
import { OpsError } from './errors.ts';
import { localHost } from './host/host.ts';
import { packageRoot } from './install/payload.ts';
import { terminalAsker } from './setup/prompts.ts';
import type { ToolIo } from './subcommands/io.ts';
import { setupCommand } from './subcommands/setup.ts';
import { subcommands } from './subcommands/table.ts';

/** Where a program writes, and whether somebody sits at it. */
export interface Terminal {
  readonly isInteractive: boolean;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** Runs `tsredis` or, as `tsredis-setup`, its setup alone. Resolves to the exit status; never throws. */
export async function runTool(
  name: 'tsredis' | 'tsredis-setup',
  args: readonly string[],
  version: string,
  terminal: Terminal,
): Promise<number> {
  let status = 0;
  const io: ToolIo = {
    host: localHost(),
    print: terminal.print,
    setExitStatus: (value) => {
      status = value;
    },
    asker: terminal.isInteractive ? terminalAsker() : undefined,
    packageRoot: packageRoot(),
  };
  const program = name === 'tsredis-setup' ? setupCommand(io, name) : toolkit(io);
  prepare(program.version(version), terminal);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    return report(error, args.includes('--json'), terminal);
  }
}

function toolkit(io: ToolIo): Command {
  const program = new Command('tsredis').description('Sets up, runs and checks Redis-compatible servers.');
  for (const create of subcommands) program.addCommand(create(io));
  return program;
}

/** The library must neither end the process nor choose where to write, for any level of subcommand. */
function prepare(command: Command, terminal: Terminal): void {
  const line = (text: string) => text.replace(/\n$/, '');
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.print(line(text)),
    writeErr: (text) => terminal.printError(line(text)),
  });
  for (const child of command.commands) prepare(child as Command, terminal);
}

function report(error: unknown, json: boolean, terminal: Terminal): number {
  // Help and version end that way, too, with 0; what is left are wrong arguments.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const failure =
    error instanceof OpsError
      ? error
      : new OpsError('internal', { detail: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  if (json) terminal.print(JSON.stringify({ error: failure.toJSON() }, null, 2));
  terminal.printError(`tsredis: ${failure.message}`);
  terminal.printError(`  ${failure.hint}`);
  return failure.exitStatus;
}
