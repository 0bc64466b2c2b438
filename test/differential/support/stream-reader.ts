// A replica that only listens: says SYNC, skips the dump and keeps what follows, command by command.

import { connect, type Socket } from 'node:net';
import { type Reply, ReplyParser } from '../../../server/formats/resp/reply.ts';

export class StreamReader {
  /** Bytes of the dump. */
  dump: Buffer = Buffer.alloc(0);
  /** Commands, their words as latin1 text, the name in lower case. */
  readonly commands: string[][] = [];
  private readonly socket: Socket;
  private readonly parser = new ReplyParser();
  private head: Buffer = Buffer.alloc(0);
  private dumpBytes = -1;
  private wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', () => undefined);
  }

  /** Resolves when the dump is here: what is written from then on is in `commands`. */
  static async open(port: number): Promise<StreamReader> {
    const socket = connect(port, '127.0.0.1');
    const reader = new StreamReader(socket);
    socket.write('SYNC\r\n');
    await reader.until(() => reader.dumpBytes >= 0 && reader.head.length === 0);
    return reader;
  }

  /** Waits until a command with these words has come. */
  async upTo(...words: string[]): Promise<string[][]> {
    const text = words.join(' ');
    await this.until(() => this.commands.some((command) => command.join(' ') === text));
    return this.commands;
  }

  close(): void {
    this.socket.destroy();
  }

  private async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  private take(chunk: Buffer): void {
    if (this.dumpBytes >= 0 && this.head.length === 0) this.parse(chunk);
    else this.takeDump(Buffer.concat([this.head, chunk]));
    this.wake();
  }

  private takeDump(bytes: Buffer): void {
    let start = 0;
    while (bytes[start] === 10) start++;
    const end = bytes.indexOf('\r\n', start);
    this.head = bytes;
    if (end < 0) return;
    const size = Number(bytes.toString('latin1', start + 1, end));
    if (bytes.length < end + 2 + size) return;
    this.dumpBytes = size;
    this.dump = Buffer.from(bytes.subarray(end + 2, end + 2 + size));
    this.head = Buffer.alloc(0);
    if (bytes.length > end + 2 + size) this.parse(bytes.subarray(end + 2 + size));
  }

  private parse(chunk: Buffer): void {
    this.parser.feed(chunk);
    for (let reply = this.parser.next(); reply !== undefined; reply = this.parser.next()) {
      const words = wordsOf(reply);
      words[0] = words[0]!.toLowerCase();
      if (words[0] !== 'ping') this.commands.push(words);
    }
  }
}

function wordsOf(reply: Reply): string[] {
  if (reply.kind !== 'array') throw new Error(`a command is no ${reply.kind}`);
  return reply.items.map((item) => {
    if (item.kind !== 'bulk') throw new Error(`an argument is no ${item.kind}`);
    return Buffer.from(item.bytes).toString('latin1');
  });
}
