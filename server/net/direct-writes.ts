// Writes replies to a socket's handle, past the layers of node:stream, which cost more than a small reply itself: a request
// object for each write, a callback, a turn of the microtask queue. Mostly the kernel takes a reply at once, and then none
// of them is needed.
//
// The handle wants a request object of a class that Node keeps to itself; it is learned from the first write that goes the
// ordinary way. Where there is no such handle (another runtime), every write goes the ordinary way.

import type { Socket } from 'node:net';

/** Node's request object of a write: needed by the handle if the kernel does not take everything at once. */
interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Keeps the bytes from being collected while the kernel takes them. */
  buffer?: Uint8Array | null;
}

/** The part of a socket's handle that is used here. */
interface WriteHandle {
  /** Returns 0 or a negative error number. */
  writeLatin1String(request: WriteRequest | null, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number;
}

export class DirectWrites {
  private Request: (new () => WriteRequest) | null = null;
  /** This Node writes without request objects as long as the kernel takes all (26): its ordinary way is short enough. */
  private unneeded = false;
  /** A request object that no write has claimed. */
  private spare: WriteRequest | null = null;

  /** A way to write directly to a socket, or null where there is none. */
  to(socket: Socket): DirectWriter | null {
    const handle = (socket as unknown as { _handle?: Partial<WriteHandle> | null })._handle;
    const isKnown = typeof handle?.writeLatin1String === 'function' && typeof handle.writeBuffer === 'function';
    if (!isKnown || typeof handle.writeQueueSize !== 'number') return null;
    return new DirectWriter(this, socket, handle as WriteHandle);
  }

  /** The object for the next write, or null as long as the class is not known. */
  take(handle: WriteHandle): WriteRequest | null {
    if (this.spare !== null) return this.spare;
    if (this.Request === null) {
      if (!this.unneeded) this.learn(handle);
      return null;
    }
    this.spare = new this.Request();
    return this.spare;
  }

  /** The write has kept its object: the next one gets another. */
  claimed(): void {
    this.spare = null;
  }

  /** Sees the object that the next ordinary write of the handle brings along. */
  private learn(handle: WriteHandle): void {
    const write = handle.writeLatin1String;
    handle.writeLatin1String = (request, text) => {
      if (request === null) this.unneeded = true;
      else this.Request = request.constructor as new () => WriteRequest;
      handle.writeLatin1String = write;
      return write.call(handle, request, text);
    };
  }
}

/** What became of a write: it has to go the ordinary way, the kernel has taken it, or some of it is on its way there. */
export const Written = { refused: 0, taken: 1, waiting: 2 } as const;

export class DirectWriter {
  private readonly shared: DirectWrites;
  private readonly socket: Socket;
  private readonly handle: WriteHandle;
  /** The stream may hold something, which goes first. */
  private streaming = false;

  constructor(shared: DirectWrites, socket: Socket, handle: WriteHandle) {
    this.shared = shared;
    this.socket = socket;
    this.handle = handle;
  }

  /** Bytes on their way to the kernel. */
  get queuedBytes(): number {
    return this.handle.writeQueueSize;
  }

  /** Has to be called after each write that goes the ordinary way. */
  wroteToStream(): void {
    this.streaming = true;
  }

  /**
   * Writes a text, one character a byte; returns one of Written. A failed write destroys the socket, as an ordinary one
   * does. `done` is called when the kernel has taken what it did not take at once.
   */
  write(text: string, done: () => void): number {
    const request = this.request();
    if (request === null) return Written.refused;
    return this.settle(this.handle.writeLatin1String(request, text), request, null, done);
  }

  /** The same for bytes, which may not change before `done` when the answer is Written.waiting. */
  writeBytes(bytes: Uint8Array, done: () => void): number {
    const request = this.request();
    if (request === null) return Written.refused;
    return this.settle(this.handle.writeBuffer(request, bytes), request, bytes, done);
  }

  /** The object for a write, or null when it has to go the ordinary way. */
  private request(): WriteRequest | null {
    const { socket } = this;
    if (this.streaming) {
      if (socket.writableLength > 0 || !socket.writable) return null;
      this.streaming = false;
    }
    return socket.destroyed ? null : this.shared.take(this.handle);
  }

  private settle(status: number, request: WriteRequest, bytes: Uint8Array | null, done: () => void): number {
    const { socket, handle, shared } = this;
    if (status !== 0) {
      socket.destroy(new Error(`write failed: ${status}`));
      return Written.taken;
    }
    if (handle.writeQueueSize === 0) return Written.taken;
    shared.claimed();
    request.buffer = bytes;
    request.oncomplete = (result) => {
      if (result < 0) socket.destroy(new Error(`write failed: ${result}`));
      else done();
    };
    return Written.waiting;
  }
}
