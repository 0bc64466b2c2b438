// Asks a server whether it answers, without credentials: a refusal for want of a password is an answer, too.
import { connect } from 'node:net';

export interface PingTarget {
  /** Address, or the path of a unix socket (then `port` is not used). */
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/**
 * `PONG`, or the code of the error that answered instead (`NOAUTH`, `LOADING`, `DENIED`, …); undefined when nothing that
 * speaks RESP answered in time.
 */
export function ping(target: PingTarget): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = target.address.startsWith('/')
      ? connect({ path: target.address })
      : connect({ host: target.address, port: target.port });
    let reply = '';
    const finish = (answer: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), target.timeoutMs);
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    socket.on('connect', () => socket.write('*1\r\n$4\r\nPING\r\n'));
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1');
      if (reply.includes('\n') || reply.length > replyBytesMax) finish(parseReply(reply));
    });
  });
}

const replyBytesMax = 4096;

function parseReply(reply: string): string | undefined {
  if (reply.startsWith('+PONG')) return 'PONG';
  return /^-([A-Z]+)/.exec(reply)?.[1];
}
