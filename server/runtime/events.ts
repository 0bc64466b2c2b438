// What happens after a key has changed: watched transactions break, waiting clients wake, trackers are told, keyspace
// notifications are published, the write goes to the AOF and to replicas.

import type { Context } from '../commands/context.ts';
import type { EventClass, EventService } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import type { Database } from '../keyspace/database.ts';

/** Something that wants to know of changed keys. Keys come as bytes; make a text of them only when it matters. */
export interface KeyListener {
  /** Whether there is anything to listen for. */
  readonly active: boolean;
  keyChanged(db: Database, buf: Uint8Array, pos: number, len: number, by: Session | null): void;
  /** A whole database (null: every one) is about to be emptied. */
  databaseChanged(db: Database | null, by: Session | null): void;
  swapped(first: Database, second: Database): void;
}

/** Takes the writes: AOF, replication. */
export interface WriteSink {
  readonly active: boolean;
  /** Whether it takes what changes no data, too (PUBLISH): replicas, not the AOF. */
  readonly takesMessages: boolean;
  /** `db` is the database's index, or ANY_DATABASE. */
  write(db: number, args: readonly Buffer[]): void;
  /** The same for a request as it stands in the context. */
  writeRequest(c: Context): void;
}

/** Of commands that belong to no database: no SELECT before them. */
export const ANY_DATABASE = -1;

/** A write that waits for the end of the request that it belongs to. */
interface Write {
  db: number;
  args: readonly Buffer[];
  isMessage: boolean;
}

const MULTI = [Buffer.from('MULTI')];
const EXEC = [Buffer.from('EXEC')];

const CLASS_LETTERS = 'g$lshzxetdmn';

export class Events implements EventService {
  private readonly listeners: KeyListener[] = [];
  /** A bit for each listener that is active, so that a change nobody listens for costs one test. */
  private attention = 0;
  readonly sinks: WriteSink[] = [];
  /** Writes of the request being served; settle() hands them out. Bounded by what one request changes. */
  private waiting: Write[] = [];
  private readonly publish: (channel: Buffer, message: Buffer) => void;
  /** Letters of notify-keyspace-events, expanded; '' when nothing is to be published. */
  private classes = '';
  private keyspaceChannel = false;
  private keyeventChannel = false;

  constructor(publish: (channel: Buffer, message: Buffer) => void) {
    this.publish = publish;
  }

  /** Adds a listener; returns what it has to call whenever it becomes active or ceases to be. */
  listen(listener: KeyListener): () => void {
    const bit = 1 << (this.listeners.push(listener) - 1);
    return () => {
      this.attention = listener.active ? this.attention | bit : this.attention & ~bit;
    };
  }

  /** Takes notify-keyspace-events: K, E and class letters, A for all but m and n. */
  configure(flags: string): void {
    this.keyspaceChannel = flags.includes('K');
    this.keyeventChannel = flags.includes('E');
    const named = flags.includes('A') ? `${flags}g$lshzxetd` : flags;
    const classes = [...CLASS_LETTERS].filter((letter) => named.includes(letter)).join('');
    this.classes = this.keyspaceChannel || this.keyeventChannel ? classes : '';
  }

  /** Whether the appearance of a key is asked for. */
  get notifyingNew(): boolean {
    return this.classes.includes('n');
  }

  get notifying(): boolean {
    return this.classes !== '';
  }

  get propagating(): boolean {
    const { sinks } = this;
    for (let i = 0; i < sinks.length; i++) if (sinks[i].active) return true;
    return false;
  }

  keyChanged(db: Database, buf: Uint8Array, pos: number, len: number, by: Session | null): void {
    if (this.attention === 0) return;
    for (const listener of this.listeners) if (listener.active) listener.keyChanged(db, buf, pos, len, by);
  }

  databaseChanged(db: Database | null, by: Session | null): void {
    for (const listener of this.listeners) if (listener.active) listener.databaseChanged(db, by);
  }

  swapped(first: Database, second: Database): void {
    for (const listener of this.listeners) if (listener.active) listener.swapped(first, second);
  }

  notify(eventClass: EventClass, event: string, db: Database, buf: Uint8Array, pos: number, len: number): void {
    if (!this.classes.includes(eventClass)) return;
    const key = Buffer.from(buf.subarray(pos, pos + len));
    const name = Buffer.from(event, 'latin1');
    if (this.keyspaceChannel) {
      this.publish(Buffer.concat([Buffer.from(`__keyspace@${db.index}__:`), key]), name);
    }
    if (this.keyeventChannel) this.publish(Buffer.from(`__keyevent@${db.index}__:${event}`), key);
  }

  /** Keeps a write for settle(); `isMessage`: it changes no data. */
  propagate(db: Database, args: readonly Buffer[], isMessage = false): void {
    if (this.propagating) this.waiting.push({ db: db.index, args, isMessage });
  }

  /** Whether settle() has something to do. */
  get unsettled(): boolean {
    return this.waiting.length > 0;
  }

  /** Hands out what one request, or one step of housekeeping, has changed: several writes take effect as one. */
  settle(together = true): void {
    const writes = this.waiting;
    this.waiting = [];
    for (const sink of this.sinks) if (sink.active) settleInto(sink, writes, together && writes.length > 1);
  }

  /** propagate() and settle() for a request that stands in the context and is alone. */
  propagateRequest(c: Context): void {
    for (const sink of this.sinks) if (sink.active) sink.writeRequest(c);
  }
}

function settleInto(sink: WriteSink, writes: readonly Write[], together: boolean): void {
  const taken = sink.takesMessages ? writes : writes.filter((write) => !write.isMessage);
  if (taken.length === 0) return;
  if (together) sink.write(taken[0].db, MULTI);
  for (const { db, args } of taken) sink.write(db, args);
  if (together) sink.write(ANY_DATABASE, EXEC);
}
