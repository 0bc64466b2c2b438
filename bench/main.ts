// npm run bench: our server and a real redis-server side by side, in turns, under the same load.
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { SERVER_NODE_ARGUMENTS } from '../src/host/node-arguments.ts';
import { type LoadResult, type MemoryResult, measureLoad, measureMemory } from './measure.ts';
import { judge, type Pair, type Report, renderReport, renderVerdicts } from './report.ts';
import type { BenchContext } from './section.ts';
import { SECTIONS } from './sections.ts';
import { type RunningServer, startServer } from './servers.ts';
import { measureIdle, measureStartup } from './startup.ts';
import {
  LOAD_WORKLOADS,
  type LoadWorkload,
  MEMORY_WORKLOADS,
  type MemoryWorkload,
  type Milestone,
} from './workloads.ts';

const SERVER = 'dist/bin/tsredis-server.js';

const USAGE = `npm run bench -- [options]
  --only <names>     workloads by name, comma-separated (see below); types: every command in pipelines of 16
  --all              every workload; without it the core set
  --quick            one round of a tenth of the requests: a look, not a measurement
  --rounds <n>       rounds of each workload, in turns (3)
  --check [which]    fail unless the targets are met: first (default), types or final
  --json <file>      also write everything as JSON (.cache/bench.json)
  --ours <command>   our server (node ${SERVER_NODE_ARGUMENTS.join(' ')} ${SERVER}, as units start it)
  --redis <program>  the other one (redis-server)
  --load <program>   the load (redis-benchmark)

Load of one command:
${namesOf(LOAD_WORKLOADS)}
Bytes per key:
${namesOf(MEMORY_WORKLOADS)}
More:
${[
  ['startup', 'from the start of an empty server to its first PONG, and tsredis-cli ping, against an empty Node'],
  ['idle', 'CPU and resident memory of a server with 10 clients that send nothing'],
  ...SECTIONS.map(({ name, about }) => [name, about]),
]
  .map(([name, about]) => `  ${name!.padEnd(26)}  ${about}\n`)
  .join('')}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    check: { type: 'boolean', default: false },
    json: { type: 'string', default: '.cache/bench.json' },
    ours: { type: 'string' },
    redis: { type: 'string', default: 'redis-server' },
    load: { type: 'string', default: 'redis-benchmark' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
process.exit(await main());

async function main(): Promise<number> {
  const ours = values.ours?.split(' ') ?? [process.execPath, ...SERVER_NODE_ARGUMENTS, SERVER];
  if (values.ours === undefined && !existsSync(SERVER)) {
    process.stderr.write(`${SERVER} is not there: npm run build\n`);
    return 1;
  }
  const scale = values.quick ? 0.1 : 1;
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  const report: Report = {
    machine: {},
    load: [],
    memory: [],
    startup: undefined,
    idle: undefined,
    sections: {},
  };
  const servers = await startBoth(ours);
  try {
    report.machine = describe(servers);
    // First: what loads leave behind in memory is not what an idle server needs.
    if (chosen('idle', false)) {
      const seconds = values.quick ? 2 : 10;
      const [a, b] = await Promise.all(servers.map((server) => measureIdle(server, seconds)));
      report.idle = { ours: a!, redis: b! };
    }
    report.load = await measureAllLoads(servers, rounds, scale);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
  report.memory = await measureAllMemory(ours, scale);
  if (chosen('startup', false)) {
    const cli = existsSync('dist/bin/tsredis-cli.js') ? 'dist/bin/tsredis-cli.js' : undefined;
    report.startup = await measureStartup(ours, cli, values.quick ? 3 : 9);
  }
  const context: BenchContext = {
    commands: { ours, redis: [values.redis] },
    loadProgram: values.load,
    rounds,
    scale,
    progress,
  };
  for (const section of SECTIONS) {
    if (chosen(section.name, false)) report.sections[section.name] = await section.measure(context);
  }
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`\n${renderReport(report)}`);
  const milestone: Milestone = positionals[0] === 'final' || positionals[0] === 'types' ? positionals[0] : 'first';
  const verdicts = judge(report, milestone);
  process.stdout.write(renderVerdicts(verdicts));
  return values.check && verdicts.some((verdict) => !verdict.met) ? 1 : 0;
}

/** Names with a comma between, in lines of moderate length; those with blanks in quotes. */
function namesOf(workloads: readonly { name: string }[]): string {
  const names = [...new Set(workloads.map(({ name }) => (name.includes(' ') ? `"${name}"` : name)))];
  return names.reduce(
    (text, name) =>
      text + (text.length - text.lastIndexOf('\n') > 100 ? `,\n  ${name}` : text === '  ' ? name : `, ${name}`),
    '  ',
  );
}

/** @param isCore whether it is in the set that runs when nothing is chosen */
function chosen(name: string, isCore: boolean): boolean {
  if (values.only !== undefined) return values.only.split(',').includes(name);
  return isCore || values.all;
}

async function startBoth(ours: readonly string[]): Promise<RunningServer[]> {
  const first = await startServer('ours', ours);
  try {
    return [first, await startServer('redis', [values.redis])];
  } catch (error) {
    await first.stop();
    throw error;
  }
}

function describe(servers: readonly RunningServer[]): Record<string, string> {
  return {
    node: process.version,
    redis: servers[1]!.version,
    ours: servers[0]!.version,
    cpu: `${cpus().length} x ${cpus()[0]?.model.trim() ?? '?'}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

async function measureAllLoads(servers: RunningServer[], rounds: number, scale: number): Promise<Report['load']> {
  const results: Report['load'] = [];
  for (const workload of LOAD_WORKLOADS) {
    const isNamed = workload.pipeline === 16 && values.only?.split(',').includes('types') === true;
    if (!isNamed && !chosen(workload.name, workload.core === true)) continue;
    results.push({ workload, result: await inTurns(servers, rounds, workload, scale) });
  }
  return results;
}

/** One workload, round by round; the order of the servers changes with each round. */
async function inTurns(
  servers: RunningServer[],
  rounds: number,
  workload: LoadWorkload,
  scale: number,
): Promise<Pair<LoadResult>> {
  const results: Record<string, LoadResult[]> = { ours: [], redis: [] };
  try {
    // A short run first: code and caches get warm.
    for (const server of servers) await measureLoad(server, workload, values.load, scale / 10);
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? servers : [...servers].reverse();
      for (const server of order) {
        const result = await measureLoad(server, workload, values.load, scale);
        results[server.name]!.push(result);
        progress(
          `${workload.name} -P ${workload.pipeline} ${server.name}: ${result.cpuMicrosecondsPerRequest.toFixed(2)} us`,
        );
      }
    }
  } catch (error) {
    progress(`${workload.name}: ${(error as Error).message}`);
    return { skipped: (error as Error).message };
  }
  return { ours: results['ours']!, redis: results['redis']! };
}

/** Memory needs a fresh server each time, as used memory does not shrink back to where it was. */
async function measureAllMemory(ours: readonly string[], scale: number): Promise<Report['memory']> {
  const results: Report['memory'] = [];
  for (const workload of MEMORY_WORKLOADS) {
    if (!chosen(workload.name, workload.core === true)) continue;
    try {
      const mine = await measureFresh('ours', ours, workload, scale);
      const theirs = await measureFresh('redis', [values.redis], workload, scale);
      results.push({ workload, result: { ours: [mine], redis: [theirs] } });
    } catch (error) {
      results.push({ workload, result: { skipped: (error as Error).message } });
    }
  }
  return results;
}

async function measureFresh(
  name: string,
  command: readonly string[],
  workload: MemoryWorkload,
  scale: number,
): Promise<MemoryResult> {
  const server = await startServer(name, command);
  try {
    const result = await measureMemory(server, workload, scale);
    progress(`${workload.name} ${name}: ${result.usedBytesPerKey.toFixed(1)} bytes per key`);
    return result;
  } finally {
    await server.stop();
  }
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
