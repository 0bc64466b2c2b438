// The running server: wires databases, dispatcher, clients, events and persistence together and supplies what commands
// ask for through Services.

import type { Socket } from 'node:net';
import { Context } from '../commands/context.ts';
import { ReplyLimitError } from '../commands/errors.ts';
import { type Command, type CommandIndex, Flag } from '../commands/registry.ts';
import { RenamedCommands } from '../commands/renames.ts';
import type {
  ConfigurationService,
  DebugService,
  InfoService,
  Limits,
  MemoryService,
  Migration,
  PersistenceService,
  Services,
  ShutdownOptions,
  ValueService,
} from '../commands/services.ts';
import { Session, type StoredRequest } from '../commands/session.ts';
import { createCommandTable } from '../commands/table.ts';
import type { Settings } from '../config/settings.ts';
import { ReplyWriter } from '../formats/resp/writer.ts';
import type { Database } from '../keyspace/database.ts';
import { Keyspace } from '../keyspace/keyspace.ts';
import type { DirectWriter } from '../net/direct-writes.ts';
import { type Connection, type ConnectionEvents, Listener } from '../net/listener.ts';
import { type AccessControl, KEPT_REFUSALS, refusalText } from './acl.ts';
import { AfterInput } from './after-input.ts';
import { Blocking, writeAnswer } from './blocking.ts';
import { ClientConnection, type ConnectionOwner } from './client-connection.ts';
import { ClientEviction, clientBytes } from './client-eviction.ts';
import { Clients } from './clients.ts';
import { Dispatcher, type DispatchHost } from './dispatch.ts';
import { Events } from './events.ts';
import type { Host } from './host.ts';
import { FLUSH_BYTES, Intake } from './intake.ts';
import { LazyFree } from './lazy-free.ts';
import type { Ending, ReplicationLinks } from './links.ts';
import type { Log } from './log.ts';
import { migrateKeys } from './migrate.ts';
import { monitorLine } from './monitor-line.ts';
import { PubSub } from './pubsub.ts';
import { PROTECTED_MODE, RULES_CHANGED } from './refusal-texts.ts';
import type { SharedText } from './shared-text.ts';
import { LatencyMonitor, SlowLog } from './slow-log.ts';
import { awaitsSnapshot } from './snapshot-delay.ts';
import { ServerStats } from './stats.ts';
import { Tracking } from './tracking.ts';
import { Transactions } from './transactions.ts';
import { Turns } from './turns.ts';

/** Parts that are made after the server because they need it. */
export interface Parts {
  persistence: PersistenceService & { readonly writesRefused: string | null };
  replication: ReplicationLinks;
  values: ValueService;
  info: InfoService;
  auth: AccessControl;
  configuration: ConfigurationService;
  memory: MemoryService;
  debug: DebugService;
}

export class Server implements Services, DispatchHost, ConnectionEvents, ConnectionOwner {
  readonly settings: Settings;
  readonly host: Host;
  readonly logger: Log;
  readonly keyspace: Keyspace;
  readonly commands: CommandIndex;
  readonly reply = new ReplyWriter();
  readonly context: Context;
  readonly stats = new ServerStats();
  readonly clients: Clients;
  readonly events: Events;
  readonly pubsub: PubSub;
  readonly blocking: Blocking;
  readonly transactions: Transactions;
  readonly listener: Listener;
  readonly limits: Limits;
  readonly identity: { redisVersion: string; runId: string; role: 'primary' | 'replica' };
  readonly random: (bound: number) => number;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly now: () => number;
  readonly monotonicMs: () => number;
  readonly log: Log['write'];
  persistence!: Parts['persistence'];
  replication!: ReplicationLinks;
  values!: ValueService;
  info!: InfoService;
  auth!: AccessControl;
  configuration!: ConfigurationService;
  memory!: MemoryService;
  debug!: DebugService;
  readonly tracking: Tracking;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  loading = false;
  /** min-replicas-to-write asks for replicas. */
  replicasDemanded = false;
  /** New data is being loaded aside, while the old is served. */
  loadingAside = false;
  /** This server is a replica. */
  following = false;
  /** Bytes of data allowed (maxmemory); 0: no limit. */
  memoryMax = 0;
  /** Frees memory; set with the eviction policy. */
  evict: () => boolean = () => true;
  /** What usedMemory() said at the start. */
  baseMemory = 0;
  systemMemory = 0;
  readonly lazyFree = new LazyFree();
  readonly eviction = new ClientEviction(this);
  readonly turns: Turns;
  private readonly intake: Intake;
  private readonly requestsAfterInput: AfterInput;
  private readonly postponed = new Map<Session, StoredRequest>();
  /** Set at the start. */
  ending!: Ending;

  constructor(settings: Settings, host: Host, logger: Log) {
    this.settings = settings;
    this.commands = this.renamed(settings.renames);
    this.host = host;
    this.logger = logger;
    this.log = logger.write;
    this.now = host.now;
    this.monotonicMs = host.monotonicMs;
    this.random = host.random;
    this.randomBytes = host.randomBytes;
    const seed = host.randomBytes(8);
    this.keyspace = new Keyspace(Number(settings.databases), { k0: seed.readInt32LE(0), k1: seed.readInt32LE(4) });
    this.identity = { redisVersion: host.redisVersion, runId: host.randomBytes(20).toString('hex'), role: 'primary' };
    this.context = new Context(this.keyspace, this.reply, this);
    this.reply.onGrow = (bytes) => this.stopLongReply(bytes);
    this.reply.onError = (text) => this.stats.countError(text);
    this.clients = new Clients(
      () => this.resumePostponed(),
      (session) => this.tracking.gone(session),
      () => (this.turns.current === null ? null : this.context),
    );
    this.keyspace.whenWritten = () => this.resumePostponed();
    this.slowLog = new SlowLog(settings);
    this.latency = new LatencyMonitor(settings, host.now);
    this.pubsub = new PubSub((session, message) => this.turns.deliverShared(session, message));
    this.events = new Events((channel, message) => this.pubsub.publish(channel, message, false));
    this.turns = new Turns(this, new Dispatcher(this));
    this.blocking = new Blocking({
      rerun: (session, request) =>
        this.turns.asSession(session, () => {
          this.context.resumed = true;
          // Time has passed since the turn began, if the command that woke the client was slow.
          this.context.forgetTime();
          this.runAllowed(request, (reason) => reason);
        }),
      answer: (session, answer) => this.turns.deliver(session, (reply) => writeAnswer(reply, answer)),
      release: (session) => this.intake.release(session),
      at: (timeMs, callback) => host.at(timeMs, callback),
    });
    this.transactions = new Transactions({
      context: this.context,
      runQueued: (request) => this.runAllowed(request, (_, touch) => `${RULES_CHANGED}${touch}`),
    });
    this.tracking = new Tracking({
      byId: (id) => this.clients.byId(id),
      deliver: (session, write) => this.turns.deliver(session, write),
      keysMax: () => Number(settings.trackingTableMaxKeys),
      current: () => this.turns.current,
    });
    for (const listener of [this.transactions, this.blocking, this.tracking]) {
      listener.activityChanged = this.events.listen(listener);
    }
    this.intake = new Intake(this);
    this.limits = this.intake.limits;
    this.requestsAfterInput = new AfterInput({
      context: this.context,
      turns: this.turns,
      release: (session) => this.intake.release(session),
    });
    this.listener = new Listener(this);
  }

  /** Takes the parts that were made with this server. */
  install(parts: Parts): void {
    Object.assign(this, parts);
  }

  setBulkLimit(bytes: number): void {
    this.limits.bulkBytesMax = bytes;
  }

  nowMicroseconds(): number {
    return this.host.nowMicroseconds();
  }

  shutdown(options: ShutdownOptions): string | null {
    return this.ending.begin(options, this.turns.current);
  }

  abortShutdown(): boolean {
    return this.ending.abort();
  }

  /** Bytes in use as INFO and maxmemory count them: data, tables and clients' buffers. The program itself is not in it. */
  usedMemory(): number {
    return this.keyspace.usedBytes + this.clientMemory() + (this.replication?.memoryBytes ?? 0);
  }

  /** Bytes in clients' buffers; counted as they change while there is a limit, else anew. */
  clientMemory(): number {
    if (this.eviction.active) return this.eviction.totalBytes;
    let sum = 0;
    for (const session of this.clients.all.values()) if (session.link === null) sum += clientBytes(session);
    return sum;
  }

  /** Corrects the count of clients' buffers: sockets empty without a word. */
  countClientMemory(): void {
    if (!this.eviction.active) return;
    this.eviction.recount();
    this.eviction.enforce();
  }

  /** Whether the client being served is on this machine. */
  currentIsLocal(): boolean {
    const { current } = this.turns;
    return current !== null && (current.transport as ClientConnection).isLocal;
  }

  readonly inputBytesMax = (): number => Number(this.settings.clientQueryBufferLimit);

  migrate(session: Session, migration: Migration): void {
    this.blocking.answerLater(session, migrateKeys(this, session, migration));
  }

  afterInput(session: Session, request: StoredRequest): void {
    this.requestsAfterInput.add(session, request);
  }

  describe(session: Session): string {
    return this.clients.describe(session);
  }

  private renamed(renames: readonly (readonly [from: string, to: string])[]): CommandIndex {
    const originals = createCommandTable();
    if (renames.length === 0) return originals;
    const renamed = new RenamedCommands(originals);
    for (const [from, to] of renames) renamed.rename(from, to);
    return renamed.index();
  }

  /** Every command and subcommand. */
  *allCommands(): Iterable<Command> {
    for (const command of this.commands.all()) {
      yield command;
      if (command.subcommands !== null) yield* command.subcommands.all();
    }
  }

  // --- connections ---

  accept(socket: Socket, isUnix: boolean, direct: DirectWriter | null): Connection | null {
    const connection = new ClientConnection(socket, isUnix, this.settings.string('unixsocket'), this, direct);
    const refusal = this.acceptRefusal(connection);
    if (refusal !== null) {
      this.stats.rejectedConnections++;
      socket.on('error', () => undefined);
      socket.end(`-${refusal}\r\n`, 'latin1', () => socket.destroy());
      return null;
    }
    this.stats.connectionsReceived++;
    connection.setKeepAlive(Number(this.settings.tcpKeepalive));
    const authenticated = this.auth.openToAll;
    const session = new Session(
      this.clients.takeId(),
      connection,
      this.keyspace.databases[0],
      authenticated,
      this.now(),
    );
    connection.session = session;
    this.clients.add(session);
    this.auth.logout(session);
    return connection;
  }

  private acceptRefusal(connection: ClientConnection): string | null {
    if (this.clients.all.size >= Number(this.settings.maxclients)) return 'ERR max number of clients reached';
    if (this.settings.protectedMode && this.auth.openToAll && !connection.isLocal) return PROTECTED_MODE;
    return null;
  }

  input(session: Session, buf: Buffer, end: number): void {
    session.totalInputBytes += end;
    this.stats.inputBytes += end;
    this.stats.readsProcessed++;
    session.servingBytes = end;
    this.intake.receive(session, buf, end);
    session.servingBytes = 0;
    if (!this.eviction.active) return;
    this.eviction.update(session);
    this.eviction.enforce();
  }

  gone(session: Session): void {
    session.closing = true;
    this.eviction.forget(session);
    this.replication.gone(session);
    this.blocking.forget(session);
    this.transactions.discard(session);
    this.pubsub.unsubscribeAll(session);
    this.postponed.delete(session);
    this.clients.remove(session);
    session.input = null;
    session.partial = null;
  }

  get nothingPushed(): SharedText {
    return this.turns.nothingPushed;
  }

  needsFlush(connection: ClientConnection): void {
    this.turns.needsFlush(connection);
  }

  hasReplies(connection: ClientConnection): void {
    this.turns.hasReplies(connection);
  }

  queued(session: Session): void {
    if (session.link !== null) {
      this.replication.queued(session);
      return;
    }
    const limit = this.outputLimit(session);
    const bytes = session.transport.queuedBytes;
    if (limit.hardBytes > 0 && bytes > limit.hardBytes) this.dropSlow(session);
    else if (limit.softBytes > 0 && bytes > limit.softBytes) {
      const nowMs = this.now();
      if (session.softLimitSinceMs === 0) session.softLimitSinceMs = nowMs;
      else if (nowMs - session.softLimitSinceMs > limit.softSeconds * 1000) this.dropSlow(session);
    } else session.softLimitSinceMs = 0;
    if (this.eviction.active) this.eviction.update(session);
  }

  admits(session: Session, bytes: number): boolean {
    const { hardBytes } = this.outputLimit(session);
    if (hardBytes === 0 || bytes <= hardBytes) return true;
    this.dropSlow(session);
    return false;
  }

  private outputLimit(session: Session) {
    const limits = this.settings.clientOutputBufferLimit;
    return session.subscriptions > 0 ? limits.pubsub : limits.normal;
  }

  private dropSlow(session: Session): void {
    if (session.closing) return;
    session.closing = true;
    this.log(
      'warning',
      `Client ${this.clients.describe(session)} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    );
    this.drop(session);
  }

  /** Ends a command that only reads as soon as its reply is more than the client may have queued. */
  private stopLongReply(bytes: number): void {
    const session = this.turns.current;
    if (session === null || (this.context.command.flags & Flag.readonly) === 0) return;
    if (session.closing || !this.admits(session, bytes)) throw new ReplyLimitError();
  }

  drop(session: Session): void {
    session.closing = true;
    this.eviction.forget(session);
    // It counts no more from here on; what it holds is let go when no turn is running.
    this.clients.all.delete(session.id);
    setImmediate(() => session.transport.destroy());
  }

  sessions(): Iterable<Session> {
    return this.clients.all.values();
  }

  /** Replies of a pipeline are held together up to the limit, so that the limit sees them as one. */
  configureOutput(): void {
    this.intake.flushBytes = Math.max(FLUSH_BYTES, this.settings.clientOutputBufferLimit.normal.hardBytes);
  }

  /** Serves waiting clients whose keys have changed. */
  serveReady(): void {
    this.blocking.serveReady();
    if (this.turns.current !== null) return;
    this.beforeReplies();
    this.turns.flushOthers();
  }

  /** Takes notify-keyspace-events. */
  configureEvents(flags: string): void {
    this.events.configure(flags);
    // Keys that come back from a file are not new.
    const created = (db: object, buf: Uint8Array, pos: number, len: number): void => {
      if (!this.loading && !this.loadingAside) this.events.notify('n', 'new', db as Database, buf, pos, len);
    };
    this.keyspace.created = this.events.notifyingNew ? created : null;
  }

  // --- what turns ask ---

  refuseReplies(session: Session): void {
    if (!session.closing) this.replication.refuseReplies(session);
  }

  beforeReplies(): void {
    if (this.tracking.hasBroadcasts) this.tracking.flushBroadcasts();
  }

  // --- what the dispatcher asks ---

  get cautious(): boolean {
    return (
      this.loading ||
      this.memoryMax > 0 ||
      this.clients.pausing ||
      this.clients.monitors.size > 0 ||
      this.replicasDemanded ||
      this.following ||
      this.loadingAside ||
      this.keyspace.guard !== null ||
      this.persistence.writesRefused !== null
    );
  }

  get exact(): boolean {
    return this.slowLog.exact || this.latency.exact || this.tracking.active || this.clients.monitors.size > 0;
  }

  get propagating(): boolean {
    return this.events.propagating;
  }

  makeRoom(): boolean {
    if (this.memoryMax === 0 || (this.following && this.settings.replicaIgnoreMaxmemory)) return true;
    const hasRoom = this.evict();
    this.tracking.flushDeferred();
    return hasRoom;
  }

  get lacksReplicas(): boolean {
    return this.replication.lacksReplicas;
  }

  get readOnly(): boolean {
    return this.following && this.settings.replicaReadOnly;
  }

  get staleRefusal(): string | null {
    return this.replication.staleRefusal;
  }

  get errorReplies(): number {
    return this.stats.errorReplies;
  }

  writesRefused(): string | null {
    return this.persistence.writesRefused;
  }

  holdBack(c: Context, command: Command): boolean {
    const mode = this.clients.pausedMode(c.nowMs);
    if (mode === null && this.keyspace.guard === null) return false;
    if (mode !== 'all') {
      if (!this.mayWrite(c, command)) return false;
      if (mode === null && !awaitsSnapshot(c, command)) return false;
    }
    this.postponed.set(c.session, c.storedRequest());
    c.session.held = true;
    return true;
  }

  /** Whether a command, or the transaction that it executes, may write. Commands being queued do not yet. */
  private mayWrite(c: Context, command: Command): boolean {
    const isWrite = (flags: number): boolean => (flags & (Flag.write | Flag.may_replicate)) !== 0;
    const { queued } = c.session;
    if (queued === null) return isWrite(command.flags);
    return command.name === 'exec' && queued.some((request) => isWrite(request.command.flags));
  }

  /** Clients that wait: for keys, for the end of a pause, or for a snapshot. */
  get waitingClients(): number {
    return this.blocking.blockedClients + this.postponed.size;
  }

  private resumePostponed(): void {
    for (const [session, request] of [...this.postponed]) {
      this.postponed.delete(session);
      this.turns.asSession(session, () => {
        this.turns.bind(request);
        this.turns.dispatcher.dispatch(this.context);
      });
      // It may have to wait once more: for another large value.
      if (session.blocked === null && !this.postponed.has(session)) this.intake.release(session);
    }
    if (this.turns.current === null) this.turns.flushOthers();
  }

  protectedRefusal(command: Command, session: Session): string | null {
    const isDebug = command.name.startsWith('debug');
    const allowed = isDebug ? this.settings.enableDebugCommand : this.settings.enableModuleCommand;
    const local = (session.transport as ClientConnection).isLocal;
    if (allowed === 'yes' || (allowed === 'local' && local)) return null;
    const [name, directive] = isDebug ? ['DEBUG', 'enable-debug-command'] : ['MODULE', 'enable-module-command'];
    return `ERR ${name} command not allowed. If the ${directive} option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`;
  }

  permissionRefusal(c: Context, command: Command): string | null {
    return this.auth.permissionRefusal(c, command);
  }

  /** Runs a kept request, unless the user's rules have changed since and forbid it. */
  private runAllowed(request: StoredRequest, word: (refusal: string, short: string) => string): void {
    const c = this.context;
    this.turns.bind(request);
    const reason = c.session.permissions === null ? null : this.auth.denial(c, request.command);
    if (reason === null) this.turns.dispatcher.run(c, request.command);
    else c.reply.error(word(refusalText(reason, request.command), KEPT_REFUSALS[reason]));
  }

  monitorLine(c: Context): string | null {
    if (this.clients.monitors.size === 0) return null;
    return monitorLine(c, this.nowMicroseconds(), this.settings.string('unixsocket'));
  }

  monitor(line: string, by: Session): void {
    for (const session of this.clients.monitors) {
      if (session !== by) this.turns.deliver(session, (reply) => reply.simple(line));
    }
  }

  ran(c: Context, command: Command, microseconds: number): void {
    this.stats.commandsProcessed++;
    this.latency.ran(command, microseconds);
    this.slowLog.ran(c, command, microseconds);
    if (this.tracking.active) this.tracking.ran(c, command);
  }

  ranOften(command: Command, calls: number, microseconds: number): void {
    this.stats.commandsProcessed += calls;
    this.latency.ranOften(command, calls, microseconds / calls);
  }

  propagate(c: Context): void {
    if (!this.events.propagating) return;
    const commands = c.rewrites;
    if (commands !== null) {
      for (const args of commands) this.events.propagate(c.db, args, c.isMessage);
      c.isMessage = false;
    } else if (c.inTransaction || this.events.unsettled) this.events.propagate(c.db, c.storedRequest().args);
    else this.events.propagateRequest(c);
  }

  get unsettled(): boolean {
    return this.events.unsettled;
  }

  settle(command: Command): void {
    this.events.settle((command.flags & Flag.anyKeys) === 0);
  }

  fault(error: unknown, command: Command): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const line of [`Internal error in '${command.name}':`, ...text.split('\n')]) this.log('warning', line);
  }
}
