// What happens after a key has changed: watched transactions break, waiting clients wake, trackers are told, keyspace
// notifications are published, the write goes to the AOF and to replicas.

import type { Context } from '../commands/context.ts';
import type { EventClass, EventService } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import type { Database } from '../keyspace/database.ts';

/** Something that wants to know of changed keys. Keys come as bytes; make a text of them only when it matters. */
export interface KeyListener {
  /** Whether there is anything to listen for: a cheap test. */
  readonly active: boolean;
  keyChanged(db: Database, buf: Uint8Array, pos: number, len: number, by: Session | null): void;
  /** A whole database (null: every one) is about to be emptied. */
  databaseChanged(db: Database | null, by: Session | null): void;
  swapped(first: Database, second: Database): void;
}

/** Takes the writes: AOF, replication. */
export interface WriteSink {
  readonly active: boolean;
  write(db: Database, args: readonly Buffer[]): void;
  /** The same for a request as it stands in the context; without it, write() gets a copy. */
  writeRequest?(c: Context): void;
}

const CLASS_LETTERS = 'g$lshzxetdmn';

export class Events implements EventService {
  readonly listeners: KeyListener[] = [];
  readonly sinks: WriteSink[] = [];
  private readonly publish: (channel: Buffer, message: Buffer) => void;
  /** Letters of notify-keyspace-events, expanded; '' when nothing is to be published. */
  private classes = '';
  private keyspaceChannel = false;
  private keyeventChannel = false;

  constructor(publish: (channel: Buffer, message: Buffer) => void) {
    this.publish = publish;
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
    for (let i = 0; i < this.listeners.length; i++) {
      const listener = this.listeners[i];
      if (listener.active) listener.keyChanged(db, buf, pos, len, by);
    }
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

  propagate(db: Database, args: readonly Buffer[]): void {
    for (const sink of this.sinks) if (sink.active) sink.write(db, args);
  }

  /** propagate() for the request in the context. */
  propagateRequest(c: Context): void {
    for (const sink of this.sinks) {
      if (!sink.active) continue;
      if (sink.writeRequest !== undefined) sink.writeRequest(c);
      else sink.write(c.db, c.storedRequest().args);
    }
  }
}
