// One replica as its primary sees it: how far it is, what it can do, what it has acknowledged.

import type { Session } from '../commands/session.ts';
import type { Block, ReplicationStream } from './stream.ts';

/**
 * `candidate`: has said REPLCONF, not SYNC. `waiting`: for a dump to be begun. `dumping`: the dump is being made (and, if
 * `streamed`, sent). `sending`: the file is being sent. `online`: follows the stream.
 */
type LinkState = 'candidate' | 'waiting' | 'dumping' | 'sending' | 'online';

/** Bytes handed to the socket and not taken by the kernel; what lies beyond waits in the stream. */
const QUEUE_BYTES_MAX = 1024 * 1024;

export class ReplicaLink {
  readonly session: Session;
  state: LinkState = 'candidate';
  /** The next byte of the stream to send is number position + 1. */
  position = 0;
  /** The stream is held back until the first REPLCONF ACK: before it, nobody knows that the dump is complete. */
  awaitsAck = false;
  /** The dump goes straight to the socket. */
  streamed = false;
  /** What the replica says of itself. */
  port = 0;
  ip = '';
  understandsEof = false;
  understandsRenaming = false;
  /** Wants the dump and nothing else; and what of it. */
  dumpOnly = false;
  /** Came with SYNC: acknowledges nothing. */
  isOld = false;
  ackOffset = 0;
  /** Up to here the replica's own log is on its disk. */
  loggedOffset = 0;
  /** Last sign of life, ms since 1970. */
  seenMs: number;
  /** When it began to wait for a dump, ms. */
  waitingSinceMs = 0;
  /** When its queue first passed the soft limit, ms; 0: it has not. */
  softLimitSinceMs = 0;
  private queuedBefore = 0;
  private block: Block | null = null;

  constructor(session: Session, nowMs: number) {
    this.session = session;
    this.seenMs = nowMs;
  }

  /** As the log names it: `address:port` by what the replica has told. */
  get name(): string {
    return `${this.address}:${this.port > 0 ? this.port : '<unknown-replica-port>'}`;
  }

  get address(): string {
    if (this.ip !== '') return this.ip;
    const { peerAddress } = this.session.transport;
    return peerAddress.slice(0, peerAddress.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  }

  /** Whether the link needs the stream. */
  get following(): boolean {
    return this.state === 'dumping' || this.state === 'sending' || this.state === 'online';
  }

  /** The first offset that the stream must not forget. */
  get neededFrom(): number {
    if (!this.following) return Number.POSITIVE_INFINITY;
    // What is queued refers to the stream's blocks until the kernel has it.
    return this.state === 'online' ? this.position - this.session.transport.queuedBytes : this.position;
  }

  /** Follows the stream from `offset` on. */
  follow(offset: number): void {
    this.position = offset;
    this.block = null;
  }

  /** Hands on what there is, as far as the socket takes it. */
  pump(stream: ReplicationStream): void {
    if (this.state !== 'online' || this.awaitsAck || this.session.closing) return;
    const { transport } = this.session;
    this.block ??= stream.blockAt(this.position);
    while (this.block !== null && this.position < stream.offset && transport.queuedBytes < QUEUE_BYTES_MAX) {
      let block: Block = this.block;
      if (this.position === block.start + block.used) {
        if (block.next === null) return;
        block = block.next;
        this.block = block;
      }
      const slice = block.bytes.subarray(this.position - block.start, block.used);
      this.position += slice.length;
      transport.send(slice);
    }
  }

  /** A dump on its way counts as a sign of life while it moves. */
  noteProgress(nowMs: number): void {
    const bytes = this.session.transport.queuedBytes;
    if (bytes < this.queuedBefore || bytes === 0) this.seenMs = nowMs;
    this.queuedBefore = bytes;
  }

  /** Bytes that wait for the replica, in the stream or in the socket. */
  waitingBytes(stream: ReplicationStream): number {
    const queued = this.session.transport.queuedBytes;
    return this.following ? stream.offset - this.position + queued : queued;
  }

  /** As INFO names the state. */
  get stateWord(): 'wait_bgsave' | 'send_bulk' | 'online' {
    if (this.state === 'online') return 'online';
    return this.state === 'sending' ? 'send_bulk' : 'wait_bgsave';
  }
}
