import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DirectWriter, DirectWrites, Written } from '../../../server/net/direct-writes.ts';

const nothing = (): void => undefined;

describe('DirectWrites', () => {
  let server: net.Server;
  let socket: Socket;
  let peer: Socket;
  let writer: DirectWriter;

  beforeEach(async () => {
    const directWrites = new DirectWrites();
    server = net.createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    peer = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    [socket] = (await once(server, 'connection')) as [Socket];
    socket.on('error', nothing);
    peer.on('error', nothing);
    writer = directWrites.to(socket)!;
  });

  afterEach(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });

  /** Writes as a connection does: directly, else the ordinary way. Returns whether it went directly. */
  function write(text: string, taken: () => void = nothing): boolean {
    const direct = writer.write(text, taken) !== Written.refused;
    if (!direct) writeToStream(text);
    return direct;
  }

  function writeToStream(text: string): void {
    socket.write(text, 'latin1');
    writer.wroteToStream();
  }

  async function received(bytes: number): Promise<string> {
    let text = '';
    peer.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    while (text.length < bytes) await once(peer, 'data');
    return text;
  }

  it('leaves writes to a Node that makes no request object for them', () => {
    const texts: string[] = [];
    const handle = {
      writeQueueSize: 0,
      writeLatin1String(_request: unknown, text: string): number {
        texts.push(text);
        return 0;
      },
      writeBuffer: () => 0,
    };
    const newer = { _handle: handle, writableLength: 0, destroyed: false, writable: true } as unknown as Socket;
    const itsWriter = new DirectWrites().to(newer)!;
    for (const text of ['a', 'b']) {
      expect(itsWriter.write(text, nothing)).toBe(Written.refused);
      handle.writeLatin1String(null, text);
    }
    expect(texts).toEqual(['a', 'b']);
  });

  it('needs one ordinary write to learn how, and keeps order and bytes from then on', async () => {
    expect(write('first ')).toBe(false);
    const text = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
    while (socket.writableLength > 0) await once(socket, 'drain');
    await new Promise((done) => setImmediate(done));
    expect(write(text)).toBe(true);
    expect(write(text)).toBe(true);
    expect(await received(6 + 512)).toBe(`first ${text}${text}`);
  });

  it('keeps order when the peer does not read, and tells when all is taken', async () => {
    peer.pause();
    let sent = '';
    let taken = 0;
    const line = (i: number): string => `${i} `.padEnd(8000, 'x');
    for (let i = 0; i < 2000; i++) {
      sent += line(i);
      // Every seventh goes through the stream, as large replies do.
      if (i % 7 === 0) writeToStream(line(i));
      else if (i % 3 === 0) {
        const bytes = Buffer.from(line(i), 'latin1');
        if (writer.writeBytes(bytes, nothing) === Written.refused) writeToStream(line(i));
      } else
        write(line(i), () => {
          taken++;
        });
      if (i % 50 === 0) await new Promise((done) => setImmediate(done));
    }
    expect(Math.max(writer.queuedBytes, socket.writableLength)).toBeGreaterThan(0);
    const all = received(sent.length);
    peer.resume();
    expect((await all) === sent).toBe(true);
    expect(writer.queuedBytes).toBe(0);
    expect(taken).toBeGreaterThan(0);
  });

  it('keeps bytes that wait from being collected', async () => {
    write('first ');
    while (socket.writableLength > 0) await once(socket, 'drain');
    await new Promise((done) => setImmediate(done));
    peer.pause();
    const piece = (i: number): Buffer => Buffer.alloc(100_000, 97 + (i % 26));
    let written: number = Written.taken;
    let pieces = 0;
    const waiting: Promise<void>[] = [];
    while (waiting.length < 40 && pieces < 1000) {
      const bytes = piece(pieces++);
      waiting.push(
        new Promise((done) => {
          written = writer.writeBytes(bytes, done);
          if (written === Written.taken) done();
        }),
      );
      if (written === Written.taken) waiting.pop();
    }
    // Memory that was given back would be handed out again here.
    for (let i = 0; i < 3000; i++) Buffer.alloc(100_000, 45);
    await new Promise((done) => setImmediate(done));
    const all = received(6 + pieces * 100_000);
    peer.resume();
    const text = await all;
    await Promise.all(waiting);
    for (let i = 0; i < pieces; i++) {
      const wanted = piece(i).toString('latin1');
      expect(text.slice(6 + i * 100_000, 6 + (i + 1) * 100_000) === wanted).toBe(true);
    }
  });

  it('destroys the socket of a peer that has gone, and writes no more to it', async () => {
    write('hello');
    await new Promise((done) => setImmediate(done));
    peer.resetAndDestroy();
    const closed = new Promise((done) => socket.once('close', done));
    for (let i = 0; i < 1000 && !socket.destroyed; i++) {
      write('more');
      await new Promise((done) => setImmediate(done));
    }
    await closed;
    expect(writer.write('late', nothing)).toBe(Written.refused);
  });

  it('leaves a socket without a handle to the stream', () => {
    expect(new DirectWrites().to(new net.Socket())).toBeNull();
  });
});
