// Drives the load: a number of connections, each sending a pipeline of the same command and waiting for its replies,
// until so many requests are done. No value is made of a reply. Threads share a load by drawing from one ledger.
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Histogram } from '../../server/base/histogram.ts';
import { ReplyCounter } from '../../server/formats/resp/reply-counter.ts';
import type { TlsTarget } from '../../server/net/client.ts';
import { describeSystemError } from '../../server/net/client.ts';
import { RANDOM_MARK } from './workloads.ts';

export interface DriveOptions {
  /** Host and port, or a unix socket's path. */
  target: NetConnectOpts;
  targetName: string;
  tls: TlsTarget | undefined;
  /** Commands sent once on each new connection (AUTH, SELECT, HELLO). */
  greeting: Buffer;
  greetingReplies: number;
  clients: number;
  pipeline: number;
  keepAlive: boolean;
  keyspace: number | undefined;
  /** Significant digits of latencies. */
  precision: number;
  /** Where requests are counted: one for all threads of a load. */
  ledger: Ledger;
  /** A number from 0 to `bound` - 1. */
  random(bound: number): number;
  nowMs(): number;
}

/** Requests of a load: those that connections have taken up, and those that are done. */
export class Ledger {
  readonly requests: number;
  readonly memory: SharedArrayBuffer;
  readonly #counts: Int32Array;

  constructor(requests: number, memory = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.requests = requests;
    this.memory = memory;
    this.#counts = new Int32Array(memory);
  }

  get finished(): number {
    return Math.min(this.requests, Atomics.load(this.#counts, 1));
  }

  /** Takes up a pipeline of `count` requests; false: there are none left. The last pipeline may reach above the number. */
  take(count: number): boolean {
    return Atomics.load(this.#counts, 0) < this.requests && Atomics.add(this.#counts, 0, count) < this.requests;
  }

  /** Counts replies as done and returns how many of them count. */
  complete(replies: number): number {
    const before = Atomics.add(this.#counts, 1, replies);
    return Math.max(0, Math.min(replies, this.requests - before));
  }
}

/** Where a run stands; `recent` counts since the last look. */
export interface Progress {
  readonly finished: number;
  startMs: number;
  latency: Histogram;
  recent: Histogram;
}

export interface DriveResult {
  finished: number;
  elapsedMs: number;
  latency: Histogram;
}

/** The load cannot go on: the server refused a command or the connection. */
export class LoadError extends Error {}

/** Microseconds, as redis-benchmark counts them. */
const LOWEST = 10;
const HIGHEST = 3_000_000;
const DIGITS = RANDOM_MARK.length;

/** All connections read into this one; what is read is counted before the next read. */
const READ_BUFFER_BYTES = 64 * 1024;

export function latencyHistogram(significantDigits: number): Histogram {
  return new Histogram({ lowest: LOWEST, highest: HIGHEST, significantDigits });
}

/**
 * Sends `command` (one request's bytes) until the requests are done.
 * @throws {LoadError} on an error reply or a lost connection
 */
export async function drive(
  command: Buffer,
  options: DriveOptions,
  onStart: (progress: Progress) => void,
): Promise<DriveResult> {
  const run = new Run(command, options);
  onStart(run);
  try {
    return await run.finish();
  } finally {
    run.close();
  }
}

class Run implements Progress {
  readonly latency: Histogram;
  readonly recent: Histogram;
  startMs = 0;
  readonly options: DriveOptions;
  readonly command: Buffer;
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  /** Connections that found no request left. */
  #resting = 0;
  #connections: Connection[] = [];
  #settle: { resolve(): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;

  constructor(command: Buffer, options: DriveOptions) {
    this.command = command;
    this.options = options;
    this.latency = latencyHistogram(options.precision);
    this.recent = latencyHistogram(options.precision);
  }

  get finished(): number {
    return this.options.ledger.finished;
  }

  async finish(): Promise<DriveResult> {
    const { clients, nowMs } = this.options;
    this.startMs = nowMs();
    await new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
      for (let i = 0; i < clients; i++) this.#connections.push(new Connection(this));
      if (this.options.ledger.requests === 0) resolve();
      if (this.#failure !== undefined) reject(this.#failure);
    });
    return { finished: this.finished, elapsedMs: nowMs() - this.startMs, latency: this.latency };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#settle?.reject(error);
  }

  /** Takes up a pipeline of requests for a connection; false: there are none left. */
  take(): boolean {
    if (this.options.ledger.take(this.options.pipeline)) return true;
    // Other threads may still be waiting for replies; this one has all of its own.
    if (++this.#resting === this.options.clients) this.#settle?.resolve();
    return false;
  }

  /** Counts replies; what a last pipeline sent above the number of requests is not counted. */
  complete(replies: number, microseconds: number): void {
    const counted = this.options.ledger.complete(replies);
    for (let i = 0; i < counted; i++) {
      this.latency.record(microseconds);
      this.recent.record(microseconds);
    }
    if (counted > 0 && this.finished >= this.options.ledger.requests) this.#settle?.resolve();
  }

  replace(old: Connection): void {
    old.close();
    this.#connections[this.#connections.indexOf(old)] = new Connection(this);
  }
}

class Connection {
  readonly #run: Run;
  #socket: Socket | undefined;
  readonly #replies = new ReplyCounter();
  /** A pipeline's bytes; the random digits in it are written anew each time. */
  readonly #request: Buffer;
  readonly #marks: number[];
  #greetingReplies: number;
  #outstanding = 0;
  #sentMs = 0;
  /** Of the pipeline in flight; negative before its first byte came back. */
  #microseconds = -1;
  #closed = false;

  constructor(run: Run) {
    this.#run = run;
    const { pipeline, keyspace, greetingReplies } = run.options;
    this.#request = Buffer.concat(Array.from({ length: pipeline }, () => run.command));
    this.#marks = keyspace === undefined ? [] : findMarks(this.#request);
    this.#greetingReplies = greetingReplies;
    void this.#open().catch((error) => run.fail(error));
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  async #open(): Promise<void> {
    const { target, targetName, tls, greeting } = this.#run.options;
    const onread = {
      buffer: this.#run.readBuffer,
      callback: (length: number, buffer: Uint8Array) => {
        this.#receive(buffer, length);
        return true;
      },
    };
    let connected = false;
    let socket: Socket;
    if (tls === undefined) {
      socket = createConnection({ ...target, onread, noDelay: true } as NetConnectOpts);
    } else {
      const { connect } = await import('node:tls');
      socket = connect({ ...(target as ConnectionOptions), ...tls });
      socket.on('data', (chunk: Buffer) => this.#receive(chunk, chunk.length));
    }
    this.#socket = socket;
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => {
      connected = true;
      if (greeting.length > 0) socket.write(greeting);
      this.#send();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#closed) return;
      const reason = describeSystemError(error);
      const text = connected ? `Error: ${reason}` : `Could not connect to Redis at ${targetName}: ${reason}`;
      this.#run.fail(new LoadError(text));
    });
    socket.on('close', () => {
      if (!this.#closed) this.#run.fail(new LoadError('Error: Server closed the connection'));
    });
  }

  #send(): void {
    if (!this.#run.take()) return;
    this.#outstanding = this.#run.options.pipeline;
    if (this.#marks.length > 0) this.#randomize();
    this.#microseconds = -1;
    this.#sentMs = this.#run.options.nowMs();
    this.#socket!.write(this.#request);
  }

  #randomize(): void {
    const { keyspace, random } = this.#run.options;
    for (const mark of this.#marks) {
      let rest = keyspace! > 0 ? random(keyspace!) : 0;
      for (let at = mark + DIGITS - 1; at >= mark; at--) {
        this.#request[at] = 48 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
    }
  }

  #receive(bytes: Uint8Array, length: number): void {
    if (this.#closed) return;
    if (this.#microseconds < 0) this.#microseconds = (this.#run.options.nowMs() - this.#sentMs) * 1000;
    let count: number;
    try {
      count = this.#replies.feed(bytes, length);
    } catch (error) {
      this.#run.fail(new LoadError(`Error: ${(error as Error).message}`));
      return;
    }
    if (this.#replies.error !== undefined) {
      this.#run.fail(new LoadError(`Error from server: ${this.#replies.error}`));
      return;
    }
    const greeted = Math.min(count, this.#greetingReplies);
    this.#greetingReplies -= greeted;
    count -= greeted;
    if (count === 0) return;
    this.#outstanding -= count;
    this.#run.complete(count, this.#microseconds);
    if (this.#outstanding > 0 || this.#closed) return;
    if (this.#run.options.keepAlive) this.#send();
    else this.#run.replace(this);
  }
}

function findMarks(bytes: Buffer): number[] {
  const marks: number[] = [];
  for (let at = bytes.indexOf(RANDOM_MARK); at >= 0; at = bytes.indexOf(RANDOM_MARK, at + DIGITS)) marks.push(at);
  return marks;
}
