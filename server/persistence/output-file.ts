// A file that is written behind the event loop's back: chunks queue up and go out in large writes. It comes into being
// under an unpredictable temporary name and takes its real one only when it is complete and on the disk.

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Disk, realDisk } from './disk.ts';

/** Bytes in the queue above which the producer is asked to wait (see congested). */
const QUEUE_BYTES = 8 << 20;
/** Bytes in the queue above which chunks are written at once, whatever that holds up. */
const QUEUE_BYTES_MAX = 64 << 20;
/** Bytes per write. */
const WRITE_BYTES = 1 << 20;
/** Bytes after which the file is flushed to the disk, so that the end has little left to flush. */
const SYNC_BYTES = 32 << 20;

export interface OutputOptions {
  readonly mode: number;
  /** Flush to the disk piece by piece. */
  readonly incrementalSync: boolean;
  /** Gets each chunk that has been written. */
  readonly recycle?: (chunk: Uint8Array) => void;
  /** Takes this name when it is finished; without it, keeps the temporary one. */
  readonly finalPath?: string | undefined;
  readonly disk?: Disk | undefined;
}

export class OutputFile {
  readonly path: string;
  /** The first thing that went wrong. */
  error: NodeJS.ErrnoException | null = null;
  /** Told when the queue is short again, or a write has failed. */
  onDrain: () => void = () => undefined;
  /** Bytes given to write. */
  bytes = 0;
  private readonly fd: number;
  private readonly options: OutputOptions;
  private readonly disk: Disk;
  private queue: Uint8Array[] = [];
  private queuedBytes = 0;
  private position = 0;
  private unsynced = 0;
  private busy = false;
  private closed = false;
  private whenIdle: (() => void) | null = null;

  /** Creates the file, which must not exist. Throws what the system says. */
  constructor(path: string, options: OutputOptions) {
    this.path = path;
    this.options = options;
    this.disk = options.disk ?? realDisk;
    this.fd = this.disk.openSync(path, 'wx', options.mode);
  }

  /** Whether the producer should wait for onDrain. */
  get congested(): boolean {
    return this.queuedBytes > QUEUE_BYTES && this.error === null;
  }

  /** Takes a chunk, which nobody changes until it is recycled. */
  write(chunk: Uint8Array): void {
    if (this.error !== null || this.closed) return;
    this.queue.push(chunk);
    this.queuedBytes += chunk.length;
    this.bytes += chunk.length;
    if (this.queuedBytes > QUEUE_BYTES_MAX) this.writeQueueNow();
    else if (!this.busy) this.pump();
  }

  /** Writes a chunk now. For saving in the foreground; never mix with write(). */
  writeNow(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.writeHere(chunk);
  }

  /** Waits for the queue, flushes to the disk, closes and moves into place. Rejects with the first error. */
  async finish(): Promise<void> {
    const { disk } = this;
    const { finalPath } = this.options;
    if (this.busy) await new Promise<void>((resolve) => (this.whenIdle = resolve));
    if (this.error === null) await this.attempt((done) => disk.fsync(this.fd, done));
    this.close();
    if (finalPath !== undefined && this.error === null) {
      // The blocks of the file that was there are freed when the last descriptor goes, which is not for this thread.
      const old = openQuietly(finalPath, disk);
      await this.attempt((done) => disk.rename(this.path, finalPath, done));
      if (old !== -1) disk.close(old, () => undefined);
      if (this.error === null) await this.syncDirectory(dirname(finalPath));
    }
    if (this.error !== null) throw this.error;
  }

  /** Makes the rename durable. */
  private async syncDirectory(path: string): Promise<void> {
    const fd = this.disk.openSync(path, 'r');
    await this.attempt((done) => this.disk.fsync(fd, done));
    this.disk.closeSync(fd);
  }

  /** One call; its error becomes the file's, if there is none yet. */
  private attempt(call: (done: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
    return new Promise((resolve) =>
      call((error) => {
        this.error ??= error;
        resolve();
      }),
    );
  }

  /** The same at once, after writeNow(). */
  finishNow(): void {
    try {
      if (this.error === null) this.disk.fsyncSync(this.fd);
    } finally {
      this.close();
    }
    if (this.error !== null) throw this.error;
  }

  /** Gives the file up and removes it. */
  discard(): void {
    this.error ??= Object.assign(new Error('given up'), { code: 'ECANCELED' });
    this.queue = [];
    this.queuedBytes = 0;
    // The name first: with the last of descriptor and name the blocks are freed, which takes a while.
    removeQuietly(this.path, this.disk);
    if (this.busy) this.whenIdle = () => this.close();
    else this.close();
  }

  private writeHere(chunk: Uint8Array): void {
    if (this.error !== null) return;
    try {
      writeFully(this.fd, chunk, this.position, this.disk);
      this.position += chunk.length;
      this.options.recycle?.(chunk);
    } catch (error) {
      this.error = error as NodeJS.ErrnoException;
    }
  }

  private pump(): void {
    if (this.queue.length === 0 || this.error !== null) {
      this.idle();
      return;
    }
    this.busy = true;
    let bytes = 0;
    let count = 0;
    while (count < this.queue.length && bytes < WRITE_BYTES) bytes += this.queue[count++].length;
    const chunks = this.queue.splice(0, count);
    const position = this.position;
    this.position += bytes;
    this.disk.writev(this.fd, chunks, position, (error, written) => {
      if (error === null && written < bytes) this.rewriteRest(chunks, position, written);
      this.error ??= error;
      this.queuedBytes = Math.max(0, this.queuedBytes - bytes);
      for (const chunk of chunks) this.options.recycle?.(chunk);
      this.unsynced += bytes;
      if (this.options.incrementalSync && this.unsynced >= SYNC_BYTES && this.error === null) this.syncSome();
      else this.pumpOn();
    });
  }

  private syncSome(): void {
    this.unsynced = 0;
    this.disk.fdatasync(this.fd, (error) => {
      this.error ??= error;
      this.pumpOn();
    });
  }

  private pumpOn(): void {
    this.busy = false;
    this.pump();
    if (this.queuedBytes <= QUEUE_BYTES || this.error !== null) this.onDrain();
  }

  private idle(): void {
    const callback = this.whenIdle;
    this.whenIdle = null;
    callback?.();
  }

  /** A short write: the rest at once. A full disk says so here. */
  private rewriteRest(chunks: readonly Uint8Array[], position: number, written: number): void {
    const all = Buffer.concat(chunks);
    try {
      writeFully(this.fd, all.subarray(written), position + written, this.disk);
    } catch (error) {
      this.error = error as NodeJS.ErrnoException;
    }
  }

  /** The queue is too long: its chunks have places of their own in the file, so they may overtake a write under way. */
  private writeQueueNow(): void {
    for (const chunk of this.queue) {
      this.writeHere(chunk);
      this.queuedBytes -= chunk.length;
    }
    this.queue = [];
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    // In the background: closing may flush on some file systems, or free the blocks. Errors were the business of fsync.
    this.disk.close(this.fd, () => undefined);
  }
}

/** Name for a temporary file beside `path`; `random` makes it unpredictable. */
export function temporaryPath(path: string, random: (bytes: number) => Buffer, extension: string): string {
  return join(dirname(path), `temp-${process.pid}-${random(8).toString('hex')}${extension}`);
}

/** Removes what temporaryPath() has named and a process that is gone has left behind. */
export function removeLeftovers(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return;
  }
  for (const name of names) {
    const match = /^temp-(\d+)-[0-9a-f]{16}[-.a-z]*$/.exec(name);
    if (match !== null && !isAlive(Number(match[1]))) removeQuietly(join(directory, name));
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Gives a finished file its name, for good: also the rename is flushed. Throws what the system says. */
export function moveIntoPlace(temporary: string, path: string, disk: Disk = realDisk): void {
  disk.renameSync(temporary, path);
  syncDirectory(dirname(path), disk);
}

/** Makes a rename in a directory durable. */
export function syncDirectory(path: string, disk: Disk = realDisk): void {
  const fd = disk.openSync(path, 'r');
  try {
    disk.fsyncSync(fd);
  } finally {
    disk.closeSync(fd);
  }
}

export function removeQuietly(path: string, disk: Disk = realDisk): void {
  try {
    disk.unlinkSync(path);
  } catch {
    // Gone already, or out of reach: nothing depends on it.
  }
}

/** removeQuietly for a large file: the name is gone at once, the blocks are freed in the background. */
export function removeInBackground(path: string, disk: Disk = realDisk): void {
  const fd = openQuietly(path, disk);
  removeQuietly(path, disk);
  if (fd !== -1) disk.close(fd, () => undefined);
}

/** A descriptor to hold on to a file, -1 when there is none. */
function openQuietly(path: string, disk: Disk): number {
  try {
    return disk.openSync(path, 'r');
  } catch {
    return -1;
  }
}

export function writeFully(fd: number, bytes: Uint8Array, position: number | null, disk: Disk = realDisk): void {
  let done = 0;
  while (done < bytes.length) {
    done += disk.writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}
