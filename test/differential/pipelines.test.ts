// Pipelines in which one request changes what the next ones meet: the bytes that come back, beside a real redis-server.

import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Argument, encode } from './support/raw-connection.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();

/** Requests from words; several to a text, one a line. */
function requests(text: string): Buffer {
  const lines = text.trim().split('\n');
  return Buffer.concat(lines.map((line) => encode(line.trim().split(' '))));
}

/** A connection and all that it has received. */
class Peer {
  text = '';
  private readonly socket: Socket;
  private closed = false;
  private changed: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.changed();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
      this.changed();
    });
  }

  /** Writes and resolves once the piece has left, so that the server sees it by itself. */
  write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** Resolves when the text ends with `mark` or the server has closed the connection. */
  async until(mark: string): Promise<void> {
    while (!this.text.endsWith(mark) && !this.closed) {
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
    }
  }

  end(): void {
    this.socket.destroy();
  }
}

const FINISH = encode(['ping', 'END']);
const FINISHED = '$3\r\nEND\r\n';

describe.skipIf(missing !== null)(`pipelines${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair.stop());

  /** What one server answers to a pipeline sent at once. */
  async function answer(port: number, pipeline: Buffer): Promise<string> {
    const peer = new Peer(port);
    await peer.write(Buffer.concat([pipeline, FINISH]));
    await peer.until(FINISHED);
    peer.end();
    // What HELLO says of the version and of the connection's number is each server's own.
    return peer.text.replace(/(version|id)\r\n(\$\d\r\n[\d.]+|:\d+)\r\n/g, '$1\r\n');
  }

  async function same(pipeline: Buffer): Promise<string> {
    const [ours, real] = await Promise.all([answer(pair.ourPort, pipeline), answer(pair.realPort, pipeline)]);
    expect(ours).toBe(real);
    return ours;
  }

  it.each([
    [
      'transactions',
      'set a 1\nmulti\nincr a\nget a\nexec\nmulti\nnonsense\nset a 9\nexec\nget a\nwatch a\nincr a\nmulti\nget a\nexec\nget a',
    ],
    ['a lock that holds and a discard', 'watch a\nget a\nmulti\nset a 5\nexec\nmulti\nset a 6\ndiscard\nget a\nexec'],
    [
      'another database',
      'set a zero\nselect 1\nset a one\nget a\nselect 0\nget a\nswapdb 0 1\nget a\nswapdb 0 1\nflushdb\nget a',
    ],
    ['another protocol', 'del h\nhset h f v\nhgetall h\nhello 3 setname x\nhgetall h\nget none\nclient getname'],
    [
      'subscriptions',
      'subscribe c d\nget a\nping\nunsubscribe c d\nget a\npsubscribe p*\nset a 1\nunsubscribe\npunsubscribe\nset a 1',
    ],
    [
      'replies switched off and on',
      'set a 1\nclient reply skip\nget a\nget a\nclient reply off\nset a 2\nget a\nclient reply on\nget a',
    ],
    [
      'memory switched off and on',
      'set a 1\nconfig set maxmemory 1\nset a 2\nget a\nmulti\nset a 3\nexec\nconfig set maxmemory 0\nset a 4\nget a',
    ],
    ['the end of it', 'set a 1\nget a\nquit\nset a 2'],
    ['a name that is no command between two', 'set a 1\nset\nget a b\nsubscribe\nconfig get\nnonsense a b\nget a'],
    ['errors of type', 'del l\nrpush l 1\nget l\nincr l\nlpush l 2\nset l 3\nlpush l 4\nget l'],
    ['a key that expires at once', 'set a 1 px 1\ndebug sleep 0.01\nget a\nexists a\nset a 1\nexpire a -1\nget a'],
    [
      'timing',
      'config set slowlog-log-slower-than 0\nslowlog reset\nset a 1\nget a\nslowlog len\nconfig set slowlog-log-slower-than 10000',
    ],
    ['statistics', 'config resetstat\nset a 1\nget a\nget a\nget none\nget a\nobject freq a'],
  ])('with %s', async (_what, lines) => {
    await same(requests(lines));
  });

  it('counts calls within a pipeline and after it', async () => {
    const count = async (port: number): Promise<string[]> => {
      const text = await answer(
        port,
        requests('config resetstat\nset a 1\nget a\nget a\nset a 2\ninfo commandstats\nget a'),
      );
      const after = await answer(port, requests('info commandstats'));
      return [text, after].flatMap((info) => info.match(/cmdstat_(get|set):calls=\d+/g) ?? []).sort();
    };
    const ours = await count(pair.ourPort);
    expect(ours).toEqual(await count(pair.realPort));
    expect(ours).toContain('cmdstat_get:calls=3');
  });

  it('with a password', async () => {
    const many = `del ${'k '.repeat(40)}`;
    await same(requests('config set requirepass secret'));
    const text = await same(
      requests(
        `get a\nauth wrong\nauth secret\n${many}\nset a 1\nget a\nconfig set requirepass\nget a`.replace(
          'requirepass\n',
          'requirepass nothing\n',
        ),
      ),
    );
    expect(text).toContain('NOAUTH');
    await same(Buffer.concat([requests('auth nothing'), encode(['config', 'set', 'requirepass', ''])]));
  });

  it('with a request that is no protocol: those before it are answered, nothing after it runs', async () => {
    const before = requests('set a before\nget a');
    const text = await same(Buffer.concat([before, Buffer.from('*2\r\n!3\r\n'), requests('set a after')]));
    expect(text).toContain('-ERR Protocol error');
    expect(await same(requests('get a'))).toContain('before');
  });

  it('of inline and other requests, empty ones among them', async () => {
    await same(Buffer.from('set a 1\r\n*0\r\n\r\n*2\r\n$3\r\nget\r\n$1\r\na\r\nget "a"\r\n*-1\r\nGET a\n'));
  });

  it('of thousands of keys while the table grows, shrinks and is emptied', async () => {
    const commands: Argument[][] = [];
    for (let i = 0; i < 5000; i++) commands.push(['set', `key:${i}`, String(i)], ['get', `key:${(i * 7) % 5000}`]);
    for (let i = 0; i < 5000; i++) commands.push(['del', `key:${i}`], ['get', `key:${(i + 1) % 5000}`]);
    commands.push(['dbsize'], ['flushall'], ['get', 'key:1'], ['set', 'key:1', 'x'], ['get', 'key:1']);
    await same(Buffer.concat(commands.map(encode)));
  });

  it('that wait in the middle', async () => {
    const waiting = async (port: number): Promise<string> => {
      const [first, second] = [new Peer(port), new Peer(port)];
      await first.write(requests('del l\nrpush l a\nblpop l 0\nblpop l 0\nget a\nping END'));
      await first.until('$1\r\na\r\n');
      await second.write(requests('rpush l b'));
      await first.until(FINISHED);
      first.end();
      second.end();
      return first.text;
    };
    const ours = await waiting(pair.ourPort);
    expect(ours).toBe(await waiting(pair.realPort));
    expect(ours).toContain('b');
  });

  it('in pieces that two connections send in turn, of many arguments', async () => {
    const pieces = async (port: number): Promise<string[]> => {
      const peers = [new Peer(port), new Peer(port)];
      const bytes = peers.map((_, p) => {
        const push = ['rpush', `list${p}`, ...Array.from({ length: 300 }, (_, i) => `${p}:${i}`)];
        return Buffer.concat([requests(`del list${p}`), encode(push), requests(`lrange list${p} 0 -1\nping END`)]);
      });
      for (let at = 0; at < Math.max(bytes[0].length, bytes[1].length); at += 97) {
        for (const p of [0, 1]) await peers[p].write(bytes[p].subarray(at, at + 97));
      }
      await Promise.all(peers.map((peer) => peer.until(FINISHED)));
      for (const peer of peers) peer.end();
      return peers.map((peer) => peer.text);
    };
    const ours = await pieces(pair.ourPort);
    expect(ours).toEqual(await pieces(pair.realPort));
    expect(ours[1]).toContain('1:299');
  });
});
