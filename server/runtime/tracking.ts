// Client-side caching: remembers which keys a tracking client has read and tells it when they change.

import type { Context } from '../commands/context.ts';
import { findKeys, KeyPositions, keyPlanOf } from '../commands/key-positions.ts';
import { type Command, Flag } from '../commands/registry.ts';
import type { TrackingService } from '../commands/services.ts';
import type { Session, TrackingState } from '../commands/session.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Database } from '../keyspace/database.ts';
import type { KeyListener } from './events.ts';

/** RESP2 clients hear of invalidations as messages of this channel, through the client they redirect to. */
const CHANNEL = '__redis__:invalidate';

export interface TrackingHost {
  byId(id: number): Session | undefined;
  /** Writes to any client: into the current reply for the one being served, into its queue for the others. */
  deliver(session: Session, write: (reply: ReplyWriter) => void): void;
  /** tracking-table-max-keys; 0: no limit. */
  readonly keysMax: () => number;
  /** The client being served. */
  readonly current: () => Session | null;
}

export class Tracking implements TrackingService, KeyListener {
  private readonly host: TrackingHost;
  /** Clients that track, by id: the table below holds ids, so that a client that has gone costs nothing. */
  private readonly clients = new Set<Session>();
  /** Ids of the clients that may hold a key, by key (latin1 text); databases are not told apart, as in Redis. */
  private readonly table = new Map<string, Set<number>>();
  private items = 0;
  /** Keys changed in this turn that a broadcasting client's prefix covers, by prefix, with who changed each last. */
  private readonly broadcasts = new Map<string, Map<string, Session | null>>();
  /** Invalidations for the client being served wait for the end of its command. */
  private deferred: (() => void)[] = [];
  private readonly positions = new KeyPositions();
  /** The session whose CLIENT CACHING counts for the next command only. */
  private cachingFresh: Session | null = null;
  /** See Events.listen. */
  activityChanged: () => void = () => undefined;

  constructor(host: TrackingHost) {
    this.host = host;
  }

  get active(): boolean {
    return this.clients.size > 0 || this.table.size > 0;
  }

  totals(): { keys: number; items: number; prefixes: number } {
    const prefixes = new Set<string>();
    for (const session of this.clients) {
      for (const prefix of session.tracking?.prefixes ?? []) prefixes.add(prefix.toString('latin1'));
    }
    return { keys: this.table.size, items: this.items, prefixes: prefixes.size };
  }

  enable(session: Session, state: TrackingState): void {
    const before = session.tracking;
    const known = before?.prefixes ?? [];
    const added =
      state.broadcast && state.prefixes.length === 0 && known.length === 0 ? [Buffer.alloc(0)] : state.prefixes;
    const fresh = added.filter((prefix) => !known.some((other) => other.equals(prefix)));
    session.tracking = { ...state, prefixes: state.broadcast ? [...known, ...fresh] : [] };
    this.clients.add(session);
    this.activityChanged();
  }

  disable(session: Session): void {
    session.tracking = null;
    this.clients.delete(session);
    this.activityChanged();
  }

  cachingSet(session: Session): void {
    this.cachingFresh = session;
  }

  /** A client has gone: those that redirect to it are told that their caches are blind now. */
  gone(session: Session): void {
    this.disable(session);
    for (const other of this.clients) {
      if (other.tracking?.redirect !== session.id) continue;
      this.breakRedirect(other);
    }
  }

  private breakRedirect(session: Session): void {
    const state = session.tracking;
    if (state === null || state.redirectBroken) return;
    state.redirectBroken = true;
    if (!session.resp3) return;
    this.host.deliver(session, (reply) => {
      reply.push(2);
      reply.text('tracking-redir-broken');
      reply.int(state.redirect);
    });
  }

  /** After a command: remembers the keys that a tracking client has read, sends what was held. */
  ran(c: Context, command: Command): void {
    const state = c.session.tracking;
    if (state !== null && (command.flags & Flag.readonly) !== 0 && !state.broadcast && wanted(state)) {
      this.remember(c, command);
    }
    if (state !== null && state.caching !== null && this.cachingFresh !== c.session && !c.inTransaction) {
      state.caching = null;
    }
    if (this.cachingFresh === c.session && command.name !== 'client|caching') this.cachingFresh = null;
    else if (command.name === 'client|caching') this.cachingFresh = null;
    if (!c.inTransaction) this.flushDeferred();
  }

  private remember(c: Context, command: Command): void {
    const plan = keyPlanOf(command.spec);
    if (plan === null || !findKeys(plan, c, this.positions)) return;
    for (let i = 0; i < this.positions.count; i++) {
      const key = c.text(this.positions.indexes[i]);
      const ids = this.table.get(key) ?? new Set<number>();
      this.table.set(key, ids);
      if (!ids.has(c.session.id)) {
        ids.add(c.session.id);
        this.items++;
      }
    }
    this.limit();
  }

  /** Over tracking-table-max-keys, keys are forgotten; the clients that hold them are told as if they had changed. */
  limit(): void {
    const max = this.host.keysMax();
    if (max === 0) return;
    for (const key of this.table.keys()) {
      if (this.table.size <= max) return;
      this.invalidate(key, null);
    }
  }

  keyChanged(_db: Database, buf: Uint8Array, pos: number, len: number, by: Session | null): void {
    const key = Buffer.from(buf.buffer, buf.byteOffset + pos, len).toString('latin1');
    this.invalidate(key, by);
    for (const session of this.clients) {
      for (const prefix of session.tracking?.prefixes ?? []) {
        const text = prefix.toString('latin1');
        if (!key.startsWith(text)) continue;
        const keys = this.broadcasts.get(text) ?? new Map<string, Session | null>();
        this.broadcasts.set(text, keys);
        keys.set(key, by);
      }
    }
  }

  get hasBroadcasts(): boolean {
    return this.broadcasts.size > 0;
  }

  /** At the end of a turn: one message per prefix and client, with all keys of the turn. */
  flushBroadcasts(): void {
    const pending = [...this.broadcasts];
    this.broadcasts.clear();
    for (const [prefix, keys] of pending) {
      for (const session of this.clients) {
        const state = session.tracking;
        if (state === null || !state.prefixes.some((other) => other.toString('latin1') === prefix)) continue;
        const told = [...keys].filter(([, by]) => !(state.noLoop && by === session)).map(([key]) => key);
        if (told.length > 0) this.send(session, told);
      }
    }
  }

  /** Sends what was held back for the client being served: keys evicted before its command runs. */
  flushDeferred(): void {
    for (const send of this.deferred.splice(0)) send();
  }

  databaseChanged(): void {
    this.table.clear();
    this.items = 0;
    this.activityChanged();
    for (const session of this.clients) if (session.tracking !== null) this.send(session, null);
  }

  swapped(): void {
    this.databaseChanged();
  }

  private invalidate(key: string, by: Session | null): void {
    const ids = this.table.get(key);
    if (ids === undefined) return;
    this.table.delete(key);
    this.items -= ids.size;
    if (this.table.size === 0) this.activityChanged();
    for (const id of ids) {
      const session = this.host.byId(id);
      const state = session?.tracking;
      if (session === undefined || state === null || state === undefined || state.broadcast) continue;
      if (state.noLoop && session === by) continue;
      this.send(session, [key]);
    }
  }

  /** null: everything. */
  private send(session: Session, keys: readonly string[] | null): void {
    const state = session.tracking!;
    const target = state.redirect === 0 ? session : this.host.byId(state.redirect);
    if (target === undefined) {
      this.breakRedirect(session);
      return;
    }
    const write = (): void => this.write(target, keys, state.redirect !== 0);
    if (target === this.host.current()) this.deferred.push(write);
    else write();
  }

  private write(target: Session, keys: readonly string[] | null, redirected: boolean): void {
    if (!target.resp3 && (!redirected || !target.channels.has(CHANNEL))) return;
    this.host.deliver(target, (reply) => {
      if (target.resp3) {
        reply.push(2);
        reply.text('invalidate');
      } else {
        reply.push(3);
        reply.text('message');
        reply.text(CHANNEL);
      }
      if (keys === null) {
        reply.nil();
        return;
      }
      reply.array(keys.length);
      for (const key of keys) reply.text(key);
    });
  }
}

function wanted(state: TrackingState): boolean {
  if (state.optIn) return state.caching === 'yes';
  if (state.optOut) return state.caching !== 'no';
  return true;
}
