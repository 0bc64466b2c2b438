// Two running servers that must give the same replies: sends the same commands to both and compares bytes.

import { type Argument, members, RawConnection } from './raw-connection.ts';
import { StreamReader } from './stream-reader.ts';

export type Command = readonly Argument[];

/** How replies are compared: to the byte; as a bag of members (and theirs); only by their type and length; not at all. */
export type Comparison = 'exact' | 'unordered' | 'shape' | 'none';

export interface SameOptions {
  /** Default: exact for all but the commands in UNORDERED and RANDOM. */
  compare?: (command: Command) => Comparison;
  /** Commands per write. */
  batch?: number;
}

/** Commands whose reply has the order of a hash table. (Of scans only whole ones can be compared: COUNT 10000.) */
const UNORDERED = new Set([
  'hgetall',
  'hkeys',
  'hvals',
  'smembers',
  'sinter',
  'sunion',
  'sdiff',
  'keys',
  'pubsub',
  'hscan',
  'sscan',
  'zscan',
  'scan',
]);
/** Commands whose reply is drawn by lot or tells the time or the place. */
const RANDOM = new Set(['hrandfield', 'srandmember', 'zrandmember', 'randomkey', 'spop', 'time', 'info', 'client']);
const BATCH = 200;

/** How a command's replies are compared when a test does not say. */
export function usualComparison(command: Command): Comparison {
  const name = String(command[0]).toLowerCase();
  if (UNORDERED.has(name)) return 'unordered';
  return RANDOM.has(name) ? 'shape' : 'exact';
}

export class Pair {
  readonly ours: RawConnection;
  readonly real: RawConnection;
  readonly stop: () => Promise<void>;
  readonly ourPort: number;
  readonly realPort: number;

  constructor(ours: RawConnection, real: RawConnection, ourPort: number, realPort: number, stop: () => Promise<void>) {
    this.ours = ours;
    this.real = real;
    this.ourPort = ourPort;
    this.realPort = realPort;
    this.stop = stop;
  }

  /** Where ours and the real one listen. */
  get ports(): readonly [ours: number, real: number] {
    return [this.ourPort, this.realPort];
  }

  /** One more connection to each: for blocked clients, transactions, subscribers. */
  async connect(): Promise<{ ours: RawConnection; real: RawConnection }> {
    return { ours: await RawConnection.open(this.ourPort), real: await RawConnection.open(this.realPort) };
  }

  /** A listener to what one of them sends to its replicas. */
  openStream(which: 'ours' | 'real'): Promise<StreamReader> {
    return StreamReader.open(which === 'ours' ? this.ourPort : this.realPort);
  }

  /** Sends the commands to both servers; throws an Error that shows the first difference and what led to it. */
  async same(commands: readonly Command[], options: SameOptions = {}): Promise<void> {
    const batch = options.batch ?? BATCH;
    const compare = options.compare ?? usualComparison;
    for (let at = 0; at < commands.length; at += batch) {
      const part = commands.slice(at, at + batch);
      const [ours, real] = await Promise.all([this.ours.callAll(part), this.real.callAll(part)]);
      for (let i = 0; i < part.length; i++) {
        if (!sameReply(ours[i], real[i], compare(part[i])))
          throw new Error(describeDifference(commands, at + i, ours[i], real[i]));
      }
    }
  }

  /** Compares the keys of the current database: names, types, encodings, expiry and DUMP, or only what `what` asks for. */
  async sameData(what: readonly ('type' | 'encoding' | 'dump')[] = ['type', 'encoding', 'dump']): Promise<void> {
    await this.same([['keys', '*']]);
    const keys = members(await this.real.call(['keys', '*'])).map(bulkContent);
    const checks: Command[] = [];
    for (const key of keys) {
      if (what.includes('type')) checks.push(['type', key]);
      if (what.includes('encoding')) checks.push(['object', 'encoding', key]);
      if (what.includes('dump')) checks.push(['dump', key]);
    }
    await this.same(checks);
  }
}

/** Whether two replies are the same as far as `how` asks for. */
export function sameReply(ours: Buffer, real: Buffer, how: Comparison): boolean {
  if (how === 'none' || ours.equals(real)) return true;
  if (how === 'exact') return false;
  const a = members(ours);
  const b = members(real);
  if (ours[0] !== real[0] || a.length !== b.length) return false;
  return how === 'shape' ? ours[0] !== 45 : sorted(a) === sorted(b);
}

function sorted(list: readonly Buffer[]): string {
  return list.map(canonical).sort().join('');
}

/** A reply's text with the members of aggregates in order, however deep they stand. */
function canonical(reply: Buffer): string {
  const inner = members(reply);
  return inner.length === 1 && inner[0] === reply ? reply.toString('latin1') : `(${sorted(inner)})`;
}

function bulkContent(reply: Buffer): Buffer {
  return reply.subarray(reply.indexOf('\r\n') + 2, reply.length - 2);
}

const CONTEXT_COMMANDS = 12;
const TEXT_MAX = 600;

/** The two replies to command `at`, and what led to it. */
export function describeDifference(commands: readonly Command[], at: number, ours: Buffer, real: Buffer): string {
  const key = commands[at][commands[at][0] === 'object' ? 2 : 1];
  const before = commands
    .slice(0, at)
    .filter((command) => command.some((arg) => String(arg) === String(key)))
    .slice(-CONTEXT_COMMANDS);
  const lines = [
    `reply ${at} differs: ${show(commands[at])}`,
    `  ours: ${text(ours)}`,
    `  real: ${text(real)}`,
    'before it, with the same key:',
    ...before.map((command) => `  ${show(command)}`),
  ];
  return lines.join('\n');
}

function show(command: Command): string {
  return command.map((arg) => text(typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg)).join(' ');
}

function text(bytes: Buffer): string {
  const quoted = JSON.stringify(bytes.toString('latin1'));
  return quoted.length > TEXT_MAX ? `${quoted.slice(0, TEXT_MAX)}... (${bytes.length} bytes)` : quoted;
}
