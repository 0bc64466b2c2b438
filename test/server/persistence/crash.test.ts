// The server is killed at random moments under load, again and again, on the same files: what was acknowledged must be
// there afterwards, nothing twice, and no file may ever be unreadable. Shortened by default; CRASH_ROUNDS=500 for the
// whole test.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Generator } from '../../differential/support/generate.ts';
import { members, RawConnection } from '../../differential/support/raw-connection.ts';

const program = resolve(process.env['TSREDIS_SERVER'] ?? 'dist/bin/tsredis-server.js');
const checker = resolve('dist/bin/tsredis-check-rdb.js');
const rounds = Number(process.env['CRASH_ROUNDS'] ?? 4);
const CLIENTS = 4;
const KEYS_PER_CLIENT = 20;
/** What everysec may lose, ms. */
const LOSS_MS_MAX = 2000;

interface Acknowledged {
  /** Number stored last, and when the reply came. */
  value: number;
  atMs: number;
}

/** One client's view: what it has sent and what it was told. */
class Writer {
  readonly acknowledged = new Map<string, Acknowledged[]>();
  listLength = 0;
  sent = 0;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Writes until the connection breaks. */
  async run(connection: RawConnection, g: Generator): Promise<void> {
    try {
      for (;;) {
        this.sent++;
        const value = this.sent;
        const key = `${this.name}:${value % KEYS_PER_CLIENT}`;
        await connection.callAll([
          ['multi'],
          ['set', key, String(value)],
          ['rpush', `${this.name}:list`, String(value)],
          ['exec'],
        ]);
        const history = this.acknowledged.get(key) ?? [];
        history.push({ value, atMs: Date.now() });
        this.acknowledged.set(key, history.slice(-50));
        this.listLength = value;
        if (g.once(150)) await connection.call(['bgrewriteaof']);
        if (g.once(300)) await connection.call(['bgsave']);
      }
    } catch {
      // The server has been killed.
    }
  }

  /** Compares with what the server has after its restart; acknowledgements after `untilMs` do not count. */
  async check(connection: RawConnection, untilMs: number): Promise<void> {
    for (const [key, history] of this.acknowledged) {
      const expected = history.filter(({ atMs }) => atMs <= untilMs).at(-1)?.value ?? 0;
      const stored = Number(bulk(await connection.call(['get', key])) || 0);
      expect(stored, `${key} was acknowledged as ${expected}`).toBeGreaterThanOrEqual(expected);
      expect(stored).toBeLessThanOrEqual(this.sent);
    }
    const list = members(await connection.call(['lrange', `${this.name}:list`, '0', '-1'])).map((item) =>
      Number(bulk(item)),
    );
    expect(list.length <= this.sent, `${this.name}:list holds an element twice`).toBe(true);
    expect(list.every((value, i) => value === i + 1)).toBe(true);
    // Goes on behind what is there, so that the list stays a row without gaps.
    this.sent = list.length;
    this.acknowledged.clear();
  }
}

const bulk = (reply: Buffer) => reply.subarray(reply.indexOf('\r\n') + 2, reply.length - 2).toString();

let child: ChildProcess | null = null;
let directory = '';
let killedAtMs = 0;

async function start(port: number, policy: string): Promise<RawConnection> {
  const settings = ['--appendonly', 'yes', '--appendfsync', policy, '--save', '', '--dir', directory];
  const rewrite = ['--auto-aof-rewrite-percentage', '50', '--auto-aof-rewrite-min-size', '16kb'];
  const server = spawn(process.execPath, [program, '--port', String(port), ...settings, ...rewrite], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = server;
  let output = '';
  await new Promise<void>((done, reject) => {
    server.stdout.on('data', (chunk) => {
      output = (output + chunk).slice(-4000);
      if (/Ready to accept connections/.test(output)) done();
    });
    server.once('exit', () => reject(new Error(`the server ended:\n${output}`)));
  });
  return RawConnection.open(port);
}

async function kill(): Promise<void> {
  const server = child;
  child = null;
  if (server === null || server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((done) => server.once('exit', done));
  killedAtMs = Date.now();
  server.kill('SIGKILL');
  await ended;
}

/** The dump is that of a save that was complete, however many were cut off after it. */
function checkDump(path: string): void {
  const check = spawnSync(process.execPath, [checker, path], { encoding: 'latin1' });
  expect(check.stdout).toContain('\\o/ RDB looks OK! \\o/');
}

afterEach(async () => {
  await kill();
  if (directory !== '') await rm(directory, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

describe.skipIf(!existsSync(program))(existsSync(program) ? 'killed under load' : `${program} is not built`, () => {
  it.each([
    ['always', 0],
    ['everysec', LOSS_MS_MAX],
    ['no', Number.POSITIVE_INFINITY],
  ])(
    'appendfsync %s keeps its promise',
    async (policy, lossMs) => {
      directory = await mkdtemp(join(tmpdir(), 'tsredis-crash-'));
      const port = await freePort();
      const g = new Generator(policy.length);
      const writers = Array.from({ length: CLIENTS }, (_, i) => new Writer(`client${i}`));
      for (let round = 0; round < rounds; round++) {
        const checker = await start(port, policy);
        for (const writer of writers) await writer.check(checker, killedAtMs - lossMs);
        const connections = await Promise.all(writers.map(() => RawConnection.open(port)));
        const load = writers.map((writer, i) => writer.run(connections[i], g));
        await new Promise((done) => setTimeout(done, 50 + g.below(500)));
        await kill();
        await Promise.all(load);
        for (const connection of [...connections, checker]) connection.close();
      }
      const checker = await start(port, policy);
      for (const writer of writers) await writer.check(checker, killedAtMs - lossMs);
      checker.close();
      const files = [...(await readdir(directory)), ...(await readdir(join(directory, 'appendonlydir')))];
      expect(files.filter((name) => /^temp-\d+/.test(name))).toEqual([]);
      if (files.includes('dump.rdb')) checkDump(join(directory, 'dump.rdb'));
    },
    rounds * 20_000,
  );
});
