// The prompt at a terminal: line editing, history, completion and hints around runLine.
import { createInterface, type Interface, moveCursor } from 'node:readline';
import { completionsFor, hintFor } from './hints.ts';
import { HISTORY_LINES_MAX, historyPath, isSensitive, preferencesPath, readLines, saveLine } from './history.ts';
import { CliExit } from './host.ts';
import { loadPreferences, type Preferences } from './preferences.ts';
import { repeatCount, runLine } from './prompt-line.ts';
import { splitArguments } from './quote.ts';
import type { Session } from './session.ts';

const CLEAR_TO_END = '\x1b[0K';

/** Lines typed or pasted ahead of a running command. */
const TYPED_AHEAD_MAX = 10_000;

export async function runTerminal(session: Session): Promise<number> {
  const { host } = session;
  const preferences: Preferences = { hints: true };
  for (const complaint of loadPreferences(preferences, readLines(preferencesPath(host.env)))) {
    host.write(`${complaint}\n`);
  }
  const path = historyPath(host.env);
  const input = host.stdin();
  const editor = createInterface({
    input,
    output: host.stdout(),
    terminal: true,
    history: readLines(path).reverse().slice(0, HISTORY_LINES_MAX),
    historySize: HISTORY_LINES_MAX,
    completer: (line: string): [string[], string] => [completionsFor(line), line],
  });
  // Passwords must not come back with the arrow key either.
  editor.on('history', (lines: string[]) => {
    if (lines[0] !== undefined && isSensitiveLine(lines[0])) lines.shift();
  });
  // Before the editor ends the line: no hint stays behind in it.
  input.prependListener('keypress', (_, key?: { name?: string }) => {
    if (key?.name === 'return' || key?.name === 'enter') host.stdout().write(CLEAR_TO_END);
  });
  input.on('keypress', () => {
    if (preferences.hints) showHint(editor, host.stdout());
  });
  try {
    for await (const line of typedLines(editor, session)) {
      if (!isSensitiveLine(line) && line.trim() !== '') saveLine(path, line);
      // While a command runs the terminal is its own: Ctrl-C ends the program.
      input.setRawMode(false);
      await runLine(session, preferences, Buffer.from(line, 'utf8'));
      input.setRawMode(true);
    }
    return 0;
  } catch (error) {
    if (error instanceof CliExit) return error.status;
    throw error;
  } finally {
    editor.close();
  }
}

/** Prompts for each line and yields it; ends at Ctrl-C and Ctrl-D. */
async function* typedLines(editor: Interface, session: Session): AsyncGenerator<string> {
  const typed: string[] = [];
  let closed = false;
  let wake: () => void = () => {};
  editor.on('line', (line) => {
    if (typed.length < TYPED_AHEAD_MAX) typed.push(line);
    wake();
  });
  editor.on('SIGINT', () => editor.close());
  editor.on('close', () => {
    closed = true;
    wake();
  });
  for (;;) {
    const line = typed.shift();
    if (line !== undefined) {
      yield line;
      continue;
    }
    if (closed) return;
    editor.setPrompt(session.prompt);
    editor.prompt();
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

function isSensitiveLine(line: string): boolean {
  const words = splitArguments(Buffer.from(line, 'utf8'));
  if (words === undefined) return /\b(auth|acl|requirepass|masterauth|hello|migrate)\b/i.test(line);
  const args = repeatCount(words) === undefined ? words : words.slice(1);
  return isSensitive(args.map((word) => word.toString('utf8')));
}

/** Writes the hint behind the cursor in grey and puts the cursor back. */
function showHint(editor: Interface, output: NodeJS.WriteStream): void {
  if (editor.cursor !== editor.line.length) return;
  const room = (output.columns || 80) - editor.getCursorPos().cols - 1;
  const hint = hintFor(editor.line).slice(0, Math.max(0, room));
  output.write(`${CLEAR_TO_END}${hint === '' ? '' : `\x1b[90m${hint}\x1b[39m`}`);
  if (hint !== '') moveCursor(output, -hint.length, 0);
}
