// One client as commands see it. It owns no socket: `transport` carries bytes out and knows the peer.

import type { PartialRequest } from '../formats/resp/request.ts';
import type { Database } from '../keyspace/database.ts';
import type { Command } from './registry.ts';

/** The connection behind a session; runtime/ and net/ supply it. */
export interface Transport {
  /** Queues bytes that the caller never changes again. */
  send(bytes: Buffer): void;
  /** Closes after what is queued has been sent. */
  closeGracefully(): void;
  /** Closes now. */
  destroy(): void;
  /** `ip:port`, or the socket's path with `:0`. */
  readonly peerAddress: string;
  readonly localAddress: string;
  /** Bytes queued and not yet taken by the kernel. */
  readonly queuedBytes: number;
  /** Those of them that take memory: a small reply is on its way. */
  readonly heldBytes: number;
  /** Whether requests are read. Pausing is how CLIENT PAUSE and blocking commands hold a client back. */
  pause(): void;
  resume(): void;
  readonly isUnix: boolean;
}

/** A request kept for later: MULTI queues them, blocked clients wait with one. */
export interface StoredRequest {
  command: Command;
  args: Buffer[];
}

export const ReplyMode = { on: 0, off: 1, skipNext: 2, skip: 3 } as const;

export interface WatchedKey {
  db: Database;
  /** The key as latin1 text, which holds any bytes. */
  key: string;
  /** Whether the key was there but expired when it was watched. */
  expired: boolean;
}

/** CLIENT TRACKING of one client. */
export interface TrackingState {
  broadcast: boolean;
  optIn: boolean;
  optOut: boolean;
  noLoop: boolean;
  prefixes: Buffer[];
  /** Client id that receives the invalidations, 0: this one. */
  redirect: number;
  redirectBroken: boolean;
  /** Set by CLIENT CACHING for the next command. */
  caching: 'yes' | 'no' | null;
}

/** Why and for what a client waits. */
export interface BlockedState {
  request: StoredRequest;
  /** Keys as latin1 text, in the order in which they are tried. */
  keys: string[];
  db: Database;
  /** When to give up, ms since 1970; 0: never. */
  deadlineMs: number;
  /** Written to the client when the time is over: null, a null array, or what is asked for then (a number, or several). */
  onTimeout: 'nil' | 'nilArray' | (() => number | readonly number[]);
  /** Position in the fairness order: smaller is first. */
  order: number;
  /** XREADGROUP wakes up, too, when its key or group goes away. */
  wakeOnDelete: boolean;
}

export class Session {
  readonly id: number;
  readonly transport: Transport;
  db: Database;
  name = '';
  libraryName = '';
  libraryVersion = '';
  user = 'default';
  authenticated: boolean;
  resp3 = false;
  readonly createdAtMs: number;
  lastActiveMs: number;
  lastCommand: Command | null = null;
  replyMode: number = ReplyMode.on;
  /** Requests queued since MULTI; null outside a transaction. */
  queued: StoredRequest[] | null = null;
  /** A queued request was wrong: EXEC must refuse. */
  queueFailed = false;
  /** Bytes of the queued requests' arguments. */
  queuedBytes = 0;
  /** Bytes of the names of watched keys and of subscriptions. */
  listBytes = 0;
  /** Bytes of input that are being served. */
  servingBytes = 0;
  /** A watched key has changed: EXEC answers null. */
  watchBroken = false;
  watched: WatchedKey[] = [];
  channels = new Set<string>();
  patterns = new Set<string>();
  shardChannels = new Set<string>();
  tracking: TrackingState | null = null;
  blocked: BlockedState | null = null;
  monitoring = false;
  noEvict = false;
  noTouch = false;
  closing = false;
  /** Close once the reply in progress is out (QUIT, CLIENT KILL of oneself). */
  closeAfterReply = false;
  /** Input of an incomplete request; requests of a client that is held back stay here, too. */
  input: Buffer | null = null;
  inputBytes = 0;
  /** Total bytes the request in `input` certainly needs; parsing before that is in vain. */
  inputNeeded = 0;
  partial: PartialRequest | null = null;
  /** Held back: requests stay in `input` until resumed (blocked, paused). */
  held = false;
  totalInputBytes = 0;
  totalOutputBytes = 0;
  totalCommands = 0;
  /** When the output queue first exceeded its soft limit, ms; 0: it does not. */
  softLimitSinceMs = 0;
  /** A replica that follows this server, or the primary that this server follows. */
  link: 'replica' | 'primary' | null = null;
  /** Offset of the replication stream after the client's last write, for WAIT. */
  writtenOffset = 0;
  /** The ACL user's permissions as the ACL module keeps them; null: everything is allowed. */
  permissions: unknown = null;

  constructor(id: number, transport: Transport, db: Database, authenticated: boolean, nowMs: number) {
    this.id = id;
    this.transport = transport;
    this.db = db;
    this.authenticated = authenticated;
    this.createdAtMs = nowMs;
    this.lastActiveMs = nowMs;
  }

  /** Whether the dispatcher has to ask its guards for this client. */
  get guarded(): boolean {
    if (this.link === 'replica') return true;
    return !this.authenticated || this.queued !== null || this.permissions !== null || this.subscriptions > 0;
  }

  /** Number of channels and patterns: above 0 a RESP2 client may only use pub/sub commands. */
  get subscriptions(): number {
    return this.channels.size + this.patterns.size + this.shardChannels.size;
  }
}
