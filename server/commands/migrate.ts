// MIGRATE: moves keys to another server. Sending takes time, during which others are served; the service behind it sees to
// it that a key goes here only when the target has what it holds at that moment.

import { NO_EXPIRY } from '../keyspace/database.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import type { Migration } from './services.ts';
import type { replicationSpecs } from './specs/replication.ts';

const TIMEOUT_MS = 1000;

export const migrateHandlers: Handlers<Pick<typeof replicationSpecs, 'migrate'>> = { migrate };

/** MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key ...] */
function migrate(c: Context): void {
  const migration = parse(c);
  const keys = migration.keys.filter((key) => isThere(c, key));
  if (keys.length === 0) {
    c.reply.simple('NOKEY');
    return;
  }
  if (!c.mayBlock) throw new CommandError('ERR MIGRATE waits for another server and is not allowed in a transaction');
  c.server.migrate(c.session, { ...migration, keys });
}

function parse(c: Context): Migration {
  const migration: Migration = {
    host: c.text(1),
    port: c.integerBetween(2, 0, 65535),
    db: c.integer(4),
    timeoutMs: c.integer(5),
    copy: false,
    replace: false,
    auth: [],
    keys: [c.copy(3)],
  };
  if (migration.timeoutMs <= 0) migration.timeoutMs = TIMEOUT_MS;
  for (let i = 6; i < c.argc; i++) {
    const more = c.argc - 1 - i;
    if (c.is(i, 'copy')) migration.copy = true;
    else if (c.is(i, 'replace')) migration.replace = true;
    else if (c.is(i, 'auth') && more >= 1) migration.auth = [c.copy(++i)];
    else if (c.is(i, 'auth2') && more >= 2) migration.auth = [c.copy(++i), c.copy(++i)];
    else if (c.is(i, 'keys')) {
      if (c.len[3] > 0) {
        throw new CommandError('ERR When using MIGRATE KEYS option, the key argument must be set to the empty string');
      }
      migration.keys = Array.from({ length: more }, (_, k) => c.copy(i + 1 + k));
      break;
    } else throw new CommandError(ERRORS.syntax);
  }
  return migration;
}

function isThere(c: Context, key: Buffer): boolean {
  const entry = c.db.find(key, 0, key.length);
  if (entry === 0) return false;
  const at = c.db.expireAt(entry);
  return at === NO_EXPIRY || at > c.nowMs;
}
