// The prompt's history file, and what must never get into it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Lines kept, in memory and in the file. */
export const HISTORY_LINES_MAX = 1000;

/** `$REDISCLI_HISTFILE`, else ~/.rediscli_history; undefined: none wanted (/dev/null). */
export function historyPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return dotfilePath(env['REDISCLI_HISTFILE'], '.rediscli_history');
}

/** `$REDISCLI_RCFILE`, else ~/.redisclirc. */
export function preferencesPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return dotfilePath(env['REDISCLI_RCFILE'], '.redisclirc');
}

function dotfilePath(override: string | undefined, name: string): string | undefined {
  if (override === '/dev/null') return undefined;
  return override || join(homedir(), name);
}

/** Oldest first; empty when there is no readable file. */
export function readLines(path: string | undefined): string[] {
  if (path === undefined || !existsSync(path)) return [];
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** Adds a line to the file, readable by its owner alone. A file that cannot be written is no error at a prompt. */
export function saveLine(path: string | undefined, line: string): void {
  if (path === undefined) return;
  const lines = readLines(path);
  if (lines.at(-1) !== line) lines.push(line);
  try {
    writeFileSync(path, `${lines.slice(-HISTORY_LINES_MAX).join('\n')}\n`, { mode: 0o600 });
  } catch {
    // A read-only home directory: the history lives as long as the prompt.
  }
}

/** True for commands that carry a password: they are never stored. */
export function isSensitive(words: readonly string[]): boolean {
  const [name = '', second = '', ...rest] = words.map((word) => word.toLowerCase());
  switch (name) {
    case 'auth':
      return true;
    case 'acl':
      return second === 'setuser' || second === 'deluser' || second === 'getuser';
    case 'config':
      return second === 'set' && rest.some((word) => SECRET_DIRECTIVES.has(word));
    case 'hello':
      return rest.includes('auth');
    case 'migrate':
      return rest.includes('auth') || rest.includes('auth2');
    case 'sentinel':
      return second === 'set' && rest.some((word) => /^(auth-pass|auth-user|sentinel-pass)$/.test(word));
    default:
      return false;
  }
}

const SECRET_DIRECTIVES = new Set([
  'requirepass',
  'masterauth',
  'masteruser',
  'tls-key-file-pass',
  'tls-client-key-file-pass',
]);
