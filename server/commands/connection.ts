// The connection itself: protocol, authentication, database.

import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { ReplyMode } from './session.ts';
import type { connectionSpecs } from './specs/connection.ts';

const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';

export const connectionHandlers: Handlers<typeof connectionSpecs> = {
  ping,
  echo: (c) => c.reply.bulkRange(c.buf, c.pos[1], c.len[1]),
  auth,
  hello,
  select: (c) => {
    const index = c.int32(1);
    const db = c.keyspace.databases[index];
    if (db === undefined) throw new CommandError(ERRORS.dbIndex);
    c.session.db = db;
    c.db = db;
    c.reply.ok();
  },
  quit: (c) => {
    c.reply.ok();
    c.session.closeAfterReply = true;
  },
  reset,
};

/** PING [message]; while subscribed with RESP2 it answers in the form of a message. */
function ping(c: Context): void {
  if (c.argc > 2) throw new CommandError("ERR wrong number of arguments for 'ping' command");
  if (c.session.subscriptions > 0 && !c.session.resp3) {
    c.reply.array(2);
    c.reply.text('pong');
    if (c.argc === 2) c.reply.bulkRange(c.buf, c.pos[1], c.len[1]);
    else c.reply.text('');
  } else if (c.argc === 2) c.reply.bulkRange(c.buf, c.pos[1], c.len[1]);
  else c.reply.simple('PONG');
}

/** AUTH [username] password */
function auth(c: Context): void {
  if (c.argc > 3) throw new CommandError(ERRORS.syntax);
  const user = c.argc === 3 ? c.text(1) : 'default';
  if (c.argc === 2 && c.server.auth.defaultHasNoPassword) {
    throw new CommandError(
      'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    );
  }
  if (!c.server.auth.authenticate(c.session, user, c.copy(c.argc - 1))) throw new CommandError(WRONG_PASSWORD);
  c.reply.ok();
}

/** HELLO [protover [AUTH username password] [SETNAME name]] */
function hello(c: Context): void {
  let version = 0;
  if (c.argc >= 2) {
    version = c.integer(1, 'ERR Protocol version is not an integer or out of range');
    if (version < 2 || version > 3) throw new CommandError('NOPROTO unsupported protocol version');
  }
  let name: string | null = null;
  let credentials = 0;
  for (let i = 2; i < c.argc; i++) {
    if (c.is(i, 'auth') && i + 2 < c.argc) {
      credentials = i + 1;
      i += 2;
    } else if (c.is(i, 'setname') && i + 1 < c.argc) {
      name = clientName(c, ++i);
    } else throw new CommandError(`ERR Syntax error in HELLO option '${c.shown(i)}'`);
  }
  if (credentials > 0 && !c.server.auth.authenticate(c.session, c.text(credentials), c.copy(credentials + 1))) {
    throw new CommandError(WRONG_PASSWORD);
  }
  if (!c.session.authenticated && !c.server.auth.openToAll) {
    throw new CommandError(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  }
  if (name !== null) c.session.name = name;
  if (version !== 0) c.session.resp3 = version === 3;
  c.reply.resp3 = c.session.resp3;
  replyHello(c);
}

function replyHello(c: Context): void {
  const reply = c.reply;
  reply.map(7);
  reply.text('server');
  reply.text('redis');
  reply.text('version');
  reply.text(c.server.identity.redisVersion);
  reply.text('proto');
  reply.int(c.session.resp3 ? 3 : 2);
  reply.text('id');
  reply.int(c.session.id);
  reply.text('mode');
  reply.text('standalone');
  reply.text('role');
  reply.text(c.server.identity.role === 'replica' ? 'replica' : 'master');
  reply.text('modules');
  reply.array(0);
}

/** A name for CLIENT LIST: printable ASCII without blanks. */
export function clientName(c: Context, i: number): string {
  const name = c.text(i);
  if (!/^[!-~]*$/.test(name)) {
    throw new CommandError('ERR Client names cannot contain spaces, newlines or special characters.');
  }
  return name;
}

/** RESET: back to the state of a new connection. */
function reset(c: Context): void {
  const session = c.session;
  if (session.queued !== null) c.server.transactions.discard(session);
  c.server.transactions.unwatch(session);
  c.server.pubsub.unsubscribeAll(session);
  c.server.clients.forgetModes(session);
  session.name = '';
  session.resp3 = false;
  session.noEvict = false;
  session.noTouch = false;
  session.replyMode = ReplyMode.on;
  session.db = c.keyspace.databases[0];
  c.db = session.db;
  c.server.auth.logout(session);
  c.reply.resp3 = false;
  c.reply.simple('RESET');
}
