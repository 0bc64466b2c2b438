// The two forms of a dump on its way to replicas: a file behind its size, and a stream between marks.

import { closeSync, fstatSync, openSync, read } from 'node:fs';
import type { DumpSink } from '../formats/rdb/sink.ts';
import type { ReplicaLink } from './replica-link.ts';

/** Bytes read of the file at once; one such piece waits in memory for each replica. */
const FILE_PIECE_BYTES = 256 * 1024;
/** A dump is held up while this much of it waits for a replica. */
const CONGESTED_BYTES = 4 * 1024 * 1024;

/** `$EOF:<mark>` CR LF, the dump as it is made, the mark again: for replicas that said `REPLCONF capa eof`. */
export class StreamedPayload implements DumpSink {
  error: Error | null = null;
  onDrain: () => void = () => undefined;
  private readonly links: Set<ReplicaLink>;
  private readonly mark: Buffer;
  private readonly drop: (link: ReplicaLink) => void;
  /** Most bytes of a dump that may wait for one replica. */
  private readonly queueBytesMax: number;

  constructor(
    links: readonly ReplicaLink[],
    mark: Buffer,
    queueBytesMax: number,
    drop: (link: ReplicaLink, why: string) => void,
  ) {
    this.links = new Set(links);
    this.mark = mark;
    this.queueBytesMax = queueBytesMax;
    this.drop = (link) => drop(link, `its part of the dump exceeds ${queueBytesMax} bytes`);
    this.each(Buffer.concat([Buffer.from('$EOF:'), mark, Buffer.from('\r\n')]));
  }

  get congested(): boolean {
    for (const { session } of this.links) if (session.transport.queuedBytes > CONGESTED_BYTES) return true;
    return false;
  }

  write(chunk: Uint8Array): void {
    this.each(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
  }

  async finish(): Promise<void> {
    this.each(this.mark);
  }

  discard(): void {
    this.links.clear();
  }

  /** A replica is gone. */
  forget(link: ReplicaLink): void {
    if (this.links.delete(link) && this.links.size === 0) this.error ??= new Error('the last replica has gone');
    this.onDrain();
  }

  private each(bytes: Buffer): void {
    for (const link of this.links) {
      link.session.transport.send(bytes);
      if (link.session.transport.queuedBytes > this.queueBytesMax) {
        this.links.delete(link);
        this.drop(link);
      }
    }
  }
}

/** `$<bytes>` CR LF and the file. */
export class FilePayload {
  private readonly fd: number;
  private readonly size: number;
  private sent = 0;
  private reading = false;
  private closed = false;
  private readonly link: ReplicaLink;
  private readonly done: (error: Error | null) => void;

  /** Opens the file and begins. Throws what the system says. `done` is called once, also when the file fails. */
  constructor(link: ReplicaLink, path: string, done: (error: Error | null) => void) {
    this.link = link;
    this.done = done;
    this.fd = openSync(path, 'r');
    this.size = fstatSync(this.fd).size;
    link.session.transport.send(Buffer.from(`$${this.size}\r\n`));
  }

  /** Goes on when the socket has room. */
  pump(): void {
    if (this.reading || this.closed || this.link.session.transport.queuedBytes > FILE_PIECE_BYTES) return;
    if (this.sent === this.size) {
      this.close();
      this.done(null);
      return;
    }
    this.reading = true;
    const piece = Buffer.allocUnsafeSlow(Math.min(FILE_PIECE_BYTES, this.size - this.sent));
    read(this.fd, piece, 0, piece.length, this.sent, (error, count) => {
      this.reading = false;
      if (this.closed) this.closeFile();
      else if (error !== null || count === 0) {
        this.close();
        this.done(error ?? new Error('premature EOF'));
      } else {
        this.sent += count;
        this.link.session.transport.send(piece.subarray(0, count));
        this.pump();
      }
    });
  }

  /** Gives the transfer up. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.reading) this.closeFile();
  }

  private closeFile(): void {
    closeSync(this.fd);
  }
}
