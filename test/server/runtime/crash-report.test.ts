// What stands in the log when the server has to end, and how the process ends then.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RawConnection } from '../../differential/support/raw-connection.ts';
import { freePort } from '../../support/free-port.ts';

const program = resolve(process.env['TSREDIS_SERVER'] ?? 'dist/bin/tsredis-server.js');

interface End {
  log: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs a server until `crash` has ended it. */
async function runUntil(crash: (client: RawConnection, pid: number) => void, ...settings: string[]): Promise<End> {
  const port = await freePort();
  const options = ['--port', String(port), '--save', '', '--enable-debug-command', 'yes', ...settings];
  const server = spawn(process.execPath, [program, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  let log = '';
  let client: RawConnection | null = null;
  server.stdout.on('data', async (chunk) => {
    log += chunk;
    if (client !== null || !/Ready to accept connections/.test(log)) return;
    client = await RawConnection.open(port);
    await client.call(['set', 'secret-key', 'secret-value']);
    crash(client, server.pid as number);
  });
  return new Promise((done) => {
    server.once('close', (code, signal) => {
      client?.close();
      done({ log, code, signal });
    });
  });
}

const send =
  (...command: string[]) =>
  (client: RawConnection) => {
    // The reply never comes.
    client.call(command).catch(() => undefined);
  };

describe.skipIf(!existsSync(program))(existsSync(program) ? 'a crash' : `${program} is not built`, () => {
  it.each([
    ['DEBUG SEGFAULT', send('debug', 'segfault'), 'SIGSEGV', 'crashed by signal: 11'],
    [
      'SIGABRT from outside',
      (_: RawConnection, pid: number) => void process.kill(pid, 'SIGABRT'),
      'SIGABRT',
      'by signal: 6',
    ],
    ['DEBUG ASSERT', send('debug', 'assert'), 'SIGABRT', '=== ASSERTION FAILED ==='],
    ['DEBUG PANIC', send('debug', 'panic'), 'SIGABRT', 'Guru Meditation: DEBUG PANIC'],
  ])('by %s is reported with a stack trace and ends the process by its signal', async (_name, crash, signal, words) => {
    const end = await runUntil(crash);
    expect(end.signal).toBe(signal);
    const start = end.log.indexOf('=== REDIS BUG REPORT START');
    expect(start).toBeGreaterThan(0);
    const report = end.log.slice(start);
    for (const part of [
      words,
      'STACK TRACE',
      'INFO OUTPUT',
      'redis_version:',
      'CLIENT LIST OUTPUT',
      'BUG REPORT END',
    ]) {
      expect(report).toContain(part);
    }
    expect(end.log).not.toContain('secret');
  });

  it('exits where use-exit-on-panic asks for it, and leaves the report out where crash-log-enabled is off', async () => {
    const end = await runUntil(send('debug', 'panic'), '--use-exit-on-panic', 'yes', '--crash-log-enabled', 'no');
    expect(end.code).toBe(1);
    expect(end.log).toContain('Guru Meditation');
    expect(end.log).not.toContain('STACK TRACE');
  });
});
