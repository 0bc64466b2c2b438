// Clients that wait for keys. A waiting client keeps its request; when one of its keys changes the request runs again,
// first come first served, and waits on when there is still nothing for it (its place in the queue stays).

import type { BlockingService, BlockOptions } from '../commands/services.ts';
import type { Session, StoredRequest } from '../commands/session.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Database } from '../keyspace/database.ts';
import type { KeyListener } from './events.ts';

/** What a client that waited gets without its request running again. */
type Answer = 'nil' | 'nilArray' | 'ok' | { error: string } | { numbers: number | readonly number[] };

export interface BlockingHost {
  /** Runs the request again for a client that is no longer blocked; it may block anew. */
  rerun(session: Session, request: StoredRequest): void;
  /** Answers a client outside its turn. */
  answer(session: Session, answer: Answer): void;
  /** The client may be read again: what it has sent in the meantime is served. */
  release(session: Session): void;
  /** Calls back at a time (ms since 1970) or never; returns a function that cancels. */
  at(timeMs: number, callback: () => void): () => void;
}

export class Blocking implements BlockingService, KeyListener {
  private readonly host: BlockingHost;
  /** Waiting clients by database and key (latin1 text), in order of arrival. */
  private readonly waiting = new Map<Database, Map<string, Set<Session>>>();
  private readonly cancels = new Map<Session, () => void>();
  servingKey: string | null = null;
  /** See Events.listen. */
  activityChanged: () => void = () => undefined;
  private ready: { db: Database; key: string }[] = [];
  private readonly readyKeys = new Set<string>();
  private nextOrder = 1;
  /** The order of the client being served again, so that it keeps its place. */
  private keptOrder = 0;
  private keptDeadlineMs = -1;

  constructor(host: BlockingHost) {
    this.host = host;
  }

  get blockedClients(): number {
    return this.cancels.size;
  }

  get blockedKeys(): number {
    let sum = 0;
    for (const byKey of this.waiting.values()) sum += byKey.size;
    return sum;
  }

  get active(): boolean {
    return this.cancels.size > 0;
  }

  block(session: Session, request: StoredRequest, options: BlockOptions): void {
    const keys = [...new Set(options.keys.map((key) => key.toString('latin1')))];
    const deadlineMs = this.keptDeadlineMs >= 0 ? this.keptDeadlineMs : options.deadlineMs;
    session.blocked = {
      request,
      keys,
      db: session.db,
      deadlineMs,
      onTimeout: options.onTimeout,
      order: this.keptOrder || this.nextOrder++,
      wakeOnDelete: options.wakeOnDelete ?? false,
    };
    session.held = true;
    const byKey = this.waiting.get(session.db) ?? new Map<string, Set<Session>>();
    this.waiting.set(session.db, byKey);
    for (const key of keys) byKey.set(key, this.enqueue(byKey.get(key), session));
    const cancel = deadlineMs > 0 ? this.host.at(deadlineMs, () => this.unblock(session, 'timeout')) : () => undefined;
    this.cancels.set(session, cancel);
    this.activityChanged();
  }

  unblock(session: Session, how: 'timeout' | 'error'): boolean {
    const blocked = session.blocked;
    if (blocked === null) return false;
    this.forget(session);
    if (how === 'error') blocked.request.command.stats.failedCalls++;
    const { onTimeout } = blocked;
    if (how === 'error') this.host.answer(session, { error: 'UNBLOCKED client unblocked via CLIENT UNBLOCK' });
    else this.host.answer(session, typeof onTimeout === 'function' ? { numbers: onTimeout() } : onTimeout);
    this.host.release(session);
    return true;
  }

  fail(session: Session, error: string): void {
    if (session.blocked === null) return;
    this.forget(session);
    this.host.answer(session, { error });
    this.host.release(session);
  }

  answerLater(session: Session, outcome: Promise<string | null>): void {
    session.held = true;
    const finish = (error: string | null): void => {
      if (session.closing) return;
      this.host.answer(session, error === null ? 'ok' : { error });
      this.host.release(session);
    };
    outcome.then(finish, (error: Error) => finish(`ERR ${error.message}`));
  }

  /** The client is gone or must not wait any longer: out of all queues, without an answer. */
  forget(session: Session): void {
    const blocked = session.blocked;
    if (blocked === null) return;
    session.blocked = null;
    session.held = false;
    this.cancels.get(session)?.();
    this.cancels.delete(session);
    this.activityChanged();
    const byKey = this.waiting.get(blocked.db);
    if (byKey === undefined) return;
    for (const key of blocked.keys) {
      const queue = byKey.get(key);
      queue?.delete(session);
      if (queue?.size === 0) byKey.delete(key);
    }
    if (byKey.size === 0) this.waiting.delete(blocked.db);
  }

  keyChanged(db: Database, buf: Uint8Array, pos: number, len: number): void {
    const byKey = this.waiting.get(db);
    if (byKey === undefined) return;
    this.markReady(db, Buffer.from(buf.buffer, buf.byteOffset + pos, len).toString('latin1'));
  }

  databaseChanged(db: Database | null): void {
    for (const [waitingDb, byKey] of this.waiting) {
      if (db !== null && waitingDb !== db) continue;
      for (const key of byKey.keys()) this.markReady(waitingDb, key);
    }
  }

  swapped(first: Database, second: Database): void {
    // Clients have followed to the other database by index: so do their queues.
    const [a, b] = [this.waiting.get(first), this.waiting.get(second)];
    this.waiting.delete(first);
    this.waiting.delete(second);
    if (a !== undefined) this.move(a, second);
    if (b !== undefined) this.move(b, first);
  }

  get hasReady(): boolean {
    return this.ready.length > 0;
  }

  /** Serves the clients whose keys have changed, until no change is left. To be called between commands. */
  serveReady(): void {
    while (this.ready.length > 0) {
      const { db, key } = this.ready.shift()!;
      this.readyKeys.delete(`${db.index}:${key}`);
      const queue = this.waiting.get(db)?.get(key);
      if (queue !== undefined) for (const session of [...queue]) this.serve(session, key);
    }
  }

  private serve(session: Session, key: string): void {
    const blocked = session.blocked;
    if (blocked === null) return;
    this.forget(session);
    this.keptOrder = blocked.order;
    this.keptDeadlineMs = blocked.deadlineMs;
    this.servingKey = key;
    this.host.rerun(session, blocked.request);
    this.servingKey = null;
    this.keptOrder = 0;
    this.keptDeadlineMs = -1;
    if (session.blocked === null) this.host.release(session);
  }

  private markReady(db: Database, key: string): void {
    if (!this.waiting.get(db)?.has(key)) return;
    const id = `${db.index}:${key}`;
    if (this.readyKeys.has(id)) return;
    this.readyKeys.add(id);
    this.ready.push({ db, key });
  }

  private move(byKey: Map<string, Set<Session>>, to: Database): void {
    this.waiting.set(to, byKey);
    for (const [key, queue] of byKey) {
      for (const session of queue) if (session.blocked !== null) session.blocked.db = to;
      this.markReady(to, key);
    }
  }

  /** Adds a client to a queue in the order of arrival (a client that waits on goes back to its place). */
  private enqueue(queue: Set<Session> | undefined, session: Session): Set<Session> {
    const order = session.blocked!.order;
    if (queue === undefined) return new Set([session]);
    const all = [...queue];
    if (all.length === 0 || all[all.length - 1].blocked!.order < order) {
      queue.add(session);
      return queue;
    }
    const at = all.findIndex((other) => other.blocked!.order > order);
    all.splice(at, 0, session);
    return new Set(all);
  }
}

export function writeAnswer(reply: ReplyWriter, answer: Answer): void {
  if (answer === 'nil') reply.nil();
  else if (answer === 'ok') reply.ok();
  else if (answer === 'nilArray') reply.nilArray();
  else if ('error' in answer) reply.error(answer.error);
  else if (typeof answer.numbers === 'number') reply.int(answer.numbers);
  else {
    reply.array(answer.numbers.length);
    for (const number of answer.numbers) reply.int(number);
  }
}
