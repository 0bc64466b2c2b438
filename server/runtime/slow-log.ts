// The slow log and the latency monitor: what took long, by the thresholds of the settings.

import type { Context } from '../commands/context.ts';
import { type Command, Flag } from '../commands/registry.ts';
import type { LatencyEvent, LatencyService, SlowLogEntry, SlowLogService } from '../commands/services.ts';
import { lookUp, type Settings } from '../config/settings.ts';

/** Arguments kept of a slow request, and bytes of each. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;
/** Below, slow is what one quick command of many may be. The default threshold is 10,000. */
const EXACT_BELOW_MICROSECONDS = 2000;

export class SlowLog implements SlowLogService {
  entries: SlowLogEntry[] = [];
  private nextId = 0;
  /** slowlog-log-slower-than in microseconds, kept as a field: it is read after every command. */
  private threshold = Number.POSITIVE_INFINITY;
  private readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = settings;
    const follow = (): undefined => {
      const threshold = Number(settings.slowlogLogSlowerThan);
      this.threshold = threshold < 0 ? Number.POSITIVE_INFINITY : threshold;
      return undefined;
    };
    settings.onChange(['slowlog-log-slower-than'], follow);
    follow();
  }

  /** Whether the threshold is so low that a pipeline timed as a whole could hide a command beyond it. */
  get exact(): boolean {
    return this.threshold < EXACT_BELOW_MICROSECONDS;
  }

  reset(): void {
    this.entries = [];
  }

  ran(c: Context, command: Command, microseconds: number): void {
    if (microseconds < this.threshold || (command.flags & Flag.skip_slowlog) !== 0) return;
    this.entries.unshift({
      id: this.nextId++,
      atSeconds: Math.floor(c.nowMs / 1000),
      microseconds: Math.round(microseconds),
      args: shortened(c, secretArguments(c, command)),
      peer: c.session.transport.peerAddress,
      clientName: c.session.name,
    });
    const max = Number(this.settings.slowlogMaxLen);
    if (this.entries.length > max) this.entries.length = max;
  }
}

/** Whether argument `i` of a request is, or may be, a secret. */
type IsSecret = (i: number) => boolean;

export function secretArguments(c: Context, command: Command): IsSecret {
  switch (command.name) {
    case 'auth':
      return (i) => i > 0;
    case 'acl|setuser':
      return (i) => i > 1;
    case 'hello':
      return (i) => (i > 1 && c.is(i - 1, 'auth')) || (i > 2 && c.is(i - 2, 'auth'));
    case 'config|set':
      return (i) => i > 2 && i % 2 === 1 && lookUp(c.text(i - 1))?.sensitive === true;
    case 'migrate':
      return (i) => i > 5 && (c.is(i - 1, 'auth') || c.is(i - 1, 'auth2') || c.is(i - 2, 'auth2'));
    default:
      return () => false;
  }
}

function shortened(c: Context, isSecret: IsSecret): Buffer[] {
  const args: Buffer[] = [];
  const shown = c.argc > ARGUMENTS_MAX ? ARGUMENTS_MAX - 1 : c.argc;
  for (let i = 0; i < shown; i++) {
    const length = c.len[i];
    if (isSecret(i)) args.push(Buffer.from('(redacted)'));
    else if (length <= ARGUMENT_BYTES_MAX) args.push(c.copy(i));
    else {
      const head = c.view(i).subarray(0, ARGUMENT_BYTES_MAX);
      args.push(Buffer.concat([head, Buffer.from(`... (${length - ARGUMENT_BYTES_MAX} more bytes)`)]));
    }
  }
  if (c.argc > ARGUMENTS_MAX) args.push(Buffer.from(`... (${c.argc - ARGUMENTS_MAX + 1} more arguments)`));
  return args;
}

/** Samples kept of each event. */
const SAMPLES_MAX = 160;
/** Buckets of the distribution: powers of two of microseconds up to about 17 minutes. */
const BUCKETS = 31;

interface Event extends LatencyEvent {
  samples: { atSeconds: number; ms: number }[];
}

export class LatencyMonitor implements LatencyService {
  events: Event[] = [];
  /** latency-tracking and latency-monitor-threshold, kept as fields: they are read after every command. */
  private counting = false;
  private thresholdMs = Number.POSITIVE_INFINITY;
  private readonly nowMs: () => number;
  /** Counts by command id; holes for commands that never ran. */
  private histograms: (Float64Array | undefined)[] = [];

  constructor(settings: Settings, nowMs: () => number) {
    this.nowMs = nowMs;
    const follow = (): undefined => {
      this.counting = settings.latencyTracking;
      this.thresholdMs = Number(settings.latencyMonitorThreshold) || Number.POSITIVE_INFINITY;
      return undefined;
    };
    settings.onChange(['latency-tracking', 'latency-monitor-threshold'], follow);
    follow();
  }

  /** Whether commands are watched for their time. */
  get exact(): boolean {
    return this.thresholdMs !== Number.POSITIVE_INFINITY;
  }

  /** `calls` calls have taken `microseconds` each. */
  ranOften(command: Command, calls: number, microseconds: number): void {
    if (this.counting) this.count(command, microseconds, calls);
  }

  ran(command: Command, microseconds: number): void {
    if (this.counting) this.count(command, microseconds, 1);
    if (microseconds < this.thresholdMs * 1000) return;
    this.record((command.flags & Flag.fast) !== 0 ? 'fast-command' : 'command', microseconds / 1000);
  }

  /** Notes that an operation took that long, if it is over the threshold. */
  observe(name: string, ms: number): void {
    if (ms >= this.thresholdMs) this.record(name, ms);
  }

  reset(names: readonly string[]): number {
    const kept = names.length === 0 ? [] : this.events.filter((event) => !names.includes(event.name));
    const removed = this.events.length - kept.length;
    this.events = kept;
    return removed;
  }

  histogram(command: Command): [number, number][] {
    const counts = this.histograms[command.id];
    const rows: [number, number][] = [];
    let sum = 0;
    for (let bucket = 0; counts !== undefined && bucket < BUCKETS; bucket++) {
      if (counts[bucket] === 0) continue;
      sum += counts[bucket];
      rows.push([2 ** bucket, sum]);
    }
    return rows;
  }

  resetHistograms(): void {
    this.histograms = [];
  }

  /** The time in microseconds within which this share (0 to 100) of a command's calls ran. */
  percentile(command: Command, percent: number): number {
    const rows = this.histogram(command);
    if (rows.length === 0) return 0;
    const target = (rows[rows.length - 1][1] * percent) / 100;
    return rows.find(([, count]) => count >= target)?.[0] ?? rows[rows.length - 1][0];
  }

  private count(command: Command, microseconds: number, calls: number): void {
    let counts = this.histograms[command.id];
    if (counts === undefined) {
      counts = new Float64Array(BUCKETS);
      this.histograms[command.id] = counts;
    }
    const whole = microseconds < 1 ? 1 : microseconds | 0;
    counts[Math.min(BUCKETS - 1, whole <= 1 ? 0 : 32 - Math.clz32(whole - 1))] += calls;
  }

  private record(name: string, ms: number): void {
    let event = this.events.find((other) => other.name === name);
    if (event === undefined) {
      event = { name, samples: [], maxMs: 0 };
      this.events.push(event);
    }
    const rounded = Math.round(ms);
    const atSeconds = Math.floor(this.nowMs() / 1000);
    event.maxMs = Math.max(event.maxMs, rounded);
    const last = event.samples[event.samples.length - 1];
    // Within one second the worst counts.
    if (last?.atSeconds === atSeconds) last.ms = Math.max(last.ms, rounded);
    else event.samples.push({ atSeconds, ms: rounded });
    if (event.samples.length > SAMPLES_MAX) event.samples.shift();
  }
}
