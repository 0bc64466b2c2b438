// The dump as a replica gets it: `$<bytes>` CR LF and the bytes, or `$EOF:<mark>` CR LF, bytes, and the mark again. Empty
// lines before it keep the link alive.

/** Longest head: the mark is 40 bytes. */
const HEAD_BYTES_MAX = 1024;
const MARK_BYTES = 40;
const LF = 10;

/** Takes the bytes of the dump itself. */
export interface PayloadTarget {
  write(chunk: Buffer): void;
}

export class PayloadReader {
  /** Bytes of the dump, -1 when only its end mark is known (or nothing yet). */
  totalBytes = -1;
  /** Bytes of the dump so far. */
  bytes = 0;
  private mark: Buffer | null = null;
  private head: Buffer = Buffer.alloc(0);
  private isHeadRead = false;
  /** The last bytes of a marked dump: they may be the mark. */
  private tail: Buffer = Buffer.alloc(0);
  private readonly onHead: (reader: PayloadReader) => PayloadTarget;
  private target: PayloadTarget | null = null;

  /** `onHead` is asked for the target once the form of the dump is known. */
  constructor(onHead: (reader: PayloadReader) => PayloadTarget) {
    this.onHead = onHead;
  }

  /** Whether the dump comes between marks. */
  get isMarked(): boolean {
    return this.mark !== null;
  }

  get markText(): string {
    return this.mark === null ? '' : this.mark.toString('latin1');
  }

  /** Takes what arrived; returns what lies behind the dump when that is complete, else null. Throws for another reply. */
  take(chunk: Buffer): Buffer | null {
    if (this.isHeadRead) return this.body(chunk);
    const bytes = Buffer.concat([this.head, chunk]);
    let start = 0;
    while (bytes[start] === LF) start++;
    const end = bytes.indexOf('\r\n', start);
    this.head = bytes.subarray(start);
    if (end < 0) {
      if (this.head.length > HEAD_BYTES_MAX) throw new Error('the dump has no head');
      return null;
    }
    this.readHead(bytes.toString('latin1', start, end));
    return this.body(bytes.subarray(end + 2));
  }

  private readHead(line: string): void {
    if (line.startsWith('-')) throw new Error(`MASTER aborted replication with an error: ${line.slice(1)}`);
    if (line.startsWith('$EOF:') && line.length >= 5 + MARK_BYTES) {
      this.mark = Buffer.from(line.slice(5, 5 + MARK_BYTES), 'latin1');
    } else if (/^\$\d+$/.test(line)) this.totalBytes = Number(line.slice(1));
    else {
      throw new Error(
        `Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure the host and port are right?`,
      );
    }
    this.isHeadRead = true;
    this.head = Buffer.alloc(0);
    this.target = this.onHead(this);
  }

  private body(chunk: Buffer): Buffer | null {
    return this.mark === null ? this.sized(chunk) : this.marked(chunk, this.mark);
  }

  private sized(chunk: Buffer): Buffer | null {
    const count = Math.min(chunk.length, this.totalBytes - this.bytes);
    if (count > 0) this.give(chunk.subarray(0, count));
    return this.bytes === this.totalBytes ? chunk.subarray(count) : null;
  }

  /** Nothing follows the mark before we acknowledge, so it is the end of what has come. */
  private marked(chunk: Buffer, mark: Buffer): Buffer | null {
    const bytes = this.tail.length === 0 ? chunk : Buffer.concat([this.tail, chunk]);
    const keep = Math.min(MARK_BYTES, bytes.length);
    // A copy: the rest of the chunk need not stay.
    this.tail = Buffer.from(bytes.subarray(bytes.length - keep));
    if (bytes.length > keep) this.give(bytes.subarray(0, bytes.length - keep));
    return this.tail.equals(mark) ? Buffer.alloc(0) : null;
  }

  private give(bytes: Buffer): void {
    this.bytes += bytes.length;
    this.target?.write(bytes);
  }
}
