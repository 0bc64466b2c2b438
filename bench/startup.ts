// How long programs take to be of use, as ratios to an empty Node, and what an idle server costs.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../server/net/client.ts';
import { run } from './measure.ts';
import { cpuMicroseconds, type RunningServer, residentBytes, startServer } from './servers.ts';
import { median } from './statistics.ts';

export interface StartupResult {
  emptyNodeMs: number;
  serverMs: number;
  cliMs: number | undefined;
}

export interface IdleResult {
  cpuPercent: number;
  residentMebibytes: number;
}

const IDLE_CLIENTS = 10;
const SETTLE_MS = 15_000;

/** @param cliProgram undefined: not built */
export async function measureStartup(
  serverCommand: readonly string[],
  cliProgram: string | undefined,
  rounds: number,
): Promise<StartupResult> {
  const empty: number[] = [];
  const server: number[] = [];
  const cli: number[] = [];
  for (let round = 0; round < rounds; round++) {
    empty.push(await elapsedMs(() => run(process.execPath, ['-e', '0'])));
    const running = await startServer('ours', serverCommand);
    server.push(running.startMs);
    try {
      if (cliProgram !== undefined) {
        cli.push(await elapsedMs(() => run(process.execPath, [cliProgram, '-p', String(running.port), 'ping'])));
      }
    } finally {
      await running.stop();
    }
  }
  return { emptyNodeMs: median(empty), serverMs: median(server), cliMs: cli.length === 0 ? undefined : median(cli) };
}

/** An idle server with ten connections, watched for some seconds when its start is over: V8 tidies up after it. */
export async function measureIdle(server: RunningServer, seconds: number): Promise<IdleResult> {
  const clients: Client[] = [];
  for (let i = 0; i < IDLE_CLIENTS; i++) clients.push(await Client.connect({ host: '127.0.0.1', port: server.port }));
  await sleep(SETTLE_MS);
  const before = cpuMicroseconds(server.pid);
  await sleep(seconds * 1000);
  const cpuPercent = (cpuMicroseconds(server.pid) - before) / (seconds * 10_000);
  const residentMebibytes = residentBytes(server.pid) / 2 ** 20;
  for (const client of clients) client.close();
  return { cpuPercent, residentMebibytes };
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
