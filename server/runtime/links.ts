// What the server asks of parts that are made after it, besides what commands ask of them.

import type { ReplicationService, ShutdownOptions } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';

/** What the server asks of replication besides its commands. */
export interface ReplicationLinks extends ReplicationService {
  /** MASTERDOWN text while old data may not be served, or null. */
  readonly staleRefusal: string | null;
  /** Whether fewer replicas answer in time than min-replicas-to-write asks for. */
  readonly lacksReplicas: boolean;
  /** Bytes of the stream, and those of them that maxmemory does not count. */
  readonly memoryBytes: number;
  readonly uncountedBytes: number;
  /** Offset of the end of the stream. */
  readonly offset: number;
  /** The log has taken a write. */
  logged(): void;
  /** More of the log has reached the disk, or there is none any more. */
  logSynced(): void;
  /** Bytes that wait for a replica. */
  waitingBytes(session: Session): number;
  /** A link's socket has taken something, or something was queued for it. */
  queued(session: Session): void;
  gone(session: Session): void;
  /** What stands in the reply writer is for a replica, whose stream it would spoil: closes it. */
  refuseReplies(session: Session): void;
  /** Sends a command to replicas that changes nothing here. */
  feed(args: readonly Buffer[]): void;
  /** Deletes keys that clients of this replica have made, when their time is over. */
  expireOwnKeys(nowMs: number): void;
  /** AUX fields of dumps: which history the data belongs to. */
  dumpFields(): readonly (readonly [name: string, value: string | number])[];
}

/** The end of the server. */
export interface Ending {
  begin(options: ShutdownOptions, client: Session | null): string | null;
  abort(): boolean;
  readonly remainingMs: number | null;
}
