// Full and vanished disks: the old dump stays whole, writes are refused, and service resumes by itself when the disk is
// back. The disk is a small tmpfs, which only root can mount.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawConnection } from '../differential/support/raw-connection.ts';

const program = resolve(process.env['TSREDIS_SERVER'] ?? 'dist/bin/tsredis-server.js');
const CHUNK_BYTES = 600_000;
const WAIT_MS = 10_000;

function missing(): string | null {
  if (!existsSync(program)) return `${program} is not built`;
  if (process.getuid?.() !== 0) return 'a disk can only be mounted by root';
  const probe = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return probe.status === 0 ? null : 'nothing can be mounted here';
}

let disk = '';
let child: ChildProcess;
let client: RawConnection;

async function start(...settings: string[]): Promise<void> {
  const port = await freePort();
  const server = spawn(process.execPath, [program, '--port', String(port), '--dir', disk, ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = server;
  await new Promise<void>((done, reject) => {
    let output = '';
    server.stdout.on('data', (chunk) => {
      output += chunk;
      if (/Ready to accept connections/.test(output)) done();
    });
    server.once('exit', () => reject(new Error(output)));
  });
  client = await RawConnection.open(port);
}

async function stop(): Promise<void> {
  client.close();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await ended;
}

const call = async (...args: (string | Buffer)[]) => (await client.call(args)).toString('latin1');

/** Asks until the reply is right. */
async function until(check: (reply: string) => boolean, ...args: string[]): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const reply = await call(...args);
    if (check(reply)) return;
    if (Date.now() > deadline) throw new Error(`still ${reply}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

const resize = (size: string) => execFileSync('mount', ['-o', `remount,size=${size}`, disk]);

const reason = missing();

describe.skipIf(reason !== null)(reason ?? 'a disk that fails', () => {
  beforeEach(async () => {
    disk = await mkdtemp(join(tmpdir(), 'tsredis-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
  });

  afterEach(async () => {
    await stop();
    execFileSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true, force: true });
  });

  it('keeps the old dump when there is no room for the new one', async () => {
    await start('--save', '3600 1');
    await call('set', 'a', '1');
    expect(await call('save')).toBe('+OK\r\n');
    const before = await readFile(join(disk, 'dump.rdb'));
    for (let i = 0; i < 6; i++) await call('set', `big${i}`, randomBytes(CHUNK_BYTES));
    await call('bgsave');
    await until((info) => info.includes('rdb_last_bgsave_status:err'), 'info', 'persistence');
    expect(await call('set', 'b', '1')).toMatch(/^-MISCONF Redis is configured to save RDB snapshots/);
    expect(await call('get', 'a')).toBe('$1\r\n1\r\n');
    expect(await readFile(join(disk, 'dump.rdb'))).toEqual(before);
    expect(await readdir(disk)).toEqual(['dump.rdb']);
    resize('30m');
    expect(await call('bgsave')).toBe('+Background saving started\r\n');
    await until((info) => info.includes('rdb_last_bgsave_status:ok'), 'info', 'persistence');
    expect(await call('set', 'b', '1')).toBe('+OK\r\n');
  });

  it('refuses writes while the log cannot be written, and goes on by itself', async () => {
    await start('--save', '', '--appendonly', 'yes');
    let reply = '';
    for (let i = 0; i < 10 && !reply.startsWith('-'); i++) reply = await call('set', `k${i}`, randomBytes(CHUNK_BYTES));
    expect(reply).toBe('-MISCONF Errors writing to the AOF file: No space left on device\r\n');
    expect(await call('info', 'persistence')).toContain('aof_last_write_status:err');
    expect(await call('get', 'missing')).toBe('$-1\r\n');
    resize('30m');
    await until((info) => info.includes('aof_last_write_status:ok'), 'info', 'persistence');
    expect(await call('set', 'after', '1')).toBe('+OK\r\n');
    const keys = await call('dbsize');
    await stop();
    await start('--save', '', '--appendonly', 'yes');
    expect(await call('dbsize')).toBe(keys);
  });

  it('ends with appendfsync always when the disk is full, and has what it had acknowledged afterwards', async () => {
    await start('--save', '', '--appendonly', 'yes', '--appendfsync', 'always');
    const acknowledged: string[] = [];
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    try {
      for (let i = 0; i < 10; i++) {
        await call('set', `k${i}`, randomBytes(CHUNK_BYTES));
        acknowledged.push(`k${i}`);
      }
    } catch {
      // The connection went with the server.
    }
    expect(await ended).toBe(1);
    expect(acknowledged.length).toBeGreaterThan(1);
    resize('30m');
    await start('--save', '', '--appendonly', 'yes');
    expect(await call('exists', ...acknowledged)).toBe(`:${acknowledged.length}\r\n`);
  });

  it('keeps the log when there is no room to rewrite it', async () => {
    await start('--save', '', '--appendonly', 'yes');
    for (let i = 0; i < 3; i++) await call('set', `k${i}`, randomBytes(CHUNK_BYTES));
    expect(await call('bgrewriteaof')).toBe('+Background append only file rewriting started\r\n');
    await until((info) => info.includes('aof_last_bgrewrite_status:err'), 'info', 'persistence');
    expect(await call('set', 'small', '1')).toBe('+OK\r\n');
    await stop();
    await start('--save', '', '--appendonly', 'yes');
    expect(await call('dbsize')).toBe(':4\r\n');
    resize('30m');
    await call('bgrewriteaof');
    await until((info) => info.includes('aof_last_bgrewrite_status:ok'), 'info', 'persistence');
    await until((info) => info.includes('aof_rewrite_in_progress:0'), 'info', 'persistence');
    const names = await readdir(join(disk, 'appendonlydir'));
    expect(names.filter((name) => name.startsWith('temp-'))).toEqual([]);
  });

  it('says so when the directory is gone, and saves again when it is back', async () => {
    await start('--save', '');
    execFileSync('mkdir', [join(disk, 'data')]);
    await stop();
    await start('--save', '', '--dir', join(disk, 'data'));
    await call('set', 'a', '1');
    await rename(join(disk, 'data'), join(disk, 'elsewhere'));
    expect(await call('save')).toBe('-ERR\r\n');
    await rename(join(disk, 'elsewhere'), join(disk, 'data'));
    expect(await call('save')).toBe('+OK\r\n');
  });
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
