// Links between servers: who follows whom, and how far.

import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { migrateHandlers } from './migrate.ts';
import type { FailoverOptions, ReplicaFacts } from './services.ts';
import type { replicationSpecs } from './specs/replication.ts';

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
      if (c.session.link === 'replica' && c.isInteger(i + 1)) replication.acknowledge(c.session, c.integer(i + 1));
      return;
    }
    if (c.is(i, 'getack')) {
      if (c.session.link === 'primary') replication.sendAck(c.session);
      return;
    }
    const facts = replicaFacts(c, i);
    if (facts === null) throw new CommandError(`ERR Unrecognized REPLCONF option: ${c.shown(i)}`);
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
  const count = c.integer(1);
  const ms = c.integer(2, 'ERR timeout is not an integer or out of range');
  if (ms < 0) throw new CommandError(ERRORS.timeoutNegative);
  const there = replication.countAcks(c.session);
  if (there >= count || !c.mayBlock) {
    c.reply.int(there);
    return;
  }
  replication.waitForAcks(c.session, count, ms === 0 ? 0 : c.nowMs + ms);
  replication.askForAcks();
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
