// A process for tsredis-cli in tests: input given, output kept.
import { Readable } from 'node:stream';
import type { CliHost } from '../../src/cli/host.ts';
import { runCli } from '../../src/cli/main.ts';

export interface CliRun {
  status: number;
  /** latin1, one character per byte. */
  stdout: string;
  stderr: string;
}

export interface CliInput {
  stdin?: string;
  /** Print as at a terminal. */
  terminal?: boolean;
  env?: Record<string, string>;
}

/** Runs tsredis-cli in this process. */
export async function runOurCli(args: readonly string[], input: CliInput = {}): Promise<CliRun> {
  let stdout = '';
  let stderr = '';
  const stdin = Buffer.from(input.stdin ?? '', 'latin1');
  const host: CliHost = {
    env: input.env ?? {},
    stdinIsTerminal: false,
    stdoutIsTerminal: input.terminal ?? false,
    write: (text) => {
      stdout += text;
    },
    writeBytes: (bytes) => {
      stdout += Buffer.from(bytes).toString('latin1');
    },
    writeError: (text) => {
      stderr += text;
    },
    stdin: () => Readable.from([stdin]) as unknown as NodeJS.ReadStream,
    stdout: () => {
      throw new Error('no terminal in this test');
    },
    readStdin: () => stdin,
    nowMs: () => performance.now(),
    waitMs: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
  const argv = args.map((arg) => Buffer.from(arg, 'latin1'));
  const status = await runCli(argv, host, '7.0.15');
  return { status, stdout, stderr };
}
