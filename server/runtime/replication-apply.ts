// Runs what the primary sends: in the same dispatcher as clients' requests, as a session of its own that no guard applies
// to and that gets no replies. What has been run goes on to this server's own replicas, as it came.

import type { Socket } from 'node:net';
import { wrongArity } from '../commands/errors.ts';
import { type Command, Flag } from '../commands/registry.ts';
import { Session, type Transport } from '../commands/session.ts';
import { Decoded, RequestDecoder } from '../formats/resp/request.ts';
import type { ReplicationStream } from '../replication/stream.ts';
import type { Server } from './server.ts';

/** A primary may send what its own clients were allowed to send. */
const LIMITS = { bulkBytesMax: 4 * 1024 * 1024 * 1024, authenticated: true };
/** First size of the buffer for an incomplete command. */
const INPUT_BYTES = 16 * 1024;
/** Bytes of unknown commands that the log shows. */
const SHOWN_BYTES = 128;

export class StreamApplier {
  readonly session: Session;
  private readonly server: Server;
  private readonly stream: ReplicationStream;
  private readonly decoder = new RequestDecoder();
  /** An incomplete command; one buffer, which holds at most one command beyond what a read brings. */
  private input: Buffer = Buffer.alloc(0);
  private inputBytes = 0;
  private neededBytes = 0;
  /** Bytes that were run but belong to a transaction which is not complete. */
  private waiting: Buffer[] = [];
  private readonly socket: Socket;
  private closed = false;

  constructor(server: Server, stream: ReplicationStream, socket: Socket, address: string) {
    this.server = server;
    this.stream = stream;
    this.socket = socket;
    const databases = server.keyspace.databases;
    this.session = new Session(server.clients.takeId(), this.transport(address), databases[0], true, server.now());
    this.session.link = 'primary';
    server.clients.add(this.session);
  }

  /** Bytes that have come but are not applied. */
  get waitingBytes(): number {
    let bytes = this.inputBytes;
    for (const piece of this.waiting) bytes += piece.length;
    return bytes;
  }

  /** The link is gone; what is incomplete will be sent again. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.server.gone(this.session);
    this.server.transactions.discard(this.session);
  }

  apply(chunk: Buffer): void {
    const { session, server } = this;
    session.lastActiveMs = server.now();
    session.totalInputBytes += chunk.length;
    server.stats.replicationInputBytes += chunk.length;
    let [buf, end] = [chunk, chunk.length];
    if (this.inputBytes > 0) {
      this.keep(chunk, 0);
      if (this.inputBytes < this.neededBytes) return;
      [buf, end] = [this.input, this.inputBytes];
      this.input = Buffer.alloc(0);
      this.inputBytes = 0;
    }
    const used = this.run(buf, end);
    if (used < end && !this.closed) this.keep(buf.subarray(0, end), used);
    server.serveReady();
  }

  private keep(bytes: Buffer, start: number): void {
    const total = this.inputBytes + bytes.length - start;
    if (this.input.length < total) {
      const grown = Buffer.allocUnsafeSlow(Math.max(total, this.neededBytes, INPUT_BYTES, this.input.length * 2));
      this.input.copy(grown, 0, 0, this.inputBytes);
      this.input = grown;
    }
    bytes.copy(this.input, this.inputBytes, start);
    this.inputBytes = total;
  }

  /** Runs all complete commands; returns the position behind them. */
  private run(buf: Buffer, end: number): number {
    const { server, session } = this;
    const { reply, context: c, turns } = server;
    let at = 0;
    turns.asSession(session, () => {
      const { onError } = reply;
      reply.onError = (text) => this.reportError(text);
      turns.dispatcher.startBatch(session);
      c.replaying = true;
      c.resumed = false;
      const mark = reply.pos;
      while (at < end && !this.closed) {
        const next = this.step(buf, at, end);
        reply.pos = mark;
        if (next < 0) break;
        this.applied(buf, at, next);
        at = next;
      }
      turns.dispatcher.endBatch();
      c.replaying = false;
      reply.onError = onError;
    });
    return at;
  }

  /** Runs the command at `at`; returns where the next one begins, or -1 when it is incomplete or the link is broken. */
  private step(buf: Buffer, at: number, end: number): number {
    const { decoder, session } = this;
    const partial = session.partial;
    session.partial = null;
    const status = decoder.decode(buf, at, end, LIMITS, partial);
    if (status === Decoded.needMore) {
      this.neededBytes = decoder.neededBytes;
      session.partial = decoder.suspend();
      return -1;
    }
    if (status === Decoded.error) {
      this.server.log('warning', `Protocol error from the primary: ${decoder.error}. The link is closed.`);
      this.socket.destroy();
      return -1;
    }
    if (decoder.argc > 0) this.runCommand();
    return decoder.next;
  }

  private runCommand(): void {
    const { server, decoder, session } = this;
    const { context: c } = server;
    c.argc = decoder.argc;
    c.buf = decoder.buf;
    c.pos = decoder.pos;
    c.len = decoder.len;
    c.db = session.db;
    const command = findCommand(server);
    if (command === null) {
      this.report(`unknown command '${c.shown(0, SHOWN_BYTES)}'`, c.shown(0, SHOWN_BYTES));
      return;
    }
    const { arity } = command;
    if (command.handler === null || (arity > 0 ? c.argc !== arity : c.argc < -arity)) {
      this.report(wrongArity(command.name), command.name);
      return;
    }
    c.command = command;
    session.lastCommand = command;
    session.totalCommands++;
    if (session.queued !== null && (command.flags & Flag.immediate) === 0) session.queued.push(c.storedRequest());
    else server.turns.dispatcher.run(c, command);
  }

  /** Counts bytes as applied, unless they are part of a transaction that may still be lost. */
  private applied(buf: Buffer, start: number, end: number): void {
    if (this.closed) return;
    if (this.session.queued !== null) {
      this.waiting.push(Buffer.from(buf.subarray(start, end)));
      return;
    }
    for (const piece of this.waiting) this.stream.raw(piece, 0, piece.length);
    this.waiting.length = 0;
    this.stream.raw(buf, start, end);
  }

  private reportError(text: string): void {
    this.report(text, this.server.context.command.name);
  }

  private report(text: string, command: string): void {
    this.server.log(
      'warning',
      `== CRITICAL == This replica is sending an error to its master: '${text}' after processing the command '${command}'`,
    );
  }

  /** Replies go nowhere. */
  private transport(address: string): Transport {
    const { socket } = this;
    return {
      send: () => undefined,
      closeGracefully: () => socket.destroy(),
      destroy: () => socket.destroy(),
      peerAddress: address,
      localAddress: `${socket.localAddress ?? '?'}:${socket.localPort ?? 0}`,
      get queuedBytes() {
        return socket.writableLength;
      },
      get heldBytes() {
        return socket.writableLength;
      },
      pause: () => undefined,
      resume: () => undefined,
      isUnix: false,
    };
  }
}

/** The command in the context, under its own name or another. */
export function findCommand(server: Server): Command | null {
  const c = server.context;
  const command = server.commands.find(c.buf, c.pos[0], c.len[0]);
  if (command === null || command.subcommands === null || c.argc < 2) return command;
  return command.subcommands.find(c.buf, c.pos[1], c.len[1]) ?? (command.handler === null ? null : command);
}
