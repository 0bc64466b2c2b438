// From bytes to requests: decodes what arrives in place, keeps what is incomplete, and serves one request after the other.

import type { Context } from '../commands/context.ts';
import type { Session } from '../commands/session.ts';
import { Decoded, RequestDecoder } from '../formats/resp/request.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Database } from '../keyspace/database.ts';
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
/** First size of the arrays of arguments. */
const ARGUMENTS = 16;
const NO_BYTES = Buffer.alloc(0);

/** Requests of a pipeline that are decoded before the first of them is served. */
const AHEAD_MAX = 16;
/** Longer keys are not looked for in advance. */
const KEY_BYTES_MAX = 256;

/** A request that waits for those before it in its pipeline: argument i is `len[i]` bytes at `pos[i]` of `buf`. */
class AheadRequest {
  argc = 0;
  buf: Buffer = NO_BYTES;
  pos: Int32Array = new Int32Array(ARGUMENTS);
  len: Int32Array = new Int32Array(ARGUMENTS);
  /** Where the input goes on behind it. */
  next = 0;
  /** Whether the hash of its first argument is known. */
  hashed = false;
}

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
  /** Decoded requests of a pipeline, the first `aheadCount` of them; the hashes of their keys; where those would be. */
  private readonly ahead = Array.from({ length: AHEAD_MAX }, () => new AheadRequest());
  private readonly hashes = new Int32Array(AHEAD_MAX);
  private readonly entries = new Int32Array(AHEAD_MAX);
  private aheadCount = 0;
  /** What readAhead() has read: a value that is kept is read. */
  read = 0;
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
    const { turns } = this.host;
    turns.begin(session);
    let at = start;
    while (at < end) {
      const status = this.lookAhead(session, buf, at, end);
      at = this.serveAhead(session, at);
      if (session.held || session.closing || session.closeAfterReply) break;
      if (status === Decoded.error) this.refuse(session, this.decoder.error);
      if (status !== Decoded.request) break;
    }
    turns.end(session);
    return session.closeAfterReply || session.closing ? end : at;
  }

  /** Decodes up to AHEAD_MAX requests from `at` on. Returns the last status: more may follow while it is `request`. */
  private lookAhead(session: Session, buf: Buffer, start: number, end: number): number {
    const { decoder, limits, ahead } = this;
    limits.authenticated = session.authenticated;
    // What AUTH allows, it allows from the next request on.
    const max = session.authenticated ? AHEAD_MAX : 1;
    let partial = session.partial;
    session.partial = null;
    let status: number = Decoded.request;
    let at = start;
    let count = 0;
    while (count < max && at < end) {
      const request = ahead[count];
      decoder.pos = request.pos;
      decoder.len = request.len;
      status = decoder.decode(buf, at, end, limits, partial);
      partial = null;
      if (status !== Decoded.request) break;
      at = decoder.next;
      request.argc = decoder.argc;
      // Mostly they are the same as before; to store an object costs more than to compare it.
      if (request.buf !== decoder.buf) request.buf = decoder.buf;
      if (request.pos !== decoder.pos) {
        request.pos = decoder.pos;
        request.len = decoder.len;
      }
      request.next = at;
      count++;
    }
    if (status === Decoded.needMore) {
      session.inputNeeded = decoder.neededBytes;
      session.partial = decoder.suspend();
      // What is suspended keeps its arrays.
      ahead[count].pos = decoder.pos;
      ahead[count].len = decoder.len;
    }
    this.aheadCount = count;
    if (count > 1) this.readAhead(session.db);
    return status;
  }

  /**
   * Reads the places where the keys of the requests ahead would stand: memory answers several such reads in the time of
   * one, if they stand so close that the processor sees them together, and each request then finds its key in the cache.
   * The first argument is taken for a key; when it is none, a read was in vain.
   */
  private readAhead(db: Database): void {
    const { ahead, hashes, entries, aheadCount } = this;
    for (let i = 0; i < aheadCount; i++) {
      const request = ahead[i];
      const { pos, len } = request;
      request.hashed = request.argc > 1 && len[1] <= KEY_BYTES_MAX;
      if (request.hashed) hashes[i] = db.space.hash(request.buf, pos[1], len[1]);
    }
    for (let i = 0; i < aheadCount; i++) entries[i] = ahead[i].hashed ? db.table.headOf(hashes[i]) : 0;
    for (let i = 0; i < aheadCount; i++) if (entries[i] !== 0) entries[i] = db.table.follow(entries[i], hashes[i]);
    let read = 0;
    for (let i = 0; i < aheadCount; i++) if (entries[i] !== 0) read ^= db.table.behindKey(entries[i]);
    this.read = read;
  }

  /** Serves the decoded requests, the first of which starts at `start`; returns where the next one starts. */
  private serveAhead(session: Session, start: number): number {
    const { context: c, reply, turns, blocking } = this.host;
    const { ahead, aheadCount } = this;
    const { space } = session.db;
    let at = start;
    for (let i = 0; i < aheadCount; i++) {
      const request = ahead[i];
      at = request.next;
      if (request.argc === 0) continue;
      c.argc = request.argc;
      if (c.buf !== request.buf) c.buf = request.buf;
      c.pos = request.pos;
      c.len = request.len;
      if (aheadCount > 1 && request.hashed) space.expect(c.buf, c.pos[1], this.hashes[i]);
      turns.dispatch(session);
      space.expectNothing();
      if (blocking.hasReady) this.host.serveReady();
      if (session.held || session.closing || session.closeAfterReply) break;
      if (reply.pos > this.flushBytes) turns.sendReplies(session);
    }
    return at;
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
