// Whose turn it is: requests run one at a time, each for a session, and what they write goes to that session in order.

import type { Context } from '../commands/context.ts';
import { ReplyMode, type Session, type StoredRequest } from '../commands/session.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { ClientConnection } from './client-connection.ts';
import { applyReplyMode, type Dispatcher } from './dispatch.ts';
import { SharedText } from './shared-text.ts';
import type { ServerStats } from './stats.ts';

export interface TurnHost {
  readonly context: Context;
  readonly reply: ReplyWriter;
  readonly stats: ServerStats;
  readonly now: () => number;
  /** A replica has sent something that is answered: the answer would stand in its stream. */
  refuseReplies(session: Session): void;
  /** Last things of a turn, before its replies go out. */
  beforeReplies(): void;
}

export class Turns {
  /** The session being served. */
  current: Session | null = null;
  readonly dispatcher: Dispatcher;
  private readonly host: TurnHost;
  private readonly toFlush = new Set<ClientConnection>();
  private flushScheduled = false;
  /** The time, and what the monotonic clock said when it was asked. */
  private nowMs = 0;
  private timedMs = Number.NEGATIVE_INFINITY;
  /** Where what is pushed in this round begins. */
  readonly nothingPushed = new SharedText('');
  /** Connections with replies of this round of the event loop. */
  private replying: ClientConnection[] = [];
  /** Replies have to wait: the log (appendfsync always) has not reached the disk yet. */
  private held = false;
  /** Sessions to be closed once their replies may go. */
  private readonly ending: Session[] = [];

  constructor(host: TurnHost, dispatcher: Dispatcher) {
    this.host = host;
    this.dispatcher = dispatcher;
  }

  /** The session's requests are served from here to end(). */
  begin(session: Session): void {
    const { context: c, reply } = this.host;
    this.current = session;
    session.lastActiveMs = this.timeAt(this.dispatcher.startBatch(session));
    c.session = session;
    c.db = session.db;
    c.forgetTime();
    c.resumed = false;
    reply.resp3 = session.resp3;
  }

  /** ms since 1970, at most a millisecond old: when the monotonic clock, which every turn reads, has gone no further. */
  private timeAt(monotonicMs: number): number {
    if (monotonicMs - this.timedMs >= 1) {
      this.timedMs = monotonicMs;
      this.nowMs = this.host.now();
    }
    return this.nowMs;
  }

  /** Runs the request that the context holds. */
  dispatch(session: Session): void {
    const { context: c, reply } = this.host;
    // What is pushed to a client without replies comes after the replies it had before.
    if (session.replyMode !== ReplyMode.on) this.sendReplies(session);
    const mark = reply.pos;
    this.dispatcher.dispatch(c);
    session.totalCommands++;
    if (session.lastCommand !== c.command) session.lastCommand = c.command;
    if (session.replyMode !== ReplyMode.on) applyReplyMode(c, mark);
  }

  end(session: Session): void {
    this.dispatcher.endBatch();
    this.host.beforeReplies();
    this.sendReplies(session);
    if (session.closeAfterReply && !session.closing) {
      session.closing = true;
      if (this.held) this.ending.push(session);
      else session.transport.closeGracefully();
    }
    this.current = null;
    if (this.toFlush.size > 0) this.flushOthers();
  }

  sendReplies(session: Session): void {
    const { reply, stats } = this.host;
    if (reply.pos === 0) return;
    if (session.link === 'replica') {
      this.host.refuseReplies(session);
      reply.clear();
      return;
    }
    stats.outputBytes += reply.pos;
    stats.writesProcessed++;
    const connection = session.transport as ClientConnection;
    if (this.held) {
      connection.send(Buffer.from(reply.buf.subarray(0, reply.pos)));
      reply.clear();
    } else connection.sendReplies(reply);
  }

  /** Keeps all replies back, or lets them go. */
  hold(held: boolean): void {
    if (this.held === held) return;
    this.held = held;
    if (held) return;
    this.flushOthers();
    for (const session of this.ending.splice(0)) session.transport.closeGracefully();
  }

  /** Bytes were queued for a client outside its turn: they leave at the end of this one. */
  needsFlush(connection: ClientConnection): void {
    this.toFlush.add(connection);
    if (this.current !== null || this.flushScheduled) return;
    this.flushScheduled = true;
    setImmediate(() => {
      this.flushScheduled = false;
      this.flushOthers();
    });
  }

  /** Replies wait in a connection: they leave once all sockets that are ready have been read. */
  hasReplies(connection: ClientConnection): void {
    if (this.replying.push(connection) === 1) setImmediate(this.sendRound);
  }

  private readonly sendRound = (): void => {
    const connections = this.replying;
    this.replying = [];
    for (let i = 0; i < connections.length; i++) {
      if (this.held) this.toFlush.add(connections[i]);
      else connections[i].flushReplies();
    }
    this.nothingPushed.forget();
  };

  flushOthers(): void {
    if (this.held) return;
    for (const connection of this.toFlush) connection.flush();
    this.toFlush.clear();
  }

  /** Runs a kept request in the current turn, its reply going to the writer. */
  runStored(request: StoredRequest): void {
    this.bind(request);
    this.dispatcher.run(this.host.context, request.command);
  }

  /** Lays a kept request out in the context, as the decoder does with one that arrives. */
  bind(request: StoredRequest): void {
    const c = this.host.context;
    const { args } = request;
    c.argc = args.length;
    c.buf = Buffer.concat(args);
    c.pos = new Int32Array(args.length);
    c.len = new Int32Array(args.length);
    for (let i = 0, at = 0; i < args.length; at += args[i].length, i++) {
      c.pos[i] = at;
      c.len[i] = args[i].length;
    }
    c.command = request.command;
  }

  /** Makes `session` the one being served while `action` runs; what it writes goes to its queue. */
  asSession(session: Session, action: () => void): void {
    const { context: c, reply } = this.host;
    const saved = { session: c.session, db: c.db, command: c.command, resumed: c.resumed };
    const request = { argc: c.argc, buf: c.buf, pos: c.pos, len: c.len };
    const current = this.current;
    const mark = reply.pos;
    const resp3 = reply.resp3;
    if (current === null) c.forgetTime();
    this.current = session;
    c.session = session;
    c.db = session.db;
    reply.resp3 = session.resp3;
    this.dispatcher.look(session);
    action();
    if (reply.pos > mark) {
      session.transport.send(Buffer.from(reply.buf.subarray(mark, reply.pos)));
      reply.pos = mark;
    }
    this.current = current;
    Object.assign(c, request, saved);
    if (current !== null) this.dispatcher.look(current);
    reply.resp3 = resp3;
  }

  /** Sends a message that many clients get, in order with each one's replies: text has one character a byte. */
  deliverShared(session: Session, message: string | Buffer): void {
    const isText = typeof message === 'string';
    if (session === this.current && session.replyMode === ReplyMode.on) {
      this.host.reply.raw(isText ? Buffer.from(message, 'latin1') : message);
    } else if (isText && !this.held) (session.transport as ClientConnection).push(message);
    else session.transport.send(isText ? Buffer.from(message, 'latin1') : message);
  }

  /** Writes to any client, in order with its replies. */
  deliver(session: Session, write: (reply: ReplyWriter) => void): void {
    const { reply } = this.host;
    // While its replies are off, a client still gets what is pushed to it.
    if (session === this.current && session.replyMode === ReplyMode.on) {
      write(reply);
      return;
    }
    const mark = reply.pos;
    const resp3 = reply.resp3;
    reply.resp3 = session.resp3;
    write(reply);
    session.transport.send(Buffer.from(reply.buf.subarray(mark, reply.pos)));
    reply.pos = mark;
    reply.resp3 = resp3;
  }
}
