// The calls that persistence makes to write files, as one object, so that a test can let the disk fail.

import * as fs from 'node:fs';

type Done = (error: NodeJS.ErrnoException | null) => void;

/** Functions of node:fs under their own names; those with Sync in the name throw what the system says. */
export interface Disk {
  openSync(path: string, flags: string, mode?: number): number;
  closeSync(fd: number): void;
  close(fd: number, done: Done): void;
  /** Returns how many bytes were taken; at the current place when `position` is null. */
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number | null): number;
  writev(
    fd: number,
    chunks: readonly Uint8Array[],
    position: number,
    done: (error: NodeJS.ErrnoException | null, written: number) => void,
  ): void;
  fsyncSync(fd: number): void;
  fsync(fd: number, done: Done): void;
  fdatasyncSync(fd: number): void;
  fdatasync(fd: number, done: Done): void;
  ftruncateSync(fd: number, bytes: number): void;
  renameSync(from: string, to: string): void;
  rename(from: string, to: string, done: Done): void;
  unlinkSync(path: string): void;
}

/** The real one. */
export const realDisk: Disk = fs;
