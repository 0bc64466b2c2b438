// Starts and stops the two servers, and reads what the kernel knows about a process.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../server/net/client.ts';

export interface RunningServer {
  name: string;
  port: number;
  pid: number;
  version: string;
  directory: string;
  /** From the start of the process to the first PONG. */
  startMs: number;
  /** A connection for preparing and asking. */
  client: Client;
  stop(): Promise<void>;
}

/** How the kernel counts CPU time in /proc/PID/stat: hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

const START_TIMEOUT_MS = 60_000;
const POLL_EVERY_MS = 3;
/** While it loads: who asks more often takes time away from what is measured. */
const LOADING_POLL_EVERY_MS = 20;

/**
 * Starts a server without save points on a free loopback port; a dump in the directory is loaded. Stopping removes the
 * directory. @throws with the server's output when it does not come up
 */
export async function startServer(
  name: string,
  command: readonly string[],
  directory = mkdtempSync(join(tmpdir(), 'tsredis-bench-')),
): Promise<RunningServer> {
  const port = await freePort();
  const [program, ...args] = command as [string, ...string[]];
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory];
  const beganMs = performance.now();
  const child = spawn(program, [...args, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  child.stdout.on('data', (chunk) => output.length < 200 && output.push(String(chunk)));
  child.stderr.on('data', (chunk) => output.length < 200 && output.push(String(chunk)));
  try {
    const client = await connectWhenUp(child, port);
    const startMs = performance.now() - beganMs;
    const info = await infoOf(client);
    const version = info.get('valkey_version') ?? info.get('redis_version') ?? '?';
    return {
      name,
      port,
      pid: child.pid!,
      version,
      directory,
      startMs,
      client,
      stop: () => stop(child, client, directory),
    };
  } catch (error) {
    await stop(child, undefined, directory);
    throw new Error(`${name} did not start: ${(error as Error).message}\n${output.join('')}`);
  }
}

async function connectWhenUp(child: ChildProcess, port: number): Promise<Client> {
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  let client: Client | undefined;
  for (;;) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`it ended with ${child.exitCode}`);
    let waitMs = POLL_EVERY_MS;
    try {
      client ??= await Client.connect({ host: '127.0.0.1', port });
      if ((await client.call('PING')).kind === 'status') return client;
      waitMs = LOADING_POLL_EVERY_MS;
    } catch {
      // Not listening yet.
      client?.close();
      client = undefined;
    }
    if (Date.now() > giveUpAt) throw new Error('no PONG in time');
    await sleep(waitMs);
  }
}

async function stop(child: ChildProcess, client: Client | undefined, directory: string): Promise<void> {
  client?.close();
  if (child.exitCode === null && child.pid !== undefined) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(directory, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** INFO's fields. */
export async function infoOf(client: Client): Promise<Map<string, string>> {
  const reply = await client.call('INFO');
  if (!('bytes' in reply) || reply.kind === 'error') throw new Error('INFO was refused');
  const lines = reply.bytes.toString().split('\r\n');
  return new Map(lines.filter((line) => line.includes(':')).map((line) => line.split(/:(.*)/s, 2) as [string, string]));
}

/**
 * CPU time that the process, all threads, has used so far, in microseconds: from the scheduler, to the nanosecond, or
 * where the kernel does not tell, user and system time in its ticks.
 */
export function cpuMicroseconds(pid: number): number {
  return scheduledMicroseconds(pid) ?? tickedMicroseconds(pid);
}

function scheduledMicroseconds(pid: number): number | undefined {
  try {
    let nanoseconds = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
    return nanoseconds > 0 ? nanoseconds / 1000 : undefined;
  } catch {
    return undefined;
  }
}

function tickedMicroseconds(pid: number): number {
  const fields = statFields(pid);
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

/** The fields of /proc/PID/stat from the third on: the name in parentheses may contain blanks. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** CPU time of children that have ended, in microseconds: Redis saves in one. */
export function childrenMicroseconds(pid: number): number {
  const fields = statFields(pid);
  return ((Number(fields[13]) + Number(fields[14])) * 1_000_000) / TICKS_PER_SECOND;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}
