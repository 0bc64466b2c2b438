// Fills a server with many small strings, quicker than command by command: one buffer of a thousand SETs in which only
// the digits change.
import { connect, type Socket } from 'node:net';

const COMMANDS = 1000;
const DIGITS = 12;
const REPLY_BYTES = '+OK\r\n'.length;
const COMMAND = `*3\r\n$3\r\nSET\r\n$16\r\nkey:${'0'.repeat(DIGITS)}\r\n$3\r\nxxx\r\n`;
const DIGITS_AT = COMMAND.indexOf('key:') + 'key:'.length;

/** Sets the keys from `from` to `to` - 1, named as redis-benchmark names them. */
export async function fill(port: number, from: number, to: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
  });
  const commands = Buffer.from(COMMAND.repeat(COMMANDS));
  try {
    for (let next = from; next < to; ) {
      const count = Math.min(COMMANDS, to - next);
      for (let i = 0; i < count; i++, next++) writeDigits(commands, i * COMMAND.length + DIGITS_AT, next);
      await exchange(socket, commands.subarray(0, count * COMMAND.length), count * REPLY_BYTES);
    }
  } finally {
    socket.destroy();
  }
}

function writeDigits(into: Buffer, at: number, value: number): void {
  let rest = value;
  for (let i = at + DIGITS - 1; i >= at; i--) {
    into[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

function exchange(socket: Socket, request: Buffer, replyBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = replyBytes;
    const receive = (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0) return;
      socket.off('data', receive);
      socket.off('error', reject);
      resolve();
    };
    socket.on('data', receive);
    socket.once('error', reject);
    socket.write(request);
  });
}
