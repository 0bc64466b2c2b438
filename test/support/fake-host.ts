// A machine for tests: files, links and programs are tables.
import type { Host } from '../../src/host/host.ts';
import type { RunResult } from '../../src/host/run.ts';

export interface FakeHostOptions {
  readonly platform?: string;
  readonly userId?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly programs?: readonly string[];
  /** Answers a command line (words joined by blanks) with its standard output or a partial result. */
  readonly run?: (command: string) => string | Partial<RunResult> | undefined;
}

export interface FakeHost extends Host {
  /** Every command line that was run. */
  readonly commands: string[];
}

export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  const files = options.files ?? {};
  const links = options.links ?? {};
  const commands: string[] = [];
  const paths = [...Object.keys(files), ...Object.keys(links)];
  return {
    commands,
    platform: options.platform ?? 'linux',
    userId: options.userId ?? 0,
    home: '/home/someone',
    env: options.env ?? {},
    nodePath: '/usr/bin/node',
    run: async (file, args) => {
      const command = [file, ...args].join(' ');
      commands.push(command);
      const answer = options.run?.(command);
      const missing = answer === undefined;
      const result: RunResult = {
        exitCode: missing ? 127 : 0,
        stdout: typeof answer === 'string' ? answer : '',
        stderr: '',
        missing,
        timedOut: false,
        signal: undefined,
        command,
      };
      return typeof answer === 'object' ? { ...result, ...answer } : result;
    },
    readText: (path) => files[path],
    list: (path) => [
      ...new Set(
        paths.filter((name) => name.startsWith(`${path}/`)).map((name) => name.slice(path.length + 1).split('/')[0]!),
      ),
    ],
    readLink: (path) => links[path],
    realPath: (path) => links[path] ?? path,
    exists: (path) => paths.some((name) => name === path || name.startsWith(`${path}/`)),
    find: (program) => (options.programs?.includes(program) ? `/usr/sbin/${program}` : undefined),
    now: () => 1_700_000_000_000,
    sleep: async () => undefined,
    signal: () => true,
  };
}
