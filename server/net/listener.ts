// Accepts connections and moves bytes. All sockets share one read buffer: Node reads into it and calls `receive` before
// anything else is read, so nothing is allocated for input. Those that send long requests share a larger one, so that a
// request mostly comes whole and need not be put together; it is not for everybody, as whoever fills it with a pipeline
// keeps the others waiting.
//
// net.Socket takes its `onread` option only when it is made, and a server makes the socket itself; so the handle that listens
// is told to hand over what it accepts, and the socket is made here. This is the one place that knows that handle. Where it
// is another (another runtime), the server's own sockets and plain 'data' events do the same with a buffer each.

import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import net, { type ListenOptions, type Server, type Socket } from 'node:net';
import { type DirectWriter, DirectWrites } from './direct-writes.ts';

/** Bytes read at once, and by connections whose requests are long. */
const READ_BYTES = 64 * 1024;
const LONG_READ_BYTES = 1024 * 1024;
/**
 * Connections that may wait to be accepted, at least (the system has its own limit, too). Node accepts one a turn, so in a
 * rush they wait; one that finds the queue full tries again only after a second.
 */
const QUEUE_MIN = 4096;

export interface ConnectionEvents {
  /**
   * A connection was accepted; `direct` writes past the socket's stream, where that is possible. Returns what its later
   * events belong to, or null to refuse it (it is closed).
   */
  accept(socket: Socket, isUnix: boolean, direct: DirectWriter | null): Connection | null;
}

export interface Connection {
  /** `end` bytes have arrived at the start of `buf`, which is reused afterwards. */
  receive(buf: Buffer, end: number): void;
  /** The peer has gone or the connection broke. */
  closed(): void;
  /** What was queued has gone to the kernel. */
  drained(): void;
  /** Whether its requests are so long that the next read should bring more than usual. */
  readonly readsLong: boolean;
}

export interface ListenAddress {
  port: number;
  host: string;
  /** Connections that may wait to be accepted; a longer queue is used where this one is shorter than QUEUE_MIN. */
  backlog: number;
}

/** Node's handle of a socket that listens: what it calls for each connection, with 0 or a negative error number. */
interface ListeningHandle {
  onconnection?: (status: number, handle: AcceptedHandle | undefined) => void;
}

interface AcceptedHandle {
  /** Not there for Unix sockets. */
  setNoDelay?(on: boolean): void;
}

export class Listener {
  private readonly servers: Server[] = [];
  private readonly events: ConnectionEvents;
  private readonly directWrites = new DirectWrites();
  private readonly shared = Buffer.allocUnsafeSlow(READ_BYTES);
  /** Made when somebody needs it; pages that were never read into take no memory. */
  private sharedLong: Buffer | null = null;
  private unixPath = '';

  constructor(events: ConnectionEvents) {
    this.events = events;
  }

  /** Listens on a TCP address; rejects with the system's error. */
  listen(address: ListenAddress): Promise<void> {
    return this.open(false, { ...address, ipv6Only: address.host.includes(':') });
  }

  /** Listens on a unix socket; a stale socket file is replaced. `mode` is its permission, 0 leaves the umask's. */
  async listenUnix(path: string, mode: number, backlog: number): Promise<void> {
    if (existsSync(path) && lstatSync(path).isSocket()) unlinkSync(path);
    await this.open(true, { path, backlog });
    if (mode !== 0) chmodSync(path, mode);
    this.unixPath = path;
  }

  /** Listens on a descriptor that the service manager passed. */
  listenDescriptor(fd: number): Promise<void> {
    return this.open(false, { fd });
  }

  /** Stops accepting. Connections that are there stay. */
  close(): void {
    for (const server of this.servers) server.close();
    this.servers.length = 0;
    if (this.unixPath !== '' && existsSync(this.unixPath)) unlinkSync(this.unixPath);
  }

  private open(isUnix: boolean, address: ListenOptions & { fd?: number }): Promise<void> {
    const server = net.createServer({ pauseOnConnect: true, noDelay: true });
    server.on('connection', (socket) => this.accepted(socket, isUnix));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...address, backlog: Math.max(QUEUE_MIN, address.backlog ?? 0) }, () => {
        server.off('error', reject);
        // A failing accept (no descriptors left) must not end the server; the peer sees its connection wait.
        server.on('error', ignore);
        this.takeHandles(server, isUnix);
        this.servers.push(server);
        resolve();
      });
    });
  }

  /** Has connections come as handles instead of sockets, where the server's own handle is the one that Node has. */
  private takeHandles(server: Server, isUnix: boolean): void {
    const listening = (server as unknown as { _handle?: ListeningHandle | null })._handle;
    if (typeof listening?.onconnection !== 'function') return;
    listening.onconnection = (status, handle) => {
      if (status === 0 && handle !== undefined) this.acceptedHandle(handle, isUnix);
    };
  }

  private accepted(socket: Socket, isUnix: boolean): void {
    const connection = this.events.accept(socket, isUnix, null);
    if (connection === null) return;
    socket.on('data', (chunk: Buffer) => connection.receive(chunk, chunk.length));
    follow(socket, connection);
  }

  private acceptedHandle(handle: AcceptedHandle, isUnix: boolean): void {
    handle.setNoDelay?.(true);
    let connection: Connection | null = null;
    let current: Buffer = this.shared;
    const callback = (bytes: number, buf: Uint8Array): boolean => {
      connection?.receive(buf as Buffer, bytes);
      return true;
    };
    // Asked for after each read, and at first: undefined leaves it as it is.
    let asked = false;
    const buffer = (): Buffer | undefined => {
      const next = connection?.readsLong === true ? this.longBuffer() : this.shared;
      if (asked && next === current) return undefined;
      asked = true;
      current = next;
      return next;
    };
    const options = { handle, onread: { buffer, callback } };
    const socket = new net.Socket(options as ConstructorParameters<typeof net.Socket>[0]);
    connection = this.events.accept(socket, isUnix, this.directWrites.to(socket));
    if (connection !== null) follow(socket, connection);
  }

  private longBuffer(): Buffer {
    this.sharedLong ??= Buffer.allocUnsafeSlow(LONG_READ_BYTES);
    return this.sharedLong;
  }
}

/** Tells the connection what becomes of its socket, from now on. */
function follow(socket: Socket, connection: Connection): void {
  socket.on('error', ignore);
  socket.on('drain', () => connection.drained());
  socket.on('close', () => connection.closed());
  // Half-open connections are of no use to the protocol: the end of input ends the connection.
  socket.on('end', () => socket.destroy());
  socket.resume();
}

function ignore(): void {}
