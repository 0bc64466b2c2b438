import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ReplyParser } from '../../../server/formats/resp/reply.ts';
import { runBenchmark } from '../../../src/benchmark/main.ts';

/** What threads run: the built program. */
const PROGRAM = new URL('../../../dist/programs/tsredis-benchmark.cjs', import.meta.url);

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server that answers OK (CONFIG GET: a pair) and keeps each command it got. */
async function serve(answer = '+OK\r\n'): Promise<{ port: number; commands: string[][]; connections: () => number }> {
  const commands: string[][] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    const parser = new ReplyParser();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      // Inline PINGs are not RESP; as arrays they count like the others.
      parser.feed(
        Buffer.from(chunk.toString('latin1').replaceAll(/(?<![\n]\$4\r\n)PING\r\n/g, '*1\r\n$4\r\nPING\r\n'), 'latin1'),
      );
      for (let command = parser.next(); command !== undefined; command = parser.next()) {
        if (command.kind !== 'array') continue;
        const words = command.items.map((item) => ('bytes' in item ? item.bytes.toString() : ''));
        commands.push(words);
        socket.write(words[0] === 'CONFIG' ? '*2\r\n$4\r\nsave\r\n$0\r\n\r\n' : answer);
      }
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, commands, connections: () => connections };
}

async function run(args: string[], stdin = ''): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const status = await runBenchmark(
    args,
    {
      write: (text) => {
        stdout += text;
      },
      writeError: (text) => {
        stderr += text;
      },
      readStdin: () => Buffer.from(stdin),
      nowMs: () => performance.now(),
      random: Math.random,
      program: PROGRAM,
    },
    '7.0.15',
  );
  return { status, stdout, stderr };
}

function count(commands: string[][], name: string): number {
  return commands.filter(([word]) => word === name).length;
}

describe('tsredis-benchmark', () => {
  it('sends every default test exactly so often', async () => {
    const { port, commands } = await serve();
    const { status, stdout } = await run(['-p', String(port), '-c', '5', '-n', '100', '-q']);
    expect(status).toBe(0);
    const expected = { PING: 200, SET: 100, GET: 100, INCR: 100, LPUSH: 200, RPUSH: 100, LPOP: 100, RPOP: 100 };
    const more = { SADD: 100, HSET: 100, SPOP: 100, ZADD: 100, ZPOPMIN: 100, LRANGE: 400, MSET: 100, RPOPLPUSH: 0 };
    for (const [name, times] of Object.entries({ ...expected, ...more }))
      expect(count(commands, name), name).toBe(times);
    expect(stdout).toMatch(/^PING_INLINE: [\d.]+ requests per second, p50=[\d.]+ msec\n/);
    expect(stdout.endsWith('msec\n\n')).toBe(true);
  });

  it('keeps to the number of requests with pipelining, and to one key without -r', async () => {
    const { port, commands } = await serve();
    await run(['-p', String(port), '-P', '5', '-c', '10', '-n', '1010', '-t', 'set,get', '-q']);
    expect([count(commands, 'SET'), count(commands, 'GET')]).toEqual([1010, 1010]);
    expect(new Set(commands.filter(([name]) => name === 'SET').map(([, key]) => key)).size).toBe(1);
  });

  it('draws random keys below -r, the same ones for the same seed', async () => {
    const { port, commands } = await serve();
    const args = [
      '-p',
      String(port),
      '-c',
      '1',
      '-n',
      '300',
      '-r',
      '50',
      '--seed',
      '7',
      '-q',
      'SET',
      'k:__rand_int__',
      'v',
    ];
    await run(args);
    const keys = commands.filter(([name]) => name === 'SET').map(([, key]) => key!);
    expect(new Set(keys).size).toBe(50);
    expect(keys.every((key) => /^k:0{10}[0-4]\d$/.test(key))).toBe(true);
    commands.length = 0;
    await run(args);
    expect(commands.filter(([name]) => name === 'SET').map(([, key]) => key)).toEqual(keys);
  });

  it('opens a connection for each request with -k 0', async () => {
    const { port, connections } = await serve();
    const { stderr } = await run(['-p', String(port), '-c', '2', '-n', '10', '-k', '0', '-q', '-t', 'set']);
    expect(stderr).toContain('WARNING: Keepalive disabled.');
    expect(connections()).toBeGreaterThanOrEqual(11);
  });

  it('greets each connection with password, database and protocol', async () => {
    const { port, commands } = await serve();
    await run(['-u', `redis://bob:secret@127.0.0.1:${port}/4`, '-3', '-c', '1', '-n', '1', '-q', '-t', 'get']);
    expect(commands.slice(-4)).toEqual([
      ['AUTH', 'bob', 'secret'],
      ['SELECT', '4'],
      ['HELLO', '3'],
      ['GET', 'key:__rand_int__'],
    ]);
  });

  it('takes the last argument from standard input, and the value size from -d', async () => {
    const { port, commands } = await serve();
    await run(['-p', String(port), '-c', '1', '-n', '1', '-q', '-x', 'SET', 'k'], 'from stdin');
    expect(commands.at(-1)).toEqual(['SET', 'k', 'from stdin']);
    await run(['-p', String(port), '-c', '1', '-n', '1', '-q', '-d', '40', '-t', 'set']);
    expect(commands.at(-1)![2]).toHaveLength(40);
  });

  it('reports distributions and a summary', async () => {
    const { port } = await serve();
    const { stdout } = await run(['-p', String(port), '-c', '3', '-n', '200', '-t', 'mset', '--threads', '2']);
    const number = '[\\d.]+';
    const lines = [
      '====== MSET \\(10 keys\\) ======',
      `  200 requests completed in ${number} seconds`,
      '  3 parallel clients',
      '  3 bytes payload',
      '  keep alive: 1',
      '  host configuration "save": ',
      '  host configuration "appendonly": ',
      '  multi-thread: yes',
      '  threads: 2',
      '',
      'Latency by percentile distribution:',
      `0.000% <= ${number} milliseconds \\(cumulative count \\d+\\)`,
      `(?:${number}% <= ${number} milliseconds \\(cumulative count \\d+\\)\\n)*100.000% <= ${number} milliseconds \\(cumulative count 200\\)`,
      '',
      'Cumulative distribution of latencies:',
      `(?:${number}% <= ${number} milliseconds \\(cumulative count \\d+\\)\\n)*100.000% <= ${number} milliseconds \\(cumulative count 200\\)`,
      '',
      'Summary:',
      `  throughput summary: ${number} requests per second`,
      '  latency summary \\(msec\\):',
      '          avg       min       p50       p95       p99       max',
      `(?: +${number}){6}`,
    ];
    // A slow run shows its progress first.
    const report = stdout.slice(stdout.lastIndexOf('\r') + 1);
    expect(report).toMatch(new RegExp(`^${lines.join('\\n')}\\n\\n\\n$`));
  });

  it.skipIf(!existsSync(PROGRAM))('shares the load among threads', async () => {
    const { port, commands, connections } = await serve();
    const load = ['-p', String(port), '-n', '500', '-q', '-P', '3', '-t', 'set'];
    const { stdout, stderr, status } = await run([...load, '-c', '5', '--threads', '2']);
    expect(stdout).toMatch(/SET: [\d.]+ requests per second, p50=[\d.]+ msec\n\n$/);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    // The pipelines in flight at the end may reach above the number.
    expect(count(commands, 'SET')).toBeGreaterThanOrEqual(500);
    expect(count(commands, 'SET')).toBeLessThan(500 + 5 * 3);
    expect(connections()).toBe(1 + 5);
  });

  it.skipIf(!existsSync(PROGRAM))('ends with the error that a thread got', async () => {
    const { port } = await serve('-ERR not today\r\n');
    const { stderr, status } = await run(['-p', String(port), '-n', '10', '-q', '--threads', '2', 'foo']);
    expect({ stderr: stderr.split('\n').at(-2), status }).toEqual({
      stderr: 'Error from server: ERR not today',
      status: 1,
    });
  });

  it('warns of -e, and of more threads than it starts', async () => {
    const { port } = await serve();
    const { stderr } = await run([
      '-e',
      '--threads',
      '501',
      '-p',
      String(port),
      '-n',
      '0',
      '-c',
      '1',
      '-q',
      '-t',
      'get',
    ]);
    expect(stderr).toBe(
      'WARNING: -e option has no effect. We now immediately exit on error to avoid false results.\n' +
        'WARNING: Too many threads, limiting threads to 500.\n',
    );
  });

  it('measures with as many significant digits as asked for', async () => {
    const { port } = await serve();
    const { stdout } = await run(['-p', String(port), '-n', '100', '--csv', '--precision', '1', '-t', 'get']);
    const longest = Number(stdout.trimEnd().split(',').at(-1)!.replaceAll('"', '')) * 1000 + 1;
    // With one digit, buckets are no finer than a sixteenth of their value.
    expect(Math.round(longest) % 2 ** Math.max(3, Math.floor(Math.log2(longest - 1)) - 4)).toBe(0);
  });

  it('prints CSV', async () => {
    const { port } = await serve();
    const { stdout } = await run(['-p', String(port), '-c', '1', '-n', '5', '--csv', '-t', 'get,lpop']);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toBe(
      '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"',
    );
    expect(rows.map((row) => row.replace(/"[\d.]+"/g, 'N'))).toEqual(['"GET",N,N,N,N,N,N,N', '"LPOP",N,N,N,N,N,N,N']);
  });

  it('ends at the first error, saying what it was', async () => {
    const { port } = await serve('-ERR no such thing\r\n');
    expect(await run(['-p', String(port), '-n', '5', '-q', 'nosuch'])).toMatchObject({
      status: 1,
      stderr: 'Error from server: ERR no such thing\n',
    });
    const { port: closed } = await serve();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    expect(await run(['-p', String(closed), '-q'])).toMatchObject({
      status: 1,
      stderr: `Could not connect to Redis at 127.0.0.1:${closed}: Connection refused\n`,
    });
  });

  it.each([
    [['--nosuch'], 'Invalid option "--nosuch" or option argument missing\n\n'],
    [['-n'], 'Invalid option "-n" or option argument missing\n\n'],
    [['-p', '70000'], 'Invalid server port.\n\n'],
    [['-u', 'http://x'], 'Invalid URI scheme\n\n'],
  ])('refuses %j', async (args, stderr) => {
    expect(await run(args)).toEqual({ status: 1, stdout: '', stderr });
  });
});
