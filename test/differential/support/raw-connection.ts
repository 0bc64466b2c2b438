// A connection that keeps replies as the bytes that came, so that two servers can be compared to the byte.

import { connect, type Socket } from 'node:net';

export type Argument = string | Buffer;

const CRLF = '\r\n';

export class RawConnection {
  private readonly socket: Socket;
  private pending: Buffer = Buffer.alloc(0);
  private readonly waiters: { resolve(reply: Buffer): void; reject(error: Error): void }[] = [];
  private failure: Error | null = null;

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  /** Sends one command (text is latin1); resolves with the bytes of its reply. */
  call(args: readonly Argument[]): Promise<Buffer> {
    return this.callAll([args]).then((replies) => replies[0]);
  }

  /** Sends commands in one write; resolves with the bytes of each reply. */
  callAll(commands: readonly (readonly Argument[])[]): Promise<Buffer[]> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const replies = commands.map(
      () => new Promise<Buffer>((resolve, reject) => this.waiters.push({ resolve, reject })),
    );
    this.socket.write(Buffer.concat(commands.map(encode)));
    return Promise.all(replies);
  }

  close(): void {
    this.failure = new Error('closed');
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    let at = 0;
    for (;;) {
      const end = replyEnd(this.pending, at);
      if (end < 0) break;
      this.waiters.shift()?.resolve(Buffer.from(this.pending.subarray(at, end)));
      at = end;
    }
    this.pending = this.pending.subarray(at);
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const waiter of this.waiters.splice(0)) waiter.reject(this.failure);
  }
}

/** The bytes of one request. */
export function encode(args: readonly Argument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}${CRLF}`)];
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg;
    parts.push(Buffer.from(`$${bytes.length}${CRLF}`), bytes, Buffer.from(CRLF));
  }
  return Buffer.concat(parts);
}

/** Position behind the reply that starts at `at`, -1 while it is incomplete. */
export function replyEnd(buf: Buffer, at: number): number {
  const lineEnd = buf.indexOf(CRLF, at, 'latin1');
  if (lineEnd < 0) return -1;
  const after = lineEnd + 2;
  const type = String.fromCharCode(buf[at]);
  const count = Number(buf.toString('latin1', at + 1, lineEnd));
  if ('$=!'.includes(type)) {
    if (count < 0) return after;
    return after + count + 2 <= buf.length ? after + count + 2 : -1;
  }
  let members = 0;
  if ('*~>'.includes(type)) members = count;
  else if (type === '%') members = count * 2;
  else if (type === '|') members = count * 2 + 1;
  let end = after;
  for (let i = 0; i < members && end >= 0; i++) end = end < buf.length ? replyEnd(buf, end) : -1;
  return end;
}

/** The members of an aggregate reply, as bytes; the reply itself when it is none. */
export function members(reply: Buffer): Buffer[] {
  if (!'*~>%'.includes(String.fromCharCode(reply[0]))) return [reply];
  const out: Buffer[] = [];
  let at = reply.indexOf(CRLF, 0, 'latin1') + 2;
  while (at < reply.length) {
    const end = replyEnd(reply, at);
    out.push(reply.subarray(at, end));
    at = end;
  }
  return out;
}
