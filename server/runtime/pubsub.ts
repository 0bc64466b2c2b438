// Channels, patterns and shard channels, and who listens.

import { globMatch } from '../base/glob.ts';
import type { PubSubService, SubscriptionKind } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';

/**
 * Sends a message to any client: into the current reply for the one being served, into its queue for the others. The
 * message is encoded once for all; text has one character a byte.
 */
type DeliverShared = (session: Session, message: string | Buffer) => void;

/** From here on a message is a buffer, which is written without being copied for each client. */
const BUFFER_BYTES_MIN = 16 * 1024;

interface Pattern {
  bytes: Buffer;
  sessions: Set<Session>;
}

export class PubSub implements PubSubService {
  private readonly channels = new Map<string, Set<Session>>();
  private readonly shards = new Map<string, Set<Session>>();
  private readonly patterns = new Map<string, Pattern>();
  private readonly deliver: DeliverShared;

  constructor(deliver: DeliverShared) {
    this.deliver = deliver;
  }

  get patternCount(): number {
    return this.patterns.size;
  }

  mayReach(shard: boolean): boolean {
    return shard ? this.shards.size > 0 : this.channels.size > 0 || this.patterns.size > 0;
  }

  publish(channel: Buffer, message: Buffer, shard: boolean): number {
    const name = channel.toString('latin1');
    const text = message.toString('latin1');
    const listeners = (shard ? this.shards : this.channels).get(name);
    let receivers = listeners === undefined ? 0 : this.send(listeners, [shard ? 'smessage' : 'message', name, text]);
    if (shard) return receivers;
    for (const [pattern, { bytes, sessions }] of this.patterns) {
      if (globMatch(bytes, channel)) receivers += this.send(sessions, ['pmessage', pattern, name, text]);
    }
    return receivers;
  }

  subscribe(session: Session, kind: SubscriptionKind, name: Buffer): void {
    const text = name.toString('latin1');
    const mine = this.mine(session, kind);
    if (!mine.has(text)) session.listBytes += text.length;
    mine.add(text);
    if (kind === 'pattern') {
      const pattern = this.patterns.get(text) ?? { bytes: name, sessions: new Set() };
      this.patterns.set(text, pattern);
      pattern.sessions.add(session);
      return;
    }
    const all = kind === 'shard' ? this.shards : this.channels;
    const sessions = all.get(text) ?? new Set();
    all.set(text, sessions);
    sessions.add(session);
  }

  unsubscribe(session: Session, kind: SubscriptionKind, name: Buffer): boolean {
    const text = name.toString('latin1');
    if (!this.mine(session, kind).delete(text)) return false;
    this.remove(session, kind, text);
    return true;
  }

  unsubscribeAll(session: Session): void {
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      const names = this.mine(session, kind);
      for (const text of names) this.remove(session, kind, text);
      names.clear();
    }
  }

  names(kind: SubscriptionKind): Iterable<string> {
    return kind === 'pattern' ? this.patterns.keys() : (kind === 'shard' ? this.shards : this.channels).keys();
  }

  count(kind: SubscriptionKind, name: string): number {
    if (kind === 'pattern') return this.patterns.get(name)?.sessions.size ?? 0;
    return (kind === 'shard' ? this.shards : this.channels).get(name)?.size ?? 0;
  }

  /** Returns how many got it. */
  private send(sessions: ReadonlySet<Session>, parts: readonly string[]): number {
    let plain: string | Buffer | null = null;
    let pushed: string | Buffer | null = null;
    for (const session of sessions) {
      if (session.resp3) pushed ??= encode('>', parts);
      else plain ??= encode('*', parts);
      this.deliver(session, (session.resp3 ? pushed : plain)!);
    }
    return sessions.size;
  }

  private mine(session: Session, kind: SubscriptionKind): Set<string> {
    if (kind === 'pattern') return session.patterns;
    return kind === 'shard' ? session.shardChannels : session.channels;
  }

  private remove(session: Session, kind: SubscriptionKind, text: string): void {
    session.listBytes -= text.length;
    if (kind === 'pattern') {
      const pattern = this.patterns.get(text);
      pattern?.sessions.delete(session);
      if (pattern?.sessions.size === 0) this.patterns.delete(text);
      return;
    }
    const all = kind === 'shard' ? this.shards : this.channels;
    const sessions = all.get(text);
    sessions?.delete(session);
    if (sessions?.size === 0) all.delete(text);
  }
}

/** An array or push of bulk strings. */
function encode(kind: '*' | '>', parts: readonly string[]): string | Buffer {
  let text = `${kind}${parts.length}\r\n`;
  for (const part of parts) text += `$${part.length}\r\n${part}\r\n`;
  return text.length < BUFFER_BYTES_MIN ? text : Buffer.from(text, 'latin1');
}
