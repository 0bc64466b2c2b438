// Fills a database for a workload, the same way on both servers.
import type { Client } from '../server/net/client.ts';
import { KEYS, POPPED, type Preparation } from './workloads.ts';

/** Commands in flight while filling. */
const WINDOW = 1000;
/** Elements that one command brings. */
const FEW = 100;

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
  bits: () => [['SETBIT', 'bits', '99999', '1']],
  list600: () => count(600, () => ['RPUSH', 'mylist', 'xxx']),
  longList: () => count(POPPED / FEW, () => ['RPUSH', 'mylist', ...filled(FEW, () => 'xxx')]),
  numbers100: () => [['RPUSH', 'numbers', ...filled(100, (i) => String((i * 7919) % 1000))]],
  hash50: () => count(50, (i) => ['HSET', 'myhash', `field:${digits(i)}`, `value:${digits(i)}`]),
  largeHash: () => count(KEYS / FEW, (n) => ['HSET', 'myhash', ...pairs(n, (i) => [`element:${digits(i)}`, 'xxx'])]),
  smallHash: () => count(10, (i) => ['HSET', 'smallhash', `field${i}`, `value${i}`]),
  sets100: () => count(200, (i) => ['SADD', i < 100 ? 'set1' : 'set2', `element:${digits(i < 100 ? i : i - 50)}`]),
  largeSet: () => count(POPPED / FEW, (n) => ['SADD', 'myset', ...pairs(n, (i) => [`element:${digits(i)}`])]),
  zset100: () => count(200, (i) => ['ZADD', 'myzset', String(i), `element:${digits(i)}`]),
  largeZset: () =>
    count(POPPED / FEW, (n) => ['ZADD', 'myzset', ...pairs(n, (i) => [String(i), `element:${digits(i)}`])]),
  stream: () => entries(1000),
  streamToRead: () => [...entries(POPPED / 2), ['XGROUP', 'CREATE', 'mystream', 'readers', '0']],
  streamPending: () => [
    ...entries(KEYS),
    ['XGROUP', 'CREATE', 'mystream', 'readers', '0'],
    ['XREADGROUP', 'GROUP', 'readers', 'one', 'STREAMS', 'mystream', '>'],
  ],
  places: () => count(1000, (i) => ['GEOADD', 'places', String(13 + (i % 30) / 10), latitude(i), `place:${i}`]),
  hyperLogLog: () => count(KEYS / FEW, (n) => ['PFADD', 'loglog', ...pairs(n, (i) => [`element:${i}`])]),
};

function entries(times: number): string[][] {
  return filled(times, (i) => ['XADD', 'mystream', `1-${i + 1}`, 'myfield', digits(i)]);
}

function latitude(index: number): string {
  return String(37 + Math.floor(index / 30) / 10);
}

/** The words of FEW elements of a large value, the n-th FEW. */
function pairs(n: number, make: (index: number) => string[]): string[] {
  return filled(FEW, (i) => make(n * FEW + i)).flat();
}

function filled<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}

function* count(times: number, make: (index: number) => string[]): Generator<string[]> {
  for (let i = 0; i < times; i++) yield make(i);
}

function digits(index: number): string {
  return String(index).padStart(12, '0');
}
