// The replication stream: every write in order, numbered byte by byte. One chain of blocks serves all replicas and the
// backlog; each replica is a position in it.
//
//   first ......... position of a slow replica ......... position of another ......... last
//   |<- kept while the backlog wants it or a replica has not taken it ->|      <- offset ->|
//
// Its size is bounded: the backlog by repl-backlog-size, what replicas hold by client-output-buffer-limit.

import { AofEncoder } from '../formats/aof/encoder.ts';

/** Size of a block; a longer piece gets a larger one. */
export const BLOCK_BYTES = 16 * 1024;
/** Encoded commands wait up to this size before they are laid into blocks. */
const PENDING_BYTES_MAX = 256 * 1024;
/** No database: no SELECT is needed before the command. */
const ANY_DATABASE = -1;

/** A piece of the stream. Bytes below `used` never change. */
export interface Block {
  /** Offset of the first byte: how many came before it. */
  readonly start: number;
  readonly bytes: Buffer;
  used: number;
  next: Block | null;
}

export class ReplicationStream {
  /** Whether writes are recorded: from the first replica until the backlog is given up. */
  recording = false;
  /** repl-backlog-size. */
  backlogBytesMax = 1024 * 1024;
  private readonly encoder = new AofEncoder();
  /** Offset of the end of the last block. */
  private laid = 0;
  private first: Block | null = null;
  private last: Block | null = null;
  private blockBytes = 0;
  private selected = ANY_DATABASE;
  /** The lowest offset that someone has yet to take. */
  private readonly neededFrom: () => number;
  private readonly grown: () => void;

  /** `neededFrom` tells what replicas still need; `grown` is called when there is something new to send. */
  constructor(neededFrom: () => number, grown: () => void) {
    this.neededFrom = neededFrom;
    this.grown = grown;
  }

  /** Bytes since the beginning of this history; before it is recorded, writes. */
  get offset(): number {
    return this.laid + this.encoder.length;
  }

  /** Offset before the oldest byte that is still there. */
  get firstOffset(): number {
    return this.first === null ? this.laid : this.first.start;
  }

  /** Bytes that are there. */
  get historyBytes(): number {
    return this.offset - this.firstOffset;
  }

  /** Memory that the stream takes. */
  get memoryBytes(): number {
    return this.blockBytes + this.encoder.length;
  }

  /** The database that the next command without SELECT would go to; -1: none. */
  get selectedDatabase(): number {
    return this.selected;
  }

  /** Begins to record at `offset`, with nothing before it. */
  start(offset: number): void {
    this.clear(offset);
    this.recording = true;
  }

  /** Forgets everything; the next byte is number `offset` + 1. */
  clear(offset: number): void {
    this.encoder.clear();
    this.laid = offset;
    this.first = this.last = null;
    this.blockBytes = 0;
    this.selected = ANY_DATABASE;
    this.recording = false;
  }

  /** Counts a write that nobody records: the offset tells how far the log is, too. */
  skip(): void {
    this.laid++;
  }

  /** The next command brings its SELECT: a replica begins here. */
  selectAnew(): void {
    this.selected = ANY_DATABASE;
  }

  command(db: number, args: readonly Uint8Array[]): void {
    const { encoder } = this;
    this.select(db);
    encoder.command(args.length);
    for (const arg of args) encoder.argument(arg, 0, arg.length);
    this.written();
  }

  /** The same for arguments that are ranges of a buffer. */
  commandRanges(db: number, buf: Uint8Array, pos: Int32Array, len: Int32Array, count: number): void {
    const { encoder } = this;
    this.select(db);
    encoder.command(count);
    for (let i = 0; i < count; i++) encoder.argument(buf, pos[i], pos[i] + len[i]);
    this.written();
  }

  /** Bytes that the primary has sent: they go on as they are. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    this.encoder.raw(bytes, start, end);
    this.written();
  }

  /** The block that holds the byte after `offset`, or the last one; null when there is none. */
  blockAt(offset: number): Block | null {
    this.lay();
    let block = this.first;
    while (block !== null && block.next !== null && block.start + block.used <= offset) block = block.next;
    return block;
  }

  /** Lays everything into blocks. To be called before blocks are read. */
  lay(): void {
    const { encoder } = this;
    if (encoder.length === 0) return;
    const bytes = encoder.bytes();
    for (let at = 0; at < bytes.length; ) {
      const block = this.room(bytes.length - at);
      const count = Math.min(bytes.length - at, block.bytes.length - block.used);
      block.bytes.set(bytes.subarray(at, at + count), block.used);
      block.used += count;
      at += count;
      this.laid += count;
    }
    encoder.clear();
  }

  /** Lets blocks go that neither the backlog nor a replica needs. */
  trim(): void {
    this.lay();
    let first = this.first;
    if (first === null || first === this.last) return;
    const keepFrom = Math.min(this.neededFrom(), this.laid - this.backlogBytesMax);
    while (first !== null && first !== this.last && first.start + first.used <= keepFrom) {
      this.blockBytes -= first.bytes.length;
      first = first.next;
    }
    this.first = first;
  }

  private select(db: number): void {
    if (db === ANY_DATABASE || db === this.selected) return;
    this.selected = db;
    this.encoder.command(2);
    this.encoder.text('SELECT');
    this.encoder.integer(db);
  }

  private written(): void {
    if (this.encoder.length > PENDING_BYTES_MAX) {
      this.lay();
      this.trim();
    }
    this.grown();
  }

  /** The last block if it has room, else a new one. */
  private room(wanted: number): Block {
    const { last } = this;
    if (last !== null && last.used < last.bytes.length) return last;
    // Blocks go as a whole: large ones would keep much more than the backlog asks for.
    const bytesMax = Math.max(BLOCK_BYTES, this.backlogBytesMax >>> 4);
    const bytes = Buffer.allocUnsafeSlow(Math.min(Math.max(BLOCK_BYTES, wanted), bytesMax));
    const block: Block = { start: this.laid, bytes, used: 0, next: null };
    if (last === null) this.first = block;
    else last.next = block;
    this.last = block;
    this.blockBytes += bytes.length;
    return block;
  }
}
