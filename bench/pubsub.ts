// What a published message costs for each of 100 subscribers, and what other requests cost while they listen.
import { connect, type Socket } from 'node:net';
import { measureLoad, run } from './measure.ts';
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
import { LOAD_WORKLOADS } from './workloads.ts';

interface PubSubRow {
  title: string;
  publishers: number;
  pipeline: number;
  /** Messages of a run. */
  messages: number;
  messageBytes: number;
  /** CPU microseconds for each message that reached a subscriber, one a round. */
  cpuMicroseconds: Record<ServerName, number[]>;
}

const SUBSCRIBERS = 100;
const CHANNEL = 'news';
const RATIO_MAX = 1.0;
/** What a request may cost while they listen, times what it costs without them. */
const LISTENED_RATIO_MAX = 1.2;

/** CPU microseconds of a GET in pipelines of 16, one a round. */
interface Listened {
  without: Record<ServerName, number[]>;
  with: Record<ServerName, number[]>;
}

const ROWS: readonly Omit<PubSubRow, 'cpuMicroseconds'>[] = [
  { title: 'one publisher', publishers: 1, pipeline: 1, messages: 5_000, messageBytes: 32 },
  { title: 'ten publishers, pipelines of 16', publishers: 10, pipeline: 16, messages: 20_000, messageBytes: 32 },
  { title: 'one publisher, 1 KiB', publishers: 1, pipeline: 1, messages: 5_000, messageBytes: 1024 },
];

export const pubsub: Section = {
  name: 'pubsub',
  about: 'CPU of a message for each of 100 subscribers',
  measure: measurePubSub,
};

async function measurePubSub(context: BenchContext): Promise<Outcome> {
  const listened: Listened = { without: { ours: [], redis: [] }, with: { ours: [], redis: [] } };
  const rows: PubSubRow[] = ROWS.map((row) => ({ ...row, cpuMicroseconds: { ours: [], redis: [] } }));
  const ours = await startServer('ours', context.commands.ours);
  try {
    const redis = await startServer('redis', context.commands.redis);
    try {
      const servers = { ours, redis };
      const get = async (costs: Record<ServerName, number[]>) => {
        for (let round = 0; round < context.rounds; round++) {
          for (const name of orderOf(round)) costs[name].push(await requestCost(servers[name], context));
        }
      };
      await get(listened.without);
      const audiences = { ours: await subscribeAll(ours), redis: await subscribeAll(redis) };
      for (const row of rows) {
        for (const name of orderOf(0)) await publish(audiences[name], row, context, 0.1);
        for (let round = 0; round < context.rounds; round++) {
          for (const name of orderOf(round)) {
            row.cpuMicroseconds[name].push(await publish(audiences[name], row, context, 1));
          }
        }
        context.progress(`pubsub: ${row.title} done`);
      }
      await get(listened.with);
      for (const { sockets } of Object.values(audiences)) for (const socket of sockets) socket.destroy();
    } finally {
      await redis.stop();
    }
  } finally {
    await ours.stop();
  }
  return { data: { rows, listened }, lines: render(rows, listened), verdicts: judge(rows, listened) };
}

async function requestCost(server: RunningServer, { loadProgram, scale }: BenchContext): Promise<number> {
  const workload = LOAD_WORKLOADS.find(({ name, pipeline }) => name === 'get' && pipeline === 16)!;
  return (await measureLoad(server, workload, loadProgram, scale)).cpuMicrosecondsPerRequest;
}

interface Audience {
  server: RunningServer;
  sockets: Socket[];
  received: number;
  /** Called when that many bytes have been received. */
  wanted: number;
  complete: () => void;
}

async function subscribeAll(server: RunningServer): Promise<Audience> {
  const audience: Audience = { server, sockets: [], received: 0, wanted: 0, complete: () => {} };
  const confirmation = `*3\r\n$9\r\nsubscribe\r\n$${CHANNEL.length}\r\n${CHANNEL}\r\n:1\r\n`;
  const confirmed = expectBytes(audience, SUBSCRIBERS * confirmation.length);
  for (let i = 0; i < SUBSCRIBERS; i++) {
    const socket = connect({ host: '127.0.0.1', port: server.port, noDelay: true });
    socket.on('data', (chunk) => {
      audience.received += chunk.length;
      if (audience.received === audience.wanted) audience.complete();
    });
    socket.write(`SUBSCRIBE ${CHANNEL}\r\n`);
    audience.sockets.push(socket);
  }
  await confirmed;
  return audience;
}

function expectBytes(audience: Audience, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    audience.wanted = audience.received + bytes;
    audience.complete = resolve;
  });
}

/** Publishes, waits until every subscriber has everything, and returns the CPU microseconds of one delivery. */
async function publish(audience: Audience, row: PubSubRow, context: BenchContext, part: number): Promise<number> {
  const messages = Math.round(row.messages * context.scale * part);
  const text = 'x'.repeat(row.messageBytes);
  const delivery = `*3\r\n$7\r\nmessage\r\n$${CHANNEL.length}\r\n${CHANNEL}\r\n$${text.length}\r\n${text}\r\n`;
  const arrived = expectBytes(audience, messages * SUBSCRIBERS * delivery.length);
  const before = cpuMicroseconds(audience.server.pid);
  await run(context.loadProgram, [
    ...['-h', '127.0.0.1', '-p', String(audience.server.port), '-q', '-n', String(messages)],
    ...['-c', String(row.publishers), '-P', String(row.pipeline), 'publish', CHANNEL, text],
  ]);
  await arrived;
  return (cpuMicroseconds(audience.server.pid) - before) / (messages * SUBSCRIBERS);
}

function render(rows: readonly PubSubRow[], { without, with: listened }: Listened): string[] {
  const head = [`${SUBSCRIBERS} subscribers`, 'CPU us/delivery', 'redis', 'ratio'];
  const body = rows.map((row) => [
    row.title,
    median(row.cpuMicroseconds.ours).toFixed(2),
    median(row.cpuMicroseconds.redis).toFixed(2),
    ratio(row).toFixed(2),
  ]);
  const cost = (title: string, costs: Record<ServerName, number[]>): string[] => [
    title,
    median(costs.ours).toFixed(2),
    median(costs.redis).toFixed(2),
    (median(costs.ours) / median(costs.redis)).toFixed(2),
  ];
  return table([head, ...body, cost('GET -P 16 while they listen', listened), cost('GET -P 16 without them', without)]);
}

function judge(rows: readonly PubSubRow[], { without, with: listened }: Listened): Verdict[] {
  const deliveries = rows.map((row) =>
    atMost(`${SUBSCRIBERS} subscribers, ${row.title}: CPU ratio`, ratio(row), RATIO_MAX),
  );
  const flat = median(listened.ours) / median(without.ours);
  return [...deliveries, atMost(`GET with ${SUBSCRIBERS} subscribers, times that without`, flat, LISTENED_RATIO_MAX)];
}

function ratio({ cpuMicroseconds }: PubSubRow): number {
  return median(cpuMicroseconds.ours.map((cost, round) => cost / cpuMicroseconds.redis[round]!));
}
