// The current values of all directives: typed fields for the server's code, texts for CONFIG GET, and CONFIG SET with
// validation, effects and rollback. Texts are byte text (see formats/conf/split.ts).
import { globMatch } from '../base/glob.ts';
import { fromByteText, toByteText } from '../formats/conf/quote.ts';
import type { Directive } from './directive.ts';
import { type DirectiveName, type DirectiveRow, directives } from './directives.ts';
import { ValueError } from './values.ts';

/** `repl-backlog-size` as `replBacklogSize`. */
type CamelCase<N extends string> = N extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : N;

/** One field for each directive, always current: `settings.maxmemory`, `settings.appendfsync`. */
type LiveSettings = { readonly [D in DirectiveRow as CamelCase<D['name']>]: D['initial'] };

/** The table's values, plus what the methods of SettingsStore do. Made by createSettings. */
export type Settings = SettingsStore & LiveSettings;

/** Names of the directives whose values have a type. */
type NameOf<T> = { [D in DirectiveRow as D['name']]: D['initial'] extends T ? D['name'] : never }[DirectiveName];

/** What settings need from the process. Paths are ordinary strings. */
export interface SettingsHost {
  currentDirectory(): string;
  /** Makes `path` the working directory; gives the reason when it cannot ("No such file or directory"). */
  changeDirectory(path: string): string | undefined;
}

/** Makes new values take effect, at once; gives the reason when it cannot be done. */
export type Apply = () => string | undefined;

/** Who asks for a change. */
export interface SetContext {
  /** The client is on this machine. */
  readonly local?: boolean;
  /** The dataset is being loaded. */
  readonly loading?: boolean;
}

interface Effect {
  readonly names: ReadonlySet<string>;
  readonly apply: Apply;
}

interface Assignment {
  readonly directive: Directive;
  /** Name as given, in lower case: the table's or an alias. */
  readonly name: string;
  readonly text: string;
}

interface Undo {
  readonly directive: Directive;
  readonly value: unknown;
}

export const createSettings = (host: SettingsHost): Settings => new SettingsStore(host) as Settings;

class SettingsStore {
  /** Absolute path of the configuration file; undefined when the server runs without one. */
  configFile: string | undefined;
  /** `user` lines of the configuration file: name and rules. */
  readonly users: string[][] = [];
  /** `rename-command` lines: from, to. */
  readonly renames: [string, string][] = [];
  /** `loadmodule` lines: path and arguments. */
  readonly modules: string[][] = [];
  readonly #host: SettingsHost;
  readonly #effects: Effect[] = [];

  constructor(host: SettingsHost) {
    this.#host = host;
    for (const directive of directives as readonly Directive[]) this.#store(directive, directive.initial);
    this.#store(lookUp('dir') as Directive, toByteText(host.currentDirectory()));
  }

  /** The text of CONFIG GET for a name or alias; undefined when there is no such directive. */
  text(name: string): string | undefined {
    const directive = lookUp(name);
    return directive?.kind.format(this.#value(directive));
  }

  /** A number by the directive's name; `settings.hz` is the same. */
  int(name: NameOf<number>): number {
    return this.#value(lookUp(name) as Directive) as number;
  }

  /** A yes or no by the directive's name. */
  bool(name: NameOf<boolean>): boolean {
    return this.#value(lookUp(name) as Directive) as boolean;
  }

  /** The text of a directive as an ordinary string: for paths and names. */
  string(name: DirectiveName): string {
    return fromByteText(this.text(name) as string);
  }

  /** The bytes of a directive's text: for passwords. */
  bytes(name: DirectiveName): Buffer {
    return Buffer.from(this.text(name) as string, 'latin1');
  }

  /** CONFIG GET: names and texts for these names or glob patterns, each once, aliases as rows of their own. */
  list(patterns: readonly string[]): [string, string][] {
    const found = new Map<string, string>();
    for (const pattern of patterns) {
      const exact = /[*?[]/.test(pattern) ? undefined : pattern.toLowerCase();
      if (exact !== undefined) {
        const text = this.text(exact);
        if (text !== undefined) found.set(exact, text);
        continue;
      }
      const bytes = Buffer.from(pattern, 'latin1');
      for (const [name, directive] of byName) {
        if (directive.hidden || !globMatch(bytes, Buffer.from(name, 'latin1'), true)) continue;
        found.set(name, directive.kind.format(this.#value(directive)));
      }
    }
    return [...found];
  }

  /** Runs `apply` after CONFIG SET changed any of these directives; a reason it gives undoes the whole change. */
  onChange(names: readonly DirectiveName[], apply: Apply): void {
    this.#effects.push({ names: new Set(names), apply });
  }

  /** CONFIG SET: all pairs or none. The error reply, code first, or null. */
  set(pairs: readonly (readonly [string, string])[], context: SetContext = {}): string | null {
    const checked = this.#check(pairs, context);
    if (typeof checked === 'string') return checked;
    const undo: Undo[] = [];
    for (const { directive, name, text } of checked) {
      const before = this.#value(directive);
      try {
        this.assign(directive.name, directive.kind.multi ? splitWords(text) : [text], false);
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        this.#restore(undo);
        return failed(name, error.message);
      }
      const changed = !directive.kind.equal(before, this.#value(directive));
      if (changed || directive.volatile) undo.push({ directive, value: before });
    }
    return this.#apply(checked, undo);
  }

  /** Sets one directive from its arguments; throws ValueError. For the loader: no effects, no protection. */
  assign(name: string, args: readonly string[], atLoad: boolean): void {
    const directive = lookUp(name);
    if (directive === undefined) throw new ValueError('Bad directive or wrong number of arguments');
    const value = directive.kind.parse(args, this.#value(directive), atLoad);
    if (directive.name !== 'dir') {
      this.#store(directive, value);
      return;
    }
    const reason = this.#host.changeDirectory(fromByteText(value as string));
    if (reason !== undefined) throw new ValueError(reason);
    this.#store(directive, toByteText(this.#host.currentDirectory()));
  }

  /** Sets a value that a command decided (REPLICAOF): no checks, no effects. */
  put<N extends DirectiveName>(name: N, value: Extract<DirectiveRow, { name: N }>['initial']): void {
    this.#store(lookUp(name) as Directive, value);
  }

  /** The value by name, for views of the whole table such as REWRITE. */
  value(directive: Directive): unknown {
    return this.#value(directive);
  }

  #value(directive: Directive): unknown {
    return (this as unknown as Record<string, unknown>)[camelCase(directive.name)];
  }

  #store(directive: Directive, value: unknown): void {
    (this as unknown as Record<string, unknown>)[camelCase(directive.name)] = value;
  }

  /** The assignments, or the error reply. */
  #check(pairs: readonly (readonly [string, string])[], context: SetContext): Assignment[] | string {
    const list: Assignment[] = [];
    let refusal: string | undefined;
    for (const [given, text] of pairs) {
      const name = given.toLowerCase();
      const directive = lookUp(name);
      if (directive === undefined) {
        refusal ??= `ERR Unknown option or number of arguments for CONFIG SET - '${given}'`;
        continue;
      }
      // The loading error comes before all others: the client may try again later.
      if (directive.denyLoading && context.loading) return 'LOADING Redis is loading the dataset in memory';
      const duplicate = list.some((other) => other.name === name);
      const reason = this.#refusal(directive, context, duplicate);
      if (reason !== undefined) refusal ??= failed(name, reason);
      list.push({ directive, name, text });
    }
    return refusal ?? list;
  }

  #refusal(directive: Directive, context: SetContext, duplicate: boolean): string | undefined {
    if (directive.immutable) return "can't set immutable config";
    const allowed = this.text('enable-protected-configs');
    if (directive.protected && allowed !== 'yes' && !(allowed === 'local' && context.local)) {
      return "can't set protected config";
    }
    return duplicate ? 'duplicate parameter' : undefined;
  }

  /** Runs the effects of what changed. When one fails, the old values come back and those that ran take them in again. */
  #apply(assignments: readonly Assignment[], undo: readonly Undo[]): string | null {
    const changed = new Set(undo.map(({ directive }) => directive.name));
    const ran: Effect[] = [];
    for (const effect of this.#effects) {
      if (![...effect.names].some((name) => changed.has(name))) continue;
      ran.push(effect);
      const reason = effect.apply();
      if (reason === undefined) continue;
      this.#restore(undo);
      for (const done of ran) done.apply();
      return failed(assignments.find(({ directive }) => effect.names.has(directive.name))?.name ?? '', reason);
    }
    return null;
  }

  #restore(undo: readonly Undo[]): void {
    for (const { directive, value } of [...undo].reverse()) {
      if (directive.name === 'dir') this.#host.changeDirectory(fromByteText(value as string));
      this.#store(directive, value);
    }
  }
}

/** The row for a name or alias in any case. */
export function lookUp(name: string): Directive | undefined {
  return byName.get(name.toLowerCase());
}

/** Rows by name and by alias. */
const byName: ReadonlyMap<string, Directive> = new Map(
  (directives as readonly Directive[]).flatMap((directive): [string, Directive][] =>
    directive.alias === undefined
      ? [[directive.name, directive]]
      : [
          [directive.name, directive],
          [directive.alias, directive],
        ],
  ),
);

const camelNames = new Map<string, string>();

function camelCase(name: string): string {
  let camel = camelNames.get(name);
  if (camel === undefined) {
    camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    camelNames.set(name, camel);
  }
  return camel;
}

/** Words between single spaces; an empty text has none. */
export const splitWords = (text: string): string[] => (text === '' ? [] : text.split(' '));

const failed = (name: string, reason: string): string =>
  `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
