// Links between servers: who follows whom, and how far.

import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS, lastWord } from './errors.ts';
import { migrateHandlers } from './migrate.ts';
import type { Copies, FailoverOptions, ReplicaFacts } from './services.ts';
import type { replicationSpecs } from './specs/replication.ts';

/** Times beyond it are out of range. */
const INT64_MAX = 2 ** 63;

export const replicationHandlers: Handlers<typeof replicationSpecs> = {
  ...migrateHandlers,
  failover,
  psync,
  replconf,
  replicaof,
  role,
  slaveof: replicaof,
  sync: (c) => c.server.replication.sync(c.session, null, 0),
  wait,
  waitaof,
};

/** PSYNC id offset [FAILOVER]: the offset is the number of the next byte; `?` and -1 for a replica without a history. */
function psync(c: Context): void {
  if (!c.isInteger(2)) {
    const { peerAddress } = c.session.transport;
    c.server.log('warning', `Replica ${peerAddress} asks for synchronization but with a wrong offset`);
  }
  const wanted = c.integer(2);
  const { replication } = c.server;
  if (c.argc > 3 && c.is(3, 'failover')) replication.takeOver(c.text(1));
  replication.sync(c.session, c.text(1), wanted);
}

/** REPLCONF option value ... */
function replconf(c: Context): void {
  const { replication } = c.server;
  if (c.argc % 2 === 0) throw new CommandError(ERRORS.syntax);
  for (let i = 1; i < c.argc; i += 2) {
    if (c.is(i, 'ack')) {
      // Never answered: acknowledgements must not fill the link.
      if (c.session.link === 'replica' && c.isInteger(i + 1)) {
        const tellsLog = i + 3 < c.argc && c.is(i + 2, 'fack') && c.isInteger(i + 3);
        replication.acknowledge(c.session, c.integer(i + 1), tellsLog ? c.integer(i + 3) : 0);
      }
      return;
    }
    if (c.is(i, 'getack')) {
      if (c.session.link === 'primary') replication.sendAck(c.session);
      return;
    }
    const facts = replicaFacts(c, i);
    if (facts === null) throw new CommandError(`ERR Unrecognized REPLCONF option: ${lastWord(c.shown(i))}`);
    replication.announce(c.session, facts);
  }
  c.reply.ok();
}

/** What one option of REPLCONF tells; null for an option that is none. */
function replicaFacts(c: Context, i: number): ReplicaFacts | null {
  const value = i + 1;
  if (c.is(i, 'listening-port')) return { port: c.integer(value) };
  if (c.is(i, 'ip-address')) {
    if (c.len[value] > 255)
      throw new CommandError(`ERR REPLCONF ip-address provided by replica instance is too long: ${c.len[value]} bytes`);
    return { ip: c.text(value) };
  }
  if (c.is(i, 'capa')) {
    // What is not known here is of no use, and no error: newer replicas say more.
    if (c.is(value, 'eof')) return { understandsEof: true };
    return c.is(value, 'psync2') ? { understandsRenaming: true } : {};
  }
  if (c.is(i, 'rdb-only')) return { dumpOnly: c.integerBetween(value, 0, 1) === 1 };
  return null;
}

/** REPLICAOF host port | NO ONE */
function replicaof(c: Context): void {
  if (c.is(1, 'no') && c.is(2, 'one')) {
    c.reply.simple(c.server.replication.follow(null));
    return;
  }
  const port = c.integer(2, 'ERR Invalid master port');
  if (port < 0 || port > 65535) throw new CommandError('ERR Invalid master port');
  c.reply.simple(c.server.replication.follow({ host: c.text(1), port }));
}

function role(c: Context): void {
  const report = c.server.replication.role();
  const { reply } = c;
  if (report.role === 'primary') {
    reply.array(3);
    reply.text('master');
    reply.int(report.offset);
    reply.array(report.replicas.length);
    for (const replica of report.replicas) {
      reply.array(3);
      for (const word of replica) reply.text(word);
    }
    return;
  }
  reply.array(5);
  reply.text('slave');
  reply.text(report.host);
  reply.int(report.port);
  reply.text(report.state);
  reply.int(report.offset);
}

/** WAIT numreplicas timeout */
function wait(c: Context): void {
  const { replication } = c.server;
  if (replication.isReplica) {
    throw new CommandError(
      'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.',
    );
  }
  const goal = { received: c.integer(1), local: 0, logged: 0 };
  const deadlineMs = waitDeadline(c, 2);
  const copies = replication.copies(c.session);
  if (hasCopies(copies, goal) || !c.mayBlock) {
    c.reply.int(copies.received);
    return;
  }
  replication.waitForCopies(c.session, goal, deadlineMs, ({ received }) => received);
  replication.askForAcks();
}

/** WAITAOF numlocal numreplicas timeout */
function waitaof(c: Context): void {
  const { replication, settings } = c.server;
  const local = c.integer(1);
  if (local < 0 || local > 1) throw new CommandError('ERR value is out of range, value must between 0 and 1');
  const logged = c.integerBetween(2, 0, Number.POSITIVE_INFINITY, 'ERR value is out of range, must be positive');
  const goal = { received: 0, local, logged };
  const deadlineMs = waitDeadline(c, 3);
  if (replication.isReplica) {
    throw new CommandError(
      'ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.',
    );
  }
  if (local > 0 && !settings.appendonly) throw new CommandError(ERRORS.waitaofWithoutLog);
  const copies = replication.copies(c.session);
  if (hasCopies(copies, goal) || !c.mayBlock) {
    c.reply.array(2);
    c.reply.int(copies.local);
    c.reply.int(copies.logged);
    return;
  }
  replication.waitForCopies(c.session, goal, deadlineMs, (reached) => [reached.local, reached.logged]);
  replication.askForAcks();
}

/** Whether a client's writes are in as many places as it wants. */
export function hasCopies(copies: Copies, goal: Copies): boolean {
  return copies.received >= goal.received && copies.local >= goal.local && copies.logged >= goal.logged;
}

/** A timeout in milliseconds: the deadline in ms since 1970, 0 for ever. */
function waitDeadline(c: Context, i: number): number {
  const ms = c.integer(i, 'ERR timeout is not an integer or out of range');
  if (ms < 0) throw new CommandError(ERRORS.timeoutNegative);
  if (ms + c.nowMs > INT64_MAX) throw new CommandError('ERR timeout is out of range');
  return ms === 0 ? 0 : c.nowMs + ms;
}

/** FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds] */
function failover(c: Context): void {
  const options: FailoverOptions = { target: null, force: false, abort: false, timeoutMs: 0 };
  for (let i = 1; i < c.argc; i++) {
    if (c.is(i, 'timeout') && i + 1 < c.argc && options.timeoutMs === 0) {
      options.timeoutMs = c.integer(++i);
      if (options.timeoutMs <= 0) throw new CommandError('ERR FAILOVER timeout must be greater than 0');
    } else if (c.is(i, 'to') && i + 2 < c.argc && options.target === null) {
      options.target = { host: c.text(i + 1), port: c.integer(i + 2) };
      i += 2;
    } else if (c.is(i, 'abort')) options.abort = true;
    else if (c.is(i, 'force')) options.force = true;
    else throw new CommandError(ERRORS.syntax);
  }
  if (options.abort && c.argc !== 2) throw new CommandError(ERRORS.syntax);
  c.server.replication.failover(options);
  c.reply.ok();
}
