// The primary's side: who follows, and from where. A replica that asks for a place in the stream that is still there goes
// on from it; any other gets a dump first. One dump serves all replicas that are waiting when it begins.

import type { Session } from '../commands/session.ts';
import type { Settings } from '../config/settings.ts';
import type { DumpSink } from '../formats/rdb/sink.ts';
import type { History } from './history.ts';
import { FilePayload, StreamedPayload } from './payload.ts';
import { ReplicaLink } from './replica-link.ts';
import type { ReplicationStream } from './stream.ts';

const PING = [Buffer.from('PING')];
const GET_ACK = [Buffer.from('REPLCONF'), Buffer.from('GETACK'), Buffer.from('*')];
const ANY_DATABASE = -1;
const MARK_BYTES = 20;
/** What of a streamed dump may wait for a replica where client-output-buffer-limit sets no limit. */
const DUMP_QUEUE_BYTES_MAX = 1024 * 1024 * 1024;

/** Makes the dumps; persistence supplies it. One job at a time, whoever wants it. */
export interface DumpService {
  /** What runs: a dump into the file of SAVE, one straight to replicas, something else, nothing. */
  readonly running: 'file' | 'stream' | 'other' | null;
  /** Begins a background save; fileReady() is called when it ends. False: it did not begin. */
  saveToFile(): boolean;
  /** Begins a dump into `sink`; streamEnded() is called when it ends. */
  stream(sink: DumpSink): boolean;
  stopStream(): void;
  stopFile(): void;
  /** The file has been sent to all that wanted it; it was made for nobody else. */
  fileServed(): void;
  /** The file that a save has written. */
  readonly path: string;
}

export interface PrimaryHost {
  readonly settings: Settings;
  readonly log: (level: 'debug' | 'verbose' | 'notice' | 'warning', message: string) => void;
  readonly now: () => number;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly dumps: DumpService;
  /** Closes a client's connection at once. */
  drop(session: Session): void;
  /** Sends what was queued for clients. */
  flush(): void;
  /** A replica has acknowledged more: clients in WAIT may go on. */
  acknowledged(): void;
  describe(session: Session): string;
}

export class Primary {
  /** By session; candidates among them. */
  private readonly links = new Map<Session, ReplicaLink>();
  private readonly host: PrimaryHost;
  private readonly stream: ReplicationStream;
  private readonly history: History;
  private readonly files = new Map<ReplicaLink, FilePayload>();
  private payload: StreamedPayload | null = null;
  private pumping = false;
  /** The last dump into a file was made for replicas. */
  private madeFile = false;
  private lastSecond = 0;
  /** Seconds of housekeeping; not 0, or the first replica would get a ping before anything else. */
  private seconds = 1;
  /** Since when there has been no replica, ms. */
  private lonelySinceMs: number;
  readonly stats = { full: 0, partialOk: 0, partialError: 0 };
  /** No pings go out while a replica takes over. */
  quiet = false;

  constructor(host: PrimaryHost, stream: ReplicationStream, history: History) {
    this.host = host;
    this.stream = stream;
    this.history = history;
    this.lonelySinceMs = host.now();
  }

  /** Replicas, whatever their state; candidates left out. */
  *replicas(): Iterable<ReplicaLink> {
    for (const link of this.links.values()) if (link.state !== 'candidate') yield link;
  }

  get count(): number {
    let count = 0;
    for (const _ of this.replicas()) count++;
    return count;
  }

  /** The lowest offset that a replica has yet to get. */
  readonly neededFrom = (): number => {
    let lowest = Number.POSITIVE_INFINITY;
    for (const link of this.links.values()) lowest = Math.min(lowest, link.neededFrom);
    return lowest;
  };

  /** What REPLCONF tells of a client. */
  linkOf(session: Session): ReplicaLink {
    let link = this.links.get(session);
    if (link === undefined) {
      link = new ReplicaLink(session, this.host.now());
      this.links.set(session, link);
    }
    return link;
  }

  knownLink(session: Session): ReplicaLink | undefined {
    return this.links.get(session);
  }

  isReplica(session: Session): boolean {
    const link = this.links.get(session);
    return link !== undefined && link.state !== 'candidate';
  }

  // --- synchronisation ---

  /** SYNC (`id` null) or PSYNC: begins to follow. `wanted` is the number of the next byte. */
  sync(session: Session, id: string | null, wanted: number): void {
    const { log } = this.host;
    const link = this.linkOf(session);
    if (link.state !== 'candidate') return;
    log('notice', `Replica ${link.name} asks for synchronization`);
    if (id !== null && this.resume(link, id, wanted)) return;
    if (id !== null && id !== '?') this.stats.partialError++;
    if (id === null) link.isOld = true;
    this.stats.full++;
    this.join(link, 'waiting');
    link.waitingSinceMs = this.host.now();
    if (!this.stream.recording) {
      this.history.renew();
      this.stream.start(this.stream.offset);
      const { id, previousId } = this.history;
      log('notice', `Replication backlog created, my new replication IDs are '${id}' and '${previousId}'`);
    }
    this.queueForDump(link);
  }

  /** Goes on from where the replica is, if that is still there. */
  private resume(link: ReplicaLink, id: string, wanted: number): boolean {
    const { history, stream, host } = this;
    const refusal = history.refusal(link.name, id, wanted, stream);
    if (refusal !== null) {
      host.log('notice', refusal);
      return false;
    }
    this.stats.partialOk++;
    this.join(link, 'online');
    link.seenMs = host.now();
    const answer = link.understandsRenaming ? `+CONTINUE ${history.id}\r\n` : '+CONTINUE\r\n';
    link.session.transport.send(Buffer.from(answer));
    link.follow(wanted - 1);
    const bytes = stream.offset - link.position;
    host.log(
      'notice',
      `Partial resynchronization request from ${link.name} accepted. Sending ${bytes} bytes of backlog starting from offset ${wanted}.`,
    );
    this.schedule();
    return true;
  }

  private join(link: ReplicaLink, state: 'waiting' | 'online'): void {
    link.state = state;
    link.session.link = 'replica';
  }

  /** Joins the dump that is being made, begins one, or waits for the next. */
  private queueForDump(link: ReplicaLink): void {
    const { dumps, log } = this.host;
    if (dumps.running === 'file') {
      const other = [...this.links.values()].find(({ state, streamed }) => state === 'dumping' && !streamed);
      if (other !== undefined) {
        this.beginDump(link, other.position, false);
        log('notice', 'Waiting for end of BGSAVE for SYNC');
      } else log('notice', "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC");
    } else if (dumps.running === 'stream') {
      log('notice', 'Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC');
    } else if (dumps.running === 'other') {
      log('notice', 'No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed');
    } else if (this.host.settings.replDisklessSync && link.understandsEof) {
      if (Number(this.host.settings.replDisklessSyncDelay) > 0) log('notice', 'Delay next BGSAVE for diskless SYNC');
      else this.startDump();
    } else this.startDump();
  }

  /** Begins a dump for all that wait, if it is time for one. */
  private startDumpIfDue(): void {
    if (this.host.dumps.running !== null) return;
    const waiting = this.waitingLinks();
    if (waiting.length === 0) return;
    const { settings } = this.host;
    const streams = settings.replDisklessSync && waiting.every((link) => link.understandsEof);
    const waitedMs = this.host.now() - Math.min(...waiting.map((link) => link.waitingSinceMs));
    const most = Number(settings.replDisklessSyncMaxReplicas);
    const isDue = waitedMs >= Number(settings.replDisklessSyncDelay) * 1000 || (most > 0 && waiting.length >= most);
    if (!streams || isDue) this.startDump();
  }

  private waitingLinks(): ReplicaLink[] {
    return [...this.links.values()].filter((link) => link.state === 'waiting');
  }

  private startDump(): void {
    const { host, stream } = this;
    const links = this.waitingLinks();
    const streams = host.settings.replDisklessSync && links.every((link) => link.understandsEof);
    const target = streams ? 'replicas sockets' : 'disk';
    host.log('notice', `Starting BGSAVE for SYNC with target: ${target}`);
    // The dump is of this instant: nothing may come between it and the place in the stream.
    for (const link of links) this.beginDump(link, stream.offset, streams);
    this.madeFile = !streams;
    const begun = streams ? this.startStream(links) : host.dumps.saveToFile();
    if (begun) return;
    host.log('warning', 'BGSAVE for replication failed');
    for (const link of links) {
      link.state = 'waiting';
      link.session.transport.send(Buffer.from("-BGSAVE failed, replication can't continue\r\n"));
      link.session.transport.closeGracefully();
    }
  }

  private startStream(links: readonly ReplicaLink[]): boolean {
    const { host } = this;
    const mark = Buffer.from(host.randomBytes(MARK_BYTES).toString('hex'));
    const most = host.settings.clientOutputBufferLimit.replica.hardBytes || DUMP_QUEUE_BYTES_MAX;
    this.payload = new StreamedPayload(links, mark, most, (link, why) => {
      host.log('warning', `Replica ${link.name} is too slow: ${why}. Closing it.`);
      this.drop(link);
    });
    if (!host.dumps.stream(this.payload)) return false;
    host.log('notice', `Background RDB transfer started by pid ${process.pid}`);
    return true;
  }

  private beginDump(link: ReplicaLink, offset: number, streamed: boolean): void {
    link.state = 'dumping';
    link.seenMs = this.host.now();
    link.streamed = streamed;
    link.follow(offset);
    this.stream.selectAnew();
    if (!link.isOld) link.session.transport.send(Buffer.from(`+FULLRESYNC ${this.history.id} ${offset}\r\n`));
  }

  /** A background save has ended, whoever asked for it. */
  fileReady(ok: boolean): void {
    for (const link of [...this.links.values()]) {
      if (link.state !== 'dumping' || link.streamed) continue;
      if (ok) this.sendFile(link);
      else {
        this.host.log('warning', 'SYNC failed. BGSAVE child returned an error');
        this.drop(link);
      }
    }
    this.startDumpIfDue();
  }

  private sendFile(link: ReplicaLink): void {
    const { host } = this;
    try {
      const file = new FilePayload(link, host.dumps.path, (error) => {
        this.files.delete(link);
        if (this.files.size === 0 && this.madeFile) host.dumps.fileServed();
        if (error === null) this.putOnline(link, false);
        else {
          host.log('warning', `Read error sending DB to replica: ${error.message}`);
          this.drop(link);
        }
      });
      link.state = 'sending';
      this.files.set(link, file);
      file.pump();
    } catch (error) {
      host.log('warning', `SYNC failed. Can't open/stat DB after BGSAVE: ${(error as Error).message}`);
      this.drop(link);
    }
  }

  /** A dump to replicas has ended. */
  streamEnded(error: unknown): void {
    this.payload = null;
    const served = [...this.links.values()].filter((link) => link.state === 'dumping' && link.streamed);
    if (error === null) {
      this.host.log('notice', `Diskless rdb transfer, done reading from pipe, ${served.length} replicas still up.`);
    }
    for (const link of served) {
      if (error !== null) {
        this.drop(link);
        continue;
      }
      this.host.log(
        'notice',
        `Streamed replica synchronization with replica ${link.name} via socket. Waiting for REPLCONF ACK from replica to enable streaming`,
      );
      this.putOnline(link, true);
    }
    this.host.flush();
    this.startDumpIfDue();
  }

  private putOnline(link: ReplicaLink, awaitsAck: boolean): void {
    const { host } = this;
    if (link.dumpOnly) {
      host.log('notice', `RDB transfer completed, rdb only replica (${link.name}) should be disconnected asap`);
      link.state = 'candidate';
      link.session.transport.closeGracefully();
      return;
    }
    link.state = 'online';
    link.awaitsAck = awaitsAck;
    link.seenMs = host.now();
    host.log('notice', `Synchronization with replica ${link.name} succeeded`);
    this.schedule();
  }

  // --- the stream ---

  /** There is something new to send. */
  readonly schedule = (): void => {
    if (this.pumping) return;
    this.pumping = true;
    setImmediate(this.pump);
  };

  private readonly pump = (): void => {
    this.pumping = false;
    this.stream.lay();
    for (const link of this.links.values()) link.pump(this.stream);
    this.host.flush();
    // After the kernel has taken what it takes: only the rest counts.
    for (const link of [...this.links.values()]) this.limit(link);
    this.stream.trim();
  };

  /** A replica's socket has taken something, or something was queued for it. */
  queued(session: Session): void {
    const link = this.links.get(session);
    if (link === undefined) return;
    if (link.state === 'sending') this.files.get(link)?.pump();
    else if (link.state === 'dumping' && link.streamed) {
      link.noteProgress(this.host.now());
      // Also called for what was queued: the dump goes on only when the slowest has room.
      if (this.payload?.congested === false) this.payload.onDrain();
    } else if (link.state === 'online' && link.position < this.stream.offset) this.schedule();
  }

  /** Drops a replica that lets too much wait (client-output-buffer-limit replica). */
  private limit(link: ReplicaLink): void {
    if (!link.following) return;
    const { hardBytes, softBytes, softSeconds } = this.host.settings.clientOutputBufferLimit.replica;
    const bytes = link.waitingBytes(this.stream);
    // Less than the backlog would help nobody: the replica could come back and get it all.
    const least = this.stream.backlogBytesMax;
    const nowMs = this.host.now();
    if (softBytes > 0 && bytes > Math.max(softBytes, least)) {
      if (link.softLimitSinceMs === 0) link.softLimitSinceMs = nowMs;
    } else link.softLimitSinceMs = 0;
    const tooMuch = hardBytes > 0 && bytes > Math.max(hardBytes, least);
    const tooLong = link.softLimitSinceMs > 0 && nowMs - link.softLimitSinceMs > softSeconds * 1000;
    if (!tooMuch && !tooLong) return;
    this.host.log(
      'warning',
      `Client ${this.host.describe(link.session)} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    );
    this.drop(link);
  }

  private drop(link: ReplicaLink): void {
    this.host.drop(link.session);
  }

  /** The time without replicas counts from now. */
  lonely(): void {
    this.lonelySinceMs = this.host.now();
  }

  /** A client is gone. */
  gone(session: Session): void {
    const link = this.links.get(session);
    if (link === undefined) return;
    this.links.delete(session);
    this.files.get(link)?.close();
    this.files.delete(link);
    session.link = null;
    if (link.state === 'candidate') return;
    this.host.log('notice', `Connection with replica ${link.name} lost.`);
    if (link.state === 'dumping' && link.streamed) this.leaveStream(link);
    else if (link.state === 'dumping') this.leaveFile();
    if (this.count === 0) this.lonely();
    this.stream.trim();
    this.host.acknowledged();
  }

  /** The file under way may be of no use to anybody any more. */
  private leaveFile(): void {
    const { dumps, settings } = this.host;
    const isWanted = [...this.links.values()].some((link) => link.state === 'dumping' && !link.streamed);
    if (isWanted || !this.madeFile || dumps.running !== 'file' || settings.save.length > 0) return;
    this.host.log('notice', 'Killing running RDB child: nobody waits for its dump');
    dumps.stopFile();
  }

  private leaveStream(link: ReplicaLink): void {
    this.payload?.forget(link);
    if (this.payload?.error == null) return;
    this.host.log('warning', 'Diskless rdb transfer, last replica dropped, killing fork child.');
    this.payload = null;
    this.host.dumps.stopStream();
  }

  /** Ends all links: this server becomes a replica, or its data is about to be another's. */
  dropAll(): void {
    for (const link of [...this.links.values()]) if (link.state !== 'candidate') this.drop(link);
  }

  // --- acknowledgements ---

  /** REPLCONF ACK, `logged` being what FACK told: 0 without it. */
  acknowledge(session: Session, offset: number, logged: number): void {
    const link = this.links.get(session);
    if (link === undefined || link.state === 'candidate') return;
    link.ackOffset = Math.max(link.ackOffset, offset);
    link.loggedOffset = Math.max(link.loggedOffset, logged);
    link.seenMs = this.host.now();
    if (link.awaitsAck && link.state === 'online') {
      link.awaitsAck = false;
      this.schedule();
    }
    this.host.acknowledged();
  }

  /** Asks all replicas how far they are. */
  askForAcks(): void {
    if (this.stream.recording) this.stream.command(ANY_DATABASE, GET_ACK);
  }

  /** Replicas that have acknowledged at least `offset`. */
  countAcks(offset: number): number {
    let count = 0;
    for (const link of this.links.values()) if (link.state === 'online' && link.ackOffset >= offset) count++;
    return count;
  }

  /** Replicas whose own log has at least `offset` on the disk. */
  countLogged(offset: number): number {
    let count = 0;
    for (const link of this.links.values()) if (link.state === 'online' && link.loggedOffset >= offset) count++;
    return count;
  }

  /** Replicas that answer in time, for min-replicas-to-write. */
  countGood(): number {
    const lagMaxMs = Number(this.host.settings.minReplicasMaxLag) * 1000;
    const nowMs = this.host.now();
    let count = 0;
    for (const link of this.links.values()) {
      if (link.state === 'online' && nowMs - link.seenMs <= lagMaxMs) count++;
    }
    return count;
  }

  // --- housekeeping ---

  /** `pings`: this server is at the head of its chain. */
  cron(nowMs: number, pings: boolean): void {
    const second = Math.floor(nowMs / 1000);
    this.startDumpIfDue();
    if (second === this.lastSecond) return;
    this.lastSecond = second;
    const period = Math.max(1, Number(this.host.settings.replPingReplicaPeriod));
    const followed = this.count > 0;
    if (pings && followed && !this.quiet && this.seconds % period === 0) this.stream.command(ANY_DATABASE, PING);
    this.seconds++;
    for (const link of [...this.links.values()]) this.look(link, nowMs);
    if (pings && !followed) this.giveBacklogUp(nowMs);
  }

  /** Keeps a waiting replica alive, and ends one that is silent. */
  private look(link: ReplicaLink, nowMs: number): void {
    const { host } = this;
    const timeoutMs = Number(host.settings.replTimeout) * 1000;
    // One that has taken everything is not late: the dump may wait for another.
    if (link.state === 'dumping' && link.streamed) link.noteProgress(nowMs);
    if (link.state === 'waiting' || (link.state === 'dumping' && !link.streamed)) {
      link.session.transport.send(Buffer.from('\n'));
      link.seenMs = nowMs;
    } else if (link.state === 'dumping' && nowMs - link.seenMs > timeoutMs) {
      host.log('warning', `Disconnecting timedout replica (full sync): ${link.name}`);
      this.drop(link);
    } else if (link.state === 'online' && !link.isOld && nowMs - link.seenMs > timeoutMs) {
      host.log('warning', `Disconnecting timedout replica (streaming sync): ${link.name}`);
      this.drop(link);
    }
    this.limit(link);
  }

  private giveBacklogUp(nowMs: number): void {
    const seconds = Number(this.host.settings.replBacklogTtl);
    if (!this.stream.recording || seconds === 0 || nowMs - this.lonelySinceMs <= seconds * 1000) return;
    this.history.renew();
    this.stream.clear(this.stream.offset);
    this.host.log('notice', `Replication backlog freed after ${seconds} seconds without connected replicas.`);
  }
}
