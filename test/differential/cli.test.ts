// tsredis-cli beside the real redis-cli, both talking to a real redis-server: output, errors and exit status to the byte.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliInput, type CliRun, runOurCli } from '../support/cli-host.ts';
import { freePort } from '../support/free-port.ts';
import { type RealRedis, realRedisMissing, startRealRedis } from '../support/real-redis.ts';

const missing = realRedisMissing() ?? cliMissing();

function cliMissing(): string | undefined {
  try {
    const version = execFileSync('redis-cli', ['--version'], { encoding: 'utf8' });
    return version.startsWith('redis-cli 7.0.15') ? undefined : `redis-cli is not 7.0.15: ${version.trim()}`;
  } catch {
    return 'redis-cli is not installed';
  }
}

const MODES = ['--raw', '--no-raw', '--csv', '--json', '--quoted-json'];

/** Splits like a shell, single quotes only. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!);
}

describe.skipIf(missing !== undefined)(missing ?? 'tsredis-cli, beside redis-cli', () => {
  let redis: RealRedis;
  let directory: string;
  let script: string;

  beforeAll(async () => {
    redis = await startRealRedis('--enable-debug-command', 'yes');
    directory = await mkdtemp(join(tmpdir(), 'cli-test-'));
    script = join(directory, 'script.lua');
    await writeFile(script, 'return {KEYS[1], ARGV[1], ARGV[2], #KEYS}');
    await redis.call('mset', 'a', '1', 'b', '2', 'bin', Buffer.from('\0\xff"\\\n\x07é', 'latin1'), 'empty', '');
    await redis.call('rpush', 'l', 'x', 'y z', 'q\n');
    await redis.call('rpush', 'long', ...Array.from({ length: 12 }, (_, i) => i));
    await redis.call('hset', 'h', 'f1', 'v1', 'f2', 'v2');
    await redis.call('sadd', 's', 'm1');
    await redis.call('zadd', 'z', 1.5, 'a', 2, 'b');
    await redis.call('xadd', 'st', '1-1', 'field', 'value');
  });
  afterAll(async () => {
    await redis.stop();
    await rm(directory, { recursive: true });
  });

  async function runReal(args: readonly string[], input: CliInput): Promise<CliRun> {
    const env = { PATH: process.env['PATH'], ...(input.terminal ? { FAKETTY: '1' } : {}), ...input.env };
    return await new Promise((resolve) => {
      const child = execFile('redis-cli', args, { env, encoding: 'latin1' }, (error, stdout, stderr) => {
        const { code } = (error ?? { code: 0 }) as { code: number };
        resolve({ status: code, stdout, stderr: Buffer.from(stderr, 'latin1').toString('utf8') });
      });
      child.stdin!.on('error', () => {});
      child.stdin!.end(Buffer.from(input.stdin ?? '', 'latin1'));
    });
  }

  /** Runs both with the same arguments; ids of connections and versions differ by nature. */
  async function same(args: readonly string[], input: CliInput = {}): Promise<void> {
    const place = args.some((arg) => arg === '-p' || arg === '-s' || arg === '-u') ? [] : ['-s', redis.socketPath];
    const real = await runReal([...place, ...args], input);
    const ours = await runOurCli([...place, ...args], input);
    const settled = ({ status, stdout, stderr }: CliRun) => ({
      status,
      stdout: stdout
        .replace(/id(\W+(?:integer\) )?)\d+/g, 'id$1N')
        .replace(/redis-cli \d+\.\d+\.\d+/g, 'redis-cli N')
        // How long a reply took is shown where it was half a second or more, which a busy machine decides.
        .replace(/^\(\d+\.\d\ds\)\n/gm, ''),
      stderr,
    });
    expect(settled(ours), args.join(' ')).toEqual(settled(real));
  }

  for (const mode of MODES) {
    for (const protocol of [[], ['-2'], ['-3']]) {
      it(`prints every kind of reply (${[mode, ...protocol].join(' ')})`, async () => {
        const kinds = 'string integer double null array set map push verbatim true false'.split(' ');
        for (const kind of kinds) await same([...protocol, mode, 'debug', 'protocol', kind]);
        for (const line of COMMANDS) await same([...protocol, mode, ...words(line)]);
        for (const lua of SCRIPTS) await same([...protocol, mode, 'eval', `redis.setresp(3); return ${lua}`, '0']);
      });
    }
  }

  it.each(INVOCATIONS)('is called alike: %s', async (line) => {
    await same(words(line), { stdin: 'hello' });
  });

  it('runs scripts from files alike', async () => {
    await same(['--eval', script, 'k1', ',', 'a', 'b']);
    await same(['--no-raw', '--eval', script, 'k1', 'k2']);
    await same(['--eval', join(directory, 'missing.lua')]);
  });

  it('reports unreachable servers alike', async () => {
    const port = String(await freePort());
    await same(['-p', port, 'ping']);
    await same(['-h', 'no-such-host.invalid', '-p', port, 'ping']);
    await same(['-s', join(directory, 'missing.sock'), 'ping']);
    await same(['-p', port], { stdin: 'ping\nping\n', terminal: true });
  });

  it('takes the password from where redis-cli does', async () => {
    await same(['-a', 'wrong', 'ping']);
    await same(['-a', 'wrong', '--no-auth-warning', 'ping']);
    await same(['--user', 'nobody', '--pass', 'wrong', '-n', '2', 'dbsize']);
    await same(['-n', '2', 'dbsize'], { env: { REDISCLI_AUTH: 'wrong' } });
  });

  it('pipes raw protocol and inline commands alike', async () => {
    await same(['--pipe'], { stdin: '*3\r\n$3\r\nSET\r\n$1\r\np\r\n$2\r\n\r\n\r\nGET p\r\nNOSUCH\r\nINCR n' });
    await same(['--pipe'], { stdin: '' });
  });

  for (const terminal of [true, false]) {
    it(`runs a session at the prompt alike (${terminal ? 'as at a terminal' : 'into a pipe'})`, async () => {
      for (const options of [[], ['-3'], ['--csv'], ['-n', '7']]) {
        await same(options, { stdin: `${SESSION.join('\n')}\n`, terminal });
        await same(options, { stdin: 'get a', terminal });
      }
    });
  }

  it('samples keys alike', async () => {
    await same(['--scan']);
    await same(['--scan', '--pattern', '[ab]'], { terminal: true });
    await same(['--bigkeys']);
    await same(['--memkeys']);
    await same(['--memkeys-samples', '3']);
    await same(['--hotkeys']);
  });
});

const COMMANDS = [
  'get a',
  'get bin',
  'get empty',
  'get nothing',
  'lrange l 0 -1',
  'lrange long 0 -1',
  'lrange nothing 0 -1',
  'hgetall h',
  'smembers s',
  'zrange z 0 -1 withscores',
  'xrange st - +',
  'command info get set',
  'nosuch x y',
  'ping',
  'client list id 999',
  'memory doctor',
  'lolwut version 1',
  'hello 3',
];

/** Tables with one entry at each level: Lua's order of several is random. */
const SCRIPTS = [
  '{map={a={1}}}',
  '{map={a={1,2,{3,4}}}}',
  '{map={a={map={b={map={c={}}}}}}}',
  '{map={[3]={set={q=true}}}}',
  '{map={[{1,2}]={double=3.5}}}',
  '{{set={}}, {map={}}, {err="ERR inside"}, {ok="Y"}, 1, "x", {double=1e100}}',
  '{map={[true]=false}}',
];

const INVOCATIONS = [
  '-e nosuch',
  '-e ping',
  '--nosuch',
  '-p',
  '-r 3 ping',
  '-r 0 ping',
  '-r 2 -i 0.01 ping',
  '-r 2 -D , ping',
  '--raw -d , lrange l 0 -1',
  '-n 99 ping',
  '-n 99 get a',
  '-n 3 dbsize',
  '-n x ping',
  '-2 -3 ping',
  '-c -s /x ping',
  '--show-pushes yes ping',
  '--show-pushes',
  '-v',
  '--version',
  '-x -X tag',
  '-X',
  '-x echo',
  '-X t echo t',
  '-X t echo other',
  `--quoted-input echo '"\\x41\\n"'`,
  `--quoted-input echo '"unterminated'`,
  `--quoted-input echo '"a" "b"'`,
  `--quoted-input echo ''`,
  `echo '"\\x41"'`,
  `--scan --quoted-pattern '"x'`,
  '-u http://127.0.0.1 ping',
  'select 99',
  'shutdown nosave x',
  'auth a b',
  'auth a b c',
  'multi',
  'exec',
  '-c get a',
  'reset',
  'unsubscribe',
  '-i',
  '--verbose ping',
  '--no-raw info commandstats1',
];

const SESSION = [
  'set prompt 1',
  'get prompt',
  'select 3',
  'get prompt',
  'multi',
  'set q 1',
  'select 4',
  'exec',
  'get q',
  'multi',
  'select 5',
  'discard',
  'get x',
  'help nosuch',
  '5 ping',
  '-1 ping',
  '0 ping',
  '+2 ping',
  '99999999999999999999 ping',
  ':set hints',
  ':nope',
  ':set foo',
  ':',
  'get "a',
  "get 'a'",
  '',
  '   ',
  'info nosuch',
  'hello 3',
  'hgetall h',
  'reset',
  'auth a b',
  'help',
  '?',
  'set "a b" "\\x41\\n"',
  'get "a b"',
  'exec',
  'unknown "',
  'ping',
  'quit',
  'ping',
];
