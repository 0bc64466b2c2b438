// Saving and loading speed, and what a background save does to the slowest requests.
import { copyFileSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './measure.ts';
import { sendAll } from './prepare.ts';
import { infoOf, type RunningServer, startServer } from './servers.ts';

export interface PersistenceResult {
  dumpMebibytes: number;
  saveMebibytesPerSecond: number;
  loadMebibytesPerSecond: number;
  /** Milliseconds that 99.9 % of the requests stay below. */
  quietP999Ms: number;
  savingP999Ms: number;
}

const KEYS = 500_000;
const VALUE_BYTES = 100;
const REQUESTS = 200_000;
/** How often it is looked whether the background save is over and the next one due. */
const LOOK_EVERY_MS = 20;

export async function measurePersistence(
  name: string,
  command: readonly string[],
  loadProgram: string,
  scale: number,
): Promise<PersistenceResult> {
  const server = await startServer(name, command);
  const kept = mkdtempSync(join(tmpdir(), 'tsredis-bench-'));
  try {
    await sendAll(server.client, strings(Math.round(KEYS * scale)));
    const savedMs = await elapsedMs(() => sendAll(server.client, [['SAVE']]));
    const dump = join(server.directory, 'dump.rdb');
    const dumpMebibytes = statSync(dump).size / 2 ** 20;
    copyFileSync(dump, join(kept, 'dump.rdb'));
    const quietP999Ms = await slowest(server, loadProgram, scale);
    const savingP999Ms = await whileSaving(server, () => slowest(server, loadProgram, scale));
    return {
      dumpMebibytes,
      saveMebibytesPerSecond: (dumpMebibytes * 1000) / savedMs,
      loadMebibytesPerSecond: (dumpMebibytes * 1000) / (await loadMs(name, command, kept)),
      quietP999Ms,
      savingP999Ms,
    };
  } finally {
    await server.stop();
  }
}

/** How much longer the start takes with the dump than without. The directory is gone afterwards. */
async function loadMs(name: string, command: readonly string[], directory: string): Promise<number> {
  const empty = await startServer(name, command);
  await empty.stop();
  const full = await startServer(name, command, directory);
  await full.stop();
  return Math.max(1, full.startMs - empty.startMs);
}

/** p99.9 of SET and GET from the report's distribution: its step at 99.902 %. */
async function slowest(server: RunningServer, loadProgram: string, scale: number): Promise<number> {
  const requests = Math.max(2000, Math.round(REQUESTS * scale));
  const output = await run(loadProgram, [
    '-h',
    '127.0.0.1',
    '-p',
    String(server.port),
    '-n',
    String(requests),
    '-r',
    String(KEYS),
    '-t',
    'set,get',
  ]);
  const steps = [...output.matchAll(/99\.902% <= ([\d.]+) milliseconds/g)].map((match) => Number(match[1]));
  return Math.max(...steps);
}

/** Keeps background saves going one after the other until the work is done. */
async function whileSaving<T>(server: RunningServer, work: () => Promise<T>): Promise<T> {
  let working = true;
  const saving = (async () => {
    while (working) {
      if ((await infoOf(server.client)).get('rdb_bgsave_in_progress') === '0') await server.client.call('BGSAVE');
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  try {
    return await work();
  } finally {
    working = false;
    await saving;
  }
}

function* strings(count: number): Generator<string[]> {
  for (let i = 0; i < count; i++) yield ['SET', `key:${String(i).padStart(12, '0')}`, incompressible(i)];
}

/** Letters without repetition, so that the dump is as large as the data. */
function incompressible(seed: number): string {
  let state = seed + 1;
  let text = '';
  while (text.length < VALUE_BYTES) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += String.fromCharCode(48 + ((state >>> 24) % 75));
  }
  return text;
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
