// What persistence needs of the running server: runtime/ supplies it, tests make their own.

import type { Settings } from '../config/settings.ts';
import type { Database } from '../keyspace/database.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import type { Disk } from './disk.ts';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

/** Function libraries, by their source texts. */
export interface LibraryStore {
  all(): readonly Uint8Array[];
  /** Takes a library from a file; returns why not, or null. */
  load(code: Uint8Array): string | null;
  clear(): void;
}

export interface Environment {
  readonly settings: Settings;
  readonly keyspace: Keyspace;
  readonly log: (level: LogLevel, message: string) => void;
  /** ms since 1970. */
  readonly now: () => number;
  readonly monotonicMs: () => number;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly redisVersion: string;
  readonly libraries: LibraryStore;
  /** Bytes in use, for the dump's `used-mem`. */
  readonly usedMemory: () => number;
  /** AUX fields that replication wants in a dump. */
  readonly replicationAux: () => readonly (readonly [name: string, value: string | number])[];
  /** The offset of the replication stream, which every write moves on. */
  readonly replicationOffset: () => number;
  /** More of the log has reached the disk, or there is no log any more. */
  readonly logSynced: () => void;
  /** Whether expired keys are dropped while loading: a replica keeps what its primary has. */
  readonly dropsExpired: () => boolean;
  /** Makes active expiry look after a hash with expiring fields. */
  readonly watchFields: (db: Database, buf: Uint8Array, pos: number, len: number) => void;
  /** Keeps replies back until the log has reached the disk, or lets them go. */
  readonly holdReplies: (held: boolean) => void;
  /** Told of every background save and rewrite that begins. */
  readonly jobStarted: () => void;
  /** Ends the process: the data could no longer be kept safe. */
  readonly exit: (status: number) => void;
  /** Whether any hash has fields with an expiry. */
  readonly hasExpiringFields: () => boolean;
  /** Where files are written; the real disk if left out. */
  readonly disk?: Disk;
}

/** What the system said, in the words of strerror(3) where Node has others. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code !== undefined && STRERROR[code]) || message;
}

const STRERROR: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
  EDQUOT: 'Disk quota exceeded',
  EMFILE: 'Too many open files',
  EFBIG: 'File too large',
  EEXIST: 'File exists',
};
