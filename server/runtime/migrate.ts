// Sends keys to another server and deletes them here. Others are served meanwhile, so a key that has changed since it was
// sent is sent again; it goes here in the same turn in which it is found to equal what the target has.

import type { Context } from '../commands/context.ts';
import type { Migration, ValueService } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import type { Reply } from '../formats/resp/reply.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import { Client, ClientConnectionError } from '../net/client.ts';
import type { Events } from './events.ts';
import type { Turns } from './turns.ts';

/** A key that changes faster than it can be sent is left after so many rounds. */
const ROUNDS_MAX = 5;

/** What it needs of the server. */
export interface MigrationHost {
  readonly values: ValueService;
  readonly turns: Turns;
  readonly context: Context;
  readonly events: Events;
  readonly now: () => number;
  serveReady(): void;
}

interface Sent {
  readonly key: Buffer;
  readonly payload: Buffer;
  /** ms since 1970 or NO_EXPIRY. */
  readonly expireAt: number;
}

/** Moves the keys; resolves with an error text, or null. */
export async function migrateKeys(
  server: MigrationHost,
  session: Session,
  migration: Migration,
): Promise<string | null> {
  const { db } = session;
  const { host, port, timeoutMs } = migration;
  let client: Client;
  try {
    client = await Client.connect({ host, port }, { connectTimeoutMs: timeoutMs });
  } catch {
    return 'IOERR error or timeout connecting to the client';
  }
  try {
    const refusal = await prepare(client, migration);
    if (refusal !== null) return refusal;
    let keys = migration.keys;
    for (let round = 0; keys.length > 0; round++) {
      if (round === ROUNDS_MAX) return 'IOERR keys change faster than they can be moved';
      const sent = serialize(server, db, keys);
      const { failure, arrived } = await restore(client, migration, sent, { again: round > 0, nowMs: server.now() });
      keys = migration.copy ? [] : remove(server, session, db, arrived);
      if (failure !== null) return failure;
    }
    return null;
  } catch (error) {
    if (error instanceof ClientConnectionError) return 'IOERR error or timeout reading from target instance';
    throw error;
  } finally {
    client.close();
  }
}

async function prepare(client: Client, { auth, db, timeoutMs }: Migration): Promise<string | null> {
  if (auth.length > 0) {
    const reply = await within(client, timeoutMs, client.call('AUTH', ...auth));
    if (reply.kind === 'error') return refusedBy(reply);
  }
  const reply = await within(client, timeoutMs, client.call('SELECT', db));
  return reply.kind === 'error' ? refusedBy(reply) : null;
}

/** What the keys hold now; those that are gone are left out. */
function serialize(server: MigrationHost, db: Database, keys: readonly Buffer[]): Sent[] {
  const sent: Sent[] = [];
  const nowMs = server.now();
  for (const key of keys) {
    const entry = db.find(key, 0, key.length);
    if (entry === 0) continue;
    const expireAt = db.expireAt(entry);
    if (expireAt !== NO_EXPIRY && expireAt <= nowMs) continue;
    sent.push({ key, payload: server.values.serialize(db, entry), expireAt });
  }
  return sent;
}

/** Sends them all, then reads the answers: what arrived, and the first refusal. */
async function restore(
  client: Client,
  { timeoutMs, replace }: Migration,
  sent: readonly Sent[],
  { again, nowMs }: { again: boolean; nowMs: number },
): Promise<{ failure: string | null; arrived: Sent[] }> {
  for (const { key, payload, expireAt } of sent) {
    const ttl = expireAt === NO_EXPIRY ? 0 : Math.max(1, expireAt - nowMs);
    client.send('RESTORE', key, ttl, payload, ...(replace || again ? ['REPLACE'] : []));
  }
  let failure: string | null = null;
  const arrived: Sent[] = [];
  for (const one of sent) {
    const reply = await within(client, timeoutMs, client.read());
    if (reply.kind === 'error') failure ??= refusedBy(reply);
    else arrived.push(one);
  }
  return { failure, arrived };
}

/** Deletes what has arrived and not changed since; returns the keys that have changed. */
function remove(server: MigrationHost, session: Session, db: Database, arrived: readonly Sent[]): Buffer[] {
  const changed: Buffer[] = [];
  const gone: Buffer[] = [];
  server.turns.asSession(session, () => {
    for (const { key, payload, expireAt } of arrived) {
      const entry = db.findForWrite(key, 0, key.length);
      if (entry === 0) continue;
      if (db.expireAt(entry) !== expireAt || !server.values.serialize(db, entry).equals(payload)) {
        changed.push(key);
        continue;
      }
      db.delete(entry);
      gone.push(key);
      server.context.inDatabase(db, () => server.context.changedAt(key, 0, key.length, 'g', 'del'));
    }
    if (gone.length > 0) server.events.propagate(db, [Buffer.from('DEL'), ...gone]);
    server.events.settle();
  });
  server.serveReady();
  return changed;
}

function refusedBy(reply: Reply): string {
  const text = reply.kind === 'error' ? reply.bytes.toString('latin1') : '';
  return `ERR Target instance replied with error: ${text}`;
}

/** Closes the connection when the answer takes too long, which rejects it. */
async function within<T>(client: Client, timeoutMs: number, answer: Promise<T>): Promise<T> {
  const timer = setTimeout(() => client.close(), timeoutMs);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
  }
}
