import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RawConnection } from '../../differential/support/raw-connection.ts';
import { missingOurs, startOurs } from '../../differential/support/servers.ts';

const RUSH = 1000;

/** What the system lets wait for a listening socket, 0 where it does not say. */
function systemLimit(): number {
  const path = '/proc/sys/net/core/somaxconn';
  return existsSync(path) ? Number(readFileSync(path, 'latin1')) : 0;
}

const missing = missingOurs() ?? (systemLimit() < RUSH ? `the system lets no ${RUSH} connections wait` : null);

describe.skipIf(missing !== null)(missing ?? 'a rush of connections', () => {
  it('finds them all a place while the server is busy with something else, and gets them all a reply', async () => {
    const server = await startOurs();
    try {
      server.process.kill('SIGSTOP');
      const rush = await Promise.all(Array.from({ length: RUSH }, () => RawConnection.open(server.port)));
      server.process.kill('SIGCONT');
      const replies = await Promise.all(rush.map((connection) => connection.call(['ping'])));
      expect(new Set(replies.map(String))).toEqual(new Set(['+PONG\r\n']));
      for (const connection of rush) connection.close();
    } finally {
      server.process.kill('SIGCONT');
      await server.stop();
    }
  });
});
