// Loads settings from a configuration file, standard input and the command line, in this order: the last word wins.
import { type ConfLine, parseLines } from '../formats/conf/lines.ts';
import { fromByteText } from '../formats/conf/quote.ts';
import type { CommandLine } from './argv.ts';
import { ignoredDirectives } from './directives.ts';
import { lookUp, type Settings, splitWords } from './settings.ts';
import { ValueError } from './values.ts';

/** Where configuration comes from, and the checks that need the command table. Reasons are texts as Redis words them. */
export interface ConfigSource {
  /** The bytes of a file; throws an Error with `code` (ENOENT, EACCES, ...). */
  readFile(path: string): Uint8Array;
  readStdin(): Uint8Array;
  /** Files that match a glob pattern, sorted. */
  glob(pattern: string): readonly string[];
  /** Checks a `user` line (name, rules); gives the reason when it is wrong. */
  checkUser?(args: readonly string[]): string | undefined;
  /** Checks a `rename-command` line. */
  checkRename?(from: string, to: string): string | undefined;
  /** Opens the log file for appending once; gives the reason when that fails. */
  checkLogFile?(path: string): string | undefined;
}

/** Why the configuration cannot be used. `fatalReport` words it as Redis does. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
  /** Number of the line in what was read; undefined when no line is to blame. */
  readonly line: number | undefined;
  readonly lineText: string | undefined;
  /** The file could not be read at all. */
  readonly unreadable: boolean;

  constructor(message: string, at: { line?: number; lineText?: string; unreadable?: boolean } = {}) {
    super(message);
    this.line = at.line;
    this.lineText = at.lineText;
    this.unreadable = at.unreadable ?? false;
  }
}

/** Files may include files, up to this depth: Redis would run out of stack. */
const INCLUDE_DEPTH_MAX = 16;

/** Loads everything the command line names. Throws ConfigFault; settings are then in an undefined state. */
export function loadSettings(settings: Settings, commandLine: CommandLine, source: ConfigSource): void {
  let content = '';
  if (commandLine.configFile !== undefined) content += readText(fromByteText(commandLine.configFile), source);
  if (commandLine.fromStdin) content += Buffer.from(source.readStdin()).toString('latin1');
  if (commandLine.options !== '') content += `\n${commandLine.options}`;
  loadText(settings, content, source, 0);
  checkWhole(settings, source);
}

/** The report on standard error before the server gives up, in Redis' form. */
export function fatalReport(fault: ConfigFault, version: string): string {
  if (fault.unreadable) return `${fault.message}\n`;
  const place =
    fault.line === undefined ? '' : `Reading the configuration file, at line ${fault.line}\n>>> '${fault.lineText}'\n`;
  return `\n*** FATAL CONFIG FILE ERROR (Redis ${version}) ***\n${place}${fault.message}\n`;
}

function loadText(settings: Settings, content: string, source: ConfigSource, depth: number): void {
  for (const line of parseLines(content)) {
    const reason = loadLine(settings, line, source, depth);
    if (reason !== undefined) throw new ConfigFault(reason, { line: line.number, lineText: line.text });
  }
}

/** Takes one line in; gives the reason when it is wrong. */
function loadLine(settings: Settings, line: ConfLine, source: ConfigSource, depth: number): string | undefined {
  if (line.kind === 'broken') return 'Unbalanced quotes in configuration line';
  if (line.kind !== 'directive') return undefined;
  const { name, args } = line;
  if (ignoredDirectives.has(name) && args.length === 1) return undefined;
  const directive = lookUp(name);
  if (directive === undefined) return loadStatement(settings, name, args, source, depth);
  // One argument with several words counts as several: "--shutdown-on-sigterm 'nosave now'".
  const first = args[0] ?? '';
  const words = directive.kind.multi && args.length === 1 && first !== '' ? splitWords(first) : args;
  try {
    settings.assign(name, words, true);
  } catch (error) {
    if (error instanceof ValueError) return error.message;
    throw error;
  }
  return undefined;
}

/** Lines that are no directives with a value: include, user, rename-command, loadmodule. */
function loadStatement(
  settings: Settings,
  name: string,
  args: readonly string[],
  source: ConfigSource,
  depth: number,
): string | undefined {
  const [first, second] = args;
  if (name === 'include' && first !== undefined && args.length === 1) {
    includeFiles(settings, fromByteText(first), source, depth);
    return undefined;
  }
  if (name === 'user' && first !== undefined) return loadUser(settings, args, source);
  if (name === 'rename-command' && first !== undefined && second !== undefined && args.length === 2) {
    settings.renames.push([first, second]);
    return source.checkRename?.(first, second);
  }
  if (name === 'loadmodule' && first !== undefined) {
    settings.modules.push([...args]);
    return undefined;
  }
  if (name === 'sentinel') return 'sentinel directive while not in sentinel mode';
  return 'Bad directive or wrong number of arguments';
}

function loadUser(settings: Settings, args: readonly string[], source: ConfigSource): string | undefined {
  const name = args[0] as string;
  const twice = settings.users.some(([other]) => other === name);
  const reason = twice
    ? 'Duplicate user found. A user can only be defined once in config files'
    : source.checkUser?.(args);
  if (reason !== undefined) return `Error in user declaration '${name}': ${reason}`;
  settings.users.push([...args]);
  return undefined;
}

function includeFiles(settings: Settings, pattern: string, source: ConfigSource, depth: number): void {
  if (depth >= INCLUDE_DEPTH_MAX) {
    throw new ConfigFault(
      `include is nested more than ${INCLUDE_DEPTH_MAX} deep at '${pattern}': does it include itself?`,
    );
  }
  // A pattern that matches nothing is fine: a directory of snippets may be empty.
  const paths = /[*?[]/.test(pattern) ? source.glob(pattern) : [pattern];
  for (const path of paths) loadText(settings, readText(path, source), source, depth + 1);
}

function readText(path: string, source: ConfigSource): string {
  try {
    return Buffer.from(source.readFile(path)).toString('latin1');
  } catch (error) {
    throw new ConfigFault(`Fatal error, can't open config file '${path}': ${systemReason(error)}`, {
      unreadable: true,
    });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
  ELOOP: 'Too many levels of symbolic links',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  ENAMETOOLONG: 'File name too long',
  EMFILE: 'Too many open files',
};

/** What the C library says for a Node error: "No such file or directory". */
export function systemReason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return (code !== undefined ? reasons[code] : undefined) ?? message ?? String(error);
}

/** Checks that concern several directives at once. */
function checkWhole(settings: Settings, source: ConfigSource): void {
  if (settings.clusterEnabled && settings.replicaof !== undefined) {
    throw new ConfigFault('replicaof directive not allowed in cluster mode');
  }
  const reason = settings.logfile === '' ? undefined : source.checkLogFile?.(settings.string('logfile'));
  if (reason !== undefined) throw new ConfigFault(`Can't open the log file: ${reason}`);
}
