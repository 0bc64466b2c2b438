// What a handler works with: one request and the world it runs in. One Context serves all requests, one after the other;
// a handler keeps nothing of it.
//
// A handler has four beats:
//   1. look up and check types (lookupRead, lookupWrite, typed): throws WRONGTYPE, returns 0 for a missing key
//   2. change (db.*, values/*)
//   3. note what changed (changed, deleted; rewrite when the AOF needs another command)
//   4. reply (c.reply)
// Arguments that are wrong throw a CommandError before anything has changed.

import { isInt64, parseDouble, parseInt64, parseInteger } from '../base/numbers.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import { CommandError, ERRORS } from './errors.ts';
import { type Command, equalsFolded } from './registry.ts';
import type { BlockOptions, EventClass, Services } from './services.ts';
import type { Session, StoredRequest } from './session.ts';

const WORDS = new Map<string, Uint8Array>();

export class Context {
  /** The request: argument i is `len[i]` bytes of `buf` at `pos[i]`; argument 0 is the command's name. */
  argc = 0;
  buf: Buffer = Buffer.alloc(0);
  pos: Int32Array = new Int32Array(0);
  len: Int32Array = new Int32Array(0);
  session!: Session;
  db!: Database;
  command!: Command;
  /** What nowMs says; 0 until it is asked for. */
  private turnMs = 0;
  /** Inside EXEC: blocking commands answer at once. */
  inTransaction = false;
  /** Replayed from the AOF or sent by a primary: no expiry on access, no memory limit. */
  replaying = false;
  /** Running again after a wait for a key. */
  resumed = false;
  readonly reply: ReplyWriter;
  readonly keyspace: Keyspace;
  readonly server: Services;
  /** Commands to propagate instead of the request: null, the request itself; empty, nothing. */
  rewrites: Buffer[][] | null = null;
  /** What is propagated changes no data: replicas want it, the AOF does not. */
  isMessage = false;

  constructor(keyspace: Keyspace, reply: ReplyWriter, server: Services) {
    this.keyspace = keyspace;
    this.reply = reply;
    this.server = server;
  }

  /**
   * ms since 1970, the same for all commands of one turn. Read when it is first asked for: most turns never do, and those
   * that do compare it with what a client has just read from the same clock.
   */
  get nowMs(): number {
    if (this.turnMs === 0) this.turnMs = this.server.now();
    return this.turnMs;
  }

  set nowMs(ms: number) {
    this.turnMs = ms;
  }

  /** A turn begins, or time has passed in it: it is read anew. */
  forgetTime(): void {
    this.turnMs = 0;
  }

  // --- arguments ---

  /** A copy of an argument, free to keep. */
  copy(i: number): Buffer {
    const start = this.pos[i];
    return Buffer.from(this.buf.subarray(start, start + this.len[i]));
  }

  /** An argument without a copy: valid until the handler returns. */
  view(i: number): Buffer {
    const start = this.pos[i];
    return this.buf.subarray(start, start + this.len[i]);
  }

  /** An argument as latin1 text, one character a byte. */
  text(i: number): string {
    const start = this.pos[i];
    return this.buf.toString('latin1', start, start + this.len[i]);
  }

  /** An argument as errors show it: at most `bytesMax` bytes, and nothing from a zero byte on. */
  shown(i: number, bytesMax = Number.POSITIVE_INFINITY): string {
    const text = this.text(i).slice(0, bytesMax);
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
  }

  /** Whether an argument is a word (given in lower case), in any case. */
  is(i: number, word: string): boolean {
    if (this.len[i] !== word.length) return false;
    let bytes = WORDS.get(word);
    if (bytes === undefined) {
      bytes = Buffer.from(word, 'latin1');
      WORDS.set(word, bytes);
    }
    return equalsFolded(this.buf, this.pos[i], this.len[i], bytes);
  }

  /**
   * A 64-bit integer argument as a number. Beyond 2^53 the nearest double is returned, which serves for counts,
   * indexes and times; int64 is exact. Throws `error` (default: not an integer) for anything else.
   */
  integer(i: number, error: string = ERRORS.notAnInteger): number {
    const value = parseInteger(this.buf, this.pos[i], this.len[i]);
    if (!Number.isNaN(value)) return value;
    return Number(this.int64(i, error));
  }

  /** A 32-bit integer argument. `error` stands for both refusals. */
  int32(i: number, error?: string): number {
    const value = this.integer(i, error);
    if (value === (value | 0)) return value;
    throw new CommandError(error ?? 'ERR value is out of range, value must between -2147483648 and 2147483647');
  }

  /** An integer argument within bounds. */
  integerBetween(i: number, min: number, max: number, error: string = ERRORS.notAnInteger): number {
    const value = this.integer(i, error);
    if (value < min || value > max) throw new CommandError(error);
    return value;
  }

  int64(i: number, error: string = ERRORS.notAnInteger): bigint {
    const value = parseInt64(this.buf, this.pos[i], this.len[i]);
    if (value === null) throw new CommandError(error);
    return value;
  }

  isInteger(i: number): boolean {
    return isInt64(this.buf, this.pos[i], this.len[i]);
  }

  /** A double argument (inf allowed, nan not). */
  double(i: number, error: string = ERRORS.notAFloat): number {
    const value = parseDouble(this.text(i));
    if (Number.isNaN(value)) throw new CommandError(error);
    return value;
  }

  /** A blocking command's timeout in seconds: the deadline in ms since 1970, 0 for ever. */
  deadline(i: number): number {
    const seconds = this.double(i, ERRORS.timeoutNotFloat);
    if (seconds < 0) throw new CommandError(ERRORS.timeoutNegative);
    const ms = Math.ceil(seconds * 1000);
    if (ms === 0) return 0;
    if (!(ms + this.nowMs <= Number.MAX_SAFE_INTEGER)) throw new CommandError('ERR timeout is out of range');
    return ms + this.nowMs;
  }

  // --- keys ---

  /** The entry of the key in argument `i` for reading, 0 when missing. Expired keys are deleted on the way. */
  lookupRead(i: number): number {
    return this.lookupReadAt(this.buf, this.pos[i], this.len[i]);
  }

  lookupReadAt(buf: Uint8Array, pos: number, len: number): number {
    const db = this.db;
    const entry = db.find(buf, pos, len);
    const stats = this.keyspace.stats;
    if (entry === 0 || this.expired(entry)) {
      stats.misses++;
      if (this.server.events.notifying) this.server.events.notify('m', 'keymiss', db, buf, pos, len);
      return 0;
    }
    stats.hits++;
    if (!this.session.noTouch) this.touch(entry);
    return entry;
  }

  /** lookupRead that throws WRONGTYPE unless the value is of `type`. */
  typedRead(i: number, type: number): number {
    const entry = this.lookupRead(i);
    if (entry !== 0 && this.db.type(entry) !== type) throw new CommandError(ERRORS.wrongType);
    return entry;
  }

  /** The entry of the key in argument `i` for a change, 0 when missing. */
  lookupWrite(i: number): number {
    return this.lookupWriteAt(this.buf, this.pos[i], this.len[i]);
  }

  lookupWriteAt(buf: Uint8Array, pos: number, len: number): number {
    const entry = this.db.findForWrite(buf, pos, len);
    if (entry === 0 || this.expired(entry, true)) return 0;
    this.touch(entry);
    return entry;
  }

  /** lookupWrite that throws WRONGTYPE unless the value is of `type`. */
  typedWrite(i: number, type: number): number {
    const entry = this.lookupWrite(i);
    if (entry !== 0 && this.db.type(entry) !== type) throw new CommandError(ERRORS.wrongType);
    return entry;
  }

  /** A key's entry without statistics, access clock or events (OBJECT, DEBUG, TTL): 0 when missing or expired. */
  peek(i: number): number {
    const entry = this.db.find(this.buf, this.pos[i], this.len[i]);
    return entry === 0 || this.expired(entry) ? 0 : entry;
  }

  /** peek for a key that is no argument. */
  peekKey(key: Uint8Array): number {
    const entry = this.db.find(key, 0, key.length);
    return entry === 0 || this.expired(entry) ? 0 : entry;
  }

  /** Runs `action` with another database selected. */
  inDatabase<Result>(db: Database, action: () => Result): Result {
    const before = this.db;
    this.db = db;
    try {
      return action();
    } finally {
      this.db = before;
    }
  }

  /** peek that counts hits and misses and reports misses, but leaves the access clock alone (TTL). */
  peekRead(i: number): number {
    const noTouch = this.session.noTouch;
    this.session.noTouch = true;
    const entry = this.lookupRead(i);
    this.session.noTouch = noTouch;
    return entry;
  }

  /** Creates the key in argument `i`, which lookupWrite(i) has just not found. See Database.create. */
  create(i: number, type: number, encoding: number, valueBytes: number): number {
    return this.db.create(this.buf, this.pos[i], this.len[i], type, encoding, valueBytes);
  }

  // --- what changed ---

  /** Notes a change to the key in argument `i`: counts it, tells watchers, trackers and waiting clients, notifies. */
  changed(i: number, eventClass: EventClass, event: string): void {
    this.changedAt(this.buf, this.pos[i], this.len[i], eventClass, event);
  }

  changedAt(buf: Uint8Array, pos: number, len: number, eventClass: EventClass, event: string): void {
    this.keyspace.dirty++;
    const events = this.server.events;
    events.keyChanged(this.db, buf, pos, len, this.session);
    if (events.notifying) events.notify(eventClass, event, this.db, buf, pos, len);
  }

  /** Publishes one more event for a change that is already noted (`del` after the last element went, say). */
  notify(i: number, eventClass: EventClass, event: string): void {
    const events = this.server.events;
    if (events.notifying) events.notify(eventClass, event, this.db, this.buf, this.pos[i], this.len[i]);
  }

  /** Deletes the key in argument `i` because its last element went; the change itself is noted by the caller. */
  deleteEmptied(i: number, entry: number): void {
    this.db.delete(entry);
    this.notify(i, 'g', 'del');
  }

  /** Propagates these commands instead of the request itself; an empty list propagates nothing. */
  rewrite(...commands: (string | Buffer)[][]): void {
    if (!this.server.events.propagating) return;
    this.rewrites = commands.map((words) =>
      words.map((word) => (typeof word === 'string' ? Buffer.from(word, 'latin1') : word)),
    );
  }

  /** Propagates the request to replicas though it changes no data. */
  replicate(): void {
    if (!this.server.events.propagating) return;
    this.rewrite(this.storedRequest().args);
    this.isMessage = this.rewrites !== null;
  }

  // --- waiting ---

  /** Whether a blocking command may wait: not inside EXEC or a script, not for a client that denies it. */
  get mayBlock(): boolean {
    return !this.inTransaction && !this.replaying;
  }

  /** Makes the client wait for keys; the request runs again when one of them is ready. */
  block(options: BlockOptions): void {
    this.server.blocking.block(this.session, options.request ?? this.storedRequest(), options);
  }

  /** The request with its own copies of the arguments. */
  storedRequest(): StoredRequest {
    const args: Buffer[] = [];
    for (let i = 0; i < this.argc; i++) args.push(this.copy(i));
    return { command: this.command, args };
  }

  /** Whether the entry's time is over; then it is deleted and the deletion noted. `forced`: on a replica, too. */
  private expired(entry: number, forced = false): boolean {
    const at = this.db.expireAt(entry);
    if (at === NO_EXPIRY || at > this.nowMs || this.replaying) return false;
    // During a pause, and on a replica, nothing changes; the key is not there all the same.
    if (!this.server.clients.pausing && (forced || !this.server.replication.isReplica))
      expireEntry(this.db, entry, this.server);
    return true;
  }

  private touch(entry: number): void {
    const db = this.db;
    const space = this.keyspace;
    if (space.lfu) db.setClock(entry, space.nextFrequency(db.clock(entry)));
    else db.setClock(entry, space.clock);
  }
}

/** Deletes a key whose time is over: counted, notified as `expired`, propagated as DEL. */
export function expireEntry(db: Database, entry: number, server: Services): void {
  const key = db.keyBytes(entry);
  db.delete(entry);
  db.space.stats.expiredKeys++;
  server.events.propagate(db, [Buffer.from('DEL'), key]);
  server.events.keyChanged(db, key, 0, key.length, null);
  if (server.events.notifying) server.events.notify('x', 'expired', db, key, 0, key.length);
}
