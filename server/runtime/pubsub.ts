// Channels, patterns and shard channels, and who listens.

import { globMatch } from '../base/glob.ts';
import type { PubSubService, SubscriptionKind } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';

/** Writes to any client: into the current reply for the one being served, into its queue for the others. */
export type Deliver = (session: Session, write: (reply: ReplyWriter) => void) => void;

interface Pattern {
  bytes: Buffer;
  sessions: Set<Session>;
}

export class PubSub implements PubSubService {
  private readonly channels = new Map<string, Set<Session>>();
  private readonly shards = new Map<string, Set<Session>>();
  private readonly patterns = new Map<string, Pattern>();
  private readonly deliver: Deliver;

  constructor(deliver: Deliver) {
    this.deliver = deliver;
  }

  get patternCount(): number {
    return this.patterns.size;
  }

  publish(channel: Buffer, message: Buffer, shard: boolean): number {
    const name = channel.toString('latin1');
    let receivers = 0;
    for (const session of (shard ? this.shards : this.channels).get(name) ?? []) {
      this.deliver(session, (reply) => {
        reply.push(3);
        reply.text(shard ? 'smessage' : 'message');
        reply.bulk(channel);
        reply.bulk(message);
      });
      receivers++;
    }
    if (shard) return receivers;
    for (const pattern of this.patterns.values()) {
      if (!globMatch(pattern.bytes, channel)) continue;
      for (const session of pattern.sessions) {
        this.deliver(session, (reply) => {
          reply.push(4);
          reply.text('pmessage');
          reply.bulk(pattern.bytes);
          reply.bulk(channel);
          reply.bulk(message);
        });
        receivers++;
      }
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
