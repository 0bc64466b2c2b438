// A configuration file as a list of lines: which are empty, comments, directives, or cannot be split.
import { splitArguments } from './split.ts';

/** One line of a configuration file. `text` is the line without surrounding white space; `number` counts from 1. */
export type ConfLine =
  | { readonly kind: 'blank' | 'comment' | 'broken'; readonly number: number; readonly text: string }
  | {
      readonly kind: 'directive';
      readonly number: number;
      readonly text: string;
      /** The first argument in lower case: directive names are case-insensitive. */
      readonly name: string;
      /** The arguments after the name. */
      readonly args: readonly string[];
    };

/**
 * All lines of a file given as byte text (see split.ts). A file that ends with a newline has one more, empty line.
 */
export function parseLines(content: string): ConfLine[] {
  return content.split('\n').map((raw, index) => parseLine(raw, index + 1));
}

function parseLine(raw: string, number: number): ConfLine {
  const text = raw.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  if (text === '') return { kind: 'blank', number, text };
  if (text[0] === '#') return { kind: 'comment', number, text };
  const args = splitArguments(text);
  if (args === undefined) return { kind: 'broken', number, text };
  const [name, ...rest] = args;
  if (name === undefined) return { kind: 'blank', number, text };
  return { kind: 'directive', number, text, name: name.toLowerCase(), args: rest };
}
