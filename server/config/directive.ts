// What a directive is: a name and a kind. A kind parses arguments to a value and writes the value for CONFIG GET and for
// the configuration file. Error texts are Redis' own; texts are byte text (see formats/conf/split.ts).
import { quoteArgument } from '../formats/conf/quote.ts';
import {
  formatInteger,
  formatMemory,
  inRange,
  type Limit,
  parseEnumWord,
  parseIntegerText,
  parseMemoryText,
  ValueError,
} from './values.ts';

/** How values of one sort are read and written. Values are immutable. */
export interface Kind<V> {
  readonly type: string;
  /** Takes several arguments; CONFIG SET splits its one argument at spaces. */
  readonly multi: boolean;
  /** Throws ValueError. `previous` is the value so far, for directives whose lines add up. `atLoad`: from file or argv. */
  parse(args: readonly string[], previous: V, atLoad: boolean): V;
  /** The text of CONFIG GET. */
  format(value: V): string;
  /** The arguments of each line for the file; [] when the value cannot or need not be written. */
  lines(value: V): readonly string[];
  equal(a: V, b: V): boolean;
  /** What setup's prompts and the file's comments show as the possible values. */
  readonly hint: string;
}

/** Every flag of a directive; see the constants of the same name in CONFIG SET's error texts. */
export interface DirectiveFlags {
  /** Only from file or argv. */
  readonly immutable?: true;
  /** CONFIG SET only with enable-protected-configs. */
  readonly protected?: true;
  /** Not shown by a pattern in CONFIG GET. */
  readonly hidden?: true;
  /** For tests of servers; not written to generated files. */
  readonly debug?: true;
  /** A secret: never logged. */
  readonly sensitive?: true;
  /** Its effect runs again even when CONFIG SET gives the same value. */
  readonly volatile?: true;
  /** CONFIG SET is refused while the dataset is loading. */
  readonly denyLoading?: true;
}

/** One row of the table. */
export interface Directive<N extends string = string, V = unknown> extends DirectiveFlags {
  readonly name: N;
  /** Older spelling, listed by CONFIG GET as a second name. */
  readonly alias?: string;
  readonly kind: Kind<V>;
  readonly initial: V;
  /** Section of the generated configuration file. */
  readonly group: string;
  /** One line for the configuration file. */
  readonly about: string;
  /** Always written by CONFIG REWRITE (dir). */
  readonly alwaysWritten?: true;
}

const same = <V>(a: V, b: V): boolean => a === b;

function single(args: readonly string[]): string {
  if (args.length !== 1) throw new ValueError('wrong number of arguments');
  return args[0] as string;
}

export const boolKind: Kind<boolean> = {
  type: 'bool',
  multi: false,
  hint: 'yes or no',
  parse(args) {
    const text = single(args).toLowerCase();
    if (text !== 'yes' && text !== 'no') throw new ValueError("argument must be 'yes' or 'no'");
    return text === 'yes';
  },
  format: (value) => (value ? 'yes' : 'no'),
  lines: (value) => [value ? 'yes' : 'no'],
  equal: same,
};

/** A whole number. */
export function integerKind(min: Limit, max: Limit): Kind<number> {
  return {
    type: 'integer',
    multi: false,
    hint: `${min} to ${max}`,
    parse: (args) => inRange(parseIntegerText(single(args)), min, max),
    format: formatInteger,
    lines: (value) => [formatInteger(value)],
    equal: same,
  };
}

/** Bytes with units. With `percent`, `50%` is kept as -50: a share of maxmemory. */
export function memoryKind(min: Limit, max: Limit, percent = false): Kind<number> {
  const show = (value: number) => (value < 0 ? `${-value}%` : formatInteger(value));
  return {
    type: 'memory',
    multi: false,
    hint: percent ? 'bytes, k, kb, m, mb, g, gb, or a percentage of maxmemory' : 'bytes, k, kb, m, mb, g, gb',
    parse(args) {
      const text = single(args);
      if (percent && /^[0-9]{1,18}%$/.test(text)) {
        const share = Number(text.slice(0, -1));
        if (share > 100) throw new ValueError('percentage argument must be less or equal to 100');
        return share === 0 ? 0 : -share;
      }
      const bytes = parseMemoryText(text);
      if (bytes === undefined) {
        throw new ValueError(`argument must be a memory ${percent ? 'or percent ' : ''}value`);
      }
      return inRange(bytes, min, max);
    },
    format: show,
    lines: (value) => [value < 0 ? show(value) : formatMemory(value)],
    equal: same,
  };
}

/** File permissions in octal. */
export function octalKind(max: number): Kind<number> {
  const octal = (value: Limit) => value.toString(8);
  return {
    type: 'octal',
    multi: false,
    hint: `octal, up to ${max.toString(8)}`,
    parse(args) {
      const text = single(args);
      if (!/^[0-7]{0,21}$/.test(text)) throw new ValueError("argument couldn't be parsed as an octal number");
      return inRange(BigInt(`0o${text || '0'}`), 0, max, octal);
    },
    format: octal,
    lines: (value) => [octal(value)],
    equal: same,
  };
}

export function enumKind(words: readonly string[]): Kind<string> {
  return {
    type: 'enum',
    multi: false,
    hint: words.join(', '),
    parse: (args) => parseEnumWord(words, single(args)),
    format: (value) => value,
    lines: (value) => [value],
    equal: same,
  };
}

/** Several words of a list at once; the first of the list means none. */
export function flagsKind(
  words: readonly string[],
  check?: (chosen: ReadonlySet<string>) => void,
): Kind<readonly string[]> {
  const [none, ...rest] = words as readonly [string, ...string[]];
  const join = (value: readonly string[]) => (value.length === 0 ? none : value.join(' '));
  return {
    type: 'flags',
    multi: true,
    hint: words.join(', '),
    parse(args) {
      if (args.length === 0) parseEnumWord(words, '');
      const chosen = new Set(args.map((arg) => parseEnumWord(words, arg)));
      check?.(chosen);
      return rest.filter((word) => chosen.has(word));
    },
    format: join,
    lines: (value) => [join(value)],
    equal: (a, b) => join(a) === join(b),
  };
}

/** Any bytes. `check` throws ValueError. */
export function stringKind(check?: (text: string) => void, type = 'string'): Kind<string> {
  return {
    type,
    multi: false,
    hint: type === 'path' ? 'a path' : 'text',
    parse(args) {
      const text = single(args);
      check?.(text);
      return text;
    },
    format: (value) => value,
    lines: (value) => [quoteArgument(value)],
    equal: same,
  };
}
