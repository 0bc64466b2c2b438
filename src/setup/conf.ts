// The configuration file of an instance: made from the directive table, checked by the same table.
import type { Directive } from '../../server/config/directive.ts';
import { directives, groupTitles } from '../../server/config/directives.ts';
import { ConfigFault, loadSettings } from '../../server/config/load.ts';
import { createSettings, lookUp, type Settings } from '../../server/config/settings.ts';
import { fromByteText, quoteIfNeeded, toByteText } from '../../server/formats/conf/quote.ts';
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { render } from '../render/render.ts';

/** A directive that the file sets: its name and the arguments of each line. */
export type Assignment = readonly [name: string, args: readonly string[]];

export interface ConfOptions {
  /** Shown at the top. */
  readonly title: string;
  readonly notes: readonly string[];
  /** Only the lines that are set, without explanations. */
  readonly minimal: boolean;
}

/** One entry of the template's context. */
interface ConfLine {
  readonly about: string;
  readonly hint: string;
  /** The whole line; lines at their default are comments. */
  readonly text: string;
}

/** The text of the file: every directive explained, those in `assignments` set, the others commented out. */
export function renderConf(assignments: readonly Assignment[], options: ConfOptions): string {
  const names = [...new Set((directives as readonly Directive[]).map(({ group }) => group))];
  const groups = names.map((group) => ({
    title: groupTitles[group] ?? group,
    lines: (directives as readonly Directive[])
      .filter((directive) => directive.group === group && directive.debug === undefined)
      .flatMap((directive) => confLines(directive, assignments, options.minimal)),
  }));
  const known = new Set((directives as readonly Directive[]).filter(({ debug }) => !debug).map(({ name }) => name));
  const others = assignments.filter(([name]) => !known.has(name)).map(lineText);
  return render('redis.conf', { ...options, groups: groups.filter(({ lines }) => lines.length > 0), others });
}

/** Reads a file's text into settings. Throws conf-invalid with the line and the reason. */
export function parseConf(path: string, text: string, host?: Host): Settings {
  let directory = '/';
  const settings = createSettings({
    currentDirectory: () => directory,
    changeDirectory: (to) => {
      directory = to;
      return undefined;
    },
  });
  const files = new Map([[path, text]]);
  try {
    loadSettings(
      settings,
      { configFile: toByteText(path), fromStdin: false, options: '' },
      {
        readFile: (name) => {
          const content = files.get(name) ?? host?.readText(name);
          if (content === undefined) throw Object.assign(new Error('not readable'), { code: 'ENOENT' });
          return Buffer.from(content);
        },
        readStdin: () => Buffer.alloc(0),
        glob: () => [],
      },
    );
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    const name = error.lineText?.split(/\s/)[0] ?? '';
    const near = lookUp(name) === undefined ? nearestDirective(name) : undefined;
    const reason = near === undefined ? error.message : `${error.message} (did you mean ${near}?)`;
    throw new OpsError('conf-invalid', { path, line: error.line ?? '-', reason }, { cause: error });
  }
  return settings;
}

/** A line of a file that sets a secret, with the secret hidden. */
export function maskSecret(line: string): string {
  const match = /^(\s*#?\s*)([\w-]+)(\s+)\S/.exec(line);
  const directive = match ? lookUp(match[2] as string) : undefined;
  if (!match || !directive?.sensitive || /^\s*#/.test(line)) return line;
  return `${match[1]}${match[2]}${match[3]}***`;
}

/** The name in the table that is most like `name`, or undefined when none is. */
export function nearestDirective(name: string): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of directives) {
    const distance = editDistance(wanted, candidate.name);
    if (distance < bestDistance) {
      best = candidate.name;
      bestDistance = distance;
    }
  }
  return best;
}

function confLines(directive: Directive, assignments: readonly Assignment[], minimal: boolean): ConfLine[] {
  const { name, about, kind } = directive;
  const set = assignments.filter(([other]) => other === name).map(lineText);
  if (set.length > 0) return set.map((text, index) => ({ about: index === 0 ? about : '', hint: kind.hint, text }));
  if (minimal) return [];
  const defaults = kind.lines(directive.initial);
  const texts = defaults.length === 0 ? [`# ${name}`] : defaults.map((line) => `# ${name} ${fromByteText(line)}`);
  return texts.map((text, index) => ({ about: index === 0 ? about : '', hint: kind.hint, text }));
}

const lineText = ([name, args]: Assignment): string =>
  [name, ...args.map((arg) => fromByteText(quoteIfNeeded(toByteText(arg))))].join(' ');

/** Levenshtein's, in one row. */
function editDistance(left: string, right: string): number {
  const row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at++) {
    let diagonal = row[0] as number;
    row[0] = at;
    for (let column = 1; column <= right.length; column++) {
      const above = row[column] as number;
      const cost = left[at - 1] === right[column - 1] ? 0 : 1;
      row[column] = Math.min(above + 1, (row[column - 1] as number) + 1, diagonal + cost);
      diagonal = above;
    }
  }
  return row[right.length] as number;
}
