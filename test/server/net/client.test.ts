import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Reply } from '../../../server/formats/resp/reply.ts';
import { Client } from '../../../server/net/client.ts';

const servers: Server[] = [];
const clients: Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server on a free loopback port that hands each connection to `serve`. */
async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

async function connect(port: number, onPush?: (push: Reply) => void): Promise<Client> {
  const client = await Client.connect({ host: '127.0.0.1', port }, { onPush });
  clients.push(client);
  return client;
}

describe('Client', () => {
  it('sends commands in order and hands replies back in order', async () => {
    const seen: Buffer[] = [];
    const port = await listen((socket) => {
      socket.on('data', (chunk) => {
        seen.push(chunk);
        if (Buffer.concat(seen).toString().endsWith('$1\r\nk\r\n')) socket.write('+OK\r\n$1\r\nv\r\n');
      });
    });
    const client = await connect(port);
    const replies = await Promise.all([client.call('SET', 'k', Buffer.from([0xff])), client.call('GET', 'k')]);
    expect(replies).toEqual([
      { kind: 'status', bytes: Buffer.from('OK') },
      { kind: 'bulk', bytes: Buffer.from('v') },
    ]);
    expect(Buffer.concat(seen).toString('latin1')).toBe(
      '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n\xff\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n',
    );
  });

  it('hands pushes to the callback and not to the reader', async () => {
    const port = await listen((socket) => {
      socket.on('data', () => socket.write('>1\r\n+news\r\n+PONG\r\n'));
    });
    const pushes: Reply[] = [];
    const client = await connect(port, (push) => pushes.push(push));
    expect(await client.call('PING')).toEqual({ kind: 'status', bytes: Buffer.from('PONG') });
    expect(pushes).toEqual([{ kind: 'push', items: [{ kind: 'status', bytes: Buffer.from('news') }] }]);
  });

  it('keeps far more unread replies than it buffers, in order', async () => {
    const count = 20_000;
    const port = await listen((socket) => {
      socket.on('data', () => socket.write(Array.from({ length: count }, (_, i) => `:${i}\r\n`).join('')));
    });
    const client = await connect(port);
    client.send('GO');
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const reply = await client.read();
      if (reply.kind === 'integer') sum += Number(reply.value);
    }
    expect(sum).toBe((count * (count - 1)) / 2);
  });

  it('rejects what waits when the server hangs up', async () => {
    const port = await listen((socket) => {
      socket.on('data', () => socket.end('+half'));
    });
    const client = await connect(port);
    await expect(client.call('PING')).rejects.toThrow('Server closed the connection');
    await expect(client.call('PING')).rejects.toMatchObject({ code: 'ECLOSED' });
  });

  it('rejects what waits when the server speaks something else', async () => {
    const port = await listen((socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n'));
    });
    const client = await connect(port);
    await expect(client.call('PING')).rejects.toThrow('Protocol error, got "H" as reply type byte');
  });

  it('names the reason when it cannot connect', async () => {
    const port = await listen(() => {});
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    await expect(connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED', message: 'Connection refused' });
    await expect(Client.connect({ host: '', port: 0, path: '/nonexistent.sock' })).rejects.toThrow(
      'No such file or directory',
    );
  });
});
