// Millions of keys are added: does anything stop the server meanwhile? A table that grows, a segment that is allocated, a
// collection of garbage would be seen by a second client as a late PONG, and inside as a long turn of the event loop.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROBE_FROM_MS, probeLoop } from './loop-probe.ts';
import { run } from './measure.ts';
import { percentile, startPinging } from './pinger.ts';
import { atMost, type BenchContext, type Outcome, orderOf, type Section, type ServerName } from './section.ts';
import { cpuMicroseconds, infoOf, startServer } from './servers.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

interface GrowthResult {
  keys: number;
  pings: number;
  p50Ms: number;
  p999Ms: number;
  longestMs: number;
  /** The longest turn of the event loop by what it computed; NaN where nothing looks inside. */
  turnMs: number;
  cpuMicrosecondsPerKey: number;
}

const KEYS = 5_000_000;
/** So many possible names that hardly two keys get the same. */
const NAMES = 100_000_000_000;
const LONGEST_MS = 10;

export const growth: Section = {
  name: 'growth',
  about: '5,000,000 keys are added while another client pings',
  measure: measureGrowth,
};

async function measureGrowth(context: BenchContext): Promise<Outcome> {
  const results: Record<ServerName, GrowthResult[]> = { ours: [], redis: [] };
  for (let round = 0; round < context.rounds; round++) {
    for (const name of orderOf(round)) {
      const result = await addKeys(name, context);
      results[name].push(result);
      context.progress(
        `growth ${name}: longest ${result.longestMs.toFixed(1)} ms, turn ${result.turnMs.toFixed(1)} ms`,
      );
    }
  }
  const middle = (name: ServerName, field: keyof GrowthResult) => median(results[name].map((result) => result[field]));
  const fields = ['p50Ms', 'p999Ms', 'longestMs', 'turnMs', 'cpuMicrosecondsPerKey'] as const;
  return {
    data: results,
    lines: table([
      ['PING while 5,000,000 keys are added, ms', 'p50', 'p99.9', 'longest', 'longest turn', 'CPU us/key'],
      ...(['ours', 'redis'] as const).map((name) => [name, ...fields.map((field) => shown(middle(name, field)))]),
    ]),
    verdicts: [
      atMost('5,000,000 keys added: longest turn of the event loop, ms', middle('ours', 'turnMs'), LONGEST_MS),
      atMost("5,000,000 keys added: p99.9, times Redis'", middle('ours', 'p999Ms') / middle('redis', 'p999Ms'), 1.0),
    ],
  };
}

async function addKeys(name: ServerName, { commands, loadProgram, scale }: BenchContext): Promise<GrowthResult> {
  const directory = mkdtempSync(join(tmpdir(), 'tsredis-bench-'));
  const probe = probeLoop(commands[name], directory);
  const server = await startServer(name, probe?.command ?? commands[name]);
  try {
    if (probe !== undefined) await sleep(PROBE_FROM_MS);
    const requests = Math.round(KEYS * scale);
    const pinger = await startPinging(server.port);
    const before = cpuMicroseconds(server.pid);
    await run(loadProgram, [
      ...['-h', '127.0.0.1', '-p', String(server.port), '-c', '50', '-P', '16', '-q'],
      ...['-n', String(requests), '-r', String(NAMES), 'set', 'key:__rand_int__', 'xxx'],
    ]);
    const cpu = cpuMicroseconds(server.pid) - before;
    const latencies = await pinger.stop();
    const keys = Number(/keys=(\d+)/.exec((await infoOf(server.client)).get('db0') ?? '')?.[1] ?? 0);
    return {
      keys,
      pings: latencies.length,
      p50Ms: percentile(latencies, 50),
      p999Ms: percentile(latencies, 99.9),
      longestMs: latencies.at(-1) ?? Number.NaN,
      turnMs: probe?.longestMs() ?? Number.NaN,
      cpuMicrosecondsPerKey: cpu / keys,
    };
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function shown(value: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(2);
}
