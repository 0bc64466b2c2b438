// What a background save and a rewrite of the log do to requests: latency and throughput without and with them, on as
// much data as is asked for.
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { incompressible, keyName } from './datasets.ts';
import { run } from './measure.ts';
import { sendAll } from './prepare.ts';
import { atMost, type BenchContext, type Outcome, orderOf, type Section } from './section.ts';
import { cpuMicroseconds, infoOf, type RunningServer, startServer } from './servers.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

/** SET and GET on random keys. */
interface Run {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  cpuMicrosecondsPerRequest: number;
}

interface Row {
  name: string;
  ours: Run[];
  redis: Run[];
}

const DATA_MEBIBYTES = 1024;
const VALUE_BYTES = 100;
/** Bytes of a dump that a key of this data takes. */
const DUMP_BYTES_PER_KEY = VALUE_BYTES + 20;
const REQUESTS = 400_000;
const LOOK_EVERY_MS = 20;

/** What goes on meanwhile: the command that starts it, and the field of INFO that is 1 while it lasts. */
const SCENES = [
  { name: 'quiet', command: null, field: '' },
  { name: 'during BGSAVE', command: 'BGSAVE', field: 'rdb_bgsave_in_progress' },
  { name: 'during BGREWRITEAOF', command: 'BGREWRITEAOF', field: 'aof_rewrite_in_progress' },
] as const;

type Scene = (typeof SCENES)[number];

export const tail: Section = {
  name: 'tail',
  about: `SET and GET while BGSAVE and BGREWRITEAOF run; TAIL_MEBIBYTES: size of the dump (${DATA_MEBIBYTES})`,
  measure: measureTail,
};

async function measureTail(context: BenchContext): Promise<Outcome> {
  const { commands, loadProgram, rounds, scale, progress } = context;
  const mebibytes = Number(process.env['TAIL_MEBIBYTES'] ?? DATA_MEBIBYTES) * scale;
  const keys = Math.round((mebibytes * 2 ** 20) / DUMP_BYTES_PER_KEY);
  const files = await makeDump(commands.redis, keys, progress);
  const rows: Row[] = SCENES.map(({ name }) => ({ name, ours: [], redis: [] }));
  try {
    for (let round = 0; round < rounds; round++) {
      for (const name of orderOf(round)) {
        const directory = mkdtempSync(join(tmpdir(), 'tsredis-bench-'));
        cpSync(files, directory, { recursive: true });
        const server = await startServer(name, commands[name], directory);
        try {
          await load(server, loadProgram, keys, REQUESTS / 4);
          for (const [at, scene] of SCENES.entries()) {
            const result = await during(server, scene, () => load(server, loadProgram, keys, REQUESTS));
            rows[at]![name].push(result);
            progress(`${scene.name}, ${name}: p99.9 ${result.p999Ms} ms, ${result.requestsPerSecond.toFixed(0)}/s`);
          }
        } finally {
          await server.stop();
        }
      }
    }
  } finally {
    rmSync(files, { recursive: true, force: true });
  }
  const title = (row: Row): string => `${mebibytes.toFixed(0)} MiB, ${row.name}`;
  return {
    data: { mebibytes, rows },
    lines: linesOf(rows),
    verdicts: rows
      .filter(({ name }) => name !== 'quiet')
      .map((row) =>
        atMost(
          `${title(row)}: p99.9, times Redis'`,
          ratio(row, (run) => run.p999Ms),
          1.0,
        ),
      ),
  };
}

function linesOf(rows: readonly Row[]): string[] {
  const picks: [title: string, pick: (run: Run) => number, digits: number][] = [
    ['p50 ms', (run) => run.p50Ms, 2],
    ['p99 ms', (run) => run.p99Ms, 2],
    ['p99.9 ms', (run) => run.p999Ms, 2],
    ['max ms', (run) => run.maxMs, 1],
    ['thousand/s', (run) => run.requestsPerSecond / 1000, 0],
    ['CPU us', (run) => run.cpuMicrosecondsPerRequest, 1],
  ];
  const head = ['SET and GET', ...picks.flatMap(([title]) => [title, 'redis'])];
  const body = rows.map((row) => [
    row.name,
    ...picks.flatMap(([, pick, digits]) => [
      median(row.ours.map(pick)).toFixed(digits),
      median(row.redis.map(pick)).toFixed(digits),
    ]),
  ]);
  return table([head, ...body]);
}

function ratio(row: Row, pick: (run: Run) => number): number {
  return median(row.ours.map((run, round) => pick(run) / pick(row.redis[round]!)));
}

async function makeDump(redis: readonly string[], keys: number, tell: (text: string) => void): Promise<string> {
  const kept = mkdtempSync(join(tmpdir(), 'tsredis-bench-'));
  const server = await startServer('redis', redis);
  try {
    await sendAll(server.client, strings(keys));
    await sendAll(server.client, [['SAVE']]);
    const dump = join(server.directory, 'dump.rdb');
    tell(`a dump of ${(statSync(dump).size / 2 ** 20).toFixed(0)} MiB, ${keys} keys`);
    cpSync(dump, join(kept, 'dump.rdb'));
    return kept;
  } finally {
    await server.stop();
  }
}

function* strings(count: number): Generator<string[]> {
  for (let i = 0; i < count; i++) yield ['SET', keyName(i), incompressible(i, VALUE_BYTES)];
}

async function load(server: RunningServer, program: string, keys: number, requests: number): Promise<Run> {
  const before = cpuMicroseconds(server.pid);
  const where = ['-h', '127.0.0.1', '-p', String(server.port), '-n', String(requests)];
  const output = await run(program, [...where, '-r', String(keys), '-d', String(VALUE_BYTES), '-t', 'set,get']);
  const numbers = (pattern: RegExp): number[] => [...output.matchAll(pattern)].map((match) => Number(match[1]));
  const worst = (pattern: RegExp): number => Math.max(...numbers(pattern));
  const rates = numbers(/throughput summary: ([\d.]+) requests/g);
  return {
    requestsPerSecond: rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0),
    p50Ms: worst(/^50\.000% <= ([\d.]+) milliseconds/gm),
    // The nearest steps of the distribution that the program prints.
    p99Ms: worst(/^99\.219% <= ([\d.]+) milliseconds/gm),
    p999Ms: worst(/^99\.902% <= ([\d.]+) milliseconds/gm),
    maxMs: worst(/^100\.000% <= ([\d.]+) milliseconds/gm),
    cpuMicrosecondsPerRequest: (cpuMicroseconds(server.pid) - before) / (requests * rates.length),
  };
}

/** Keeps the scene's business going, one after the other, until the work is done. */
async function during<T>(server: RunningServer, scene: Scene, work: () => Promise<T>): Promise<T> {
  const { command, field } = scene;
  if (command === null) return await work();
  let working = true;
  const busy = (async () => {
    for (;;) {
      const runs = (await infoOf(server.client)).get(field) === '1';
      if (!working && !runs) return;
      if (working && !runs) await server.client.call(command);
      await sleep(LOOK_EVERY_MS);
    }
  })();
  try {
    return await work();
  } finally {
    working = false;
    await busy;
  }
}
