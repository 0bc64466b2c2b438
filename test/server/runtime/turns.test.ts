import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingOurs, type OwnServer, startOurs } from '../../differential/support/servers.ts';

const missing = missingOurs();

describe.skipIf(missing !== null)(missing ?? 'the time of a turn', () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await startOurs();
  });
  afterAll(() => server.stop());

  it('is never behind that of a client which has just read the same clock', async () => {
    const { connection } = server;
    let longest = 0;
    for (let i = 0; i < 500; i++) {
      await connection.call(['ping']);
      await connection.call(['set', 'k', 'v', 'pxat', String(Date.now() + 10_000)]);
      const pttl = Number(String(await connection.call(['pttl', 'k'])).slice(1));
      longest = Math.max(longest, pttl);
    }
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThanOrEqual(10_000);
  });
});
