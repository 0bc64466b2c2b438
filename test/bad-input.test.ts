// What the server says to bad configuration, bad files and bad clients, in Redis' wording, and that it serves on.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './support/free-port.ts';

const program = resolve('dist/bin/tsredis-server.js');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bad-input-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the server until it gives up by itself. */
function giveUp(...args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: directory,
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, text: stdout + stderr };
}

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('a start that cannot work ends with status 1 and says why', () => {
  it.each([
    ['port abc', "argument couldn't be parsed into an integer"],
    ['port 99999', 'argument must be between 0 and 65535 inclusive'],
    ['maxmemory 10xb', 'argument must be a memory value'],
    ['appendonly maybe', "argument must be 'yes' or 'no'"],
    ['nonsense 1', 'Bad directive or wrong number of arguments'],
    ['save 60', 'Invalid save parameters'],
    ['port "12', 'Unbalanced quotes in configuration line'],
    ['dir /nonexistent/place', 'No such file or directory'],
  ])('%s', (line, reason) => {
    const { status, text } = giveUp(file('bad.conf', `# first\n${line}\n`));
    expect(status).toBe(1);
    expect(text).toContain('*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***');
    expect(text).toContain(`Reading the configuration file, at line 2\n>>> '${line}'\n${reason}`);
  });

  it('a missing configuration file', () => {
    const { status, text } = giveUp('nowhere.conf');
    expect(status).toBe(1);
    expect(text).toContain(`Fatal error, can't open config file '`);
    expect(text).toContain(`nowhere.conf': No such file or directory`);
  });

  it('a log file that cannot be written', () => {
    const { status, text } = giveUp('--logfile', '/nonexistent/redis.log');
    expect(status).toBe(1);
    expect(text).toContain("Can't open the log file: No such file or directory");
  });

  it('a port in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as { port: number };
    const { status, text } = giveUp('--port', String(port), '--bind', '127.0.0.1');
    holder.close();
    expect(status).toBe(1);
    expect(text).toContain(
      `Could not create server TCP listening socket 127.0.0.1:${port}: bind: Address already in use`,
    );
    expect(text).toContain(`Failed listening on port ${port} (TCP), aborting.`);
  });

  it('half of a dump, which stays as it is', async () => {
    const whole = readFileSync('test/fixtures/rdb/redis-rdb-tools/dictionary.rdb');
    const path = file('half.rdb', whole.subarray(0, 5000));
    const { status, text } = giveUp('--port', String(await freePort()), '--dbfilename', 'half.rdb');
    expect(status).toBe(1);
    expect(text).toContain('Unexpected EOF reading RDB file');
    expect(text).toContain(path);
    expect(readFileSync(path).equals(whole.subarray(0, 5000))).toBe(true);
  });

  it.skipIf(process.geteuid?.() === 0)('a dump that may not be read', async () => {
    chmodSync(file('secret.rdb', 'REDIS0010'), 0);
    const { status, text } = giveUp('--port', String(await freePort()), '--dbfilename', 'secret.rdb');
    expect(status).toBe(1);
    expect(text).toContain('secret.rdb');
  });
});

describe('a running server', () => {
  let server: ChildProcess;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const args = ['--port', String(port), '--save', '', '--maxclients', '20', '--bind', '127.0.0.1'];
    server = spawn(process.execPath, [program, ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const chunk of server.stdout!) if (String(chunk).includes('Ready to accept')) break;
    server.stdout!.resume();
  });

  afterAll(async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  });

  async function open(): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  /** Sends bytes and reads until the server closes. */
  async function untilClosed(bytes: string): Promise<string> {
    const socket = await open();
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.write(Buffer.from(bytes, 'latin1'));
    await once(socket, 'close');
    return text;
  }

  async function ping(): Promise<string> {
    const socket = await open();
    socket.write('PING\r\n');
    const [reply] = await once(socket, 'data');
    socket.destroy();
    return String(reply);
  }

  it.each([
    ['a bulk of 600 MB', '*1\r\n$629145600\r\n', 'invalid bulk length'],
    ['a type that no request has', '*1\r\n+ping\r\n', "expected '$', got '+'"],
    ['a count beyond all measure', '*1000000000000\r\n', 'invalid multibulk length'],
    ['an open quote', '"open\r\n', 'unbalanced quotes in request'],
    ['a line without an end', 'x'.repeat(70_000), 'too big inline request'],
  ])('answers %s and closes', async (_what, bytes, error) => {
    expect(await untilClosed(bytes)).toBe(`-ERR Protocol error: ${error}\r\n`);
    expect(await ping()).toBe('+PONG\r\n');
  });

  it('refuses clients over maxclients, and serves those it has', async () => {
    const held = await Promise.all(Array.from({ length: 20 }, open));
    const refusals = await Promise.all(Array.from({ length: 500 }, () => untilClosed('')));
    expect(new Set(refusals)).toEqual(new Set(['-ERR max number of clients reached\r\n']));
    held[0]!.write('PING\r\n');
    expect(String((await once(held[0]!, 'data'))[0])).toBe('+PONG\r\n');
    const closed = held.map((socket) => once(socket.destroy(), 'close'));
    await Promise.all(closed);
    await expect.poll(ping).toBe('+PONG\r\n');
  });

  it('serves requests that come in any pieces', async () => {
    const socket = await open();
    const replies: Buffer[] = [];
    socket.on('data', (chunk) => replies.push(chunk));
    const value = 'v'.repeat(100_000);
    const requests = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\nSTRLEN k\r\n*${201}\r\n$4\r\nMGET\r\n${'$1\r\nk\r\n'.repeat(200)}QUIT\r\n`;
    for (let at = 0; at < requests.length; ) {
      const size = at < 60 || at > requests.length - 900 ? 1 : 4001;
      socket.write(requests.slice(at, at + size));
      at += size;
      if (at % 7 === 0) await new Promise((turn) => setImmediate(turn));
    }
    await once(socket, 'close');
    const text = Buffer.concat(replies).toString();
    expect(text.startsWith(`+OK\r\n:100000\r\n*200\r\n$100000\r\n${value}`)).toBe(true);
    expect(text.endsWith(`${value}\r\n+OK\r\n`)).toBe(true);
    expect(text).toHaveLength('+OK\r\n:100000\r\n*200\r\n+OK\r\n'.length + 200 * (value.length + 11));
  });
});
