// Replication as the server sees it: commands, INFO and housekeeping on one side, the stream, its replicas and the link to
// a primary (replication/) on the other.

import type { Context } from '../commands/context.ts';
import { CommandError } from '../commands/errors.ts';
import type { Copies, CopiesAnswer, FailoverOptions, ReplicaFacts, RoleReport } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import { Failover } from '../replication/failover.ts';
import { History } from '../replication/history.ts';
import { type DumpService, Primary } from '../replication/primary.ts';
import { BLOCK_BYTES, ReplicationStream } from '../replication/stream.ts';
import { type FullLoad, type Target, Upstream } from '../replication/upstream.ts';
import { ANY_DATABASE } from './events.ts';
import type { ReplicationLinks } from './links.ts';
import { OwnExpiry } from './own-expiry.ts';
import type { Persistence } from './persistence.ts';
import { StreamApplier } from './replication-apply.ts';
import { DiskLoad, type LoadHooks, ParserLoad } from './replication-load.ts';
import type { Server } from './server.ts';
import { WriteWaits } from './write-waits.ts';

const ID_BYTES = 20;
const MINUS = 45;
const MASTER_DOWN = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
const FORCED = '-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)';

export class Replication implements ReplicationLinks {
  readonly stream: ReplicationStream;
  readonly history: History;
  readonly primary: Primary;
  readonly handover: Failover;
  /** The link to the primary; null: this server is one. */
  upstream: Upstream | null = null;
  /** Runs what the primary sends, while the link is up. */
  applier: StreamApplier | null = null;
  /** The database that the primary's next command is for. */
  private upstreamDatabase = 0;
  private hasTakenUp = false;
  private lastSecond = 0;
  private readonly server: Server;
  private readonly persistence: Persistence;
  private readonly waits: WriteWaits;
  /** The primary has asked how far this server is, and its log was not that far yet. */
  private owesAck = false;
  readonly ownExpiry: OwnExpiry;
  /** Tells that this server has become a writable replica, or ceased to be one. */
  private readonly roleChanged: () => void;

  constructor(server: Server, persistence: Persistence) {
    this.server = server;
    this.persistence = persistence;
    this.ownExpiry = new OwnExpiry(server);
    this.roleChanged = server.events.listen(this.ownExpiry);
    this.waits = new WriteWaits({
      blocking: server.blocking,
      context: server.context,
      copies: (session) => this.copies(session),
      keepsLog: () => server.settings.appendonly,
    });
    this.history = new History(() => server.randomBytes(ID_BYTES).toString('hex'));
    this.stream = new ReplicationStream(
      () => this.primary.neededFrom(),
      () => this.primary.schedule(),
    );
    this.primary = new Primary(
      {
        settings: server.settings,
        log: server.log,
        now: server.now,
        randomBytes: server.randomBytes,
        dumps: dumpService(persistence),
        drop: (session) => server.drop(session),
        flush: () => server.turns.flushOthers(),
        acknowledged: () => this.waits.serve(),
        describe: (session) => server.describe(session),
      },
      this.stream,
      this.history,
    );
    this.handover = new Failover(
      {
        log: server.log,
        now: server.now,
        pause: (paused) => {
          if (paused) server.clients.pause(Number.POSITIVE_INFINITY, 'write', 'failover');
          else server.clients.unpause('failover');
        },
        follow: (target) => this.becomeReplica(target, true),
        becomePrimary: () => this.becomePrimary(),
      },
      this.primary,
      this.stream,
    );
    persistence.dumpListener = this.primary;
    persistence.onExpired = (facts, database, key) => this.droppedAtStart(facts, database, key);
    server.clients.replicaBytes = (session) => this.waitingBytes(session);
    this.takeWrites();
    server.settings.onChange(['repl-backlog-size'], () => {
      this.stream.backlogBytesMax = Number(server.settings.replBacklogSize);
      this.stream.trim();
      return undefined;
    });
    this.stream.backlogBytesMax = Number(server.settings.replBacklogSize);
    server.settings.onChange(['replica-read-only'], () => {
      this.roleChanged();
      return undefined;
    });
  }

  /** Records the writes of clients; those of a primary go on as they came. */
  private takeWrites(): void {
    const { stream, persistence, server } = this;
    const isActive = () => stream.recording && !this.isReplica && !persistence.isReloading;
    server.events.sinks.push({
      get active() {
        return isActive();
      },
      takesMessages: true,
      write: (db, args) => {
        stream.command(db, args);
        this.noteWrite();
      },
      writeRequest: (c: Context) => {
        stream.commandRanges(c.db.index, c.buf, c.pos, c.len, c.argc);
        this.noteWrite();
      },
    });
  }

  private noteWrite(): void {
    const { current } = this.server.turns;
    if (current !== null) current.writtenOffset = this.stream.offset;
  }

  // --- what the server asks ---

  get isReplica(): boolean {
    return this.upstream !== null;
  }

  get staleRefusal(): string | null {
    if (this.upstream === null || this.upstream.state === 'connected') return null;
    return this.server.settings.replicaServeStaleData ? null : MASTER_DOWN;
  }

  get lacksReplicas(): boolean {
    return this.primary.countGood() < Number(this.server.settings.minReplicasToWrite);
  }

  get memoryBytes(): number {
    return this.stream.memoryBytes;
  }

  get offset(): number {
    return this.stream.offset;
  }

  /** A write that is recorded counts by its bytes, where it is recorded. */
  logged(): void {
    if (this.stream.recording || this.isReplica) return;
    this.stream.skip();
    this.noteWrite();
  }

  logSynced(): void {
    this.waits.serve();
    if (this.owesAck) this.sendAck();
  }

  /** What replicas hold beyond the backlog: evicting keys would only make it grow. */
  get uncountedBytes(): number {
    return Math.max(0, this.stream.memoryBytes - this.stream.backlogBytesMax - BLOCK_BYTES);
  }

  waitingBytes(session: Session): number {
    const link = this.primary.knownLink(session);
    return link === undefined ? session.transport.queuedBytes : link.waitingBytes(this.stream);
  }

  queued(session: Session): void {
    this.primary.queued(session);
  }

  gone(session: Session): void {
    this.waits.forget(session);
    this.primary.gone(session);
  }

  refuseReplies(session: Session): void {
    const { server } = this;
    const { reply, log } = server;
    const name = session.lastCommand?.name ?? 'NULL';
    log('warning', `Replica generated a reply to command '${name}', disconnecting it: ${server.describe(session)}`);
    if (reply.buf[0] === MINUS) {
      const text = reply.buf.toString('latin1', 1, reply.pos).split('\r\n', 1)[0];
      log(
        'warning',
        `== CRITICAL == This master is sending an error to its replica: '${text}' after processing the command '${name}'`,
      );
    }
    server.drop(session);
  }

  feed(args: readonly Buffer[]): void {
    if (this.stream.recording && !this.isReplica) this.stream.command(ANY_DATABASE, args);
  }

  expireOwnKeys(nowMs: number): void {
    this.ownExpiry.round(nowMs);
  }

  dumpFields(): [name: string, value: string | number][] {
    const { stream, history } = this;
    if (!stream.recording) return [];
    const database = this.isReplica
      ? (this.applier?.session.db.index ?? this.upstreamDatabase)
      : stream.selectedDatabase;
    return [
      ['repl-stream-db', Math.max(0, database)],
      ['repl-id', history.id],
      ['repl-offset', stream.offset],
    ];
  }

  cron(nowMs: number): void {
    if (this.server.loading) return;
    this.primary.cron(nowMs, !this.isReplica);
    this.handover.look();
  }

  /** Looks after the link to the primary, also while its dump is being loaded. */
  linkCron(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.lastSecond) return;
    this.lastSecond = second;
    this.upstream?.cron(nowMs);
  }

  /** Before the data is loaded: the role, as the configuration has it. */
  prepare(): void {
    const { replicaof } = this.server.settings;
    if (replicaof !== undefined) this.setUpstream(replicaof);
  }

  /** The data is loaded: takes up the history that it belongs to, and connects. */
  begin(facts: ReadonlyMap<string, string> | null): void {
    if (facts !== null) this.takeUp(facts);
    this.upstream?.start();
  }

  /** Takes up the history that a dump belongs to, once. */
  private takeUp(facts: ReadonlyMap<string, string>): void {
    if (this.hasTakenUp) return;
    this.hasTakenUp = true;
    const id = facts.get('repl-id');
    const offset = Number(facts.get('repl-offset') ?? -1);
    if (id === undefined || id.length !== this.history.id.length || offset < 0) return;
    if (this.isReplica) this.history.adopt(id);
    else this.history.continueFrom(id, offset);
    this.stream.start(offset);
    this.upstreamDatabase = Number(facts.get('repl-stream-db') ?? 0);
  }

  /** Replicas that go on from this history still have the key. */
  private droppedAtStart(facts: ReadonlyMap<string, string>, database: number, key: Buffer): void {
    this.takeUp(facts);
    if (this.stream.recording) this.stream.command(database, [Buffer.from('DEL'), key]);
  }

  // --- roles ---

  private setUpstream(target: Target): void {
    const { server, persistence, stream, history } = this;
    this.upstream?.end();
    server.settings.put('replicaof', target);
    server.identity.role = 'replica';
    server.logger.role = 'S';
    server.following = true;
    this.roleChanged();
    this.upstream = new Upstream(
      target,
      {
        settings: server.settings,
        log: server.log,
        now: server.now,
        beginLoad: (reader, primaryId, pause) => this.beginLoad(reader.isMarked, primaryId, pause),
        opened: (socket) => {
          this.applier = new StreamApplier(server, stream, socket, `${target.host}:${target.port}`);
          this.applier.session.db = server.keyspace.databases[this.upstreamDatabase];
        },
        apply: (chunk) => this.applier?.apply(chunk),
        closed: () => this.closeApplier(),
        tookOver: (accepted) => this.handover.ended(accepted),
        renamed: () => this.primary.dropAll(),
        loggedOffset: () => persistence.syncedOffset,
      },
      stream,
      history,
    );
  }

  private closeApplier(): void {
    const { applier } = this;
    if (applier === null) return;
    this.upstreamDatabase = applier.session.db.index;
    this.applier = null;
    applier.close();
  }

  private beginLoad(isMarked: boolean, primaryId: string, pause: (paused: boolean) => void): FullLoad {
    const { server, persistence } = this;
    const hooks: LoadHooks = {
      pause,
      givingWay: () => {
        this.primary.dropAll();
        this.stream.clear(0);
      },
      loaded: (facts) => {
        this.upstreamDatabase = Math.max(0, Number(facts.get('repl-stream-db') ?? 0));
      },
    };
    const mode = server.settings.replDisklessLoad;
    const parses = isMarked && (mode === 'swapdb' || (mode === 'on-empty-db' && server.keyspace.size === 0));
    const isSameHistory = primaryId === this.history.id && this.stream.recording;
    if (parses) return new ParserLoad(server, persistence, hooks, isSameHistory);
    return new DiskLoad(server, persistence, hooks);
  }

  /** Follows another server; what this one has may serve to go on from. */
  private becomeReplica(target: Target, takesOver = false): void {
    const { server } = this;
    if (this.upstream === null) {
      server.log(
        'notice',
        'Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able to synchronize with the new master with just a partial transfer.',
      );
      this.endWaits();
    }
    this.setUpstream(target);
    this.upstream!.takesOver = takesOver;
    this.upstream!.start();
  }

  /** Waiting clients would wait for writes that no longer come from here. */
  private endWaits(): void {
    const { server } = this;
    for (const session of [...server.clients.all.values()]) {
      if (session.blocked === null) continue;
      server.blocking.fail(session, FORCED.slice(1));
      session.closeAfterReply = true;
      session.transport.closeGracefully();
    }
  }

  becomePrimary(): void {
    const { server, history, stream } = this;
    this.upstream?.end();
    this.upstream = null;
    server.settings.put('replicaof', undefined);
    server.identity.role = 'primary';
    server.logger.role = 'M';
    server.following = false;
    this.roleChanged();
    history.branch(stream.offset);
    server.log(
      'notice',
      `Setting secondary replication ID to ${history.previousId}, valid up to offset: ${history.previousUntil}. New replication ID is ${history.id}`,
    );
    // They come back at once and go on from where they are, under the new name.
    this.primary.dropAll();
    this.primary.lonely();
    stream.selectAnew();
    // A synchronisation that was broken off may have left it switched off.
    if (!server.loading) this.persistence.resumeLog();
  }

  // --- commands ---

  sync(session: Session, id: string | null, wanted: number): void {
    if (this.upstream !== null && this.upstream.state !== 'connected') {
      throw new CommandError("NOMASTERLINK Can't SYNC while not connected with my master");
    }
    // What was answered before goes out before.
    this.server.turns.sendReplies(session);
    this.primary.sync(session, id, wanted);
  }

  announce(session: Session, facts: ReplicaFacts): void {
    Object.assign(this.primary.linkOf(session), facts);
  }

  acknowledge(session: Session, offset: number, logged: number): void {
    this.primary.acknowledge(session, offset, logged);
  }

  /** Once more when the log is as far as the data: otherwise the primary would hear of it a second later. */
  sendAck(): void {
    const logged = this.persistence.syncedOffset;
    this.owesAck = this.upstream !== null && logged >= 0 && logged < this.stream.offset;
    this.upstream?.acknowledge();
  }

  follow(target: Target | null): string {
    const { server, upstream } = this;
    const who = server.describe(server.context.session);
    if (target === null) {
      if (upstream !== null) {
        this.becomePrimary();
        server.log('notice', `MASTER MODE enabled (user request from '${who}')`);
      }
      return 'OK';
    }
    if (upstream !== null && upstream.target.host === target.host && upstream.target.port === target.port) {
      server.log(
        'notice',
        'REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.',
      );
      return 'OK Already connected to specified master';
    }
    this.becomeReplica(target);
    server.log('notice', `REPLICAOF ${target.host}:${target.port} enabled (user request from '${who}')`);
    return 'OK';
  }

  takeOver(id: string): void {
    const { server, history } = this;
    server.log('warning', `Failover request received for replid ${id}.`);
    if (this.upstream === null) throw new CommandError("ERR PSYNC FAILOVER can't be sent to a master.");
    if (id !== history.id) throw new CommandError('ERR PSYNC FAILOVER replid must match my replid.');
    this.becomePrimary();
    server.log('notice', `MASTER MODE enabled (failover request from '${server.describe(server.context.session)}')`);
  }

  failover(options: FailoverOptions): void {
    if (options.abort) this.handover.abortByHand();
    else this.handover.begin(options, this.isReplica);
  }

  role(): RoleReport {
    const { upstream } = this;
    if (upstream !== null) {
      const { host, port } = upstream.target;
      const offset = upstream.state === 'connected' ? this.stream.offset : -1;
      return { role: 'replica', host, port, state: upstream.state, offset };
    }
    const replicas: [string, string, string][] = [];
    for (const link of this.primary.replicas()) {
      if (link.state === 'online') replicas.push([link.address, String(link.port), String(link.ackOffset)]);
    }
    return { role: 'primary', offset: this.stream.offset, replicas };
  }

  copies(session: Session): Copies {
    const { writtenOffset } = session;
    return {
      received: this.primary.countAcks(writtenOffset),
      local: this.persistence.syncedOffset >= writtenOffset ? 1 : 0,
      logged: this.primary.countLogged(writtenOffset),
    };
  }

  askForAcks(): void {
    this.primary.askForAcks();
  }

  waitForCopies(session: Session, goal: Copies, deadlineMs: number, answer: CopiesAnswer): void {
    this.waits.add(session, goal, deadlineMs, answer);
  }
}

function dumpService(persistence: Persistence): DumpService {
  return {
    get running() {
      return persistence.runningDump;
    },
    saveToFile: () => persistence.saveForReplicas(),
    stream: (sink) => persistence.dumpInto(sink),
    stopStream: () => persistence.stopStream(),
    stopFile: () => persistence.stopDumps(),
    fileServed: () => persistence.removeSyncFile(),
    get path() {
      return persistence.dumpPath();
    },
  };
}
