// Millions of keys are added: does anything stop the server meanwhile? A table that grows, a segment that is allocated, a
// collection of garbage would be seen by a second client as a late PONG.
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
  /** What the server's main thread computed meanwhile. */
  busyP999Ms: number;
  busyLongestMs: number;
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
        `growth ${name}: longest ${result.longestMs.toFixed(1)} ms, busy ${result.busyLongestMs.toFixed(1)}`,
      );
    }
  }
  const both = (pick: (result: GrowthResult) => number) => ({
    ours: median(results.ours.map(pick)),
    redis: median(results.redis.map(pick)),
  });
  const p999 = both((result) => result.p999Ms);
  return {
    data: results,
    lines: [
      ...table([
        [
          'PING while 5,000,000 keys are added, ms',
          'p50',
          'p99.9',
          'longest',
          'busy p99.9',
          'busy longest',
          'CPU us/key',
        ],
        ...(['ours', 'redis'] as const).map((name) => [
          name,
          ...(['p50Ms', 'p999Ms', 'longestMs', 'busyP999Ms', 'busyLongestMs', 'cpuMicrosecondsPerKey'] as const).map(
            (field) => median(results[name].map((result) => result[field])).toFixed(2),
          ),
        ]),
      ]),
      'busy: how long the main thread of the server computed in that time',
    ],
    verdicts: [
      atMost('5,000,000 keys added: longest pause, ms', both((result) => result.busyLongestMs).ours, LONGEST_MS),
      atMost("5,000,000 keys added: p99.9, times Redis'", p999.ours / p999.redis, 1.0),
    ],
  };
}

async function addKeys(name: ServerName, { commands, loadProgram, scale }: BenchContext): Promise<GrowthResult> {
  const server = await startServer(name, commands[name]);
  try {
    const requests = Math.round(KEYS * scale);
    const pinger = await startPinging(server.port, server.pid);
    const before = cpuMicroseconds(server.pid);
    await run(loadProgram, [
      ...['-h', '127.0.0.1', '-p', String(server.port), '-c', '50', '-P', '16', '-q'],
      ...['-n', String(requests), '-r', String(NAMES), 'set', 'key:__rand_int__', 'xxx'],
    ]);
    const cpu = cpuMicroseconds(server.pid) - before;
    const { seen, busy } = await pinger.stop();
    const keys = Number(/keys=(\d+)/.exec((await infoOf(server.client)).get('db0') ?? '')?.[1] ?? 0);
    return {
      keys,
      pings: seen.length,
      p50Ms: percentile(seen, 50),
      p999Ms: percentile(seen, 99.9),
      longestMs: seen.at(-1) ?? Number.NaN,
      busyP999Ms: percentile(busy, 99.9),
      busyLongestMs: busy.at(-1) ?? Number.NaN,
      cpuMicrosecondsPerKey: cpu / keys,
    };
  } finally {
    await server.stop();
  }
}
