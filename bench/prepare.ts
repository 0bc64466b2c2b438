// Fills a database for a workload, the same way on both servers.
import type { Client } from '../server/net/client.ts';
import { KEYS, type Preparation } from './workloads.ts';

/** Commands in flight while filling. */
const WINDOW = 1000;

/** Empties the database and puts in what the workload needs. @throws when the server refuses a command */
export async function prepare(client: Client, preparation: Preparation): Promise<void> {
  await sendAll(client, [['FLUSHALL']]);
  await sendAll(client, PREPARATIONS[preparation]());
}

/** Sends the commands in a pipeline. @throws the first error reply */
export async function sendAll(client: Client, commands: Iterable<string[]>): Promise<void> {
  let inFlight = 0;
  for (const command of commands) {
    client.send(...command);
    if (++inFlight === WINDOW) {
      await readReplies(client, inFlight);
      inFlight = 0;
    }
  }
  await readReplies(client, inFlight);
}

async function readReplies(client: Client, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const reply = await client.read();
    if (reply.kind === 'error') throw new Error(reply.bytes.toString());
  }
}

const PREPARATIONS: Record<Preparation, () => Iterable<string[]>> = {
  nothing: () => [],
  strings: () => count(KEYS, (i) => ['SET', `key:${digits(i)}`, 'xxx']),
  values4k: () => count(1000, (i) => ['SET', `key:${digits(i)}`, 'x'.repeat(4096)]),
  values64k: () => count(1000, (i) => ['SET', `key:${digits(i)}`, 'x'.repeat(65536)]),
  list600: () => count(600, () => ['RPUSH', 'mylist', 'xxx']),
  hash50: () => count(50, (i) => ['HSET', 'myhash', `field:${digits(i)}`, `value:${digits(i)}`]),
  zset100: () => count(200, (i) => ['ZADD', 'myzset', String(i), `element:${digits(i)}`]),
  filled: filledAggregates,
};

/** What LPOP, RPOP, SPOP and ZPOPMIN of redis-benchmark take from. */
function* filledAggregates(): Generator<string[]> {
  yield* count(KEYS, () => ['RPUSH', 'mylist', 'xxx']);
  yield* count(KEYS, (i) => ['SADD', 'myset', `element:${digits(i)}`]);
  yield* count(KEYS, (i) => ['ZADD', 'myzset', String(i), `element:${digits(i)}`]);
}

function* count(times: number, make: (index: number) => string[]): Generator<string[]> {
  for (let i = 0; i < times; i++) yield make(i);
}

function digits(index: number): string {
  return String(index).padStart(12, '0');
}
