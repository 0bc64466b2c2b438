// Publishing and subscribing.

import { globMatch } from '../base/glob.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';
import { replyHelp } from './help.ts';
import type { SubscriptionKind } from './services.ts';
import type { pubsubSpecs } from './specs/pubsub.ts';

const WORDS: Readonly<Record<SubscriptionKind, readonly [subscribe: string, unsubscribe: string]>> = {
  channel: ['subscribe', 'unsubscribe'],
  pattern: ['psubscribe', 'punsubscribe'],
  shard: ['ssubscribe', 'sunsubscribe'],
};

export const pubsubHandlers: Handlers<typeof pubsubSpecs> = {
  publish: (c) => c.reply.int(publish(c, false)),
  spublish: (c) => c.reply.int(publish(c, true)),
  subscribe: (c) => subscribe(c, 'channel'),
  psubscribe: (c) => subscribe(c, 'pattern'),
  ssubscribe: (c) => subscribe(c, 'shard'),
  unsubscribe: (c) => unsubscribe(c, 'channel'),
  punsubscribe: (c) => unsubscribe(c, 'pattern'),
  sunsubscribe: (c) => unsubscribe(c, 'shard'),
  pubsub: {
    channels: (c) => names(c, 'channel'),
    shardchannels: (c) => names(c, 'shard'),
    numsub: (c) => counts(c, 'channel'),
    shardnumsub: (c) => counts(c, 'shard'),
    numpat: (c) => c.reply.int(c.server.pubsub.patternCount),
    help: (c) => replyHelp(c),
  },
};

function publish(c: Context, shard: boolean): number {
  const { pubsub } = c.server;
  const receivers = pubsub.mayReach(shard) ? pubsub.publish(c.copy(1), c.copy(2), shard) : 0;
  c.replicate();
  return receivers;
}

function subscribe(c: Context, kind: SubscriptionKind): void {
  for (let i = 1; i < c.argc; i++) {
    const name = c.copy(i);
    c.server.pubsub.subscribe(c.session, kind, name);
    confirm(c, kind, WORDS[kind][0], name);
  }
}

function unsubscribe(c: Context, kind: SubscriptionKind): void {
  const mine =
    kind === 'pattern' ? c.session.patterns : kind === 'shard' ? c.session.shardChannels : c.session.channels;
  const all: Buffer[] = c.argc === 1 ? [...mine].map((name) => Buffer.from(name, 'latin1')) : [];
  for (let i = 1; i < c.argc; i++) all.push(c.copy(i));
  for (const name of all) {
    c.server.pubsub.unsubscribe(c.session, kind, name);
    confirm(c, kind, WORDS[kind][1], name);
  }
  if (all.length === 0) confirm(c, kind, WORDS[kind][1], null);
}

function confirm(c: Context, kind: SubscriptionKind, word: string, name: Buffer | null): void {
  c.reply.push(3);
  c.reply.text(word);
  if (name === null) c.reply.nil();
  else c.reply.bulk(name);
  const { channels, patterns, shardChannels } = c.session;
  c.reply.int(kind === 'shard' ? shardChannels.size : channels.size + patterns.size);
}

/** PUBSUB CHANNELS [pattern] */
function names(c: Context, kind: SubscriptionKind): void {
  if (c.argc > 3) throw new CommandError(`ERR wrong number of arguments for '${c.command.name}' command`);
  const pattern = c.argc === 3 ? c.copy(2) : null;
  const found = [...c.server.pubsub.names(kind)].filter(
    (name) => pattern === null || globMatch(pattern, Buffer.from(name, 'latin1')),
  );
  c.reply.array(found.length);
  for (const name of found) c.reply.text(name);
}

/** PUBSUB NUMSUB [channel ...] */
function counts(c: Context, kind: SubscriptionKind): void {
  c.reply.map(c.argc - 2);
  for (let i = 2; i < c.argc; i++) {
    c.reply.bulkRange(c.buf, c.pos[i], c.len[i]);
    c.reply.int(c.server.pubsub.count(kind, c.text(i)));
  }
}
