// What commands may ask of the running server. runtime/ implements these interfaces, so that a handler runs in a test
// with small fakes and commands/ never reaches upward.

import type { Settings } from '../config/settings.ts';
import type { Database } from '../keyspace/database.ts';
import type { LargeValue } from '../keyspace/layout.ts';
import type { AclCatalog } from './acl-catalog.ts';
import type { AclLog } from './acl-log.ts';
import type { AclUser } from './acl-user.ts';
import type { RequestView } from './key-positions.ts';
import type { Command, CommandIndex } from './registry.ts';
import type { BlockedState, Session, StoredRequest, TrackingState } from './session.ts';

/** Classes of keyspace events, as the letters of notify-keyspace-events. */
export type EventClass = 'g' | '$' | 'l' | 's' | 'h' | 'z' | 'x' | 'e' | 't' | 'd' | 'm' | 'n';

/** Settings that handlers read on every call, kept as plain numbers. */
export interface Limits {
  /** proto-max-bulk-len. */
  bulkBytesMax: number;
}

export interface Services {
  readonly settings: Settings;
  readonly configuration: ConfigurationService;
  readonly limits: Limits;
  readonly commands: CommandIndex;
  readonly clients: ClientRegistry;
  readonly persistence: PersistenceService;
  readonly replication: ReplicationService;
  readonly events: EventService;
  readonly blocking: BlockingService;
  readonly transactions: TransactionService;
  readonly pubsub: PubSubService;
  readonly tracking: TrackingService;
  readonly slowLog: SlowLogService;
  readonly latency: LatencyService;
  readonly memory: MemoryService;
  readonly debug: DebugService;
  readonly values: ValueService;
  readonly auth: AuthService;
  readonly lazyFree: LazyFreeService;
  readonly identity: ServerIdentity;
  readonly info: InfoService;
  readonly log: (level: 'debug' | 'verbose' | 'notice' | 'warning', message: string) => void;
  /** A random integer from 0 to bound - 1. */
  readonly random: (bound: number) => number;
  /** `bytes` cryptographically random bytes. */
  readonly randomBytes: (bytes: number) => Buffer;
  /** Current time in ms since 1970, not cached. */
  readonly now: () => number;
  /** Microseconds since 1970. */
  readonly nowMicroseconds: () => number;
  /** Saves as asked and ends the server; returns why not (an error reply), or null when the client has to wait for it. */
  shutdown(options: ShutdownOptions): string | null;
  /** Moves keys to another server and answers the client when that is done. */
  migrate(session: Session, migration: Migration): void;
  /** Holds the client and runs its request again, as resumed, when all that others have sent by now has been read. */
  afterInput(session: Session, request: StoredRequest): void;
  /** Calls off an end that a signal has asked for; false when there is none. */
  abortShutdown(): boolean;
}

export interface ShutdownOptions {
  save: 'save' | 'nosave' | 'default';
  now: boolean;
  force: boolean;
}

export interface ClientRegistry {
  readonly all: ReadonlyMap<number, Session>;
  byId(id: number): Session | undefined;
  /** Closes a client; the one being served is closed after its reply. */
  kill(session: Session, current: Session): void;
  /** Ends MONITOR and CLIENT TRACKING of a client (RESET, disconnection). */
  forgetModes(session: Session): void;
  startMonitor(session: Session): void;
  pause(untilMs: number, mode: 'all' | 'write'): void;
  unpause(): void;
  /** Whether a pause is in force. */
  readonly pausing: boolean;
  /** CLIENT LIST's line for a client, without line break. */
  describe(session: Session): string;
}

/** Frees values later, when nobody waits for it. */
export interface LazyFreeService {
  /** Takes a value that no key has any more. */
  add(value: LargeValue): void;
}

export interface PersistenceService {
  /** Saves in the foreground; returns an error text or null. */
  save(): string | null;
  /** Starts a save in the background; returns the status line to answer, or throws CommandError. */
  saveInBackground(schedule: boolean): string;
  rewriteAppendOnly(): string;
  readonly lastSaveSeconds: number;
  /** Forgets the function libraries that came with a dump. */
  dropFunctions(): void;
  /** FLUSHALL has emptied everything: a running save is stopped, the dump on disk follows when save points are set. */
  emptied(): void;
  /** DEBUG RELOAD and friends: save (unless told not to), empty, load again. Returns an error text or null. */
  reload(options: { save: boolean; flush: boolean }): string | null;
  loadAppendOnly(): string | null;
  /** DEBUG FAIL-JOB: the running save or rewrite fails. */
  failJob(): void;
  /** DEBUG AOF-FLUSH-SLEEP: stops the event loop for this long before every write of the log, ms. */
  delayFlush(ms: number): void;
}

/** What REPLCONF may tell of a replica. */
export interface ReplicaFacts {
  port?: number;
  ip?: string;
  understandsEof?: true;
  understandsRenaming?: true;
  dumpOnly?: boolean;
}

/** What ROLE tells. */
export type RoleReport =
  | { role: 'primary'; offset: number; replicas: readonly (readonly [ip: string, port: string, offset: string])[] }
  | { role: 'replica'; host: string; port: number; state: string; offset: number };

/** Where a client's writes are. */
export interface Copies {
  /** Replicas that have received them. */
  received: number;
  /** 1: they are in this server's log, on the disk. */
  local: number;
  /** Replicas that have them in their logs, on their disks. */
  logged: number;
}

/** A reply made of copies: one number or several. */
export type CopiesAnswer = (copies: Copies) => number | readonly number[];

/** Links to other servers. */
export interface ReplicationService {
  /** Whether this server follows another one. */
  readonly isReplica: boolean;
  /** Makes the client a replica; `id` null for SYNC, `wanted` is the number of the next byte it wants. */
  sync(session: Session, id: string | null, wanted: number): void;
  announce(session: Session, facts: ReplicaFacts): void;
  /** REPLCONF ACK: the replica has everything up to `offset`, and on its disk up to `logged` (0: it did not say). */
  acknowledge(session: Session, offset: number, logged: number): void;
  /** REPLCONF GETACK, from the primary: answers with an ACK. */
  sendAck(session: Session): void;
  /** Follows another server, or (null) becomes a primary; returns the status line. */
  follow(target: { host: string; port: number } | null): string;
  role(): RoleReport;
  /** Where the client's writes are by now. */
  copies(session: Session): Copies;
  /** Asks replicas how far they are. */
  askForAcks(): void;
  /** Holds the client until its writes have `goal`; `answer` makes the reply of what there is then. */
  waitForCopies(session: Session, goal: Copies, deadlineMs: number, answer: CopiesAnswer): void;
  /** PSYNC FAILOVER: the primary, whose history is `id`, wants to follow this server. Throws CommandError. */
  takeOver(id: string): void;
  /** Hands the role over to a replica; throws CommandError. */
  failover(options: FailoverOptions): void;
}

/** MIGRATE: keys of the client's database on their way to another server. */
export interface Migration {
  host: string;
  port: number;
  db: number;
  timeoutMs: number;
  /** The keys stay here, too. */
  copy: boolean;
  replace: boolean;
  /** Password, or user and password, or nothing. */
  auth: Buffer[];
  keys: Buffer[];
}

export interface FailoverOptions {
  target: { host: string; port: number } | null;
  force: boolean;
  abort: boolean;
  /** 0: no limit. */
  timeoutMs: number;
}

export interface AuthService {
  /** The default user is enabled and needs no password: connections need not authenticate. */
  readonly openToAll: boolean;
  /** The default user needs no password, enabled or not. */
  readonly defaultHasNoPassword: boolean;
  /** Checks the credentials and, when they are right, makes the session that user's. */
  authenticate(session: Session, user: string, password: Buffer): boolean;
  /** Back to the default user, as for a new connection. */
  logout(session: Session): void;
  userExists(name: string): boolean;
  /** Whether the client may run the request and read any key besides. */
  readsAllKeys(session: Session, command: Command, request: RequestView): boolean;
  readonly access: AccessService;
}

/** ACL. Names and rules are byte text; methods that return a text or null tell the error reply. */
export interface AccessService {
  readonly catalog: AclCatalog;
  readonly log: AclLog;
  /** In the order of their names. */
  users(): readonly AclUser[];
  find(name: string): AclUser | undefined;
  /** Creates or changes a user, with all rules or none. */
  setUser(name: string, rules: readonly string[]): string | null;
  /** Deletes users and closes their connections; returns how many there were. */
  deleteUsers(names: readonly string[]): number;
  load(): string | null;
  save(): string | null;
}

/** CLIENT TRACKING. */
export interface TrackingService {
  enable(session: Session, state: TrackingState): void;
  disable(session: Session): void;
  /** CLIENT CACHING was used: it counts for the next command. */
  cachingSet(session: Session): void;
}

export interface SlowLogEntry {
  id: number;
  atSeconds: number;
  microseconds: number;
  args: Buffer[];
  peer: string;
  clientName: string;
}

export interface SlowLogService {
  /** Newest first. */
  readonly entries: readonly SlowLogEntry[];
  reset(): void;
}

/** Latency events: samples of operations that took longer than latency-monitor-threshold. */
export interface LatencyEvent {
  name: string;
  /** Oldest first: when (seconds since 1970), how long (ms). */
  samples: readonly { atSeconds: number; ms: number }[];
  maxMs: number;
}

export interface LatencyService {
  readonly events: readonly LatencyEvent[];
  /** Forgets these events, or all; returns how many. */
  reset(names: readonly string[]): number;
  /** Distribution of a command's run times: upper bounds in microseconds with cumulative counts. */
  histogram(command: Command): readonly (readonly [microseconds: number, count: number])[];
}

export interface MemoryService {
  /** Bytes of a key with its value; `samples` elements of large values are looked at, 0 for all. */
  usage(db: Database, entry: number, samples: number): number;
  /** Rows of MEMORY STATS. */
  stats(): readonly (readonly [name: string, value: number])[];
  /** Statistics of the allocator as text. */
  allocator(): string;
  /** Gives memory back to the system where possible. */
  purge(): void;
}

/** What DEBUG needs of the running server. */
export interface DebugService {
  /** Switches active expiry. */
  setActiveExpire(on: boolean): void;
  /** A running number of the data: equal data, equal digest (40 hex digits). */
  digest(): string;
  digestValue(db: Database, entry: number): string;
  /** Sends a command to replicas alone: data may differ from then on. */
  replicate(args: readonly Buffer[]): void;
  /** Stops the event loop. */
  sleep(seconds: number): void;
  /** Ends the server as if it had met the worst, with a report in the log. */
  crash(kind: 'signal' | 'panic' | 'assertion'): never;
  /** Options of their own word (`set-skip-checksum-validation 1`); false for a word that is none. */
  setOption(name: string, value: string): boolean;
  /** More fields of DEBUG OBJECT, each with a leading blank. */
  describe(db: Database, entry: number): string;
}

/** What the server says of itself. */
export interface ServerIdentity {
  /** The Redis version whose behaviour clients may expect. */
  readonly redisVersion: string;
  readonly runId: string;
  role: 'primary' | 'replica';
}

/** CONFIG; texts are byte text (latin1). */
export interface ConfigurationService {
  /** Names and values of the directives that match any of the patterns. */
  get(patterns: readonly string[]): [name: string, value: string][];
  /** Sets all or none; returns an error reply or null, later where listening anew takes time. */
  set(pairs: readonly (readonly [name: string, value: string])[]): string | null | Promise<string | null>;
  /** Writes the file anew; `all` puts every directive in, also those at their defaults. */
  rewrite(all?: boolean): string | null;
}

/** Values as bytes: DUMP, RESTORE, COPY. */
export interface ValueService {
  /** Copies the value at an entry to a key that is not there; returns the new entry. Expiry is not copied. */
  duplicate(from: Database, entry: number, to: Database, key: Buffer): number;
  /** 20 bytes that are equal for equal values, whatever their encoding. */
  digest(db: Database, entry: number): Buffer;
  /** Carries a digest of 20 bytes on over a value, as DEBUG DIGEST does after the key. */
  addDigest(digest: Buffer, db: Database, entry: number): void;
  /** Whether checksums of payloads are looked at (DEBUG SET-SKIP-CHECKSUM-VALIDATION). */
  checksums: boolean;
  /** DUMP's payload. */
  serialize(db: Database, entry: number): Buffer;
  /** Whether a payload's version is known and its checksum right. */
  isSound(payload: Buffer): boolean;
  /**
   * Creates a key from a sound DUMP payload, in place of one that is there; returns its entry, or 0 (and nothing has
   * changed) when the value contradicts itself.
   */
  restore(db: Database, key: Buffer, payload: Buffer): number;
}

export interface EventService {
  /** A key was changed: watchers, trackers and blocked clients are told. The key is `len` bytes of `buf` at `pos`. */
  keyChanged(db: Database, buf: Uint8Array, pos: number, len: number, by: Session | null): void;
  /** Everything in a database (null: in all) is about to go. */
  databaseChanged(db: Database | null, by: Session | null): void;
  /** Two databases have changed places. */
  swapped(first: Database, second: Database): void;
  /** Publishes a keyspace notification when the setting asks for its class. */
  notify(eventClass: EventClass, event: string, db: Database, buf: Uint8Array, pos: number, len: number): void;
  /** Whether any class is asked for: a cheap test before a key is put together for notify. */
  readonly notifying: boolean;
  /** Hands a write to the AOF and to replicas. Arguments include the command's name. */
  propagate(db: Database, args: readonly Buffer[]): void;
  /** Whether anyone listens to propagate(). */
  readonly propagating: boolean;
}

export interface BlockOptions {
  /** Keys to wait for, in order. */
  keys: readonly Buffer[];
  /** ms since 1970, 0: for ever. */
  deadlineMs: number;
  onTimeout: BlockedState['onTimeout'];
  wakeOnDelete?: boolean;
  /** The request to run again when a key is ready; default: the one being executed. */
  request?: StoredRequest;
}

export interface BlockingService {
  /**
   * Holds the client until one of the keys changes; then the same request runs again, first come first served, and may
   * block again (it keeps its place). Inside MULTI or a script a handler must not call this: see Context.mayBlock.
   */
  block(session: Session, request: StoredRequest, options: BlockOptions): void;
  /** Ends a client's wait: by CLIENT UNBLOCK, with the timeout's reply or with the UNBLOCKED error. */
  unblock(session: Session, how: 'timeout' | 'error'): boolean;
  /** Ends a client's wait with an error. */
  fail(session: Session, error: string): void;
  /** Holds the client until the promise is kept, then answers with its error text, or OK for null. */
  answerLater(session: Session, outcome: Promise<string | null>): void;
  readonly blockedClients: number;
  /**
   * While a request runs again: the key (latin1 text) whose change woke its client. Of several keys with elements the one
   * that was written first serves.
   */
  readonly servingKey: string | null;
}

export interface TransactionService {
  begin(session: Session): void;
  discard(session: Session): void;
  watch(session: Session, key: Buffer): void;
  unwatch(session: Session): void;
  /** Runs the session's queued requests, or answers why not; replies go to the writer in use. */
  execute(session: Session): void;
}

export interface PubSubService {
  /** Whether anybody listens to channels of this kind at all. */
  mayReach(shard: boolean): boolean;
  /** Returns the number of receivers. */
  publish(channel: Buffer, message: Buffer, shard: boolean): number;
  subscribe(session: Session, kind: SubscriptionKind, name: Buffer): void;
  unsubscribe(session: Session, kind: SubscriptionKind, name: Buffer): boolean;
  /** Ends all subscriptions without a reply. */
  unsubscribeAll(session: Session): void;
  /** Names with at least one subscriber. */
  names(kind: SubscriptionKind): Iterable<string>;
  count(kind: SubscriptionKind, name: string): number;
  readonly patternCount: number;
}

export type SubscriptionKind = 'channel' | 'pattern' | 'shard';

export interface InfoService {
  /** The text of INFO for section names (lower case), `default`, `all` or `everything`. */
  text(sections: readonly string[]): string;
  resetStatistics(): void;
}
