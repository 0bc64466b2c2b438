// Results as a table for people, and the verdict on each target.
import type { LoadResult, MemoryResult } from './measure.ts';
import type { Outcome, Verdict } from './section.ts';
import type { IdleResult, StartupResult } from './startup.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';
import {
  GEOMETRIC_MEAN_MAX,
  LOAD_WORKLOADS,
  type LoadWorkload,
  type MemoryWorkload,
  type Milestone,
} from './workloads.ts';

/** Both servers' measurements of one workload, one entry a round; or why there are none. */
export type Pair<T> = { ours: T[]; redis: T[] } | { skipped: string };

export interface Report {
  machine: Record<string, string>;
  load: { workload: LoadWorkload; result: Pair<LoadResult> }[];
  memory: { workload: MemoryWorkload; result: Pair<MemoryResult> }[];
  startup: StartupResult | undefined;
  idle: { ours: IdleResult; redis: IdleResult } | undefined;
  /** By name; see sections.ts. */
  sections: Record<string, Outcome>;
}

export function renderReport(report: Report): string {
  const lines = [
    Object.entries(report.machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    '',
  ];
  if (report.load.length > 0) lines.push(...loadTable(report.load), '');
  if (report.memory.length > 0) lines.push(...memoryTable(report.memory), '');
  if (report.startup !== undefined) lines.push(...startupLines(report.startup), '');
  if (report.idle !== undefined) lines.push(...idleLines(report.idle), '');
  for (const { lines: section } of Object.values(report.sections)) lines.push(...section, '');
  return lines.join('\n');
}

export function judge(report: Report, milestone: Milestone): Verdict[] {
  const verdicts: Verdict[] = [];
  const atMost = (what: string, measured: number, bound: number | undefined) => {
    if (bound !== undefined) verdicts.push({ what, measured, bound: `at most ${bound}`, met: measured <= bound });
  };
  for (const { workload, result } of report.load) {
    if ('skipped' in result) continue;
    const { cpuRatioMax, throughputRatioMin } = workload.targets[milestone] ?? {};
    const title = loadTitle(workload);
    atMost(`${title}: CPU ratio`, ratio(result, cpuOf), cpuRatioMax);
    if (throughputRatioMin === undefined) continue;
    const measured = ratio(result, throughputOf);
    const bound = `at least ${throughputRatioMin}`;
    verdicts.push({ what: `${title}: throughput ratio`, measured, bound, met: measured >= throughputRatioMin });
  }
  const pipelined = pipelinedRatios(report.load);
  // Of a selection the mean says nothing.
  if (pipelined.length === LOAD_WORKLOADS.filter(isPipelined).length) {
    atMost(meanTitle(pipelined), geometricMean(pipelined), GEOMETRIC_MEAN_MAX[milestone]);
  }
  for (const { workload, result } of report.memory) {
    if ('skipped' in result) continue;
    const { bytesPerKeyMax, ratioMax } = workload.targets[milestone] ?? {};
    atMost(`${workload.name}: bytes per key`, middle(result.ours, usedOf), bytesPerKeyMax);
    atMost(`${workload.name}: bytes per key, ratio`, ratio(result, usedOf), ratioMax);
  }
  if (milestone === 'final') {
    judgeProcesses(report, atMost);
    for (const section of Object.values(report.sections)) verdicts.push(...section.verdicts);
  }
  return verdicts;
}

function judgeProcesses(report: Report, atMost: (what: string, measured: number, bound: number) => void): void {
  const { startup, idle } = report;
  if (startup !== undefined) {
    atMost('server to first PONG, times an empty Node', startup.serverMs / startup.emptyNodeMs, 2.0);
    if (startup.cliMs !== undefined) {
      atMost('tsredis-cli ping, times an empty Node', startup.cliMs / startup.emptyNodeMs, 1.5);
    }
  }
  if (idle !== undefined) {
    atMost("idle CPU % above Redis'", idle.ours.cpuPercent - idle.redis.cpuPercent, 0.5);
    atMost('idle MiB resident', idle.ours.residentMebibytes, 60);
  }
}

export function renderVerdicts(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(
    ({ what, measured, bound, met }) => `${met ? 'met   ' : 'MISSED'}  ${what}: ${measured.toFixed(2)} (${bound})`,
  );
  return `${lines.join('\n')}\n`;
}

const cpuOf = (result: LoadResult) => result.cpuMicrosecondsPerRequest;
const throughputOf = (result: LoadResult) => result.requestsPerSecond;
const usedOf = (result: MemoryResult) => result.usedBytesPerKey;

function middle<T>(results: readonly T[], pick: (result: T) => number): number {
  return median(results.map(pick));
}

/** The median of the rounds' ratios: both sides of a round ran under the same conditions. */
function ratio<T>(pair: { ours: T[]; redis: T[] }, pick: (result: T) => number): number {
  return median(pair.ours.map((result, round) => pick(result) / pick(pair.redis[round]!)));
}

/** CPU ratios of the workloads that the geometric mean is taken of. */
function pipelinedRatios(rows: Report['load']): number[] {
  const ratios: number[] = [];
  for (const { workload, result } of rows) {
    if (isPipelined(workload) && !('skipped' in result)) ratios.push(ratio(result, cpuOf));
  }
  return ratios;
}

function isPipelined(workload: LoadWorkload): boolean {
  return workload.pipeline === 16;
}

function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, one) => sum + Math.log(one), 0) / ratios.length);
}

function meanTitle(ratios: readonly number[]): string {
  return `geometric mean of ${ratios.length} commands -P 16`;
}

function loadTitle(workload: LoadWorkload): string {
  return `${workload.name} -P ${workload.pipeline}`;
}

function loadTable(rows: Report['load']): string[] {
  const head = ['workload', 'CPU us', 'redis', 'ratio', 'thousand/s', 'redis', 'ratio', 'p99 ms', 'redis'];
  const body = rows.map(({ workload, result }) => {
    if ('skipped' in result) return [loadTitle(workload), `skipped: ${result.skipped}`];
    const { ours, redis } = result;
    const p99 = (one: LoadResult) => one.p99Ms;
    return [
      loadTitle(workload),
      middle(ours, cpuOf).toFixed(2),
      middle(redis, cpuOf).toFixed(2),
      ratio(result, cpuOf).toFixed(2),
      (middle(ours, throughputOf) / 1000).toFixed(0),
      (middle(redis, throughputOf) / 1000).toFixed(0),
      ratio(result, throughputOf).toFixed(2),
      middle(ours, p99).toFixed(2),
      middle(redis, p99).toFixed(2),
    ];
  });
  const pipelined = pipelinedRatios(rows);
  if (pipelined.length > 1) {
    body.push([meanTitle(pipelined), '', '', geometricMean(pipelined).toFixed(2), '', '', '', '', '']);
  }
  return table([head, ...body]);
}

function memoryTable(rows: Report['memory']): string[] {
  const head = ['memory', 'keys', 'bytes/key', 'redis', 'ratio', 'RSS/key', 'redis'];
  const body = rows.map(({ workload, result }) => {
    if ('skipped' in result) return [workload.name, `skipped: ${result.skipped}`];
    const { ours, redis } = result;
    const resident = (one: MemoryResult) => one.residentBytesPerKey;
    return [
      workload.name,
      String(workload.keys),
      middle(ours, usedOf).toFixed(1),
      middle(redis, usedOf).toFixed(1),
      ratio(result, usedOf).toFixed(2),
      middle(ours, resident).toFixed(1),
      middle(redis, resident).toFixed(1),
    ];
  });
  return table([head, ...body]);
}

function startupLines({ emptyNodeMs, serverMs, cliMs }: StartupResult): string[] {
  const times = (ms: number) => `${ms.toFixed(0)} ms, ${(ms / emptyNodeMs).toFixed(2)} times an empty Node`;
  return [
    `empty Node: ${emptyNodeMs.toFixed(0)} ms`,
    `server to first PONG: ${times(serverMs)}`,
    ...(cliMs === undefined ? [] : [`tsredis-cli ping: ${times(cliMs)}`]),
  ];
}

function idleLines({ ours, redis }: { ours: IdleResult; redis: IdleResult }): string[] {
  return [
    `idle with 10 clients: ${ours.cpuPercent.toFixed(2)} % CPU (redis ${redis.cpuPercent.toFixed(2)}), ` +
      `${ours.residentMebibytes.toFixed(0)} MiB resident (redis ${redis.residentMebibytes.toFixed(0)})`,
  ];
}
