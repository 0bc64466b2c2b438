// Clients change large values while they are being saved: the dump has all of the old state and the server all of the new
// one, whoever had to wait, gave up waiting, or could not wait.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawConnection } from '../../differential/support/raw-connection.ts';
import { freePort } from '../../support/free-port.ts';

const program = resolve(process.env['TSREDIS_SERVER'] ?? 'dist/bin/tsredis-server.js');
const MEMBERS = 10_000;
const BATCH = 1000;

let directory = '';
const running: ChildProcess[] = [];

async function start(options: readonly string[] = []): Promise<{ server: ChildProcess; port: number }> {
  const port = await freePort();
  const settings = ['--port', String(port), '--save', '', '--dir', directory, '--enable-debug-command', 'yes'];
  const server = spawn(process.execPath, [program, ...settings, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(server);
  let output = '';
  await new Promise<void>((done, reject) => {
    server.stdout?.on('data', (chunk) => {
      output = (output + chunk).slice(-4000);
      if (/Ready to accept connections/.test(output)) done();
    });
    server.once('exit', () => reject(new Error(`the server ended:\n${output}`)));
  });
  return { server, port };
}

async function stop(server: ChildProcess): Promise<void> {
  const ended = new Promise((done) => server.once('exit', done));
  server.kill('SIGKILL');
  await ended;
}

const KINDS: Record<string, (i: number) => string[]> = {
  hash: (i) => [`field:${i}`, `value:${i}`],
  set: (i) => [`member:${i}`],
  zset: (i) => [String((i * 7919) % 1000), `member:${i}`],
  list: (i) => [`element:${i}`],
};
const COMMANDS: Record<string, string> = { hash: 'hset', set: 'sadd', zset: 'zadd', list: 'rpush' };

async function fill(connection: RawConnection): Promise<void> {
  for (const [kind, make] of Object.entries(KINDS)) {
    for (let from = 0; from < MEMBERS; from += BATCH) {
      const args = Array.from({ length: BATCH }, (_, i) => make(from + i)).flat();
      await connection.call([COMMANDS[kind] ?? '', kind, ...args]);
    }
  }
  for (let i = 0; i < MEMBERS; i += BATCH) {
    const ids = Array.from({ length: BATCH }, (_, n) => ['xadd', 'stream', `${i + n + 1}-1`, 'field', `value:${n}`]);
    await connection.callAll(ids);
  }
  await connection.call(['set', 'string', 'x'.repeat(4_000_000)]);
}

async function saved(connection: RawConnection): Promise<void> {
  for (;;) {
    const info = (await connection.call(['info', 'persistence'])).toString();
    if (/rdb_bgsave_in_progress:0/.test(info)) {
      expect(info).toContain('rdb_last_bgsave_status:ok');
      return;
    }
  }
}

const digest = async (connection: RawConnection) => (await connection.call(['debug', 'digest'])).toString();

describe.skipIf(!existsSync(program))('large values that change while they are saved', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tsredis-large-'));
  });

  afterAll(async () => {
    for (const server of running) if (server.exitCode === null && server.signalCode === null) await stop(server);
    await rm(directory, { recursive: true, force: true });
  });

  it('are saved as they were', async () => {
    const { server, port } = await start();
    const control = await RawConnection.open(port);
    const clients = await Promise.all(Array.from({ length: 6 }, () => RawConnection.open(port)));
    await fill(control);
    const before = await digest(control);

    expect((await control.call(['bgsave'])).toString()).toContain('Background saving started');
    const [plain, transaction, adder, remover, gone, blocker] = clients as RawConnection[];
    const replies = Promise.all([
      plain!.callAll([
        ['hset', 'hash', 'field:0', 'changed'],
        ['hget', 'hash', 'field:0'],
      ]),
      transaction!.callAll([['multi'], ['zincrby', 'zset', '5', 'member:1'], ['lpush', 'list', 'first'], ['exec']]),
      adder!.callAll([
        ['xadd', 'stream', '99999-1', 'f', 'v'],
        ['rename', 'stream', 'moved'],
      ]),
      remover!.callAll([
        ['srem', 'set', 'member:5'],
        ['del', 'set'],
        ['append', 'string', 'y'],
      ]),
      blocker!.call(['blpop', 'list', '0']),
    ]);
    // This one does not wait for its reply.
    gone!.call(['zrem', 'zset', 'member:2']).catch(() => undefined);
    gone!.close();
    const [first, second, third, fourth, fifth] = await replies;
    expect(first.map(String)).toEqual([':0\r\n', '$7\r\nchanged\r\n']);
    expect(second.map(String)).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      expect.stringMatching(/^\*2\r\n\$\d+\r\n924\r\n:\d+\r\n$/),
    ]);
    expect(third.map(String)).toEqual(['$7\r\n99999-1\r\n', '+OK\r\n']);
    expect(fourth.map(String)).toEqual([':1\r\n', ':1\r\n', ':4000001\r\n']);
    expect(fifth.toString()).toMatch(/^\*2\r\n\$4\r\nlist\r\n/);
    await saved(control);
    expect((await control.call(['exists', 'set'])).toString()).toBe(':0\r\n');
    expect(await digest(control)).not.toBe(before);
    for (const connection of [control, ...clients]) connection.close();
    await stop(server);

    const again = await start();
    const reader = await RawConnection.open(again.port);
    expect(await digest(reader)).toBe(before);
    reader.close();
    await stop(again.server);
  }, 120_000);
});
