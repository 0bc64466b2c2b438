// LATENCY: recorded spikes and the distribution of run times.

import type { Handler } from './command.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';
import { replyHelp } from './help.ts';
import type { Command } from './registry.ts';
import type { LatencyEvent } from './services.ts';

const GRAPH_ROWS = 4;
const GRAPH_COLUMNS = 80;

export const latencyHandlers: Readonly<Record<string, Handler>> = {
  latest: (c) => {
    const { events } = c.server.latency;
    c.reply.array(events.length);
    for (const event of events) {
      const last = event.samples[event.samples.length - 1];
      c.reply.array(4);
      c.reply.text(event.name);
      c.reply.int(last?.atSeconds ?? 0);
      c.reply.int(last?.ms ?? 0);
      c.reply.int(event.maxMs);
    }
  },
  history: (c) => {
    const samples = find(c)?.samples ?? [];
    c.reply.array(samples.length);
    for (const { atSeconds, ms } of samples) {
      c.reply.array(2);
      c.reply.int(atSeconds);
      c.reply.int(ms);
    }
  },
  reset: (c) => {
    const names: string[] = [];
    for (let i = 2; i < c.argc; i++) names.push(c.text(i));
    c.reply.int(c.server.latency.reset(names));
  },
  graph: (c) => {
    const event = find(c);
    if (event === undefined) {
      throw new CommandError(`ERR No samples available for event '${c.shown(2)}'`);
    }
    c.reply.verbatim('txt', Buffer.from(draw(event, Math.floor(c.nowMs / 1000))));
  },
  doctor: (c) => c.reply.verbatim('txt', Buffer.from(advice(c))),
  histogram,
  help: (c) => replyHelp(c),
};

function find(c: Context): LatencyEvent | undefined {
  const name = c.text(2);
  return c.server.latency.events.find((event) => event.name === name);
}

/** LATENCY HISTOGRAM [command ...]: commands that were never called are left out. */
function histogram(c: Context): void {
  const commands: Command[] = [];
  for (const command of wantedCommands(c)) if (command.stats.calls > 0) commands.push(command);
  c.reply.map(commands.length);
  for (const command of commands) {
    const buckets = c.server.latency.histogram(command);
    c.reply.text(command.name);
    c.reply.map(2);
    c.reply.text('calls');
    c.reply.int(buckets.length === 0 ? 0 : buckets[buckets.length - 1][1]);
    c.reply.text('histogram_usec');
    c.reply.map(buckets.length);
    for (const [microseconds, count] of buckets) {
      c.reply.int(microseconds);
      c.reply.int(count);
    }
  }
}

function* wantedCommands(c: Context): Iterable<Command> {
  const { commands } = c.server;
  if (c.argc === 2) {
    for (const command of commands.all()) yield* withSubcommands(command);
    return;
  }
  for (let i = 2; i < c.argc; i++) {
    const [name, sub] = c.text(i).toLowerCase().split('|');
    const command = commands.find(Buffer.from(name, 'latin1'), 0, name.length);
    if (command === null) continue;
    if (sub === undefined) yield* withSubcommands(command);
    else {
      const found = command.subcommands?.find(Buffer.from(sub, 'latin1'), 0, sub.length);
      if (found !== undefined && found !== null) yield found;
    }
  }
}

function* withSubcommands(command: Command): Iterable<Command> {
  yield command;
  if (command.subcommands !== null) yield* command.subcommands.all();
}

/** Columns of height by duration, oldest left, with how long ago each was below. */
function draw(event: LatencyEvent, nowSeconds: number): string {
  const samples = event.samples.slice(-GRAPH_COLUMNS);
  const low = Math.min(...samples.map(({ ms }) => ms));
  const high = Math.max(...samples.map(({ ms }) => ms));
  let text = `${event.name} - high ${high} ms, low ${low} ms (all time high ${event.maxMs} ms)\n`;
  text += `${'-'.repeat(80)}\n`;
  for (let row = GRAPH_ROWS; row > 0; row--) {
    for (const { ms } of samples) {
      const height = high === low ? 1 : 1 + Math.round(((ms - low) / (high - low)) * (GRAPH_ROWS - 1));
      text += height === row ? (row === 1 ? '_' : '#') : height > row ? '|' : ' ';
    }
    text += '\n';
  }
  const ages = samples.map(({ atSeconds }) => ageText(nowSeconds - atSeconds));
  for (let line = 0; line < Math.max(...ages.map((age) => age.length)); line++) {
    text += `${ages.map((age) => age[line] ?? ' ').join('')}\n`;
  }
  return text;
}

function ageText(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

function advice(c: Context): string {
  const { events } = c.server.latency;
  if (Number(c.server.settings.latencyMonitorThreshold) === 0) {
    return "The latency monitor is off. Turn it on with 'CONFIG SET latency-monitor-threshold <milliseconds>', wait for slow operations, and ask again.\n";
  }
  if (events.length === 0) return 'No latency spike was recorded so far: nothing took longer than the threshold.\n';
  const lines = events.map((event) => {
    const mean = event.samples.reduce((sum, { ms }) => sum + ms, 0) / Math.max(1, event.samples.length);
    return `${event.name}: ${event.samples.length} spikes (average ${mean.toFixed(0)} ms, worst ${event.maxMs} ms). ${hintFor(event.name)}`;
  });
  return `${lines.join('\n')}\n`;
}

function hintFor(name: string): string {
  if (name === 'command') return 'See SLOWLOG GET for the commands, and prefer those with a lower complexity.';
  if (name === 'fast-command') return 'Fast commands were slow: the machine is short of CPU or swaps.';
  if (name.startsWith('aof')) return 'The disk is slow: consider appendfsync everysec, or a faster disk.';
  if (name === 'expire-cycle') return 'Many keys expire at the same moment: spread their times to live.';
  return 'Compare its times with what the machine was doing.';
}
