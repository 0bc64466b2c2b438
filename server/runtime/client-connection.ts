// A client's socket: input goes to the server in place. Small replies leave together once all sockets that were ready have
// been read: the first write wakes the peer up, the others find it awake. In a first comparison that saved a fifth of the
// CPU of pipelined requests.

import type { Socket } from 'node:net';
import type { Session, Transport } from '../commands/session.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import { type DirectWriter, Written } from '../net/direct-writes.ts';
import type { Connection } from '../net/listener.ts';
import type { SharedText } from './shared-text.ts';

/**
 * Up to here replies wait for the end of the round, as a string: our buffer is free again. Those of a pipeline gain more by
 * waiting than the only reply of a turn.
 */
const STRING_BYTES_MAX = 2 * 1024;
const LONE_STRING_BYTES_MAX = 1024;

/** Up to here nobody asks whether a client may have that much queued: no limit is lower. */
const CHECKED_BYTES = 16 * 1024;

/** Requests beyond this are long; see Connection.readsLong. */
const LONG_REQUEST_BYTES = 32 * 1024;

/** Replies up to this size are not worth correcting the count of clients' memory for. */
const COUNTED_BYTES = 512;

/** What a connection tells the server. */
export interface ConnectionOwner {
  input(session: Session, buf: Buffer, end: number): void;
  gone(session: Session): void;
  /** Bytes were queued outside the client's own turn: flush() has to be called at the end of it. */
  needsFlush(connection: ClientConnection): void;
  /** What a client that nothing was pushed to in this round has: the root of what is pushed. */
  readonly nothingPushed: SharedText;
  /** Small replies wait: flushReplies() has to be called at the end of the round. */
  hasReplies(connection: ClientConnection): void;
  /** The queue has grown or gone to the socket: limits are checked. */
  queued(session: Session): void;
  /** Whether this many bytes may be queued for a client; closes it otherwise. */
  admits(session: Session, bytes: number): boolean;
}

export class ClientConnection implements Connection, Transport {
  session!: Session;
  readsLong = false;
  readonly isUnix: boolean;
  readonly peerAddress: string;
  readonly localAddress: string;
  private readonly socket: Socket;
  private readonly direct: DirectWriter | null;
  private readonly owner: ConnectionOwner;
  private chunks: Buffer[] = [];
  private chunkBytes = 0;
  /** Replies of this round of the event loop, one character a byte. They come before `chunks`. */
  private replies = '';
  /** What was pushed in this round; then `replies` is empty. */
  private pushed: SharedText | null = null;
  private open = true;
  /** Commands that had run when replies were last sent. */
  private answeredCommands = 0;

  constructor(socket: Socket, isUnix: boolean, unixPath: string, owner: ConnectionOwner, direct: DirectWriter | null) {
    this.socket = socket;
    this.direct = direct;
    this.isUnix = isUnix;
    this.owner = owner;
    this.peerAddress = isUnix ? `${unixPath}:0` : address(socket.remoteAddress, socket.remotePort);
    this.localAddress = isUnix ? `${unixPath}:0` : address(socket.localAddress, socket.localPort);
  }

  /** Whether the peer is on this machine. */
  get isLocal(): boolean {
    const remote = this.socket.remoteAddress ?? '';
    return this.isUnix || remote.startsWith('127.') || remote === '::1' || remote.startsWith('::ffff:127.');
  }

  receive(buf: Buffer, end: number): void {
    if (!this.open) return;
    const { session } = this;
    const commands = session.totalCommands;
    const there = session.inputBytes + end;
    this.owner.input(session, buf, end);
    if (session.inputNeeded > LONG_REQUEST_BYTES) this.readsLong = true;
    else if (this.readsLong) {
      const servedBytes = there - session.inputBytes;
      this.readsLong = servedBytes >= LONG_REQUEST_BYTES * (session.totalCommands - commands);
    }
  }

  closed(): void {
    if (!this.open) return;
    this.open = false;
    this.replies = '';
    this.pushed = null;
    this.chunks = [];
    this.chunkBytes = 0;
    this.owner.gone(this.session);
  }

  drained(): void {
    this.owner.queued(this.session);
  }

  get queuedBytes(): number {
    return this.waitingText.length + this.chunkBytes + this.leavingBytes;
  }

  /** What leaves at the end of the round. */
  private get waitingText(): string {
    return this.pushed === null ? this.replies : this.pushed.text;
  }

  /** The same without what leaves at the end of the round, if that is little. */
  get heldBytes(): number {
    const { length } = this.waitingText;
    return (length <= CHECKED_BYTES ? 0 : length) + this.chunkBytes + this.leavingBytes;
  }

  /** Bytes that the kernel has not taken yet. The stream does not count what was written past it. */
  private get leavingBytes(): number {
    return Math.max(this.socket.writableLength, this.direct === null ? 0 : this.direct.queuedBytes);
  }

  send(bytes: Buffer): void {
    if (!this.open) return;
    if (this.chunkBytes === 0) this.owner.needsFlush(this);
    this.chunks.push(bytes);
    this.chunkBytes += bytes.length;
    this.owner.queued(this.session);
  }

  /** Queues a message for the end of the round, one character a byte: many clients may share it. */
  push(message: string): void {
    if (!this.open || this.session.closing) return;
    if (this.chunkBytes > 0) {
      this.send(Buffer.from(message, 'latin1'));
      return;
    }
    this.session.totalOutputBytes += message.length;
    if (this.replies === '') {
      if (this.pushed === null) this.owner.hasReplies(this);
      this.pushed = (this.pushed ?? this.owner.nothingPushed).with(message);
    } else this.replies += message;
    if (this.waitingText.length > CHECKED_BYTES) this.owner.queued(this.session);
  }

  /** Sends what send() has queued, and the replies before it. */
  flush(): void {
    this.flushReplies();
    if (this.chunkBytes === 0 || !this.open) return;
    const bytes = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks, this.chunkBytes);
    this.chunks = [];
    this.chunkBytes = 0;
    this.session.totalOutputBytes += bytes.length;
    this.write(bytes);
    this.owner.queued(this.session);
  }

  /** Sends the small replies of this round. */
  flushReplies(): void {
    const text = this.waitingText;
    if (text === '' || !this.open) return;
    this.replies = '';
    this.pushed = null;
    let written = this.direct === null ? Written.refused : this.direct.write(text, this.taken);
    if (written === Written.refused) {
      this.write(text);
      if (this.leavingBytes > 0) written = Written.waiting;
    }
    // Also when the kernel has taken all: what was counted while it waited is gone.
    if (written === Written.waiting || text.length > COUNTED_BYTES) this.owner.queued(this.session);
  }

  /** Writes through the socket's stream; text has one character a byte. */
  private write(bytes: Uint8Array | string): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
    this.direct?.wroteToStream();
  }

  private readonly taken = (): void => this.drained();

  /** Takes the replies of the client's own turn and empties the writer; small ones wait for the end of the round. */
  sendReplies(reply: ReplyWriter): void {
    if (reply.pos === 0) return;
    if (
      !this.open ||
      this.session.closing ||
      (reply.pos > CHECKED_BYTES && !this.owner.admits(this.session, reply.pos + this.queuedBytes))
    ) {
      reply.clear();
      return;
    }
    if (this.chunkBytes > 0) this.flush();
    this.session.totalOutputBytes += reply.pos;
    const { totalCommands } = this.session;
    const isAlone = totalCommands === this.answeredCommands + 1;
    this.answeredCommands = totalCommands;
    if (reply.pos <= (isAlone ? LONE_STRING_BYTES_MAX : STRING_BYTES_MAX)) {
      const before = this.waitingText;
      if (before === '') this.owner.hasReplies(this);
      this.replies = before + reply.buf.toString('latin1', 0, reply.pos);
      this.pushed = null;
      reply.clear();
      return;
    }
    this.flushReplies();
    const bytes = reply.written();
    let written = this.direct === null ? Written.refused : this.direct.writeBytes(bytes, this.taken);
    if (written === Written.refused) {
      this.write(bytes);
      if (this.leavingBytes > 0) written = Written.waiting;
    }
    // Mostly the kernel takes everything at once; then the buffer is ours again.
    if (written === Written.waiting) reply.abandon();
    else reply.clear();
    if (written === Written.waiting) this.owner.queued(this.session);
  }

  closeGracefully(): void {
    this.flush();
    this.socket.end(() => this.socket.destroy());
  }

  destroy(): void {
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  setKeepAlive(seconds: number): void {
    if (!this.isUnix) this.socket.setKeepAlive(seconds > 0, seconds * 1000);
  }
}

function address(host: string | undefined, port: number | undefined): string {
  const plain = (host ?? '?').replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? `[${plain}]:${port ?? 0}` : `${plain}:${port ?? 0}`;
}
