// The replica's side: the link to the primary. It connects, introduces itself, asks to go on where this server is, takes a
// dump when that is not possible, and hands the stream on to whoever runs it. A lost link is made again.

import { connect, type Socket } from 'node:net';
import type { Settings } from '../config/settings.ts';
import { encodeCommand } from '../formats/resp/encode-command.ts';
import { describeSystemError } from '../net/client.ts';
import type { History } from './history.ts';
import { PayloadReader, type PayloadTarget } from './payload-reader.ts';
import type { ReplicationStream } from './stream.ts';

/** Longest line of a handshake. */
const LINE_BYTES_MAX = 64 * 1024;

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** As ROLE names it. */
type LinkState = 'connect' | 'connecting' | 'handshake' | 'sync' | 'connected';

/** A dump on its way in. */
export interface FullLoad extends PayloadTarget {
  /** Everything has come: loads it. Rejects when the data cannot be used. */
  finish(): Promise<void>;
  /** The link broke before the end. */
  abort(): void;
  /** Where it goes, for the log: `to disk` or `to parser`. */
  readonly where: string;
}

export interface UpstreamHost {
  readonly settings: Settings;
  readonly log: (level: 'debug' | 'verbose' | 'notice' | 'warning', message: string) => void;
  readonly now: () => number;
  /** A dump begins: where its bytes go. `pause` holds the socket back, and lets go of it. */
  beginLoad(reader: PayloadReader, primaryId: string, pause: (paused: boolean) => void): FullLoad;
  /** The link follows the stream from here on: takes what arrives. */
  opened(socket: Socket): void;
  apply(chunk: Buffer): void;
  /** The link that was opened is gone. */
  closed(): void;
  /** The primary has taken our place, as we asked it to (or not). */
  tookOver(accepted: boolean): void;
  /** This server's history has got another name: replicas have to hear of it. */
  renamed(): void;
  /** Up to what offset this server's log is on the disk; -1: it has none. */
  loggedOffset(): number;
}

/** What the handshake says, and what it makes of the answer. */
interface Step {
  readonly words: readonly (string | Buffer)[];
  /** Returns why the handshake cannot go on, or null. */
  check(line: string): string | null;
}

export class Upstream {
  readonly target: Target;
  state: LinkState = 'connect';
  /** Last time anything came, ms since 1970. */
  lastInputMs: number;
  /** Since when the link is down, ms. */
  downSinceMs: number;
  /** The dump under way. */
  payload: PayloadReader | null = null;
  private readonly host: UpstreamHost;
  private readonly stream: ReplicationStream;
  private readonly history: History;
  private socket: Socket | null = null;
  private line: Buffer = Buffer.alloc(0);
  private steps: Step[] = [];
  private load: FullLoad | null = null;
  private loading = false;
  /** What came behind the dump while that was being loaded: what one or two reads bring. */
  private early: Buffer[] = [];
  private waitsForSyncAnswer = false;
  private primaryId = '';
  private primaryOffset = 0;
  /** The next dump is asked for whatever we have (FAILOVER, a history that is no use). */
  private ended = false;
  /** The server that is asked has to become the primary first (PSYNC with FAILOVER). */
  takesOver = false;

  constructor(target: Target, host: UpstreamHost, stream: ReplicationStream, history: History) {
    this.target = target;
    this.host = host;
    this.stream = stream;
    this.history = history;
    this.lastInputMs = this.downSinceMs = host.now();
  }

  /** Ends the link for good. */
  end(): void {
    this.ended = true;
    this.drop();
  }

  /** Breaks the link; it is made again. */
  break(): void {
    this.socket?.destroy();
  }

  /** Connects, unless it is connected. */
  start(): void {
    if (this.state !== 'connect' || this.ended || this.loading) return;
    const { host, target } = this;
    host.log('notice', `Connecting to MASTER ${target.host}:${target.port}`);
    const localAddress = host.settings.string('bind-source-addr');
    let socket: Socket;
    try {
      socket = connect({ ...target, ...(localAddress === '' ? {} : { localAddress }) });
    } catch (error) {
      host.log('warning', `Unable to connect to MASTER: ${(error as Error).message}`);
      return;
    }
    this.socket = socket;
    this.state = 'connecting';
    this.lastInputMs = host.now();
    socket.setNoDelay(true);
    socket.once('connect', () => this.connected(socket));
    socket.on('data', (chunk: Buffer) => this.receive(socket, chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.failed(socket, describeSystemError(error)));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.failed(socket, 'Connection closed by the primary'));
    host.log('notice', 'MASTER <-> REPLICA sync started');
  }

  /** Looks for silence; once a second. */
  cron(nowMs: number): void {
    const { host } = this;
    const isLate = nowMs - this.lastInputMs > Number(host.settings.replTimeout) * 1000;
    if (this.state === 'connect') this.start();
    else if (this.loading) this.write(Buffer.from('\n'));
    else if (isLate) this.timedOut();
    else if (this.state === 'connected') this.acknowledge();
  }

  private timedOut(): void {
    const { log } = this.host;
    if (this.state === 'connected') log('warning', 'MASTER timeout: no data nor PING received...');
    else if (this.state === 'sync' && this.payload !== null) {
      log(
        'warning',
        "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.",
      );
    } else log('warning', 'Timeout connecting to the MASTER...');
    this.drop();
  }

  /** Tells the primary how far this server is. */
  acknowledge(): void {
    if (this.state !== 'connected') return;
    const words = ['REPLCONF', 'ACK', String(this.stream.offset)];
    const logged = this.host.loggedOffset();
    if (logged >= 0) words.push('FACK', String(logged));
    this.write(encodeCommand(words));
  }

  private write(bytes: Uint8Array): void {
    if (this.socket !== null && !this.socket.destroyed) this.socket.write(bytes);
  }

  /** Seconds since anything came; -1 while the link is down. */
  idleSeconds(nowMs: number): number {
    return this.state === 'connected' ? Math.floor((nowMs - this.lastInputMs) / 1000) : -1;
  }

  // --- handshake ---

  private connected(socket: Socket): void {
    if (this.socket !== socket) return;
    this.host.log('notice', 'Non blocking connect for SYNC fired the event.');
    this.state = 'handshake';
    this.line = Buffer.alloc(0);
    this.steps = this.handshake();
    this.write(encodeCommand(this.steps[0]!.words));
  }

  private handshake(): Step[] {
    const { settings } = this.host;
    const steps: Step[] = [{ words: ['PING'], check: (line) => this.checkPing(line) }];
    const password = settings.bytes('masterauth');
    if (password.length > 0) {
      const user = settings.bytes('masteruser');
      const words = user.length > 0 ? ['AUTH', user, password] : ['AUTH', password];
      steps.push({ words, check: (line) => (line.startsWith('-') ? `Unable to AUTH to MASTER: ${line}` : null) });
    }
    const port = Number(settings.replicaAnnouncePort) || Number(settings.port);
    steps.push(this.optional('listening-port', 'REPLCONF', 'listening-port', String(port)));
    const ip = settings.string('replica-announce-ip');
    if (ip !== '') steps.push(this.optional('ip-address', 'REPLCONF', 'ip-address', ip));
    steps.push(this.optional('capa', 'REPLCONF', 'capa', 'eof', 'capa', 'psync2'));
    return steps;
  }

  private checkPing(line: string): string | null {
    const isFine = /^(\+|-NOAUTH|-NOPERM|-ERR operation not permitted)/.test(line);
    if (!isFine) return `Error reply to PING from master: '${line}'`;
    this.host.log('notice', 'Master replied to PING, replication can continue...');
    return null;
  }

  /** A step that old primaries may not know. */
  private optional(what: string, ...words: string[]): Step {
    const check = (line: string): null => {
      if (line.startsWith('-')) {
        this.host.log('notice', `(Non critical) Master does not understand REPLCONF ${what}: ${line}`);
      }
      return null;
    };
    return { words, check };
  }

  private receive(socket: Socket, chunk: Buffer): void {
    if (this.socket !== socket) return;
    this.lastInputMs = this.host.now();
    if (this.loading) {
      // The stream begins while the dump is being loaded: the rest of it stays in the kernel.
      this.early.push(chunk);
      socket.pause();
    } else if (this.state === 'connected') this.host.apply(chunk);
    else if (this.payload !== null) this.takePayload(chunk);
    else this.takeLines(chunk);
  }

  private takeLines(chunk: Buffer): void {
    this.line = Buffer.concat([this.line, chunk]);
    while (this.state === 'handshake' || this.waitsForSyncAnswer) {
      const end = this.line.indexOf(10);
      if (end < 0) {
        if (this.line.length > LINE_BYTES_MAX) this.fail('the primary sends no line');
        return;
      }
      const line = this.line.toString('latin1', 0, end).replace(/\r$/, '');
      this.line = this.line.subarray(end + 1);
      // An empty line only says that the primary is alive.
      if (line !== '') this.answered(line);
    }
  }

  private answered(line: string): void {
    if (this.waitsForSyncAnswer) {
      this.syncAnswered(line);
      return;
    }
    const problem = this.steps.shift()?.check(line) ?? null;
    if (problem !== null) this.fail(problem);
    else if (this.steps.length > 0) this.write(encodeCommand(this.steps[0]!.words));
    else this.askForSync();
  }

  private askForSync(): void {
    const { log } = this.host;
    const { recording, offset } = this.stream;
    const words = recording ? ['PSYNC', this.history.id, String(offset + 1)] : ['PSYNC', '?', '-1'];
    if (recording) log('notice', `Trying a partial resynchronization (request ${this.history.id}:${offset + 1}).`);
    else log('notice', 'Partial resynchronization not possible (no cached master)');
    if (this.takesOver) words.push('FAILOVER');
    this.waitsForSyncAnswer = true;
    this.write(encodeCommand(words));
  }

  private syncAnswered(line: string): void {
    const [word, id, offset] = line.split(' ');
    this.waitsForSyncAnswer = false;
    if (word === '+FULLRESYNC' && id !== undefined && offset !== undefined) {
      this.primaryId = id;
      this.primaryOffset = Number(offset);
      this.handedOver(true);
      this.host.log('notice', `Full resync from master: ${id}:${offset}`);
      this.awaitPayload();
    } else if (word === '+CONTINUE') this.goOn(id);
    else if (word === '-NOMASTERLINK' || word === '-LOADING') {
      this.fail(`Master is currently unable to PSYNC but should be in the future: ${line}`);
    } else {
      const isError = line.startsWith('-ERR');
      const what = isError ? 'Master does not support PSYNC or is in error state (reply: ' : '';
      this.host.log('notice', isError ? `${what}${line})` : `Unexpected reply to PSYNC from master: ${line}`);
      if (this.takesOver) {
        this.drop();
        this.handedOver(false);
        return;
      }
      this.host.log('notice', 'Retrying with SYNC...');
      this.primaryId = '';
      this.primaryOffset = 0;
      this.awaitPayload();
      this.write(Buffer.from('SYNC\r\n'));
    }
  }

  private handedOver(accepted: boolean): void {
    if (!this.takesOver) return;
    this.takesOver = false;
    this.host.tookOver(accepted);
  }

  private goOn(id: string | undefined): void {
    const { log } = this.host;
    log('notice', 'Successful partial resynchronization with master.');
    this.handedOver(true);
    if (id !== undefined && id.length === this.history.id.length && id !== this.history.id) {
      this.history.rename(id, this.stream.offset);
      log('notice', `Master replication ID changed to ${id}`);
      this.host.renamed();
    }
    log('notice', 'MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.');
    this.open(this.line);
  }

  // --- the dump ---

  private awaitPayload(): void {
    this.state = 'sync';
    const socket = this.socket;
    this.payload = new PayloadReader((reader) => {
      this.load = this.host.beginLoad(reader, this.primaryId, (paused) => {
        if (paused) socket?.pause();
        else socket?.resume();
      });
      const what = reader.isMarked
        ? `receiving streamed RDB from master with EOF ${this.load.where}`
        : `receiving ${reader.totalBytes} bytes from master ${this.load.where}`;
      this.host.log('notice', `MASTER <-> REPLICA sync: ${what}`);
      return this.load;
    });
    const rest = this.line;
    this.line = Buffer.alloc(0);
    if (rest.length > 0) this.takePayload(rest);
  }

  private takePayload(chunk: Buffer): void {
    let rest: Buffer | null;
    try {
      rest = this.payload!.take(chunk);
    } catch (error) {
      this.fail((error as Error).message);
      return;
    }
    if (rest !== null) void this.finishLoad(Buffer.from(rest));
  }

  private async finishLoad(rest: Buffer): Promise<void> {
    const { socket, host, primaryId, primaryOffset } = this;
    const load = this.load!;
    this.load = null;
    this.loading = true;
    this.early = [rest];
    socket?.pause();
    try {
      await load.finish();
    } catch (error) {
      this.loading = false;
      this.fail((error as Error).message);
      return;
    }
    this.loading = false;
    this.history.adopt(primaryId === '' ? this.history.id : primaryId);
    this.stream.start(primaryOffset);
    host.log('notice', 'MASTER <-> REPLICA sync: Finished with success');
    if (this.socket !== socket || socket === null || socket.destroyed || this.ended) {
      // The link broke meanwhile: the next one goes on from here.
      this.lost();
      return;
    }
    this.open(Buffer.concat(this.early));
    this.early = [];
    socket.resume();
  }

  // --- the stream ---

  private open(rest: Buffer): void {
    this.state = 'connected';
    this.payload = null;
    this.line = Buffer.alloc(0);
    this.lastInputMs = this.host.now();
    this.host.opened(this.socket!);
    this.acknowledge();
    if (rest.length > 0) this.host.apply(rest);
  }

  private failed(socket: Socket, reason: string): void {
    if (this.socket !== socket) return;
    const { log } = this.host;
    if (this.loading) return;
    if (this.state === 'connected') log('warning', 'Connection with master lost.');
    else if (this.payload !== null) log('warning', `I/O error trying to sync with MASTER: ${reason}`);
    else log('warning', `Error condition on socket for SYNC: ${reason}`);
    this.drop();
  }

  private fail(problem: string): void {
    this.host.log('warning', problem);
    this.drop();
  }

  private drop(): void {
    this.socket?.destroy();
    this.load?.abort();
    this.lost();
  }

  private lost(): void {
    const wasOpen = this.state === 'connected';
    this.socket = null;
    this.load = null;
    this.payload = null;
    this.steps = [];
    this.line = Buffer.alloc(0);
    this.waitsForSyncAnswer = false;
    this.state = 'connect';
    if (!wasOpen) return;
    this.downSinceMs = this.host.now();
    this.host.closed();
    if (this.ended) return;
    this.host.log('notice', 'Caching the disconnected master state.');
    this.host.log('notice', `Reconnecting to MASTER ${this.target.host}:${this.target.port}`);
    // Later: the one who broke the link may be in the middle of a request.
    setImmediate(() => this.start());
  }
}
