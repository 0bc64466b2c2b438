// A small outbound client: one connection to a Redis-compatible server, replies in order, pushes aside. The command
// line client, the benchmark, health checks and links between servers use it.
import { connect as connectTcp, type Socket } from 'node:net';
import { type CommandArgument, encodeCommand } from '../formats/resp/encode-command.ts';
import { type Reply, ReplyParser } from '../formats/resp/reply.ts';

/** Where the server is: `path` is a unix socket and wins over host and port. */
export interface ClientTarget {
  host: string;
  port: number;
  path?: string;
  /** Options of tls.connect (ca, cert, key, servername, rejectUnauthorized, ciphers); absent: no TLS. */
  tls?: TlsTarget;
}

export interface TlsTarget {
  ca?: Buffer[];
  cert?: Buffer;
  key?: Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  /** OpenSSL names; the TLS 1.3 suites are part of the same list. */
  ciphers?: string;
}

export interface ClientOptions {
  /** Longest time for the connection to be made; absent: as long as the system tries. */
  connectTimeoutMs?: number;
  /** Receives RESP3 pushes. Without it they are handed to `read` like replies. */
  onPush?: ((push: Reply) => void) | undefined;
}

/** The connection is gone or was never made. `code` is the system's (ECONNREFUSED) or ECLOSED. */
export class ClientConnectionError extends Error {
  override readonly name = 'ClientConnectionError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** Unread replies kept before the socket is told to wait. */
const UNREAD_REPLIES_MAX = 4096;

interface Waiter {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class Client {
  /** Receives RESP3 pushes; may be changed at any time. */
  onPush: ((push: Reply) => void) | undefined;
  readonly #socket: Socket;
  readonly #parser = new ReplyParser();
  readonly #waiters = new Fifo<Waiter>();
  readonly #unread = new Fifo<Reply>();
  #failure: Error | undefined;
  #rawSink: ((chunk: Buffer) => void) | undefined;

  /**
   * Connects. Sends nothing.
   * @throws {ClientConnectionError} refused, unreachable, unknown host, no such socket, timeout, TLS failure
   */
  static async connect(target: ClientTarget, options: ClientOptions = {}): Promise<Client> {
    const socket = await openSocket(target);
    return await new Promise((resolve, reject) => {
      const timer =
        options.connectTimeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              socket.destroy(Object.assign(new Error('Connection timed out'), { code: 'ETIMEDOUT' }));
            }, options.connectTimeoutMs);
      const onError = (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        reject(new ClientConnectionError(describeSystemError(error), error.code ?? 'ECLOSED'));
      };
      socket.once('error', onError);
      socket.once(target.tls === undefined ? 'connect' : 'secureConnect', () => {
        clearTimeout(timer);
        socket.off('error', onError);
        resolve(new Client(socket, options));
      });
    });
  }

  private constructor(socket: Socket, options: ClientOptions) {
    this.#socket = socket;
    this.onPush = options.onPush;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#fail(new ClientConnectionError('Server closed the connection', 'ECLOSED')));
    socket.on('close', () => this.#fail(new ClientConnectionError('Server closed the connection', 'ECLOSED')));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#fail(new ClientConnectionError(describeSystemError(error), error.code ?? 'ECLOSED')),
    );
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** True when nothing sent is still without its answer and nothing received is unread. */
  get idle(): boolean {
    return this.#waiters.size === 0 && this.#unread.size === 0;
  }

  /** Sends one command and returns its reply; error replies are values, not exceptions. */
  call(...args: readonly CommandArgument[]): Promise<Reply> {
    this.write(encodeCommand(args));
    return this.read();
  }

  /** Sends one command without waiting; its reply comes from a later `read`. */
  send(...args: readonly CommandArgument[]): boolean {
    return this.write(encodeCommand(args));
  }

  /** Sends bytes as they are. False: the socket's buffer is full, wait for `drained`. */
  write(bytes: Uint8Array): boolean {
    if (this.#failure !== undefined) return false;
    return this.#socket.write(bytes);
  }

  /** Resolves when what was written has left the process's buffer, or the connection has ended. */
  drained(): Promise<void> {
    if (this.#failure !== undefined || !this.#socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  /**
   * The next reply in order.
   * @throws {ClientConnectionError} when the connection ends first
   * @throws {ReplySyntaxError} when the server does not speak RESP
   */
  read(): Promise<Reply> {
    const ready = this.#unread.shift();
    if (ready !== undefined) {
      if (this.#unread.size === 0 && this.#socket.isPaused()) this.#socket.resume();
      return Promise.resolve(ready);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** From now on everything received goes to `sink` unparsed (the payload of SYNC, for one). */
  takeRaw(sink: (chunk: Buffer) => void): void {
    this.#rawSink = sink;
  }

  /** Stops and resumes reading from the socket: back pressure for `takeRaw`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Lets the process end although the connection is open. */
  unref(): void {
    this.#socket.unref();
  }

  /** Ends the connection at once; waiting reads are rejected. */
  close(): void {
    this.#fail(new ClientConnectionError('Connection closed', 'ECLOSED'));
    this.#socket.destroy();
  }

  /** Resolves when the connection has ended, with the reason. */
  ended(): Promise<Error> {
    return new Promise((resolve) => {
      if (this.#failure !== undefined) resolve(this.#failure);
      else this.#socket.once('close', () => resolve(this.#failure ?? new Error('Server closed the connection')));
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#rawSink !== undefined) {
      this.#rawSink(chunk);
      return;
    }
    this.#parser.feed(chunk);
    try {
      for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) this.#deliver(reply);
    } catch (error) {
      this.#fail(error as Error);
      this.#socket.destroy();
    }
  }

  #deliver(reply: Reply): void {
    if (reply.kind === 'push' && this.onPush !== undefined) {
      this.onPush(reply);
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve(reply);
      return;
    }
    this.#unread.push(reply);
    if (this.#unread.size >= UNREAD_REPLIES_MAX) this.#socket.pause();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.reject(this.#failure);
    }
  }
}

/** The system's own wording (`Connection refused`) without Node's prefix. */
export function describeSystemError(error: NodeJS.ErrnoException): string {
  const known = SYSTEM_ERRORS[error.code ?? ''];
  if (known !== undefined) return known;
  return error.message || error.code || 'Unknown error';
}

const SYSTEM_ERRORS: Record<string, string> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EPIPE: 'Broken pipe',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  ENOTSOCK: 'Socket operation on non-socket',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENOTFOUND: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
  EAI_NONAME: 'Name or service not known',
};

async function openSocket(target: ClientTarget): Promise<Socket> {
  const where = target.path === undefined ? { host: target.host, port: target.port } : { path: target.path };
  if (target.tls === undefined) return connectTcp(where);
  // Loaded only when asked for: it costs every start otherwise.
  const { connect } = await import('node:tls');
  const { servername = target.host, ...tls } = target.tls;
  return connect({ ...where, ...tls, ...(IP_ADDRESS.test(servername) ? {} : { servername }) });
}

const IP_ADDRESS = /^[\d.]+$|:/;

/** A queue with constant-time shift. Bounded by its users: waiters by calls in flight, replies by pausing the socket. */
class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head++];
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
