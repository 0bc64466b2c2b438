// The server's command line: a configuration file first, `-` for standard input, `--name value ...` for directives.
import { quoteArgument } from '../formats/conf/quote.ts';
import { splitArguments } from '../formats/conf/split.ts';

/** What the command line asks for. `options` is text in the form of a configuration file, one directive a line. */
export interface CommandLine {
  readonly configFile: string | undefined;
  readonly fromStdin: boolean;
  readonly options: string;
}

/**
 * Reads arguments (byte text, without program name). A directive takes everything up to the next argument that starts
 * with `--`; the argument right after a directive's name is its value even if it starts with `--`, so a value may. Name and
 * value may also come as one argument ("--port 6380"). `--save` before another directive or at the end means `--save ""`.
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const first = args[0];
  const configFile = first === undefined || first.startsWith('-') ? undefined : first;
  const start = configFile === undefined ? 0 : 1;
  let options = '';
  let fromStdin = false;
  // False right after a bare directive name: the next argument is its value, whatever it looks like.
  let nameMayFollow = true;
  for (let at = start; at < args.length; at++) {
    const arg = args[at] as string;
    const next = args[at + 1];
    if (arg === '-' && (at === 0 || at === args.length - 1)) {
      fromStdin = true;
    } else if (nameMayFollow && arg.startsWith('--')) {
      options += `${options === '' ? '' : '\n'}${arg.slice(2)} `;
      nameMayFollow = splitArguments(arg)?.length !== 1;
      const isLast = next === undefined || next.startsWith('--');
      if (!nameMayFollow && arg.toLowerCase() === '--save' && isLast) {
        options += '""';
        nameMayFollow = true;
      } else if (!nameMayFollow && arg.toLowerCase() === '--sentinel' && isLast) {
        nameMayFollow = true;
      }
    } else {
      options += `${quoteArgument(arg)} `;
      nameMayFollow = true;
    }
  }
  return { configFile, fromStdin, options };
}
