// Runs the commands of an append-only log: in the same dispatcher as clients' requests, as a session of its own that no
// guard applies to and whose replies nobody gets.

import { wrongArity } from '../commands/errors.ts';
import { Session, type Transport } from '../commands/session.ts';
import type { Replayer } from '../persistence/load-append.ts';
import { findCommand } from './replication-apply.ts';
import type { Server } from './server.ts';

/** Goes nowhere. */
const NOWHERE: Transport = {
  send: () => undefined,
  closeGracefully: () => undefined,
  destroy: () => undefined,
  peerAddress: '?:0',
  localAddress: '?:0',
  queuedBytes: 0,
  heldBytes: 0,
  pause: () => undefined,
  resume: () => undefined,
  isUnix: false,
};

export function createReplayer(server: Server): Replayer {
  const { context: c, reply, turns, keyspace } = server;
  const session = new Session(0, NOWHERE, keyspace.databases[0], true, server.now());
  let saved: { session: Session; db: typeof c.db; nowMs: number; onError: typeof reply.onError } | null = null;
  return {
    enter() {
      saved = { session: c.session, db: c.db, nowMs: c.nowMs, onError: reply.onError };
      c.session = session;
      c.nowMs = server.now();
      c.replaying = true;
      c.resumed = false;
      reply.onError = (text) => reportError(server, text);
      turns.dispatcher.startBatch(session);
    },
    leave() {
      turns.dispatcher.endBatch();
      c.replaying = false;
      reply.pos = 0;
      if (saved === null) return;
      c.session = saved.session;
      c.db = saved.db;
      c.nowMs = saved.nowMs;
      reply.onError = saved.onError;
      saved = null;
    },
    run(buf, pos, len, count) {
      c.buf = buf;
      c.pos = pos;
      c.len = len;
      c.argc = count;
      c.db = session.db;
      const command = findCommand(server);
      if (command === null) return `Unknown command '${c.text(0).slice(0, 128)}'`;
      const { arity } = command;
      if (command.handler === null || (arity > 0 ? count !== arity : count < -arity)) return wrongArity(command.name);
      c.command = command;
      if (session.queued !== null && command.name !== 'exec') session.queued.push(c.storedRequest());
      else turns.dispatcher.run(c, command);
      reply.pos = 0;
      return null;
    },
    discard() {
      if (session.queued !== null) server.transactions.discard(session);
    },
  };
}

/** The log holds only commands that have worked once; one that fails now tells that something is wrong. */
function reportError(server: Server, text: string): void {
  const name = server.context.command.name;
  server.log(
    'warning',
    `== CRITICAL == This server is sending an error to its AOF-loading-client: '${text}' after processing the command '${name}'`,
  );
}
