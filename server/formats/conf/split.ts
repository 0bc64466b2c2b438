// Splits one line of a configuration file into its arguments, by the quoting rules of Redis' configuration files.
//
// All text here is byte text: one character (0-255) per byte, as Buffer.toString('latin1') gives, so that a password
// or a path of any bytes comes through unchanged.

/** White space between arguments, as C's isspace() has it. */
const isSpace = (char: string | undefined): boolean =>
  char === ' ' || char === '\t' || char === '\n' || char === '\v' || char === '\f' || char === '\r';

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/**
 * The arguments of `line`; undefined when a quote is left open or a closing quote touches the next argument.
 * In double quotes `\xHH`, `\n`, `\r`, `\t`, `\b`, `\a` and `\` before any other byte are escapes; in single quotes `\'` alone.
 */
export function splitArguments(line: string): string[] | undefined {
  const args: string[] = [];
  let at = 0;
  for (;;) {
    while (isSpace(line[at])) at++;
    if (at >= line.length || line[at] === '\0') return args;
    const read = readArgument(line, at);
    if (read === undefined) return undefined;
    args.push(read.text);
    at = read.end;
  }
}

/** One argument from `start`, which may switch between plain and quoted parts until its white space. */
function readArgument(line: string, start: number): { text: string; end: number } | undefined {
  let text = '';
  let at = start;
  while (at < line.length && !isSpace(line[at]) && line[at] !== '\0') {
    const char = line[at] as string;
    if (char !== '"' && char !== "'") {
      text += char;
      at++;
      continue;
    }
    const quoted = char === '"' ? readDoubleQuoted(line, at + 1) : readSingleQuoted(line, at + 1);
    if (quoted === undefined) return undefined;
    text += quoted.text;
    at = quoted.end;
    // A closing quote ends the argument.
    if (at < line.length && !isSpace(line[at])) return undefined;
  }
  return { text, end: at };
}

function readDoubleQuoted(line: string, start: number): { text: string; end: number } | undefined {
  let text = '';
  for (let at = start; at < line.length; at++) {
    const char = line[at] as string;
    if (char === '"') return { text, end: at + 1 };
    if (char !== '\\' || at + 1 >= line.length) {
      text += char;
      continue;
    }
    const hex = line[at + 1] === 'x' ? line.slice(at + 2, at + 4) : '';
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      text += String.fromCharCode(Number.parseInt(hex, 16));
      at += 3;
    } else {
      const next = line[++at] as string;
      text += escapes[next] ?? next;
    }
  }
  return undefined;
}

function readSingleQuoted(line: string, start: number): { text: string; end: number } | undefined {
  let text = '';
  for (let at = start; at < line.length; at++) {
    if (line[at] === "'") return { text, end: at + 1 };
    if (line[at] === '\\' && line[at + 1] === "'") at++;
    text += line[at];
  }
  return undefined;
}
