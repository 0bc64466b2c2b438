// A replica that loads slowly (key-load-delay): it holds its primary's dump back, loses nothing, and serves meanwhile.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawConnection } from '../../differential/support/raw-connection.ts';
import { missingOurs, type OwnServer, startOurs } from '../../differential/support/servers.ts';

const missing = missingOurs();
const KEYS = 100;

describe.skipIf(missing !== null)(missing ?? 'a replica that loads slowly', () => {
  const servers: OwnServer[] = [];
  let p: RawConnection;
  let r: RawConnection;

  beforeAll(async () => {
    for (let i = 0; i < 2; i++) {
      servers.push(
        await startOurs([
          ['repl-diskless-sync-delay', '0'],
          ['repl-diskless-load', 'swapdb'],
          ['repl-backlog-size', '16384'],
          ['rdbcompression', 'no'],
        ]),
      );
    }
    [p, r] = servers.map(({ connection }) => connection);
    await p.callAll(Array.from({ length: KEYS }, (_, i) => ['set', `k${i}`, 'v'.repeat(100_000)]));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  const field = async (server: RawConnection, name: string) =>
    new RegExp(`^${name}:(.*)\r$`, 'm').exec(String(await server.call(['info', 'everything'])))?.[1];
  const until = async (server: RawConnection, name: string, value: string) => {
    while ((await field(server, name)) !== value);
  };
  const digest = async (server: RawConnection) => String(await server.call(['debug', 'digest']));

  it('gets everything, at the first attempt', async () => {
    await r.call(['config', 'set', 'key-load-delay', '10']);
    await r.call(['replicaof', '127.0.0.1', String(servers[0].port)]);
    await until(r, 'master_link_status', 'up');
    expect(await field(p, 'sync_full')).toBe('1');
    expect(await digest(r)).toBe(await digest(p));
  });

  it('serves the old data meanwhile, and refuses to switch the log on or off', async () => {
    await r.call(['config', 'set', 'key-load-delay', '10000']);
    // More than the backlog keeps, before the replica is back: it has to load everything anew.
    const writes = Array.from({ length: 10 }, (_, i) => ['set', `k${i}`, 'w'.repeat(16384)]);
    await p.callAll([['multi'], ['client', 'kill', 'type', 'replica'], ...writes, ['exec']]);
    await until(r, 'async_loading', '1');
    expect(String(await r.call(['get', 'k20']))).toContain('vvv');
    expect(String(await r.call(['config', 'set', 'appendonly', 'yes']))).toMatch(/^-LOADING /);
    await until(r, 'master_link_status', 'up');
    expect(await digest(r)).toBe(await digest(p));
  });
});
