// Saving and loading, side by side: the same files loaded by both servers, then saved again in each way there is.
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATASETS, type Dataset } from './datasets.ts';
import { sendAll } from './prepare.ts';
import { atMost, type BenchContext, type Outcome, orderOf, type Section, type ServerName } from './section.ts';
import { childrenMicroseconds, cpuMicroseconds, infoOf, type RunningServer, startServer } from './servers.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

/** One thing done once. */
interface Run {
  /** Of the file that was written or read. */
  mebibytes: number;
  /** Of the server, its children included. */
  cpuMs: number;
  wallMs: number;
}

interface Row {
  name: string;
  /** Whether it is held to the target: a gigabyte with the ordinary options. */
  judged: boolean;
  ours: Run[];
  redis: Run[];
}

interface Contender {
  name: ServerName;
  command: readonly string[];
  /** What a start without data costs. */
  startCpuMs: number;
  startMs: number;
}

/** A way to start both servers, also the one that makes the file. */
interface Variant {
  title: string;
  options: readonly string[];
  /** Part of the keys: the variants are there to tell where time goes. */
  scale: number;
}

const VARIANTS: readonly Variant[] = [
  { title: '', options: [], scale: 1 },
  { title: ' without LZF', options: ['--rdbcompression', 'no'], scale: 0.1 },
  { title: ' without LZF and CRC', options: ['--rdbcompression', 'no', '--rdbchecksum', 'no'], scale: 0.1 },
];
const LOOK_EVERY_MS = 10;

/** One section a dataset: `persistence of strings`, `persistence of mixed types`. */
export const persistence: readonly Section[] = DATASETS.map((dataset) => ({
  name: `persistence of ${dataset.name}`,
  about: 'saving and loading a gigabyte of it; a tenth of that without compression and checksum',
  measure: (context) => measurePersistence(dataset, context),
}));

async function measurePersistence(dataset: Dataset, context: BenchContext): Promise<Outcome> {
  const { commands } = context;
  const contenders = {
    ours: await contender('ours', commands.ours),
    redis: await contender('redis', commands.redis),
  };
  const rows: Row[] = [];
  for (const variant of VARIANTS) {
    const directory = await makeFiles(commands.redis, dataset, variant, context.scale * variant.scale);
    try {
      const title = `${dataset.name}${variant.title}`;
      rows.push(...(await measureFiles(title, variant, directory, contenders, context)));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return {
    data: rows,
    lines: linesOf(rows),
    verdicts: rows
      .filter(({ judged }) => judged)
      .map((row) => atMost(`${row.name}: time ratio`, ratio(row, wallMsOf), 1.0)),
  };
}

const cpuMsOf = (run: Run): number => run.cpuMs;
const wallMsOf = (run: Run): number => run.wallMs;

function linesOf(rows: readonly Row[]): string[] {
  const head = ['save and load', 'MiB', 'CPU ms', 'redis', 'ratio', 'MiB/s', 'redis', 'time ratio'];
  const speed = (run: Run): number => (run.mebibytes * 1000) / run.wallMs;
  const body = rows.map((row) => [
    row.name,
    median(row.ours.map((run) => run.mebibytes)).toFixed(1),
    median(row.ours.map(cpuMsOf)).toFixed(0),
    median(row.redis.map(cpuMsOf)).toFixed(0),
    ratio(row, cpuMsOf).toFixed(2),
    median(row.ours.map(speed)).toFixed(0),
    median(row.redis.map(speed)).toFixed(0),
    ratio(row, wallMsOf).toFixed(2),
  ]);
  return table([head, ...body]);
}

/** The median of the rounds' ratios: both sides of a round ran under the same conditions. */
function ratio(row: Row, pick: (run: Run) => number): number {
  return median(row.ours.map((run, round) => pick(run) / pick(row.redis[round]!)));
}

async function contender(name: ServerName, command: readonly string[]): Promise<Contender> {
  const server = await startServer(name, command);
  const startCpuMs = cpuMicroseconds(server.pid) / 1000;
  await server.stop();
  return { name, command, startCpuMs, startMs: server.startMs };
}

/** Redis makes what both load: dump.rdb, and the same data as commands in appendonlydir. */
async function makeFiles(redis: readonly string[], dataset: Dataset, variant: Variant, scale: number): Promise<string> {
  const kept = mkdtempSync(join(tmpdir(), 'tsredis-bench-'));
  const server = await startServer('redis', [...redis, ...variant.options]);
  try {
    await sendAll(server.client, commands(dataset, Math.round(dataset.keys * scale)));
    await sendAll(server.client, [['SAVE']]);
    cpSync(join(server.directory, 'dump.rdb'), join(kept, 'rdb', 'dump.rdb'));
    if (variant.options.length > 0) return kept;
    await sendAll(server.client, [
      ['CONFIG', 'SET', 'aof-use-rdb-preamble', 'no'],
      ['CONFIG', 'SET', 'appendonly', 'yes'],
    ]);
    await until(server, 'aof_rewrite_in_progress');
    cpSync(join(server.directory, 'appendonlydir'), join(kept, 'aof', 'appendonlydir'), { recursive: true });
    return kept;
  } finally {
    await server.stop();
  }
}

function* commands(dataset: Dataset, keys: number): Generator<string[]> {
  for (let i = 0; i < keys; i++) yield* dataset.commands(i);
}

async function measureFiles(
  title: string,
  variant: Variant,
  files: string,
  contenders: Record<ServerName, Contender>,
  { rounds, progress }: BenchContext,
): Promise<Row[]> {
  const rows = new Map<string, Row>();
  const note = (who: Contender, what: string, run: Run) => {
    const name = `${title}: ${what}`;
    const row = rows.get(name) ?? { name, judged: variant.scale === 1, ours: [], redis: [] };
    rows.set(name, row);
    row[who.name].push(run);
    progress(`${name}, ${who.name}: CPU ${run.cpuMs.toFixed(0)} ms, wall ${run.wallMs.toFixed(0)} ms`);
  };
  for (let round = 0; round < rounds; round++) {
    for (const who of orderOf(round).map((name) => contenders[name])) {
      const server = await startOn(who, join(files, 'rdb'), variant.options);
      try {
        note(who, 'load', loading(who, server, fileBytes(join(server.directory, 'dump.rdb'))));
        note(who, 'SAVE', await saving(server, () => sendAll(server.client, [['SAVE']])));
        note(who, 'BGSAVE', await saving(server, () => inBackground(server)));
      } finally {
        await server.stop();
      }
      if (variant.options.length > 0) continue;
      const replaying = await startOn(who, join(files, 'aof'), ['--appendonly', 'yes']);
      try {
        const bytes = fileBytes(join(replaying.directory, 'appendonlydir'));
        note(who, 'load as commands', loading(who, replaying, bytes));
      } finally {
        await replaying.stop();
      }
    }
  }
  return [...rows.values()];
}

/** Starts on a copy of the files. */
async function startOn(who: Contender, files: string, options: readonly string[]): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'tsredis-bench-'));
  cpSync(files, directory, { recursive: true });
  return await startServer(who.name, [...who.command, ...options], directory);
}

/** What the start of a server cost beyond that of an empty one. */
function loading(who: Contender, server: RunningServer, bytes: number): Run {
  return {
    mebibytes: bytes / 2 ** 20,
    cpuMs: Math.max(1, cpuMicroseconds(server.pid) / 1000 - who.startCpuMs),
    wallMs: Math.max(1, server.startMs - who.startMs),
  };
}

async function saving(server: RunningServer, save: () => Promise<void>): Promise<Run> {
  const cpuBefore = cpuMicroseconds(server.pid) + childrenMicroseconds(server.pid);
  const began = performance.now();
  await save();
  const wallMs = performance.now() - began;
  const cpuMs = (cpuMicroseconds(server.pid) + childrenMicroseconds(server.pid) - cpuBefore) / 1000;
  return { mebibytes: fileBytes(join(server.directory, 'dump.rdb')) / 2 ** 20, cpuMs, wallMs };
}

async function inBackground(server: RunningServer): Promise<void> {
  await sendAll(server.client, [['BGSAVE']]);
  await until(server, 'rdb_bgsave_in_progress');
}

/** Waits for a field of INFO to become 0. */
async function until(server: RunningServer, field: string): Promise<void> {
  while ((await infoOf(server.client)).get(field) !== '0') {
    await sleep(LOOK_EVERY_MS);
  }
}

/** Bytes of a file, or of all files in a directory. */
function fileBytes(path: string): number {
  const facts = statSync(path);
  if (!facts.isDirectory()) return facts.size;
  return readdirSync(path).reduce((sum, name) => sum + fileBytes(join(path, name)), 0);
}
