// The real redis-server as the tests' oracle: started on a Unix socket in a directory of its own, gone afterwards.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandArgument } from '../../server/formats/resp/encode-command.ts';
import type { Reply } from '../../server/formats/resp/reply.ts';
import { Client } from '../../server/net/client.ts';

/** The version that replies are compared with. */
const ORACLE_VERSION = '7.0.15';

/** Replies as plain values: text as latin1 strings, errors as `Error`, sets and pushes as arrays, maps as objects. */
export type PlainReply =
  | string
  | number
  | bigint
  | boolean
  | null
  | Error
  | PlainReply[]
  | { [key: string]: PlainReply };

export interface RealRedis {
  readonly client: Client;
  readonly socketPath: string;
  call(...args: readonly CommandArgument[]): Promise<PlainReply>;
  stop(): Promise<void>;
}

/** Why the oracle cannot be used, or undefined when it can. */
export function realRedisMissing(program = 'redis-server'): string | undefined {
  try {
    const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
    return text.includes(ORACLE_VERSION) ? undefined : `${program} is not ${ORACLE_VERSION}: ${text.trim()}`;
  } catch {
    return `${program} is not installed`;
  }
}

/** Starts a server with further directives as arguments (`--maxmemory`, `1mb`). */
export async function startRealRedis(...directives: string[]): Promise<RealRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'real-redis-'));
  const socketPath = join(directory, 'redis.sock');
  const settings = ['--port', '0', '--unixsocket', socketPath, '--save', '', '--dir', directory];
  const server = spawn('redis-server', [...settings, ...directives], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await accepting(server);
    const client = await Client.connect({ host: '', port: 0, path: socketPath });
    return {
      client,
      socketPath,
      call: async (...args) => plainReply(await client.call(...args)),
      stop: () => stop(server, directory, client),
    };
  } catch (error) {
    await stop(server, directory);
    throw error;
  }
}

export function plainReply(reply: Reply): PlainReply {
  switch (reply.kind) {
    case 'status':
    case 'bulk':
    case 'verbatim':
      return reply.bytes.toString('latin1');
    case 'error':
      return new Error(reply.bytes.toString('latin1'));
    case 'nil':
      return null;
    case 'bignum':
      return BigInt(reply.text);
    case 'map':
      return plainMap(reply.items);
    case 'array':
    case 'set':
    case 'push':
      return reply.items.map(plainReply);
    default:
      return reply.value;
  }
}

function plainMap(items: readonly Reply[]): { [key: string]: PlainReply } {
  const map: { [key: string]: PlainReply } = {};
  for (let i = 0; i < items.length; i += 2) map[String(plainReply(items[i]!))] = plainReply(items[i + 1]!);
  return map;
}

/** Resolves when the server's log says so. */
function accepting(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stdout!.on('data', (chunk) => {
      log += chunk;
      if (/The server is now ready to accept connections/.test(log)) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`redis-server ended before it was ready:\n${log}`)));
  });
}

async function stop(server: ChildProcess, directory: string, client?: Client): Promise<void> {
  client?.close();
  if (server.exitCode === null && server.signalCode === null && server.pid !== undefined) {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  }
  await rm(directory, { recursive: true, force: true });
}
