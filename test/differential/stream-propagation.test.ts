// What streams, HyperLogLogs and bitmaps write to the append-only file, beside a real redis-server: the same commands
// in the same words, so that either server reads the other's log and replicas agree.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawConnection } from './support/raw-connection.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();

const COMMANDS = `
config set stream-node-max-entries 3
xadd s 1-1 a b
xadd s 2-* a b
xadd s 3-1 a b
xadd s 4-1 a b
xadd s 5-1 a b
xadd s maxlen ~ 3 6-1 a b
xadd s maxlen ~ 3 limit 1 7-1 a b
xadd s minid ~ 6 8-1 a b
xadd s maxlen = 5 9-1 a b
xtrim s maxlen ~ 1
xtrim s maxlen 2
xadd s 10-1 a b
xadd s 11-1 a b
xgroup create s g 0
xgroup create t g $ mkstream
xreadgroup group g c count 2 streams s >
xreadgroup group g c noack count 1 streams s >
xreadgroup group g d noack streams s >
xreadgroup group g c streams s 0
xclaim s g e 0 9-1 10-1
xclaim s g e 0 9-1 lastid 20-1
xclaim s g e 0 99-1 lastid 21-1
xdel s 10-1
xautoclaim s g f 0 0
xack s g 9-1
xgroup createconsumer s g zed
xgroup delconsumer s g zed
xgroup setid s g 5 entriesread 2
xsetid s 100-1 entriesadded 50 maxdeletedid 40-1
pfadd p a b c
pfcount p
pfcount p
pfmerge q p
setbit b 3 1
setbit b 3 1
bitfield b set u8 0 5 incrby u4 3 2
bitfield b set u8 0 5
bitop not c b
rpush l 3 1 2
sort l store m
sort none store m`;

describe.skipIf(missing !== null)(missing ?? 'what is propagated, beside redis-server', () => {
  let pair: Pair;
  let directory: string;
  beforeAll(async () => {
    pair = await startPair([['enable-protected-configs', 'yes']]);
    directory = await mkdtemp(join(tmpdir(), 'propagation-'));
  });
  afterAll(async () => {
    await pair.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is the same, word for word', async () => {
    const places = [await logTo(pair.ours, join(directory, 'ours-')), await logTo(pair.real, join(directory, 'real-'))];
    await pair.same(
      COMMANDS.trim()
        .split('\n')
        .map((line) => line.split(' ')),
    );
    // Switching the log off writes it out.
    await pair.same([['config', 'set', 'appendonly', 'no']]);
    const [ours, real] = await Promise.all(places.map(readLog));
    expect(ours).toEqual(real);
    expect(ours!.length).toBeGreaterThan(400);
  });
});

/** Starts a log in a directory of its own. */
async function logTo(server: RawConnection, prefix: string): Promise<string> {
  const place = await mkdtemp(prefix);
  for (const [name, value] of [
    ['dir', place],
    ['appendonly', 'yes'],
  ] as const) {
    expect((await server.call(['config', 'set', name, value])).toString()).toBe('+OK\r\n');
  }
  while ((await server.call(['info', 'persistence'])).includes('aof_rewrite_in_progress:1')) await undefined;
  return place;
}

/** The lines of the log's increments, times left out. */
async function readLog(place: string): Promise<string[]> {
  const logs = join(place, 'appendonlydir');
  const names = (await readdir(logs)).filter((name) => name.endsWith('.incr.aof')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(logs, name), 'latin1')));
  return texts
    .join('')
    .replace(/^\d{13}\r$/gm, 'time')
    .split('\n');
}
