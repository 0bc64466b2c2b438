// Runs other programs: always an argument list, never a shell, always a time limit and an output limit.
import { execa } from 'execa';
import { OpsError } from '../errors.ts';

export interface RunOptions {
  /** Default 30,000. The program gets SIGTERM then, and SIGKILL 2 s later. */
  readonly timeoutMs?: number;
  /** Written to its standard input, which is closed afterwards; empty by default. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** Added to this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Hand the terminal through instead of collecting output (logs --follow). No time limit then. */
  readonly inherit?: boolean;
}

export interface RunResult {
  /** Exit code; 127 when the program does not exist, 124 after the time limit, 128 when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
  readonly timedOut: boolean;
  readonly signal: string | undefined;
  /** For messages only: the words joined by spaces. */
  readonly command: string;
}

/** Runs `file` and tells how it went; never throws because the program failed. */
export type Runner = (file: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

const outputBytesMax = 16 * 1024 * 1024;

export const run: Runner = async (file, args, options = {}) => {
  const result = await execa(file, [...args], {
    reject: false,
    shell: false,
    stripFinalNewline: true,
    maxBuffer: outputBytesMax,
    forceKillAfterDelay: 2_000,
    timeout: options.inherit ? 0 : (options.timeoutMs ?? 30_000),
    ...(options.inherit ? { stdio: 'inherit' as const } : { input: options.input ?? '' }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...options.env } }),
  });
  const missing = result.code === 'ENOENT' || result.code === 'EACCES';
  return {
    exitCode: missing ? 127 : result.timedOut ? 124 : (result.exitCode ?? 128),
    stdout: text(result.stdout),
    stderr: text(result.stderr),
    missing,
    timedOut: result.timedOut,
    signal: result.signal,
    command: [file, ...args].join(' '),
  };
};

/** Runs `file` through `runner` and returns its standard output. Throws command-missing, -timeout or -failed. */
export async function runChecked(
  runner: Runner,
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await runner(file, args, options);
  if (result.exitCode === 0) return result.stdout;
  if (result.missing) throw new OpsError('command-missing', { file });
  if (result.timedOut) {
    throw new OpsError('command-timeout', { command: result.command, timeoutMs: options.timeoutMs ?? 30_000 });
  }
  const outcome = result.signal === undefined ? `status ${result.exitCode}` : result.signal;
  const output = (result.stderr || result.stdout).trim() || 'it said nothing';
  throw new OpsError('command-failed', { command: result.command, outcome, output });
}

function text(output: unknown): string {
  return typeof output === 'string' ? output : '';
}
