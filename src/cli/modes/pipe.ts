// --pipe: standard input goes to the server as it is, raw protocol or inline commands; replies are counted, errors
// shown. The end is known by the answer to an ECHO of random bytes sent last.
import { randomBytes } from 'node:crypto';
import { encodeCommand } from '../../../server/formats/resp/encode-command.ts';
import { ReplyParser } from '../../../server/formats/resp/reply.ts';
import type { Client } from '../../../server/net/client.ts';
import { textOf } from '../format.ts';
import type { Session } from '../session.ts';

export async function pipeMode(session: Session): Promise<number> {
  const client = await session.connectOrExit();
  const endMark = Buffer.from(randomBytes(10).toString('hex'), 'latin1');
  const counter = new ReplyCounter(session, endMark);
  client.takeRaw((chunk) => counter.receive(chunk));
  const lost = client.ended().then((error) => session.fail(error));
  await Promise.race([sendStandardInput(session, client, endMark), lost]);
  await Promise.race([counter.finished(), lost]);
  lost.catch(() => {});
  session.host.write(`errors: ${counter.errors}, replies: ${counter.replies}\n`);
  return counter.errors > 0 ? 1 : 0;
}

/** Sends everything with the socket's back pressure, then the mark. */
async function sendStandardInput(session: Session, client: Client, endMark: Buffer): Promise<void> {
  for await (const chunk of session.host.stdin()) {
    if (!client.write(chunk as Buffer)) await client.drained();
  }
  session.host.write('All data transferred. Waiting for the last reply...\n');
  // The line end closes an inline command without one; alone it is an empty command and not answered.
  client.write(Buffer.concat([Buffer.from('\r\n'), encodeCommand(['ECHO', endMark])]));
}

class ReplyCounter {
  errors = 0;
  replies = 0;
  readonly #session: Session;
  readonly #endMark: Buffer;
  readonly #parser = new ReplyParser();
  #ended = false;
  #lastReplyMs: number;
  #wake: () => void = () => {};

  constructor(session: Session, endMark: Buffer) {
    this.#session = session;
    this.#endMark = endMark;
    this.#lastReplyMs = session.host.nowMs();
  }

  receive(chunk: Buffer): void {
    const { host } = this.#session;
    this.#lastReplyMs = host.nowMs();
    this.#parser.feed(chunk);
    for (let reply = this.#parser.next(); reply !== undefined && !this.#ended; reply = this.#parser.next()) {
      if (reply.kind === 'bulk' && reply.bytes.equals(this.#endMark)) {
        host.write('Last reply received from server.\n');
        this.#ended = true;
        this.#wake();
        return;
      }
      this.replies++;
      if (reply.kind !== 'error') continue;
      host.writeError(`${textOf(reply)}\n`);
      this.errors++;
    }
  }

  /** Resolves with the last reply, or when there has been none for --pipe-timeout seconds. */
  async finished(): Promise<void> {
    const { host, options } = this.#session;
    const timeoutMs = options.pipeTimeoutSeconds * 1000;
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    while (!this.#ended) {
      await (timeoutMs > 0 ? Promise.race([woken, host.waitMs(1000)]) : woken);
      if (this.#ended || host.nowMs() - this.#lastReplyMs <= timeoutMs || timeoutMs === 0) continue;
      host.writeError(`No replies for ${options.pipeTimeoutSeconds} seconds: exiting.\n`);
      this.errors++;
      return;
    }
  }
}
