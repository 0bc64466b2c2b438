// One line of the prompt: a command, a repeat count before it, or a word for the prompt itself.
import { runCommand } from './command.ts';
import { CliExit } from './host.ts';
import { type Preferences, setPreference } from './preferences.ts';
import { splitArguments } from './quote.ts';
import type { Session } from './session.ts';

/** Longest time a command may take without being told, in milliseconds. */
const SLOW_MS = 500;

/**
 * Runs one line.
 * @returns its words, without a repeat count, or undefined when the line was none
 * @throws {CliExit} at `quit`
 */
export async function runLine(session: Session, preferences: Preferences, line: Buffer): Promise<void> {
  const { host } = session;
  const words = splitArguments(line);
  if (words === undefined) {
    host.write('Invalid argument(s)\n');
    return;
  }
  const repeat = repeatCount(words);
  if (Number.isNaN(repeat)) {
    host.write('Invalid redis-cli repeat command option value.\n');
    return;
  }
  const args = repeat === undefined ? words : words.slice(1);
  const name = args[0]?.toString('latin1').toLowerCase();
  if (name === undefined) return;
  if (name === 'quit' || name === 'exit') throw new CliExit(0);
  if (name.startsWith(':')) {
    const complaint = setPreference(
      preferences,
      args.map((arg) => arg.toString('utf8')),
    );
    if (complaint !== undefined) host.write(`${complaint}\n`);
  } else if (name === 'connect' && args.length === 3) {
    session.serverHost = args[1]!.toString('utf8');
    session.serverPort = Number.parseInt(args[2]!.toString('latin1'), 10) || 0;
    await session.connect();
  } else if (name === 'clear' && args.length === 1) {
    host.write('\x1b[H\x1b[2J');
  } else {
    const startMs = host.nowMs();
    await runCommand(session, args, repeat ?? 1);
    const elapsedMs = host.nowMs() - startMs;
    if (elapsedMs >= SLOW_MS && session.output === 'standard') host.write(`(${(elapsedMs / 1000).toFixed(2)}s)\n`);
  }
}

/** `5 ping`: how often; undefined without a count, NaN for one that cannot be. */
export function repeatCount(words: readonly Buffer[]): number | undefined {
  const first = words[0]?.toString('latin1') ?? '';
  if (words.length < 2 || !/^[+-]?\d+$/.test(first)) return undefined;
  const count = Number(first);
  return count > 0 && count <= Number.MAX_SAFE_INTEGER ? count : Number.NaN;
}
