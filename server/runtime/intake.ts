// From bytes to requests: decodes what arrives in place, keeps what is incomplete, and serves one request after the other.

import type { Context } from '../commands/context.ts';
import type { Session } from '../commands/session.ts';
import { Decoded, RequestDecoder } from '../formats/resp/request.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Blocking } from './blocking.ts';
import type { Log } from './log.ts';
import type { Turns } from './turns.ts';

/** Replies of a batch are sent when they exceed this, so that a long pipeline does not pile up. */
export const FLUSH_BYTES = 48 * 1024;
/** A client that is held back is not read beyond this. */
const HELD_INPUT_BYTES_MAX = 1024 * 1024;
/** Largest buffer kept for another request. */
const SPARE_BYTES_MAX = 1024 * 1024;
/** First size of the buffer for an incomplete request. */
const INPUT_BYTES = 1024;

export interface IntakeHost {
  readonly context: Context;
  readonly reply: ReplyWriter;
  readonly turns: Turns;
  readonly blocking: Blocking;
  readonly log: Log['write'];
  /** client-query-buffer-limit. */
  readonly inputBytesMax: () => number;
  serveReady(): void;
  describe(session: Session): string;
}

export class Intake {
  readonly limits = { bulkBytesMax: 512 * 1024 * 1024, authenticated: true };
  flushBytes = FLUSH_BYTES;
  private readonly host: IntakeHost;
  private readonly decoder = new RequestDecoder();
  /** An input buffer that was used up, for the next request that does not fit one read. */
  private spare: Buffer | null = null;

  constructor(host: IntakeHost) {
    this.host = host;
  }

  /** `end` bytes have arrived at the start of `buf`. */
  receive(session: Session, buf: Buffer, end: number): void {
    if (session.held || session.closing) {
      this.keep(session, buf, 0, end);
      if (session.held && session.inputBytes > HELD_INPUT_BYTES_MAX) session.transport.pause();
      return;
    }
    if (session.input === null) {
      const consumed = this.serve(session, buf, 0, end);
      if (consumed < end) this.keep(session, buf, consumed, end);
    } else {
      this.keep(session, buf, 0, end);
      if (session.inputBytes >= session.inputNeeded) this.serveKept(session);
    }
  }

  /** A client that was held back goes on with what it has sent meanwhile, once the current turn is over. */
  release(session: Session): void {
    session.held = false;
    setImmediate(() => {
      if (session.held || session.closing) return;
      session.transport.resume();
      if (session.input !== null) this.serveKept(session);
    });
  }

  /** Serves the requests in `buf` from `start` to `end`; returns the position up to which input was used. */
  private serve(session: Session, buf: Buffer, start: number, end: number): number {
    const { context: c, reply, turns, blocking } = this.host;
    const { decoder, limits } = this;
    turns.begin(session);
    let at = start;
    while (at < end) {
      limits.authenticated = session.authenticated;
      const partial = session.partial;
      session.partial = null;
      const status = decoder.decode(buf, at, end, limits, partial);
      if (status === Decoded.needMore) {
        session.inputNeeded = decoder.neededBytes;
        session.partial = decoder.suspend();
        break;
      }
      if (status === Decoded.error) {
        this.refuse(session, decoder.error);
        break;
      }
      at = decoder.next;
      if (decoder.argc === 0) continue;
      c.argc = decoder.argc;
      c.buf = decoder.buf;
      c.pos = decoder.pos;
      c.len = decoder.len;
      turns.dispatch(session);
      if (blocking.hasReady) this.host.serveReady();
      if (session.held || session.closing || session.closeAfterReply) break;
      if (reply.pos > this.flushBytes) turns.sendReplies(session);
    }
    turns.end(session);
    return session.closeAfterReply || session.closing ? end : at;
  }

  /** Keeps input that has to wait: the rest of a request, or requests of a client that is held back. */
  private keep(session: Session, buf: Buffer, start: number, end: number): void {
    const total = session.inputBytes + end - start;
    if (total > this.host.inputBytesMax()) {
      this.host.log('warning', `Closing client that reached max query buffer length: ${this.host.describe(session)}`);
      session.closing = true;
      session.transport.destroy();
      return;
    }
    const { input } = session;
    if (input === null || input.length < total) {
      const grown = this.inputBuffer(Math.max(total, session.inputNeeded, INPUT_BYTES, (input?.length ?? 0) * 2));
      if (input !== null) input.copy(grown, 0, 0, session.inputBytes);
      session.input = grown;
    }
    buf.copy(session.input!, session.inputBytes, start, end);
    session.inputBytes = total;
  }

  /** A buffer of at least that size: the spare one if it fits and is not wasted on little. */
  private inputBuffer(bytes: number): Buffer {
    const { spare } = this;
    if (spare === null || spare.length < bytes || spare.length > bytes * 4) return Buffer.allocUnsafeSlow(bytes);
    this.spare = null;
    return spare;
  }

  private serveKept(session: Session): void {
    const { input } = session;
    if (input === null) return;
    const end = session.inputBytes;
    session.input = null;
    session.inputBytes = 0;
    session.inputNeeded = 0;
    const consumed = this.serve(session, input, 0, end);
    if (consumed === end) {
      if (input.length <= SPARE_BYTES_MAX) this.spare = input;
      return;
    }
    if (consumed === 0) {
      session.input = input;
      session.inputBytes = end;
    } else this.keep(session, input, consumed, end);
  }

  private refuse(session: Session, error: string): void {
    this.host.log('verbose', `Protocol error (${error}) from client: ${this.host.describe(session)}`);
    this.host.reply.error(`ERR Protocol error: ${error}`);
    session.closeAfterReply = true;
  }
}
