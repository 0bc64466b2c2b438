// What a request costs with 1,000 connections, against 50: the difference between a long and a short run, so that opening
// the connections does not count.
import { measureLoad } from './measure.ts';
import {
  atMost,
  type BenchContext,
  type Outcome,
  orderOf,
  type Section,
  type ServerName,
  type Verdict,
} from './section.ts';
import { type RunningServer, startServer } from './servers.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';
import { LOAD_WORKLOADS, type LoadWorkload } from './workloads.ts';

interface Cost {
  workload: LoadWorkload;
  /** CPU microseconds per request by number of connections, one a round. */
  few: Record<ServerName, number[]>;
  many: Record<ServerName, number[]>;
}

const FEW = 50;
const MANY = 1000;
const RATIO_MAX = 1.2;
const LONG_TIMES_SHORT = 5;

export const connections: Section = {
  name: 'connections',
  about: 'CPU of GET and SET with 1,000 connections against 50',
  measure: measureConnections,
};

async function measureConnections(context: BenchContext): Promise<Outcome> {
  const costs: Cost[] = LOAD_WORKLOADS.filter(({ name }) => name === 'get' || name === 'set').map((workload) => ({
    workload,
    few: { ours: [], redis: [] },
    many: { ours: [], redis: [] },
  }));
  const ours = await startServer('ours', context.commands.ours);
  try {
    const redis = await startServer('redis', context.commands.redis);
    try {
      const servers = { ours, redis };
      for (const cost of costs) {
        for (let round = 0; round < context.rounds; round++) {
          for (const name of orderOf(round)) {
            cost.few[name].push(await perRequest(servers[name], cost.workload, FEW, context));
            cost.many[name].push(await perRequest(servers[name], cost.workload, MANY, context));
          }
        }
        context.progress(`connections: ${titleOf(cost)} done`);
      }
    } finally {
      await redis.stop();
    }
  } finally {
    await ours.stop();
  }
  return { data: costs, lines: render(costs), verdicts: judge(costs) };
}

/** CPU microseconds of a request on connections that are open. */
async function perRequest(
  server: RunningServer,
  workload: LoadWorkload,
  clients: number,
  { loadProgram, scale }: BenchContext,
): Promise<number> {
  const total = async (requests: number) => {
    const result = await measureLoad(server, { ...workload, clients, requests }, loadProgram, 1);
    return result.cpuMicrosecondsPerRequest * requests;
  };
  const requests = Math.round(workload.requests * scale);
  const short = Math.round(requests / LONG_TIMES_SHORT);
  return ((await total(requests)) - (await total(short))) / (requests - short);
}

function render(costs: readonly Cost[]): string[] {
  const head = ['connections, CPU us', `${FEW}`, `${MANY}`, 'ratio', `redis ${FEW}`, `${MANY}`, 'ratio'];
  const rows = costs.map((cost) => [
    titleOf(cost),
    ...(['ours', 'redis'] as const).flatMap((name) => [
      median(cost.few[name]).toFixed(2),
      median(cost.many[name]).toFixed(2),
      ratio(cost, name).toFixed(2),
    ]),
  ]);
  return table([head, ...rows]);
}

function judge(costs: readonly Cost[]): Verdict[] {
  return costs.map((cost) =>
    atMost(`${titleOf(cost)} with ${MANY} connections, times that with ${FEW}`, ratio(cost, 'ours'), RATIO_MAX),
  );
}

/** The median of the rounds' ratios. */
function ratio({ few, many }: Cost, name: ServerName): number {
  return median(many[name].map((cost, round) => cost / few[name][round]!));
}

function titleOf({ workload }: Cost): string {
  return `${workload.name} -P ${workload.pipeline}`;
}
