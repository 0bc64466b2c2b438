// The five answers of the installer's contract: from flags, else environment variables, else a person, else defaults.
import { isAbsolute, normalize } from 'node:path';
import { OpsError } from '../errors.ts';

export interface Answers {
  readonly port: number;
  readonly confFile: string;
  readonly logFile: string;
  readonly dataDirectory: string;
  /** As given; resolved to a program later. */
  readonly executable: string;
}

export type AnswerName = keyof Answers;

export type GivenAnswers = { readonly [Name in AnswerName]?: string | undefined };

/** One row for each question, in the order of asking. */
interface Question {
  readonly name: AnswerName;
  readonly variable: string;
  readonly text: string;
  /** The answer in its final form. Throws OpsError. */
  readonly check: (text: string) => string;
}

export const questions: readonly Question[] = [
  { name: 'port', variable: 'REDIS_PORT', text: 'Port for this instance', check: checkPort },
  {
    name: 'confFile',
    variable: 'REDIS_CONFIG_FILE',
    text: 'Configuration file',
    check: (text) => checkPath('configuration file', text),
  },
  { name: 'logFile', variable: 'REDIS_LOG_FILE', text: 'Log file', check: (text) => checkPath('log file', text) },
  {
    name: 'dataDirectory',
    variable: 'REDIS_DATA_DIR',
    text: 'Data directory',
    check: (text) => checkPath('data directory', text),
  },
  { name: 'executable', variable: 'REDIS_EXECUTABLE', text: 'Server program', check: checkProgram },
];

/** Asks a person. `check` throws what to show when the answer will not do; the question then stays. */
export interface Asker {
  ask(text: string, initial: string, check: (text: string) => string): Promise<string>;
  confirm(text: string): Promise<boolean>;
}

export interface AnswerSources {
  readonly flags: GivenAnswers;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined without a terminal. */
  readonly asker: Asker | undefined;
  /** --yes: defaults for everything that is not given. */
  readonly acceptDefaults: boolean;
  /** Depend on the port, which comes first. */
  readonly defaults: (port: number) => Readonly<Record<AnswerName, string>>;
}

export interface CollectedAnswers {
  readonly answers: Answers;
  /** What was given or typed, not taken by default. */
  readonly explicit: ReadonlySet<AnswerName>;
  /** A person was asked at least once. */
  readonly asked: boolean;
}

/** Throws answer-required when something is missing and nobody can be asked, and what the checks throw. */
export async function collectAnswers(sources: AnswerSources): Promise<CollectedAnswers> {
  const found = new Map<AnswerName, string>();
  const explicit = new Set<AnswerName>();
  let asked = false;
  // All that is given is checked before the first question.
  for (const { name, variable, check } of questions) {
    const given = sources.flags[name] ?? (sources.env[variable] || undefined);
    if (given === undefined) continue;
    found.set(name, check(given));
    explicit.add(name);
  }
  for (const { name, text, check } of questions) {
    if (found.has(name)) continue;
    const initial = sources.defaults(Number(found.get('port') ?? '6379'))[name];
    if (sources.acceptDefaults) {
      found.set(name, check(initial));
      continue;
    }
    if (sources.asker === undefined) throw new OpsError('answer-required', { question: text });
    asked = true;
    const answer = check(await sources.asker.ask(text, initial, check));
    found.set(name, answer);
    if (answer !== initial) explicit.add(name);
  }
  const text = (name: AnswerName) => found.get(name) as string;
  const answers = {
    port: Number(text('port')),
    confFile: text('confFile'),
    logFile: text('logFile'),
    dataDirectory: text('dataDirectory'),
    executable: text('executable'),
  };
  checkDistinct(answers);
  return { answers, explicit, asked };
}

export function checkPort(text: string): string {
  const trimmed = text.trim();
  const port = Number(trimmed);
  if (!/^[0-9]{1,5}$/.test(trimmed) || port < 1 || port > 65535) throw new OpsError('port-range', { value: text });
  return String(port);
}

/** Any absolute path may be used, with spaces, quotes, # and &: everything written is quoted for its reader. */
function checkPath(what: string, text: string): string {
  const refuse = (problem: string) => new OpsError('path-characters', { what, path: JSON.stringify(text), problem });
  if (text.trim() === '') throw refuse('is empty');
  for (const char of text) if (char < ' ' || char === '\x7f') throw refuse('holds a control character');
  if (!isAbsolute(text)) throw refuse('is not absolute');
  const path = normalize(text).replace(/(?<=.)\/+$/, '');
  if (path === '/') throw refuse('is the root directory');
  return path;
}

function checkProgram(text: string): string {
  if (text.trim() === '' || /[\x00-\x1f\x7f]/.test(text)) {
    throw new OpsError('path-characters', {
      what: 'server program',
      path: JSON.stringify(text),
      problem: 'is no path',
    });
  }
  return text.trim();
}

function checkDistinct({ confFile, logFile, dataDirectory }: Answers): void {
  if (confFile === logFile) {
    throw new OpsError('path-characters', {
      what: 'log file',
      path: logFile,
      problem: 'is the configuration file, too',
    });
  }
  for (const path of [confFile, logFile]) {
    if (path !== dataDirectory) continue;
    throw new OpsError('path-characters', { what: 'data directory', path, problem: 'is one of the files, too' });
  }
}
