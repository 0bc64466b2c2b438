// What a request costs as the number of keys grows: with all keys, and with a few of the many, which stay in the caches.
// The second is what the server's own work costs, the first adds what memory costs.
import { fill } from './fill.ts';
import { run } from './measure.ts';
import {
  atMost,
  type BenchContext,
  type Outcome,
  orderOf,
  type Section,
  type ServerName,
  type Verdict,
} from './section.ts';
import { cpuMicroseconds, type RunningServer, startServer } from './servers.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

interface CurvePoint {
  keys: number;
  command: 'get' | 'set';
  /** Keys that the requests name. */
  among: number;
  /** Per request, one a round. */
  cpuMicroseconds: Record<ServerName, number[]>;
}

const SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
const FEW = 10_000;
const REQUESTS = 600_000;
/** How much dearer a request among few of many keys may get: what measurements like these differ by anyway. */
const FLAT_RATIO_MAX = 1.15;
/** After filling, the table may still be moving to its new size. */
const SETTLE_MS = 2000;

export const curve: Section = {
  name: 'curve',
  about: 'CPU of GET and SET with 10,000 to 10,000,000 keys (about 2.5 GB of memory)',
  measure: measureCurve,
};

async function measureCurve(context: BenchContext): Promise<Outcome> {
  const points: CurvePoint[] = [];
  const ours = await startServer('ours', context.commands.ours);
  try {
    const redis = await startServer('redis', context.commands.redis);
    try {
      let filled = 0;
      for (const size of SIZES) {
        const keys = Math.round(size * context.scale);
        await Promise.all([ours, redis].map((server) => fill(server.port, filled, keys)));
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        filled = keys;
        points.push(...(await measureSize({ ours, redis }, keys, context)));
      }
    } finally {
      await redis.stop();
    }
  } finally {
    await ours.stop();
  }
  return { data: points, lines: render(points), verdicts: judge(points) };
}

async function measureSize(
  servers: Record<ServerName, RunningServer>,
  keys: number,
  context: BenchContext,
): Promise<CurvePoint[]> {
  const few = Math.round(FEW * context.scale);
  const points: CurvePoint[] = (['get', 'set'] as const).flatMap((command) =>
    [keys, few].map((among) => ({ keys, command, among, cpuMicroseconds: { ours: [], redis: [] } })),
  );
  for (let round = 0; round < context.rounds; round++) {
    for (const point of points) {
      for (const name of orderOf(round)) point.cpuMicroseconds[name].push(await cost(servers[name], point, context));
    }
  }
  context.progress(`curve: ${keys} keys done`);
  return points;
}

async function cost(server: RunningServer, { command, among }: CurvePoint, context: BenchContext): Promise<number> {
  const requests = Math.round(REQUESTS * context.scale);
  const before = cpuMicroseconds(server.pid);
  await run(context.loadProgram, [
    ...['-h', '127.0.0.1', '-p', String(server.port), '-c', '50', '-P', '16', '-q'],
    ...['-n', String(requests), '-r', String(among), '-t', command],
  ]);
  return (cpuMicroseconds(server.pid) - before) / requests;
}

function render(points: readonly CurvePoint[]): string[] {
  const head = ['keys', 'requests for', 'CPU us', 'redis', 'ratio', 'times the least', 'redis'];
  const rows = points.map((point) => {
    const first = firstLike(points, point);
    const slope = (name: ServerName) => costOf(point, name) / costOf(first, name);
    return [
      `${point.command} of ${point.keys}`,
      point.among === point.keys ? 'all' : String(point.among),
      costOf(point, 'ours').toFixed(2),
      costOf(point, 'redis').toFixed(2),
      (costOf(point, 'ours') / costOf(point, 'redis')).toFixed(2),
      slope('ours').toFixed(2),
      slope('redis').toFixed(2),
    ];
  });
  return table([head, ...rows]);
}

function judge(points: readonly CurvePoint[]): Verdict[] {
  const last = points.filter(({ keys, among }) => keys === points.at(-1)?.keys && among < keys);
  return last.map((point) =>
    atMost(
      `${point.command} of ${point.among} among ${point.keys} keys, times that of the fewest`,
      costOf(point, 'ours') / costOf(firstLike(points, point), 'ours'),
      FLAT_RATIO_MAX,
    ),
  );
}

/** The point with the fewest keys, of the same command. */
function firstLike(points: readonly CurvePoint[], { command }: CurvePoint): CurvePoint {
  return points.find((point) => point.command === command)!;
}

function costOf(point: CurvePoint, name: ServerName): number {
  return median(point.cpuMicroseconds[name]);
}
