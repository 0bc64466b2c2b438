// What a finished test looks like: one line, a row of CSV, or the full report with its distributions.
import type { Histogram } from '../../server/base/histogram.ts';
import type { DriveResult, Progress } from './drive.ts';
import type { BenchmarkOptions } from './options.ts';

/** Step of the cumulative distribution in microseconds, and from where on it is coarser. */
const STEP = 100;
const COARSE_FROM = 2000;
const COARSE_STEP = 1000;

export const CSV_HEADER =
  '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"\n';

/** The server's settings that the full report mentions; undefined when it did not tell. */
export interface ServerSettings {
  save: string;
  appendonly: string;
}

export function quietLine(title: string, result: DriveResult): string {
  const p50 = (result.latency.percentile(50) / 1000).toFixed(3);
  return `${title}: ${requestsPerSecond(result)} requests per second, p50=${p50} msec\n`;
}

export function csvRow(title: string, result: DriveResult): string {
  const cells = [title, requestsPerSecond(result), ...latencySummary(result.latency)];
  return `${cells.map((cell) => `"${cell}"`).join(',')}\n`;
}

export function fullReport(
  title: string,
  result: DriveResult,
  options: BenchmarkOptions,
  settings: ServerSettings | undefined,
): string {
  const lines = [
    `====== ${title} ======`,
    `  ${result.finished} requests completed in ${(result.elapsedMs / 1000).toFixed(2)} seconds`,
    `  ${options.clients} parallel clients`,
    `  ${options.dataBytes} bytes payload`,
    `  keep alive: ${options.keepAlive ? 1 : 0}`,
  ];
  if (settings !== undefined) {
    lines.push(`  host configuration "save": ${settings.save}`);
    lines.push(`  host configuration "appendonly": ${settings.appendonly}`);
  }
  lines.push(`  multi-thread: ${options.threads > 0 ? 'yes' : 'no'}`);
  if (options.threads > 0) lines.push(`  threads: ${options.threads}`);
  lines.push('', 'Latency by percentile distribution:', ...percentileLines(result.latency));
  lines.push('', 'Cumulative distribution of latencies:', ...cumulativeLines(result.latency));
  lines.push(
    '',
    'Summary:',
    `  throughput summary: ${requestsPerSecond(result)} requests per second`,
    '  latency summary (msec):',
    columns(['avg', 'min', 'p50', 'p95', 'p99', 'max']),
    columns(latencySummary(result.latency)),
  );
  return `${lines.join('\n')}\n\n`;
}

function columns(cells: readonly string[]): string {
  return `    ${cells.map((cell) => cell.padStart(9)).join(' ')}`;
}

/** `SET: rps=1000.0 (overall: 990.0) avg_msec=0.5 (overall: 0.6)`, over the line that was there. */
export function progressLine(title: string, progress: Progress, nowMs: number, sinceMs: number): string {
  const recent = (progress.recent.total * 1000) / Math.max(1, nowMs - sinceMs);
  const overall = (progress.finished * 1000) / Math.max(1, nowMs - progress.startMs);
  const mean = (histogram: Histogram) => (histogram.total === 0 ? '-nan' : (histogram.mean / 1000).toFixed(3));
  return (
    `${title}: rps=${recent.toFixed(1)} (overall: ${overall.toFixed(1)}) ` +
    `avg_msec=${mean(progress.recent)} (overall: ${mean(progress.latency)})`
  );
}

function requestsPerSecond({ finished, elapsedMs }: DriveResult): string {
  return ((finished * 1000) / elapsedMs).toFixed(2);
}

/** Average, minimum, p50, p95, p99, maximum in milliseconds. */
function latencySummary(latency: Histogram): string[] {
  const values = [
    latency.mean,
    latency.min,
    latency.percentile(50),
    latency.percentile(95),
    latency.percentile(99),
    latency.max,
  ];
  return values.map((value) => (value / 1000).toFixed(3));
}

/** Each step halves the distance to 100 %. */
function percentileLines(latency: Histogram): string[] {
  const lines: string[] = [];
  const add = (percentile: number, value: number) => {
    const count = latency.countUpTo(value);
    lines.push(`${percentile.toFixed(3)}% <= ${(value / 1000).toFixed(3)} milliseconds (cumulative count ${count})`);
    return count;
  };
  let halvings = 1;
  for (let percentile = 0; ; percentile += 50 / 2 ** (halvings++ - 1)) {
    const value = valueReaching(latency, percentile);
    if (add(percentile, value) >= latency.total) break;
  }
  add(100, latency.max);
  return lines;
}

/** Upper edge of the first bucket up to which at least so many percent of the values are. */
function valueReaching(latency: Histogram, percentile: number): number {
  const wanted = (percentile / 100) * latency.total;
  // The percentile rounds to the nearest count; a bucket that is just short does not count.
  let value = latency.percentile(percentile);
  while (latency.countUpTo(value) < wanted) value = latency.highestEquivalent(value + 1);
  return value;
}

/**
 * Up to 2 ms in steps of 0.1 ms, then of 1 ms; steps that add nothing are left out, but for those within the bucket of the
 * longest latency.
 */
function cumulativeLines(latency: Histogram): string[] {
  const lines: string[] = [];
  let before = -1;
  let step = STEP;
  for (let level = STEP; ; level += step) {
    const edge = latency.highestEquivalent(level);
    const count = latency.countUpTo(level);
    if (count !== before || count >= latency.total) {
      const share = ((count / latency.total) * 100).toFixed(3);
      lines.push(`${share}% <= ${(edge / 1000).toFixed(3)} milliseconds (cumulative count ${count})`);
    }
    before = count;
    // The coarser step applies from the level after the next, as the next one is fixed already.
    if (level - STEP >= COARSE_FROM) step = COARSE_STEP;
    if (count >= latency.total && level + step > edge) return lines;
  }
}
