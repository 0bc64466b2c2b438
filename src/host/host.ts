// The machine as the toolkit sees it: files, programs, identity and time, in one interface that tests replace.
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Runner, run } from './run.ts';

export interface Host {
  /** `process.platform`: linux, darwin, … */
  readonly platform: string;
  /** Effective user id; 0 is root. */
  readonly userId: number;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the Node that runs now. */
  readonly nodePath: string;
  readonly run: Runner;
  /** The file's text, or undefined when it is not there or not readable. */
  readText(path: string): string | undefined;
  /** Entry names, empty when it is not a readable directory. */
  list(path: string): string[];
  /** Where a symbolic link points, undefined when it is none or not readable. */
  readLink(path: string): string | undefined;
  /** The path with every symbolic link resolved; the path itself when that fails. */
  realPath(path: string): string;
  exists(path: string): boolean;
  /** Absolute path of a program in PATH (and the sbin directories), undefined when there is none. */
  find(program: string): string | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Sends a signal; false when there is no such process, throws when it is not permitted. */
  signal(pid: number, name: NodeJS.Signals): boolean;
}

const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The machine this process runs on. */
export function localHost(): Host {
  const env = process.env;
  return {
    platform: process.platform,
    userId: process.geteuid?.() ?? -1,
    home: homedir(),
    env,
    nodePath: process.execPath,
    run,
    readText: (path) => attempt(() => readFileSync(path, 'utf8'), undefined),
    list: (path) => attempt(() => readdirSync(path), []),
    readLink: (path) => attempt(() => readlinkSync(path), undefined),
    realPath: (path) => attempt(() => realpathSync(path), path),
    exists: existsSync,
    find: (program) => findProgram(program, [...(env['PATH'] ?? '').split(delimiter), ...sbin]),
    now: Date.now,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    signal: sendSignal,
  };
}

function findProgram(program: string, directories: readonly string[]): string | undefined {
  for (const directory of directories) {
    if (!directory.startsWith('/')) continue;
    const path = join(directory, program);
    if (isProgram(path)) return path;
  }
  return undefined;
}

function isProgram(path: string): boolean {
  return attempt(() => {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  }, false);
}

function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function attempt<Value>(action: () => Value, fallback: Value): Value {
  try {
    return action();
  } catch {
    return fallback;
  }
}
