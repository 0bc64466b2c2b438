// WAITAOF: when writes count as kept, here and at replicas, with every appendfsync. 7.0.15 has no such command; what is
// expected is what 7.2 answers.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawConnection } from '../../differential/support/raw-connection.ts';
import { missingOurs, type OwnServer, startOurs } from '../../differential/support/servers.ts';

const missing = missingOurs();
const LOG = [
  ['appendonly', 'yes'],
  ['auto-aof-rewrite-percentage', '0'],
] as const;
/** Long enough for a flush that everysec makes; what is expected not to happen is waited for this long, ms. */
const SHORT_MS = '50';

const servers: OwnServer[] = [];
const connections: RawConnection[] = [];

async function start(...settings: (readonly [string, string])[]): Promise<OwnServer> {
  const server = await startOurs(settings);
  servers.push(server);
  return server;
}

async function client(server: OwnServer): Promise<RawConnection> {
  const connection = await RawConnection.open(server.port);
  connections.push(connection);
  return connection;
}

const say = async (connection: RawConnection, ...words: string[]) => (await connection.call(words)).toString('latin1');
const field = async (connection: RawConnection, name: string) =>
  new RegExp(`^${name}:(.*)\r$`, 'm').exec(await say(connection, 'info', 'everything'))?.[1];
async function until(connection: RawConnection, name: string, value: string): Promise<void> {
  while ((await field(connection, name)) !== value);
}
/** The two numbers of a reply. */
const waitaof = async (connection: RawConnection, ...words: string[]) => {
  const reply = await say(connection, 'waitaof', ...words);
  return /^\*2\r\n:(\d+)\r\n:(\d+)\r\n$/.exec(reply)?.slice(1).map(Number) ?? reply;
};

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe.skipIf(missing !== null)(missing ?? 'WAITAOF, one server', () => {
  it('checks its arguments in the order of Redis', async () => {
    const { connection: c } = await start();
    expect(await say(c, 'waitaof', 'x', '0', '0')).toBe('-ERR value is not an integer or out of range\r\n');
    expect(await say(c, 'waitaof', '2', '0', '0')).toBe('-ERR value is out of range, value must between 0 and 1\r\n');
    expect(await say(c, 'waitaof', '1', 'x', '0')).toBe('-ERR value is out of range, must be positive\r\n');
    expect(await say(c, 'waitaof', '1', '-1', '0')).toBe('-ERR value is out of range, must be positive\r\n');
    expect(await say(c, 'waitaof', '1', '0', 'x')).toBe('-ERR timeout is not an integer or out of range\r\n');
    expect(await say(c, 'waitaof', '1', '0', '-1')).toBe('-ERR timeout is negative\r\n');
    expect(await say(c, 'waitaof', '1', '0', '9223372036854775807')).toBe('-ERR timeout is out of range\r\n');
    expect(await say(c, 'waitaof', '1', '0', '0')).toBe(
      '-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n',
    );
    expect(await say(c, 'waitaof', '0', '0')).toBe("-ERR wrong number of arguments for 'waitaof' command\r\n");
    expect(await waitaof(c, '0', '0', '0')).toEqual([0, 0]);
    await say(c, 'replicaof', '127.0.0.1', '1');
    expect(await say(c, 'waitaof', '0', '0', '0')).toBe(
      '-ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.\r\n',
    );
  });

  it('waits for the flush that appendfsync asks for', async () => {
    const { connection: c } = await start(...LOG, ['appendfsync', 'no']);
    expect(await waitaof(c, '1', '0', '0')).toEqual([1, 0]);
    await say(c, 'incr', 'n');
    expect(await waitaof(c, '1', '0', SHORT_MS)).toEqual([0, 0]);
    await say(c, 'config', 'set', 'appendfsync', 'everysec');
    expect(await waitaof(c, '1', '0', '0')).toEqual([1, 0]);
    await say(c, 'incr', 'n');
    expect(await waitaof(c, '1', '0', '0')).toEqual([1, 0]);
    await say(c, 'config', 'set', 'appendfsync', 'no');
    await say(c, 'incr', 'n');
    expect(await waitaof(c, '1', '0', SHORT_MS)).toEqual([0, 0]);
    // The new policy flushes what the old one left.
    await say(c, 'config', 'set', 'appendfsync', 'always');
    expect(await waitaof(c, '1', '0', '0')).toEqual([1, 0]);
    const replies = await c.callAll([['incr', 'n'], ['waitaof', '1', '0', '0'], ['ping']]);
    expect(replies.map(String)).toEqual([':4\r\n', '*2\r\n:1\r\n:0\r\n', '+PONG\r\n']);
  });

  it('answers at once inside MULTI', async () => {
    const { connection: c } = await start(...LOG, ['appendfsync', 'no']);
    const replies = await c.callAll([['multi'], ['incr', 'n'], ['waitaof', '1', '1', '0'], ['exec']]);
    // The transaction itself is not in the log before its end.
    expect(String(replies[3])).toMatch(/^\*2\r\n:1\r\n\*2\r\n:[01]\r\n:0\r\n$/);
  });

  it('counts for each client only what it has written', async () => {
    const server = await start(...LOG, ['appendfsync', 'no']);
    const other = await client(server);
    await say(server.connection, 'incr', 'n');
    expect(await waitaof(other, '1', '0', '0')).toEqual([1, 0]);
    expect(await waitaof(server.connection, '1', '0', SHORT_MS)).toEqual([0, 0]);
  });

  it('ends with an error when the log is switched off', async () => {
    const server = await start(...LOG, ['appendfsync', 'no']);
    const waiting = await client(server);
    await say(waiting, 'incr', 'n');
    const reply = say(waiting, 'waitaof', '1', '0', '0');
    await until(server.connection, 'blocked_clients', '1');
    await say(server.connection, 'config', 'set', 'appendonly', 'no');
    expect(await reply).toBe('-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n');
  });

  it('waits for the first rewrite of a log that was just switched on', async () => {
    const server = await start(['appendonly', 'no'], ['appendfsync', 'no'], ['rdb-key-save-delay', '1000000']);
    const { connection: c } = server;
    await c.callAll([
      ['set', 'a', '1'],
      ['set', 'b', '2'],
      ['config', 'set', 'appendonly', 'yes'],
      ['set', 'a', '3'],
    ]);
    expect(await waitaof(c, '1', '0', SHORT_MS)).toEqual([0, 0]);
    await c.callAll([
      ['config', 'set', 'rdb-key-save-delay', '0'],
      ['config', 'set', 'appendfsync', 'everysec'],
    ]);
    expect(await waitaof(c, '1', '0', '0')).toEqual([1, 0]);
    expect(await field(c, 'aof_rewrite_in_progress')).toBe('0');
  });

  it('can be ended by CLIENT UNBLOCK, and leaves what the client waits for next alone', async () => {
    const server = await start(...LOG, ['appendfsync', 'no']);
    const waiting = await client(server);
    const id = (await say(waiting, 'client', 'id')).slice(1).trim();
    await say(waiting, 'incr', 'n');
    const byTimeout = say(waiting, 'waitaof', '1', '0', '0');
    await until(server.connection, 'blocked_clients', '1');
    await say(server.connection, 'client', 'unblock', id);
    expect(await byTimeout).toBe('*2\r\n:0\r\n:0\r\n');
    const byError = say(waiting, 'waitaof', '1', '0', '0');
    await until(server.connection, 'blocked_clients', '1');
    await say(server.connection, 'client', 'unblock', id, 'error');
    expect(await byError).toBe('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n');
    const popped = say(waiting, 'blpop', 'list', '0');
    await until(server.connection, 'blocked_clients', '1');
    // Now the write is flushed; nobody waits for it any more.
    await say(server.connection, 'config', 'set', 'appendfsync', 'always');
    await say(server.connection, 'incr', 'n');
    expect(await waitaof(server.connection, '1', '0', '0')).toEqual([1, 0]);
    await say(server.connection, 'rpush', 'list', 'x');
    expect(await popped).toBe('*2\r\n$4\r\nlist\r\n$1\r\nx\r\n');
  });
});

describe.skipIf(missing !== null)(missing ?? 'WAITAOF, a primary and a replica', () => {
  let primary: OwnServer;
  let replica: OwnServer;
  let p: RawConnection;
  let r: RawConnection;

  beforeEach(async () => {
    primary = await start(...LOG, ['appendfsync', 'always'], ['repl-diskless-sync-delay', '0']);
    replica = await start(...LOG, ['appendfsync', 'always'], ['repl-diskless-sync-delay', '0']);
    p = primary.connection;
    r = replica.connection;
    await follow(r, primary);
  });

  async function follow(follower: RawConnection, leader: OwnServer): Promise<void> {
    await say(follower, 'replicaof', '127.0.0.1', String(leader.port));
    await until(follower, 'master_link_status', 'up');
    await until(follower, 'aof_rewrite_in_progress', '0');
  }

  it('waits for the flush that the replica makes', async () => {
    await say(p, 'incr', 'n');
    expect(await waitaof(p, '0', '1', '0')).toEqual([1, 1]);
    await say(r, 'config', 'set', 'appendfsync', 'no');
    await say(p, 'incr', 'n');
    expect(await waitaof(p, '1', '1', SHORT_MS)).toEqual([1, 0]);
    expect(await say(p, 'wait', '1', '0')).toBe(':1\r\n');
    await say(r, 'config', 'set', 'appendfsync', 'everysec');
    expect(await waitaof(p, '1', '1', '0')).toEqual([1, 1]);
    expect(await waitaof(p, '1', '2', SHORT_MS)).toEqual([1, 1]);
  });

  it('hears of the flush of what was pipelined with it', async () => {
    const replies = await p.callAll([
      ['incr', 'n'],
      ['waitaof', '1', '1', '0'],
    ]);
    expect(replies.map(String)).toEqual([':1\r\n', '*2\r\n:1\r\n:1\r\n']);
  });

  it('goes on while the replica rewrites its log', async () => {
    await say(r, 'config', 'set', 'rdb-key-save-delay', '300000');
    await say(p, 'incr', 'n');
    await say(r, 'bgrewriteaof');
    await say(p, 'incr', 'n');
    expect(await waitaof(p, '0', '1', '0')).toEqual([1, 1]);
    await say(r, 'config', 'set', 'rdb-key-save-delay', '0');
  });

  it('counts no replica without a log', async () => {
    await say(r, 'config', 'set', 'appendonly', 'no');
    await say(p, 'incr', 'n');
    expect(await waitaof(p, '1', '1', SHORT_MS)).toEqual([1, 0]);
    await say(p, 'config', 'set', 'appendonly', 'no');
    await say(r, 'config', 'set', 'appendonly', 'yes');
    await until(r, 'aof_rewrite_in_progress', '0');
    await say(p, 'incr', 'n');
    expect(await waitaof(p, '0', '1', '0')).toEqual([0, 1]);
  });

  it('is answered by a full synchronisation, whatever the policy', async () => {
    await say(r, 'replicaof', 'no', 'one');
    await say(r, 'config', 'set', 'appendfsync', 'no');
    // Data of its own: the primary's history is no use to it any more.
    await say(r, 'set', 'own', 'data');
    await say(p, 'incr', 'n');
    const reply = waitaof(await writerOf(primary), '1', '1', '0');
    await say(r, 'replicaof', '127.0.0.1', String(primary.port));
    expect(await reply).toEqual([1, 1]);
    expect(await say(r, 'get', 'm')).toBe('$1\r\n1\r\n');
  });

  async function writerOf(server: OwnServer): Promise<RawConnection> {
    const writer = await client(server);
    await say(writer, 'incr', 'm');
    return writer;
  }

  it.each(['no', 'everysec', 'always'])('keeps the streams of two primaries apart, appendfsync %s', async (policy) => {
    const primary2 = await start(...LOG, ['appendfsync', 'always'], ['repl-diskless-sync-delay', '0']);
    const replica2 = await start(...LOG, ['appendfsync', 'always'], ['repl-diskless-sync-delay', '0']);
    await primary2.connection.callAll(Array.from({ length: 50 }, (_, i) => ['set', `k${i}`, 'v'.repeat(i)]));
    await follow(replica2.connection, primary2);
    for (const { connection } of [replica, replica2]) await say(connection, 'config', 'set', 'appendfsync', policy);
    const writers = [await client(primary), await client(primary2)];
    for (const [i, writer] of writers.entries()) await say(writer, 'set', 'boo', `${i}`);
    const replies = writers.map((writer) => waitaof(writer, '1', '1', '0'));
    await say(r, 'replicaof', '127.0.0.1', String(primary2.port));
    await say(replica2.connection, 'replicaof', '127.0.0.1', String(primary.port));
    expect(await Promise.all(replies)).toEqual([
      [1, 1],
      [1, 1],
    ]);
    await until(r, 'master_link_status', 'up');
    expect(await say(r, 'get', 'boo')).toBe('$1\r\n1\r\n');
  });

  it('ends when the primary becomes a replica', async () => {
    await say(r, 'config', 'set', 'appendonly', 'no');
    const writer = await writerOf(primary);
    const reply = say(writer, 'waitaof', '0', '1', '0');
    await until(p, 'blocked_clients', '1');
    await say(r, 'replicaof', 'no', 'one');
    await say(p, 'replicaof', '127.0.0.1', String(replica.port));
    expect(await reply).toMatch(/^-UNBLOCKED force unblock from blocking operation/);
    await say(r, 'config', 'set', 'appendonly', 'yes');
    await say(r, 'incr', 'n');
    expect(await waitaof(r, '1', '0', '0')).toEqual([1, 0]);
  });
});
