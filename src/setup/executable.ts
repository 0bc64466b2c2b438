// Which program serves: the bundled server, or a redis-server that somebody names.
import { isAbsolute, resolve } from 'node:path';
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { closedDirectory, hiddenFromServices, mayAccess } from './access.ts';
import type { Ids } from './files.ts';

export type ChosenProgram =
  | { readonly kind: 'bundled' }
  | { readonly kind: 'redis'; readonly path: string; readonly version: string };

/** Where the answer `bundled` (or the bundled program's own path) leads, and everything else. Throws executable-unusable. */
export async function chooseProgram(
  host: Host,
  answer: string,
  bundledPaths: readonly string[],
): Promise<ChosenProgram> {
  if (answer === 'bundled') return { kind: 'bundled' };
  const path = absolutePath(host, answer);
  const real = host.realPath(path);
  if (bundledPaths.some((bundled) => host.realPath(bundled) === real)) return { kind: 'bundled' };
  if (!host.exists(path)) throw unusable(path, 'it does not exist');
  if (!mayAccess(path, undefined, 1)) throw unusable(path, 'it is not executable for everybody');
  const result = await host.run(path, ['--version'], { timeoutMs: 10_000 });
  const version = /v=(\d+\.\d+\.\d+)/.exec(result.stdout)?.[1];
  if (result.exitCode !== 0 || version === undefined) throw unusable(path, 'it does not say that it is a Redis server');
  return { kind: 'redis', path, version };
}

/** Throws executable-unusable when the service user could not run the program, or its sandbox would hide it. */
export function checkReachable(path: string, user: Ids | undefined, isService: boolean): void {
  if (!isService) return;
  const reason = unreachable(path, user);
  if (reason !== undefined) throw unusable(path, reason);
}

/** Why the service user could not run the program; undefined when it can. */
export function unreachable(path: string, user: Ids | undefined): string | undefined {
  if (hiddenFromServices(path)) return 'services do not see home directories; put it under /usr/local';
  const closed = closedDirectory(path, user);
  if (closed !== undefined) return `the service user may not enter ${closed}`;
  return mayAccess(path, user, 5) ? undefined : 'the service user may not read and run it';
}

/** A relative path would mean another file at the next boot: it is resolved now, a bare name through PATH. */
function absolutePath(host: Host, answer: string): string {
  if (isAbsolute(answer)) return answer;
  if (answer.includes('/')) return resolve(answer);
  const found = host.find(answer);
  if (found === undefined) throw unusable(answer, 'it is not in PATH');
  return found;
}

const unusable = (path: string, reason: string): OpsError => new OpsError('executable-unusable', { path, reason });

/**
 * Lets a Redis binary read the very configuration it will get. It reads everything before it acts, so one bad directive
 * at the end stops it without a side effect. Resolves to the lines it does not know; throws conf-invalid for others.
 */
export async function unknownToBinary(host: Host, path: string, confFile: string, text: string): Promise<string[]> {
  const unknown: string[] = [];
  // The data directory may be yet to be made, and reading must not depend on where it is.
  let lines = text.split('\n').map((line) => (/^\s*dir\s/i.test(line) ? '' : line));
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const input = lines.join('\n');
    const result = await host.run(path, ['-', `--${MARKER}`, 'x'], { input, timeoutMs: 10_000 });
    const output = `${result.stdout}\n${result.stderr}`;
    const match = /at line (\d+)\n>>> '(.*)'\n(.*)/.exec(output);
    if (match === null) {
      throw new OpsError('executable-unusable', { path, reason: output.trim().split('\n')[0] || 'it says nothing' });
    }
    const [, number, line, reason] = match as unknown as [string, string, string, string];
    if (line.includes(MARKER)) return unknown;
    if (!reason.startsWith('Bad directive')) {
      throw new OpsError('conf-invalid', { path: confFile, line: Number(number), reason });
    }
    unknown.push(line);
    lines = lines.map((old, index) => (index === Number(number) - 1 ? '' : old));
  }
  throw new OpsError('conf-invalid', { path: confFile, line: '-', reason: `${path} knows few of its directives` });
}

const ROUNDS_MAX = 40;
const MARKER = 'tsredis-end-of-configuration';
