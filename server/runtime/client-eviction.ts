// maxmemory-clients: when the buffers of all clients together take too much, the largest clients are disconnected.

import type { Session } from '../commands/session.ts';
import type { Log } from './log.ts';

/** Rough size of a session's own objects. */
const SESSION_BYTES = 2048;
/** Rough size of an entry of a list that the client fills, its text aside. */
const ITEM_BYTES = 96;

/** Bytes that a client occupies: input, output, queued requests, watched keys, subscriptions, tracked prefixes. */
export function clientBytes(session: Session): number {
  let bytes = SESSION_BYTES + session.transport.heldBytes + session.queuedBytes + session.listBytes;
  if (session.input !== null) bytes += session.input.length;
  bytes += ITEM_BYTES * (session.watched.length + session.subscriptions);
  for (const prefix of session.tracking?.prefixes ?? []) bytes += ITEM_BYTES + prefix.length;
  return bytes;
}

export interface EvictionHost {
  readonly log: Log['write'];
  sessions(): Iterable<Session>;
  describe(session: Session): string;
  /** Closes a client without sending what is queued for it. */
  drop(session: Session): void;
}

export class ClientEviction {
  /** Clients evicted since the start. */
  evicted = 0;
  private readonly host: EvictionHost;
  /** Bytes of all clients, as far as they are counted. */
  totalBytes = 0;
  /** Whether clients are counted: there is a limit for them or for all memory. */
  active = false;
  private limitBytes = 0;
  /** What each client was counted with. */
  private readonly counted = new Map<Session, number>();

  constructor(host: EvictionHost) {
    this.host = host;
  }

  /** Takes maxmemory-clients: bytes, or a share of `maxmemory` as a negative percentage; 0 is no limit. */
  configure(setting: number, maxmemory: number): void {
    this.limitBytes = setting < 0 ? Math.floor((maxmemory * -setting) / 100) : setting;
    this.active = setting !== 0 || maxmemory > 0;
    this.counted.clear();
    this.totalBytes = 0;
    if (this.active) this.recount();
  }

  /** A client's buffers may have changed. */
  update(session: Session): void {
    // Links to other servers have limits of their own.
    if (session.closing || session.link !== null) return;
    const bytes = clientBytes(session);
    this.totalBytes += bytes - (this.counted.get(session) ?? 0);
    this.counted.set(session, bytes);
  }

  forget(session: Session): void {
    this.totalBytes -= this.counted.get(session) ?? 0;
    this.counted.delete(session);
  }

  recount(): void {
    for (const session of this.host.sessions()) this.update(session);
  }

  /** Disconnects the largest clients until the limit is kept; to be called between turns. */
  enforce(): void {
    if (this.limitBytes === 0 || this.totalBytes < this.limitBytes) return;
    const bySize = [...this.counted].filter(([session]) => !session.noEvict).sort(([, a], [, b]) => b - a);
    for (const [session, bytes] of bySize) {
      if (this.totalBytes < this.limitBytes) return;
      // Those that are left hold nothing: without this, nobody could even connect beside a client that is spared.
      if (bytes <= SESSION_BYTES && this.sparedBytes() >= this.limitBytes) return;
      this.host.log('notice', `Evicting client: ${this.host.describe(session)}`);
      this.forget(session);
      this.evicted++;
      this.host.drop(session);
    }
  }

  /** What clients that may not be evicted hold beyond their own objects. */
  private sparedBytes(): number {
    let sum = 0;
    for (const [session, bytes] of this.counted) if (session.noEvict) sum += bytes - SESSION_BYTES;
    return sum;
  }
}
