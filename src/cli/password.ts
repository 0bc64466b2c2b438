// Asks for a password at the terminal, showing a star for each character typed.
import type { CliHost } from './host.ts';
import { CliExit } from './host.ts';

const ENTER = ['\r', '\n'];
const BACKSPACE = ['\x7f', '\b'];
const INTERRUPT = '\x03';
const END_OF_INPUT = '\x04';

/** The password typed, or the first line of standard input when that is no terminal. */
export async function askPassword(host: CliHost, question: string): Promise<string> {
  if (!host.stdinIsTerminal) return host.readStdin().toString('utf8').split(/\r?\n/, 1)[0]!;
  host.writeError(question);
  const input = host.stdin();
  input.setRawMode(true);
  input.setEncoding('utf8');
  let password = '';
  try {
    for await (const chunk of input as AsyncIterable<string>) {
      for (const char of chunk) {
        if (ENTER.includes(char) || char === END_OF_INPUT) return password;
        if (char === INTERRUPT) throw new CliExit(130);
        if (BACKSPACE.includes(char)) {
          if (password !== '') host.writeError('\b \b');
          password = [...password].slice(0, -1).join('');
        } else {
          password += char;
          host.writeError('*');
        }
      }
    }
    return password;
  } finally {
    input.setRawMode(false);
    host.writeError('\n');
  }
}
