// What a request costs as the number of keys grows: with all keys, and with a few of the many. The few fit into the caches
// but lie on as many pages, so that even they cost more; a Redis, whose own work per request is constant, tells how much
// more that is on this machine.
import { setTimeout as sleep } from 'node:timers/promises';
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
/** Requests may not get dearer with the number of keys than Redis' do, whose own work stays the same, too. */
const SLOPE_RATIO_MAX = 1.0;
/** After filling, the table may still be moving to its new size. */
const SETTLE_MS = 2000;

export const curve: Section = {
  name: 'curve',
  about: 'CPU of GET and SET with 10,000 to 10,000,000 keys (about 2.5 GB of memory)',
  measure: measureCurve,
};

async function measureCurve(context: BenchContext): Promise<Outcome> {
  const started: RunningServer[] = [];
  const points: CurvePoint[] = [];
  const pairs = new Map<number, Record<ServerName, RunningServer>>();
  try {
    for (const size of SIZES) {
      const keys = Math.round(size * context.scale);
      const start = async (name: ServerName) => {
        const server = await startServer(name, context.commands[name]);
        started.push(server);
        await fill(server.port, 0, keys);
        return server;
      };
      pairs.set(keys, { ours: await start('ours'), redis: await start('redis') });
      points.push(...pointsOf(keys, Math.round(FEW * context.scale)));
      context.progress(`curve: ${keys} keys added`);
    }
    await sleep(SETTLE_MS);
    // All sizes in each round, so that what else the machine does is no slope.
    for (let round = 0; round < context.rounds; round++) {
      for (const point of points) {
        const servers = pairs.get(point.keys)!;
        for (const name of orderOf(round)) point.cpuMicroseconds[name].push(await cost(servers[name], point, context));
      }
      context.progress(`curve: round ${round + 1} done`);
    }
  } finally {
    for (const server of started) await server.stop();
  }
  return { data: points, lines: render(points), verdicts: judge(points) };
}

function pointsOf(keys: number, few: number): CurvePoint[] {
  return (['get', 'set'] as const).flatMap((command) =>
    [keys, few]
      .filter((among, index) => index === 0 || among < keys)
      .map((among) => ({ keys, command, among, cpuMicroseconds: { ours: [], redis: [] } })),
  );
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
  const rows = points.map((point) => [
    `${point.command} of ${point.keys}`,
    point.among === point.keys ? 'all' : String(point.among),
    median(point.cpuMicroseconds.ours).toFixed(2),
    median(point.cpuMicroseconds.redis).toFixed(2),
    ratio(point.cpuMicroseconds.ours, point.cpuMicroseconds.redis).toFixed(2),
    slope(points, point, 'ours').toFixed(2),
    slope(points, point, 'redis').toFixed(2),
  ]);
  return table([head, ...rows]);
}

function judge(points: readonly CurvePoint[]): Verdict[] {
  return points
    .filter(({ keys }) => keys === points.at(-1)?.keys)
    .map((point) =>
      atMost(
        `${point.command} of ${point.among} among ${point.keys} keys, times that of the fewest, times Redis'`,
        slope(points, point, 'ours') / slope(points, point, 'redis'),
        SLOPE_RATIO_MAX,
      ),
    );
}

/** A point's cost against the one with the fewest keys, of the same command. */
function slope(points: readonly CurvePoint[], { command, cpuMicroseconds }: CurvePoint, name: ServerName): number {
  const first = points.find((point) => point.command === command)!;
  return ratio(cpuMicroseconds[name], first.cpuMicroseconds[name]);
}

/** The median of the rounds' ratios. */
function ratio(costs: readonly number[], others: readonly number[]): number {
  return median(costs.map((cost, round) => cost / others[round]!));
}
