// The session every newcomer follows, step by step with the replies shown, on our programs: the configuration of eight
// lines, the daemon, the prompt, every kind of value, client libraries, and data that is there again after a restart.

import { type ExecFileSyncOptions, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../server/net/client.ts';
import { freePort } from './support/free-port.ts';

const bin = (name: string) => resolve(`dist/bin/${name}.js`);
const server = bin('tsredis-server');
const ours = [process.execPath, bin('tsredis-cli')];
const clis: [string, string[]][] = [['ours', ours]];
if (spawnSync('redis-cli', ['--version']).status === 0) clis.push(['redis-cli of Debian', ['redis-cli']]);
else console.warn('tutorial: redis-cli is not installed, its part of the session is skipped');
const hasRedisTools = spawnSync('redis-benchmark', ['--version']).status === 0;
const python = '/usr/bin/python3';
const hasRedisPy = existsSync(python) && spawnSync(python, ['-c', 'import redis']).status === 0;

let directory: string;
let port: number;
let conf: string;
const log = () => readFileSync(join(directory, 'log'), 'utf8');

/** Runs a program to its end and returns its standard output. */
function run(command: readonly string[], options: ExecFileSyncOptions = {}): string {
  const [file, ...args] = command as [string, ...string[]];
  return execFileSync(file, args, { encoding: 'utf8', cwd: directory, ...options }) as string;
}

function cli(program: readonly string[], ...args: string[]): string {
  return run([...program, '-p', String(port), ...args]).replace(/\n$/, '');
}

/** Starts the daemon and waits until it answers. */
async function startDaemon(...options: string[]): Promise<void> {
  run([
    process.execPath,
    server,
    conf,
    '--logfile',
    join(directory, 'log'),
    '--pidfile',
    join(directory, 'pid'),
    ...options,
  ]);
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      const client = await Client.connect({ host: '127.0.0.1', port }, { connectTimeoutMs: 1000 });
      await client.call('PING');
      client.close();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((retry) => setImmediate(retry));
  }
}

const pid = () => Number(readFileSync(join(directory, 'pid'), 'utf8'));

/** Waits until the process is gone. */
async function gone(process_: number): Promise<void> {
  for (;;) {
    try {
      process.kill(process_, 0);
    } catch {
      return;
    }
    await new Promise((retry) => setImmediate(retry));
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tutorial-'));
  port = await freePort();
  conf = join(directory, 'redis.conf');
  writeFileSync(
    conf,
    `port              ${port}
daemonize         yes
save              60 1
bind              127.0.0.1
tcp-keepalive     300
dbfilename        dump.rdb
dir               ./
rdbcompression    yes
`,
  );
});

afterAll(async () => {
  if (existsSync(join(directory, 'pid'))) {
    const process_ = pid();
    process.kill(process_, 'SIGTERM');
    await gone(process_);
  }
  await rm(directory, { recursive: true, force: true });
});

describe('the newcomer session', () => {
  it('1. names its versions', () => {
    expect(run([...ours, '--version'])).toMatch(/^redis-cli \d+\.\d+\.\d+\n$/);
    expect(run([process.execPath, server, '--version'])).toMatch(/^Redis server v=7\.2\.4 /);
  });

  it('3. starts in the background and says so in the log', async () => {
    await startDaemon();
    expect(log()).toContain('oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo');
    expect(log()).toMatch(/Redis version=7\.2\.4, bits=64, .*pid=\d+, just started/);
    expect(log()).toContain('Configuration loaded');
    expect(statSync(join(directory, 'log')).size).toBeGreaterThan(0);
  });

  it('5. is found by pgrep under both names', () => {
    for (const name of ['redis-server', 'tsredis-server']) {
      expect(run(['pgrep', name]).split('\n')).toContain(String(pid()));
    }
  });

  describe.each(clis)('with %s', (_name, program) => {
    it('4. answers PING in any case', () => {
      expect(cli(program, 'PING')).toBe('PONG');
      expect(cli(program, 'ping')).toBe('PONG');
    });

    it('7. sets, gets and counts', () => {
      const call = (...args: string[]) => cli(program, '--no-raw', ...args);
      expect(call('SET', 'Bahamas', 'Nassau')).toBe('OK');
      expect(call('SET', 'Croatia', 'Zagreb')).toBe('OK');
      expect(call('GET', 'Croatia')).toBe('"Zagreb"');
      expect(call('DEL', 'Japan')).toBe('(integer) 0');
      expect(call('GET', 'Japan')).toBe('(nil)');
      expect(call('MSET', 'Lebanon', 'Beirut', 'Norway', 'Oslo', 'France', 'Paris')).toBe('OK');
      expect(call('MGET', 'Lebanon', 'Norway', 'Bahamas')).toBe('1) "Beirut"\n2) "Oslo"\n3) "Nassau"');
      expect(call('EXISTS', 'Norway')).toBe('(integer) 1');
      expect(call('EXISTS', 'Sweden')).toBe('(integer) 0');
    });

    it('7. holds every kind of value', () => {
      const call = (...args: string[]) => cli(program, '--no-raw', ...args);
      call('DEL', 'hash', 'list', 'set', 'places', 'log');
      expect(call('HSET', 'hash', 'title', 'Redis', 'pages', '12')).toBe('(integer) 2');
      expect(call('HGETALL', 'hash')).toBe('1) "title"\n2) "Redis"\n3) "pages"\n4) "12"');
      expect(call('RPUSH', 'list', 'a', 'b', 'c')).toBe('(integer) 3');
      expect(call('LRANGE', 'list', '0', '-1')).toBe('1) "a"\n2) "b"\n3) "c"');
      expect(call('SADD', 'set', '1', '2', '2')).toBe('(integer) 2');
      expect(call('SMEMBERS', 'set')).toBe('1) "1"\n2) "2"');
      expect(call('GEOADD', 'places', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania')).toBe(
        '(integer) 2',
      );
      expect(call('GEODIST', 'places', 'Palermo', 'Catania', 'km')).toBe('"166.2742"');
      expect(call('XADD', 'log', '1-1', 'event', 'start')).toBe('"1-1"');
      expect(call('XLEN', 'log')).toBe('(integer) 1');
    });
  });

  it('8. serves ioredis', async () => {
    const redis = new Redis(port, '127.0.0.1');
    try {
      await redis.set('bytes', Buffer.from([0, 255, 13, 10]));
      expect(await redis.getBuffer('bytes')).toEqual(Buffer.from([0, 255, 13, 10]));
      expect(await redis.mget('Lebanon', 'nobody')).toEqual(['Beirut', null]);
      expect(await redis.hgetall('hash')).toEqual({ title: 'Redis', pages: '12' });
      expect(await redis.pipeline().set('a', 1).incr('a').get('a').exec()).toEqual([
        [null, 'OK'],
        [null, 2],
        [null, '2'],
      ]);
      await redis.set('short', 'lived', 'PX', 1);
      await expect.poll(() => redis.exists('short')).toBe(0);
      await redis.watch('a');
      await redis.set('a', 'changed');
      expect(await redis.multi().get('a').exec()).toBeNull();
    } finally {
      redis.disconnect();
    }
  });

  it('8. serves node-redis with RESP3, publish and subscribe', async () => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 3 });
    const subscriber = client.duplicate();
    await Promise.all([client.connect(), subscriber.connect()]);
    try {
      expect(await client.hGetAll('hash')).toEqual(Object.assign(Object.create(null), { title: 'Redis', pages: '12' }));
      const heard = new Promise((hear) => {
        void subscriber.subscribe('news', hear).then(() => client.publish('news', 'it works'));
      });
      expect(await heard).toBe('it works');
      expect(await client.multi().incr('n').incr('n').exec()).toEqual([1, 2]);
    } finally {
      client.destroy();
      subscriber.destroy();
    }
  });

  it.skipIf(!hasRedisPy)('8. serves redis-py', () => {
    const script = `
import redis, sys
r = redis.Redis(port=int(sys.argv[1]))
assert r.set('py', b'\\x00\\xff') and r.get('py') == b'\\x00\\xff'
assert r.mset({'x': 1, 'y': 2}) and r.mget('x', 'y', 'z') == [b'1', b'2', None]
r.hset('h', mapping={'a': 1, 'b': 2})
assert r.hgetall('h') == {b'a': b'1', b'b': b'2'}
with r.pipeline() as p:
    assert p.incr('count').incr('count').execute() == [1, 2]
with r.pipeline() as p:
    p.watch('x'); r.set('x', 9); p.multi(); p.get('x')
    try: p.execute(); raise SystemExit('the watch did not break')
    except redis.WatchError: pass
s = r.pubsub(); s.subscribe('c'); assert s.get_message(timeout=5)['type'] == 'subscribe'
r.publish('c', 'hello'); assert s.get_message(timeout=5)['data'] == b'hello'
r.expire('y', 100); assert 0 < r.ttl('y') <= 100
print('fine')
`;
    expect(run([python, '-c', script, String(port)])).toBe('fine\n');
  });

  it('6. tells strangers why they are refused', async () => {
    const client = await Client.connect({ host: '127.0.0.1', port });
    const reply = await client.call('CONFIG', 'GET', 'protected-mode');
    client.close();
    expect(JSON.stringify(reply)).toContain(Buffer.from('yes').toJSON().data.join(','));
  });

  it('9. saves by itself when a save point is reached', async () => {
    const dump = join(directory, 'dump.rdb');
    await rm(dump, { force: true });
    const saved = new Promise<void>((done) => {
      const watcher = watch(directory, (_event, name) => {
        if (name !== 'dump.rdb' || !existsSync(dump)) return;
        watcher.close();
        done();
      });
    });
    // The session's `save 60 1`, with a shorter wait.
    cli(ours, 'CONFIG', 'SET', 'save', '1 1');
    cli(ours, 'SET', 'Japan', 'Tokyo');
    await saved;
    expect(readFileSync(dump).subarray(0, 9).toString()).toBe('REDIS0010');
  });

  it.skipIf(!hasRedisTools)('is measured by redis-benchmark and its dump approved by redis-check-rdb', () => {
    const measured = run(['redis-benchmark', '-p', String(port), '-q', '-n', '2000', '-t', 'set,lpush,spop', '--csv']);
    expect(measured.match(/^"(SET|LPUSH|SPOP)","[\d.]+"/gm)).toHaveLength(3);
    cli(ours, 'SET', 'volatile', 'soon', 'EX', '1000');
    cli(ours, 'SAVE');
    const verdict = run(['redis-check-rdb', join(directory, 'dump.rdb')]);
    expect(verdict).toContain('\\o/ RDB looks OK! \\o/');
    expect(verdict).toMatch(/\[info\] [1-9]\d* expires/);
  });

  it('5. and 9. saves on shutdown and finds the data again', async () => {
    const before = pid();
    cli(ours, 'SHUTDOWN');
    await gone(before);
    expect(existsSync(join(directory, 'pid'))).toBe(false);
    await startDaemon();
    expect(cli(ours, 'GET', 'Japan')).toBe('Tokyo');
    expect(cli(ours, 'LRANGE', 'list', '0', '-1')).toBe('a\nb\nc');
    expect(cli(ours, 'XLEN', 'log')).toBe('1');
  });
});
