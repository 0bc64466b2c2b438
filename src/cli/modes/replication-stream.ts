// The client's side of SYNC: the preamble of a full synchronisation, then the dump's bytes, then whatever follows. A
// dump comes with its length, or diskless, framed by a mark of 40 random bytes.
import type { Client } from '../../../server/net/client.ts';
import { textOf } from '../format.ts';
import { CliExit } from '../host.ts';
import type { Session } from '../session.ts';

const MARK_BYTES = 40;
/** Longest line before the dump. */
const PREAMBLE_BYTES_MAX = 1024;

export interface DumpSink {
  /** Called once: the dump's length in bytes, undefined when only the end mark will tell. */
  begin(length: number | undefined): void;
  data(chunk: Buffer): void;
}

/** Announces an ability. A refusal ends the program when `required`. */
export async function announce(session: Session, name: string, value: string, required = false): Promise<void> {
  session.host.writeError(`sending REPLCONF ${name} ${value}\n`);
  const reply = await session.call('REPLCONF', name, value);
  if (reply.kind !== 'error') return;
  session.host.writeError(`REPLCONF ${name} error: ${textOf(reply)}\n`);
  if (required) throw new CliExit(1);
}

/**
 * Sends SYNC (unless it was sent already) and hands the dump to `sink`.
 * @returns the bytes that came after the dump: the stream of commands begins with them
 */
export async function receiveDump(
  session: Session,
  client: Client,
  sink: DumpSink,
  alreadySent = false,
): Promise<Buffer> {
  const chunks = new ChunkReader(client);
  if (!alreadySent) client.write(Buffer.from('SYNC\r\n'));
  try {
    const header = await readHeader(session, chunks);
    const length = /^\$(\d+)$/.exec(header);
    if (length !== null) {
      sink.begin(Number(length[1]));
      await copyLength(chunks, Number(length[1]), sink);
    } else {
      sink.begin(undefined);
      await copyUntilMark(chunks, Buffer.from(header.slice('$EOF:'.length), 'latin1'), sink);
    }
  } catch (error) {
    return session.fail(error);
  }
  return chunks.rest();
}

/** `$length` or `$EOF:mark`, after any number of empty lines that keep the connection alive. */
async function readHeader(session: Session, chunks: ChunkReader): Promise<string> {
  for (;;) {
    const line = await chunks.line(PREAMBLE_BYTES_MAX);
    if (line === '') continue;
    if (/^\$(\d+|EOF:.{40})$/.test(line)) return line;
    session.host.writeError(`SYNC with master failed: ${line}\n`);
    throw new CliExit(1);
  }
}

async function copyLength(chunks: ChunkReader, length: number, sink: DumpSink): Promise<void> {
  for (let left = length; left > 0; ) {
    const chunk = await chunks.next();
    const part = chunk.subarray(0, left);
    sink.data(part);
    left -= part.length;
    chunks.unread(chunk.subarray(part.length));
  }
}

/** The mark may be split over chunks, so the last 40 bytes are always held back. */
async function copyUntilMark(chunks: ChunkReader, mark: Buffer, sink: DumpSink): Promise<void> {
  let held: Buffer = Buffer.alloc(0);
  for (;;) {
    const bytes = Buffer.concat([held, await chunks.next()]);
    // The stream goes on after the mark only when we do not stop it, so the mark is at the very end.
    if (bytes.length >= MARK_BYTES && bytes.subarray(bytes.length - MARK_BYTES).equals(mark)) {
      sink.data(bytes.subarray(0, bytes.length - MARK_BYTES));
      return;
    }
    const at = bytes.indexOf(mark);
    if (at >= 0) {
      sink.data(bytes.subarray(0, at));
      chunks.unread(bytes.subarray(at + MARK_BYTES));
      return;
    }
    const keep = Math.min(bytes.length, MARK_BYTES);
    sink.data(bytes.subarray(0, bytes.length - keep));
    held = bytes.subarray(bytes.length - keep);
  }
}

/** The connection's bytes on demand, with back pressure and one place to put bytes back. */
class ChunkReader {
  readonly #client: Client;
  #queue: Buffer[] = [];
  #wake: () => void = () => {};
  #error: Error | undefined;

  constructor(client: Client) {
    this.#client = client;
    client.takeRaw((chunk) => {
      this.#queue.push(chunk);
      client.pause();
      this.#wake();
    });
    void client.ended().then((error) => {
      this.#error = error;
      this.#wake();
    });
  }

  async next(): Promise<Buffer> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) return chunk;
      if (this.#error !== undefined) throw this.#error;
      this.#client.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async line(bytesMax: number): Promise<string> {
    let line = '';
    for (;;) {
      const chunk = await this.next();
      const end = chunk.indexOf(10);
      line += chunk.toString('latin1', 0, end < 0 ? chunk.length : end);
      if (end >= 0) {
        this.unread(chunk.subarray(end + 1));
        return line.replace(/\r$/, '');
      }
      if (line.length > bytesMax) return line.slice(0, bytesMax);
    }
  }

  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#queue.unshift(bytes);
  }

  rest(): Buffer {
    const bytes = Buffer.concat(this.#queue);
    this.#queue = [];
    return bytes;
  }
}
