// rdb-key-save-delay: every key of a background save takes its time, whoever had it written.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawConnection } from '../../differential/support/raw-connection.ts';
import { missingOurs, type OwnServer, startOurs } from '../../differential/support/servers.ts';

const missing = missingOurs();
const KEYS = Array.from({ length: 50 }, (_, i) => `key${i}`);

describe.skipIf(missing !== null)(missing ?? 'a background save that is slowed down', () => {
  let server: OwnServer;
  let c: RawConnection;

  beforeAll(async () => {
    server = await startOurs();
    c = server.connection;
  });
  afterAll(() => server.stop());

  const saving = async () => /rdb_bgsave_in_progress:(\d)/.exec(String(await c.call(['info', 'persistence'])))?.[1];

  it('goes on though changes have had everything written ahead, until the delay is taken back', async () => {
    await c.callAll(KEYS.map((key) => ['set', key, 'old']));
    await c.call(['config', 'set', 'rdb-key-save-delay', '100000000']);
    await c.call(['bgsave']);
    await c.callAll(KEYS.map((key) => ['set', key, 'new']));
    // Rounds of the event loop, in which it would have ended.
    for (let i = 0; i < 20; i++) expect(await saving()).toBe('1');
    await c.call(['config', 'set', 'rdb-key-save-delay', '0']);
    while ((await saving()) === '1');
    await c.call(['debug', 'reload', 'nosave']);
    expect(String(await c.call(['get', 'key7']))).toBe('$3\r\nold\r\n');
  });
});
