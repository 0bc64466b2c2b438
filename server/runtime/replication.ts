// Replication as the server sees it: commands, INFO and housekeeping on one side, the stream, its replicas and the link to
// a primary (replication/) on the other.

import type { Context } from '../commands/context.ts';
import type { ReplicaFacts, RoleReport } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import { History } from '../replication/history.ts';
import { type DumpService, Primary } from '../replication/primary.ts';
import { BLOCK_BYTES, ReplicationStream } from '../replication/stream.ts';
import type { Persistence } from './persistence.ts';
import type { ReplicationLinks, Server } from './server.ts';

const ID_BYTES = 20;

export class Replication implements ReplicationLinks {
  readonly stream: ReplicationStream;
  readonly history: History;
  readonly primary: Primary;
  private readonly server: Server;
  private readonly persistence: Persistence;
  /** Clients in WAIT, with the number of replicas they wait for. */
  private readonly waiting = new Map<Session, number>();

  constructor(server: Server, persistence: Persistence) {
    this.server = server;
    this.persistence = persistence;
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
        acknowledged: () => this.serveWaiting(),
        describe: (session) => server.describe(session),
      },
      this.stream,
      this.history,
    );
    persistence.dumpListener = this.primary;
    server.clients.replicaBytes = (session) => this.waitingBytes(session);
    this.takeWrites();
    server.settings.onChange(['repl-backlog-size'], () => {
      this.stream.backlogBytesMax = Number(server.settings.replBacklogSize);
      this.stream.trim();
      return undefined;
    });
    this.stream.backlogBytesMax = Number(server.settings.replBacklogSize);
  }

  /** Records the writes of clients; those of a primary go on as they came. */
  private takeWrites(): void {
    const { stream, persistence, server } = this;
    const isActive = () => stream.recording && !this.isReplica && !persistence.isReloading;
    const note = (): void => {
      const { current } = server.turns;
      if (current !== null) current.writtenOffset = stream.offset;
    };
    server.events.sinks.push({
      get active() {
        return isActive();
      },
      takesMessages: true,
      write: (db, args) => {
        stream.command(db, args);
        note();
      },
      writeRequest: (c: Context) => {
        stream.commandRanges(c.db.index, c.buf, c.pos, c.len, c.argc);
        note();
      },
    });
  }

  // --- what the server asks ---

  get isReplica(): boolean {
    return false;
  }

  get staleRefusal(): string | null {
    return null;
  }

  get lacksReplicas(): boolean {
    return this.primary.countGood() < Number(this.server.settings.minReplicasToWrite);
  }

  get memoryBytes(): number {
    return this.stream.memoryBytes;
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
    this.waiting.delete(session);
    this.primary.gone(session);
  }

  dumpFields(): [name: string, value: string | number][] {
    const { stream, history } = this;
    if (!stream.recording) return [];
    return [
      ['repl-stream-db', Math.max(0, stream.selectedDatabase)],
      ['repl-id', history.id],
      ['repl-offset', stream.offset],
    ];
  }

  cron(nowMs: number): void {
    this.primary.cron(nowMs, !this.isReplica);
  }

  // --- commands ---

  sync(session: Session, id: string | null, wanted: number): void {
    // What was answered before goes out before.
    this.server.turns.sendReplies(session);
    this.primary.sync(session, id, wanted);
  }

  announce(session: Session, facts: ReplicaFacts): void {
    Object.assign(this.primary.linkOf(session), facts);
  }

  acknowledge(session: Session, offset: number): void {
    this.primary.acknowledge(session, offset);
  }

  role(): RoleReport {
    const replicas: [string, string, string][] = [];
    for (const link of this.primary.replicas()) {
      if (link.state === 'online') replicas.push([link.address, String(link.port), String(link.ackOffset)]);
    }
    return { role: 'primary', offset: this.stream.offset, replicas };
  }

  countAcks(session: Session): number {
    return this.primary.countAcks(session.writtenOffset);
  }

  askForAcks(): void {
    this.primary.askForAcks();
  }

  waitForAcks(session: Session, count: number, deadlineMs: number): void {
    const { context, blocking } = this.server;
    this.waiting.set(session, count);
    const onTimeout = (): number => {
      this.waiting.delete(session);
      return this.countAcks(session);
    };
    blocking.block(session, context.storedRequest(), { keys: [], deadlineMs, onTimeout });
  }

  /** Answers the clients in WAIT that have what they wait for. */
  private serveWaiting(): void {
    for (const [session, count] of [...this.waiting]) {
      if (session.blocked === null) this.waiting.delete(session);
      else if (this.countAcks(session) >= count) this.server.blocking.unblock(session, 'timeout');
    }
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
    get path() {
      return persistence.dumpPath();
    },
  };
}
