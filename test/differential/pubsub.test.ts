// What subscribers receive, beside a real redis-server: every byte, in order with their own replies.

import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Argument, encode } from './support/raw-connection.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();
/** Above what goes out as text, and a few times as much. */
const LONG = 'x'.repeat(20_000);
const BINARY = Buffer.from([0, 255, 13, 10, 128, 36]);

describe.skipIf(missing !== null)(`what subscribers receive${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair();
  });
  afterAll(() => pair.stop());

  it('is the same, to channels, patterns and shard channels, in RESP2 and RESP3', async () => {
    const subscribe: Argument[][] = [
      ['subscribe', 'news', 'other'],
      ['psubscribe', 'n*', '*z'],
      ['ssubscribe', 'news'],
    ];
    const publish: Argument[][] = [
      ['publish', 'news', 'first'],
      ['spublish', 'news', 'shard'],
      ['publish', 'news', ''],
      ['publish', BINARY, 'nobody'],
      ['publish', 'other', BINARY],
      ['publish', 'news', LONG],
      ['publish', 'news', 'after the long one'],
      ['publish', 'nobody', 'n*'],
    ];
    await same(async (client) => {
      await client.call(...subscribe);
      await client.speakResp3('second');
      await client.other(...subscribe);
      await client.third(...publish, ...publish);
    });
  });

  it('stands between their own replies where it came', async () => {
    await same(async (client) => {
      await client.speakResp3('first');
      await client.call(
        ['subscribe', 'news'],
        ['set', 'k', '1'],
        ['publish', 'news', 'to myself'],
        ['get', 'k'],
        ['multi'],
        ['publish', 'news', 'within'],
        ['incr', 'k'],
        ['exec'],
        ['publish', 'news', LONG],
        ['get', 'k'],
      );
      await client.other(['publish', 'news', 'from another'], ['publish', 'news', LONG], ['publish', 'news', 'last']);
      const off = ['client', 'reply', 'off'];
      await client.call(['get', 'k'], off, ['publish', 'news', 'unasked'], ['get', 'k'], ['client', 'reply', 'on']);
    });
  });

  /** Runs the script against both servers, and compares what each connection received. */
  async function same(script: (client: Script) => Promise<void>): Promise<void> {
    const received = await Promise.all(
      pair.ports.map(async (port) => {
        const client = new Script(port);
        try {
          await script(client);
          return await client.received();
        } finally {
          client.close();
        }
      }),
    );
    expect(received[0]).toEqual(received[1]);
  }
});

/** Three connections to a server. */
class Script {
  private readonly first: Listener;
  private readonly second: Listener;
  private readonly last: Listener;

  constructor(port: number) {
    this.first = new Listener(port);
    this.second = new Listener(port);
    this.last = new Listener(port);
  }

  /** HELLO's answer, which tells the version, is not kept. */
  async speakResp3(which: 'first' | 'second'): Promise<void> {
    await this[which].call([['hello', '3']]);
    this[which].text = '';
  }

  call(...commands: Argument[][]): Promise<void> {
    return this.first.call(commands);
  }

  other(...commands: Argument[][]): Promise<void> {
    return this.second.call(commands);
  }

  third(...commands: Argument[][]): Promise<void> {
    return this.last.call(commands);
  }

  /** What each connection got, once nothing is on its way. */
  async received(): Promise<string[]> {
    const all = [this.first, this.second, this.last];
    for (const listener of all) await listener.call([]);
    return all.map((listener) => listener.text);
  }

  close(): void {
    for (const listener of [this.first, this.second, this.last]) listener.close();
  }
}

/** A connection that keeps all that it gets. */
class Listener {
  text = '';
  private readonly socket: Socket;
  private calls = 0;
  private waiting: { mark: string; resolve: () => void } | null = null;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.look();
    });
  }

  /** Sends the commands, then a PING, and waits for its answer. */
  call(commands: Argument[][]): Promise<void> {
    const mark = `<end of call ${++this.calls}>`;
    this.socket.write(Buffer.concat([...commands, ['ping', mark]].map(encode)));
    return new Promise((resolve) => {
      this.waiting = { mark, resolve };
      this.look();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private look(): void {
    if (this.waiting === null || !this.text.includes(this.waiting.mark)) return;
    this.waiting.resolve();
    this.waiting = null;
  }
}
