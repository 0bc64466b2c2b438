// The prompt: reads lines from a terminal or a pipe and runs each in turn, until `quit` or the end of input.
import type { Preferences } from './preferences.ts';
import { runLine } from './prompt-line.ts';
import type { Session } from './session.ts';

/** Runs until the input ends; returns the exit status. */
export async function runPrompt(session: Session): Promise<number> {
  session.interactive = true;
  await session.connect();
  if (session.host.stdinIsTerminal) {
    const { runTerminal } = await import('./terminal.ts');
    return await runTerminal(session);
  }
  const preferences: Preferences = { hints: false };
  for await (const line of linesOf(session.host.stdin())) await runLine(session, preferences, line);
  return 0;
}

/** Lines without their end, binary-safe; a last line without one counts. */
async function* linesOf(input: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    let bytes = Buffer.concat([rest, Buffer.from(chunk as Buffer)]);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      yield bytes.subarray(0, end);
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
  }
  if (rest.length > 0) yield rest;
}
