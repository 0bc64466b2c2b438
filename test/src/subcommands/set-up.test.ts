// The whole installer for one's own user, with a real redis-server: every effect as a person would see it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OpsError } from '../../../src/errors.ts';
import { type Host, localHost } from '../../../src/host/host.ts';
import { readProcess } from '../../../src/host/process.ts';
import type { Asker } from '../../../src/setup/answers.ts';
import type { ToolIo } from '../../../src/subcommands/io.ts';
import { setupCommand } from '../../../src/subcommands/setup.ts';
import { uninstallCommand } from '../../../src/subcommands/uninstall.ts';
import { realRedisMissing } from '../../support/real-redis.ts';

let home: string;
let port: number;
let lines: string[];
let host: Host;
const servers: Server[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tsredis home #1 & co-'));
  host = { ...localHost(), home, env: { PATH: process.env['PATH'], HOME: home } };
  lines = [];
  port = await freePort();
});

afterEach(async () => {
  await run('uninstall', String(port), '--yes', '--purge-data').catch(() => undefined);
  for (const server of servers.splice(0)) server.close();
  rmSync(home, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  const free = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return free;
}

async function run(verb: 'setup' | 'uninstall', ...args: string[]): Promise<string> {
  lines = [];
  const io: ToolIo = {
    host,
    print: (line) => lines.push(line),
    setExitStatus: () => undefined,
    asker,
    packageRoot: home,
  };
  const command = verb === 'setup' ? setupCommand(io) : uninstallCommand(io);
  await command.exitOverride().parseAsync(args, { from: 'user' });
  return lines.join('\n');
}

let asker: Asker | undefined;

const setup = (...args: string[]) => run('setup', '--user', '--port', String(port), ...args);
const install = (...args: string[]) => setup('--yes', '--executable', '/usr/bin/redis-server', ...args);

const failure = async (attempt: Promise<unknown>): Promise<OpsError> => {
  const error = await attempt.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof OpsError) return error;
  throw error instanceof Error ? error : new Error(`it went well: ${lines.join('\n')}`);
};

const conf = () => join(home, '.config/tsredis', `${port}.conf`);
const pidOf = (text: string) => Number(/\(pid (\d+), daemon\)/.exec(text)?.[1]);

/** Every file below the home directory with its content. */
function everything(directory = home): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? [path, ...everything(path)] : [`${path} ${readFileSync(path, 'utf8')}`];
  });
}

/** Names of the files, without directories. */
const filesLeft = () =>
  readdirSync(home, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

describe.skipIf(realRedisMissing())('setup', () => {
  it('starts an instance that answers, and the second run changes nothing', async () => {
    const first = await install();
    expect(first).toContain(`redis_${port} answers PONG on port ${port}`);
    expect(statSync(conf()).mode & 0o777).toBe(0o600);
    const before = everything();
    const again = await setup('--yes');
    expect(again).toContain(`nothing to do: redis_${port} is set up as asked and runs`);
    expect(pidOf(again)).toBe(pidOf(first));
    expect(everything()).toEqual(before);
  });

  it('restarts the instance when its configuration changes, and keeps earlier choices', async () => {
    const first = await install('--set', 'maxmemory=100mb');
    const second = await setup('--yes', '--set', 'hz=20');
    expect(second).toContain('    +hz 20');
    expect(pidOf(second)).not.toBe(pidOf(first));
    expect(readFileSync(conf(), 'utf8')).toContain('\nmaxmemory 100mb\n');
  });

  it('keeps a configuration that was changed by hand, without a word lost', async () => {
    await install();
    const mine = `${readFileSync(conf(), 'utf8')}# mine\n`;
    writeFileSync(conf(), mine);
    const text = await setup('--yes', '--set', 'hz=20');
    expect(text).toContain('it was changed since tsredis wrote it');
    expect(readFileSync(conf(), 'utf8')).toBe(mine);
  });

  it('changes nothing in a dry run', async () => {
    const text = await install('--dry-run');
    expect(text).toContain(`+port ${port}`);
    expect(text).toContain('dry run: nothing was changed');
    expect(everything()).toEqual([]);
  });

  it('answers with one JSON document on request', async () => {
    const document = JSON.parse(await install('--json')) as {
      answer: string;
      port: number;
      plan: { changes: unknown[] };
    };
    expect(document).toMatchObject({ answer: 'PONG', port, changed: true });
    expect(document.plan.changes.length).toBeGreaterThan(3);
  });

  it('shows the plan and asks first; no means nothing happens', async () => {
    asker = { ask: async (_text, initial) => initial, confirm: async () => false };
    const error = await failure(setup('--executable', '/usr/bin/redis-server'));
    asker = undefined;
    expect(error.code).toBe('cancelled');
    expect(lines.join('\n')).toContain(`+port ${port}`);
    expect(everything()).toEqual([]);
  });

  it('refuses a port that somebody has, names who, and leaves nothing behind', async () => {
    const server = createServer().listen(port, '127.0.0.1');
    servers.push(server);
    await new Promise((resolve) => server.once('listening', resolve));
    const error = await failure(install());
    expect(error.code).toBe('port-in-use');
    expect(error.message).toContain(`(pid ${process.pid})`);
    expect(everything()).toEqual([]);
  });

  it('puts everything back when the server does not start', async () => {
    const error = await failure(install('--set', 'unixsocket=/nonexistent/socket'));
    expect(error.code).toBe('start-failed');
    expect(error.message).toContain('Failed opening Unix socket: bind: No such file or directory');
    expect(lines).toContain('everything was put back as it was');
    expect(everything()).toEqual([]);
  });

  it('brings the running instance back when a change does not work', async () => {
    await install();
    const before = readFileSync(conf(), 'utf8');
    await failure(setup('--yes', '--set', 'unixsocket=/nonexistent/socket'));
    expect(readFileSync(conf(), 'utf8')).toBe(before);
    expect(await setup('--yes')).toContain('answers PONG');
  });

  it('generates a password for a server that others can reach, and proves it', async () => {
    const text = await install('--bind=-192.0.2.1');
    const password = /password {6}(\S+)/.exec(text)?.[1];
    expect(password).toMatch(/^[\w-]{32}$/);
    expect(text.split(password as string)).toHaveLength(2);
    expect(readFileSync(conf(), 'utf8')).toContain(`\nrequirepass ${password}\n`);
    expect(await setup('--yes')).toContain('nothing to do');
  });

  it('never loses a secret that only the configuration knows', async () => {
    await install('--set', 'masterauth=s3cret');
    expect(readFileSync(join(home, '.local/state/tsredis', `redis_${port}.receipt.json`), 'utf8')).not.toContain(
      's3cret',
    );
    const text = await setup('--yes', '--set', 'hz=20');
    expect(text).not.toContain('s3cret');
    expect(readFileSync(conf(), 'utf8')).toContain('\nmasterauth s3cret\n');
  });

  it('refuses wrong directives, values and programs before anything changes', async () => {
    expect((await failure(install('--set', 'maxmemori=1gb'))).message).toContain('did you mean maxmemory?');
    expect((await failure(install('--set', 'maxmemory=lots'))).message).toContain('argument must be a memory value');
    expect((await failure(install('--set', 'dir=/x'))).message).toContain('has a flag or variable of its own');
    expect((await failure(setup('--yes', '--executable', '/bin/ls'))).code).toBe('executable-unusable');
    expect((await failure(setup('--yes', '--executable', 'no-such-program'))).message).toContain('not in PATH');
    expect((await failure(setup('--yes'))).message).toContain('it is not built; run: npm run build');
    expect(everything()).toEqual([]);
  });

  it('resolves a program given by its name, so that the next boot finds it', async () => {
    const document = JSON.parse(await setup('--yes', '--executable', 'redis-server', '--json', '--dry-run')) as object;
    expect(JSON.stringify(document)).toMatch(/"\/usr\/(local\/)?bin\/redis-server"/);
  });
});

describe.skipIf(realRedisMissing())('uninstall', () => {
  it('ends the server, removes what setup made, and keeps data and log', async () => {
    const pid = pidOf(await install());
    const text = await run('uninstall', String(port), '--yes');
    expect(text).toContain(`redis_${port} is removed; its data stays`);
    expect(await readProcess(host, pid)).toBeUndefined();
    expect(filesLeft().toSorted()).toEqual(['dump.rdb', `redis_${port}.log`]);
    expect((await failure(run('uninstall', String(port), '--yes'))).code).toBe('instance-unknown');
  });

  it('removes the data too on request, to the last file', async () => {
    await install();
    await run('uninstall', String(port), '--yes', '--purge-data');
    expect(everything()).toEqual([]);
  });

  it('keeps a changed configuration and says so', async () => {
    await install();
    writeFileSync(conf(), `${readFileSync(conf(), 'utf8')}# mine\n`);
    const text = await run('uninstall', String(port), '--yes', '--purge-data');
    expect(text).toContain(`kept ${conf()}: it was changed since tsredis wrote it`);
    expect(readFileSync(conf(), 'utf8')).toContain('# mine');
  });

  it('asks first, and cannot without a terminal', async () => {
    await install();
    expect((await failure(run('uninstall', String(port)))).code).toBe('answer-required');
  });
});
