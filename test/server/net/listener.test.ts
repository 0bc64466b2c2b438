import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RawConnection } from '../../differential/support/raw-connection.ts';
import { freePort } from '../../support/free-port.ts';

const program = resolve(process.env['TSREDIS_SERVER'] ?? 'dist/bin/tsredis-server.js');
const RUSH = 1000;

/** What the system lets wait for a listening socket, 0 where it does not say. */
function systemLimit(): number {
  const path = '/proc/sys/net/core/somaxconn';
  return existsSync(path) ? Number(readFileSync(path, 'latin1')) : 0;
}

const reason = existsSync(program) ? `the system lets no ${RUSH} connections wait` : `${program} is not built`;
const skipped = !existsSync(program) || systemLimit() < RUSH;

describe.skipIf(skipped)(skipped ? reason : 'a rush of connections', () => {
  const pids: number[] = [];

  afterEach(() => {
    for (const pid of pids.splice(0)) process.kill(pid, 'SIGKILL');
  });

  it('finds them all a place while the server is busy with something else, and gets them all a reply', async () => {
    const port = await freePort();
    const words = [program, '--port', String(port), '--bind', '127.0.0.1', '--save', ''];
    const server = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    pids.push(server.pid!);
    for (let log = ''; !log.includes('Ready to accept connections'); ) log += (await once(server.stdout, 'data'))[0];
    server.kill('SIGSTOP');
    const rush = await Promise.all(Array.from({ length: RUSH }, () => RawConnection.open(port)));
    server.kill('SIGCONT');
    const replies = await Promise.all(rush.map((connection) => connection.call(['ping'])));
    expect(new Set(replies.map(String))).toEqual(new Set(['+PONG\r\n']));
    for (const connection of rush) connection.close();
  });
});
