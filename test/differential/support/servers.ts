// Starts the two servers of a differential test, ours and a real redis-server, on free ports with nothing persisted.
//
// Ours is dist/bin/tsredis-server.js (npm run build), or the program that TSREDIS_SERVER names; the real one is found
// in PATH. Use it like this:
//
//   const missing = missingServers();
//   describe.skipIf(missing !== null)(missing ?? 'lists, beside redis-server', () => {
//     let pair: Pair;
//     beforeAll(async () => { pair = await startPair(); });
//     afterAll(async () => { await pair.stop(); });
//     it('...', async () => { await pair.same([['lpush', 'k', 'a'], ['lrange', 'k', '0', '-1']]); });
//   });

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Pair } from './pair.ts';
import { RawConnection } from './raw-connection.ts';

export type { Pair } from './pair.ts';

const START_TIMEOUT_MS = 15_000;
const RETRY_MS = 25;

/** Why the comparison can't run, or null. */
export function missingServers(): string | null {
  if (spawnSync('redis-server', ['--version']).status !== 0) return 'redis-server is not installed';
  return missingOurs();
}

/**
 * Starts both servers. `settings` go to both as arguments (`['hash-max-listpack-entries', '8']` each); ours is asked for
 * the encodings of 7.0.
 */
export async function startPair(settings: readonly (readonly [string, string])[] = []): Promise<Pair> {
  const directory = await mkdtemp(join(tmpdir(), 'tsredis-pair-'));
  const common = [['save', ''], ['dir', directory], ['appendonly', 'no'], ['enable-debug-command', 'yes'], ...settings];
  const ourPort = await freePort();
  const realPort = await freePort();
  const ours = spawnServer(process.execPath, [ourProgram()], ourPort, [...common, ['set-max-listpack-entries', '0']]);
  const real = spawnServer('redis-server', [], realPort, common);
  const stop = async () => {
    await Promise.all([end(ours), end(real)]);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return new Pair(await connection(ourPort, ours), await connection(realPort, real), ourPort, realPort, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A server of ours alone. */
export interface OwnServer {
  connection: RawConnection;
  port: number;
  process: ChildProcess;
  stop(): Promise<void>;
}

/** Starts one of ours, with nothing persisted unless `settings` say so. */
export async function startOurs(settings: readonly (readonly [string, string])[] = []): Promise<OwnServer> {
  const directory = await mkdtemp(join(tmpdir(), 'tsredis-own-'));
  const port = await freePort();
  const common = [['save', ''], ['dir', directory], ['enable-debug-command', 'yes'], ...settings];
  const server = spawnServer(process.execPath, [ourProgram()], port, common);
  const stop = async () => {
    await end(server);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { connection: await connection(port, server), port, process: server.child, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Why ours can't be started, or null. */
export function missingOurs(): string | null {
  return existsSync(ourProgram()) ? null : `${ourProgram()} is missing: run npm run build`;
}

function ourProgram(): string {
  return resolve(process.env['TSREDIS_SERVER'] ?? 'dist/bin/tsredis-server.js');
}

function spawnServer(program: string, first: string[], port: number, settings: readonly (readonly string[])[]) {
  const args = [...first, '--port', String(port), ...settings.flatMap(([name, value]) => [`--${name}`, value])];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('latin1')).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return { child, output: () => output };
}

type Server = ReturnType<typeof spawnServer>;

/** Connects as soon as the server listens. */
async function connection(port: number, server: Server): Promise<RawConnection> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await RawConnection.open(port);
    } catch (error) {
      if (server.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the server on port ${port} does not answer; it said:\n${server.output()}`, { cause: error });
      }
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

async function end({ child }: { child: ChildProcess }): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

function freePort(): Promise<number> {
  return new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
