// One measurement at a time: load from redis-benchmark, CPU time from the kernel; memory by filling a server.
import { spawn } from 'node:child_process';
import { prepare, sendAll } from './prepare.ts';
import { cpuMicroseconds, infoOf, type RunningServer, residentBytes } from './servers.ts';
import type { LoadWorkload, MemoryWorkload } from './workloads.ts';

export interface LoadResult {
  cpuMicrosecondsPerRequest: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

export interface MemoryResult {
  usedBytesPerKey: number;
  residentBytesPerKey: number;
}

const DEFAULT_CLIENTS = 50;

/** Runs the load once. @param scale part of the workload's requests */
export async function measureLoad(
  server: RunningServer,
  workload: LoadWorkload,
  loadProgram: string,
  scale: number,
): Promise<LoadResult> {
  await prepare(server.client, workload.preparation);
  const requests = Math.max(1000, Math.round(workload.requests * scale));
  const before = cpuMicroseconds(server.pid);
  const output = await run(loadProgram, [
    '-h',
    '127.0.0.1',
    '-p',
    String(server.port),
    '-c',
    String(workload.clients ?? DEFAULT_CLIENTS),
    '-n',
    String(requests),
    '-P',
    String(workload.pipeline),
    '--csv',
    ...workload.load,
  ]);
  const cpu = cpuMicroseconds(server.pid) - before;
  const row = output.trim().split('\n').at(-1)!;
  const cells = [...row.matchAll(/"([^"]*)"/g)].map((match) => Number(match[1]));
  // name, requests per second, average, minimum, p50, p95, p99, maximum (milliseconds)
  const [, requestsPerSecond, , , p50Ms, , p99Ms] = cells;
  if (!requestsPerSecond) throw new Error(`unexpected output of ${loadProgram}: ${output.slice(0, 300)}`);
  return {
    cpuMicrosecondsPerRequest: cpu / requests,
    requestsPerSecond,
    p50Ms: p50Ms ?? Number.NaN,
    p99Ms: p99Ms ?? Number.NaN,
  };
}

/** Fills a fresh server and divides what it grew by. */
export async function measureMemory(
  server: RunningServer,
  workload: MemoryWorkload,
  scale: number,
): Promise<MemoryResult> {
  const keys = Math.max(1000, Math.round(workload.keys * scale));
  const usedBefore = await usedBytes(server);
  const residentBefore = residentBytes(server.pid);
  await sendAll(server.client, commands(workload, keys));
  return {
    usedBytesPerKey: ((await usedBytes(server)) - usedBefore) / keys,
    residentBytesPerKey: (residentBytes(server.pid) - residentBefore) / keys,
  };
}

function* commands(workload: MemoryWorkload, keys: number): Generator<string[]> {
  for (let i = 0; i < keys; i++) yield workload.command(i);
}

async function usedBytes(server: RunningServer): Promise<number> {
  return Number((await infoOf(server.client)).get('used_memory'));
}

/** A program's standard output. @throws when it fails */
export async function run(program: string, args: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${program} ended with ${status}: ${(errors || output).trim().slice(0, 300)}`));
    });
  });
}
