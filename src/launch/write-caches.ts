// Writes the code caches of the programs beside their code: each does a little of its ordinary work, so that what it
// needs has been compiled, and leaves V8's data behind as it exits. A cache is an aid: one that cannot be written is
// reported, and everything works without.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CodeFile, cachePath, codePath, loadCode } from './code-file.ts';

/** Programs that end by themselves, with arguments that need no server. */
const ALONE: Readonly<Record<string, readonly string[]>> = {
  'tsredis-setup': ['--help'],
  tsredis: ['--help'],
  'tsredis-check-rdb': ['--version'],
  'tsredis-check-aof': ['--version'],
};

const SERVER = 'tsredis-server';

/** Programs that talk to a server. */
const WITH_SERVER: Readonly<Record<string, readonly string[]>> = {
  'tsredis-cli': ['ping'],
  'tsredis-benchmark': ['-q', '-n', '100', '-c', '2', '-t', 'set'],
};

const START_TIMEOUT_MS = 20_000;
const LOOK_EVERY_MS = 10;
/** Characters of the hash in a cache's name. */
const HASH_DIGITS = 16;

/** The hash by which a starter knows its code. */
export function hashOf(code: Uint8Array): string {
  return createHash('sha256').update(code).digest('hex').slice(0, HASH_DIGITS);
}

/** Runs as the program `name` with these arguments; its cache is written to `target` at the exit. */
export function runAndKeep(file: CodeFile, target: string, args: readonly string[], load: NodeJS.Require): void {
  const code = loadCode(file);
  process.argv.splice(1, process.argv.length - 1, codePath(file), ...args);
  process.once('exit', () => {
    const beside = `${target}.${process.pid}`;
    writeFileSync(beside, code.script.createCachedData(), { mode: 0o644 });
    renameSync(beside, target);
  });
  code.run(load);
}

/**
 * Writes the caches of the code in `directory` to `target`, those that are missing there, and removes caches of other
 * code. `self` is the file that calls runAndKeep when it gets `--one NAME TARGET ARGS...`. Returns the programs that got
 * none.
 */
export async function writeCaches(directory: string, target: string, self: string): Promise<string[]> {
  const caches = cachesOf(directory, target);
  const good = new Set(caches.values());
  for (const name of readdirSync(target)) {
    if (name.endsWith('.cache') && !good.has(join(target, name))) rmSync(join(target, name));
  }
  for (const [name, cache] of caches) if (existsSync(cache)) caches.delete(name);
  const run = (name: string, args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [self, '--one', name, caches.get(name)!, ...args], { stdio: 'ignore' });
  for (const name of caches.keys()) {
    if (ALONE[name] !== undefined) await ended(run(name, ALONE[name]));
  }
  if (caches.has(SERVER) || Object.keys(WITH_SERVER).some((name) => caches.has(name))) await runWithServer(caches, run);
  return [...caches].filter(([, cache]) => !existsSync(cache)).map(([name]) => name);
}

/** Cache files by program. */
function cachesOf(directory: string, target: string): Map<string, string> {
  const programs = readdirSync(directory).flatMap((file) => /^(tsredis[a-z-]*)\.cjs$/.exec(file)?.[1] ?? []);
  return new Map(
    programs.map((name) => {
      const hash = hashOf(readFileSync(codePath({ directory, name })));
      return [name, cachePath({ directory: target, name, hash })];
    }),
  );
}

/** The server, on a socket in a folder of its own, and those that need one. */
async function runWithServer(
  caches: ReadonlyMap<string, string>,
  run: (name: string, args: readonly string[]) => ChildProcess,
): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'tsredis-'));
  const socket = join(place, 's');
  try {
    const server = run(SERVER, ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', place]);
    const end = ended(server);
    if (await serves(socket, server)) {
      for (const [name, args] of Object.entries(WITH_SERVER)) {
        if (caches.has(name)) await ended(run(name, ['-s', socket, ...args]));
      }
    }
    server.kill('SIGTERM');
    await end;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

/** Waits until somebody serves at the socket, or the server has ended. One that listens may not yet know its signals. */
async function serves(socket: string, server: ChildProcess): Promise<boolean> {
  const giveUpAtMs = performance.now() + START_TIMEOUT_MS;
  while (server.exitCode === null && performance.now() < giveUpAtMs) {
    const pongs = await new Promise<boolean>((resolve) => {
      const probe = connect(socket, () => probe.write('PING\r\n'));
      probe.once('data', (chunk) => {
        probe.destroy();
        resolve(chunk.toString().startsWith('+PONG'));
      });
      probe.once('error', () => resolve(false));
      probe.once('close', () => resolve(false));
    });
    if (pongs) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}
