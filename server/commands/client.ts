// CLIENT: connections as objects. Tracking stands in client-tracking.ts.

import { trackingHandlers } from './client-tracking.ts';
import type { Handlers } from './command.ts';
import { clientName } from './connection.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { replyHelp } from './help.ts';
import { ReplyMode, type Session } from './session.ts';
import type { clientSpecs } from './specs/client.ts';

const TYPES = ['normal', 'master', 'slave', 'replica', 'pubsub'];

export const clientHandlers: Handlers<typeof clientSpecs> = {
  client: {
    ...trackingHandlers,
    id: (c) => c.reply.int(c.session.id),
    info: (c) => c.reply.verbatim('txt', Buffer.from(`${c.server.clients.describe(c.session)}\n`, 'latin1')),
    list,
    kill,
    getname: (c) => (c.session.name === '' ? c.reply.nil() : c.reply.text(c.session.name)),
    setname: (c) => {
      c.session.name = clientName(c, 2);
      c.reply.ok();
    },
    setinfo,
    pause,
    unpause: (c) => {
      c.server.clients.unpause();
      c.reply.ok();
    },
    reply: replyMode,
    unblock,
    'no-evict': (c) => {
      c.session.noEvict = onOrOff(c);
      c.reply.ok();
    },
    'no-touch': (c) => {
      c.session.noTouch = onOrOff(c);
      c.reply.ok();
    },
    help: (c) => replyHelp(c),
  },
};

function onOrOff(c: Context): boolean {
  if (c.is(2, 'on')) return true;
  if (c.is(2, 'off')) return false;
  throw new CommandError(ERRORS.syntax);
}

/** CLIENT LIST [TYPE type] [ID id ...] */
function list(c: Context): void {
  const { server, session } = c;
  // It tells what others have sent before: that has to be read first.
  const waits = c.mayBlock && !c.resumed && session.replyMode === ReplyMode.on && server.clients.all.size > 1;
  if (waits) {
    server.afterInput(session, c.storedRequest());
    return;
  }
  let sessions = [...c.server.clients.all.values()];
  if (c.argc >= 4 && c.is(2, 'id')) {
    const ids = new Set<number>();
    for (let i = 3; i < c.argc; i++) ids.add(clientId(c, i, 'ERR Invalid client ID'));
    sessions = [...ids].map((id) => c.server.clients.byId(id)).filter((session) => session !== undefined);
  } else if (c.argc === 4 && c.is(2, 'type')) {
    const type = clientType(c, 3);
    sessions = sessions.filter((session) => typeOf(session) === type);
  } else if (c.argc !== 2) throw new CommandError(ERRORS.syntax);
  const text = sessions.map((session) => `${c.server.clients.describe(session)}\n`).join('');
  c.reply.verbatim('txt', Buffer.from(text, 'latin1'));
}

function clientId(c: Context, i: number, error: string): number {
  const id = c.integer(i, error);
  if (id < 1) throw new CommandError(error);
  return id;
}

function clientType(c: Context, i: number): string {
  const type = c.text(i).toLowerCase();
  if (!TYPES.includes(type)) throw new CommandError(`ERR Unknown client type '${c.shown(i)}'`);
  return type === 'slave' ? 'replica' : type;
}

function typeOf(session: Session): string {
  if (session.link === 'primary') return 'master';
  if (session.link === 'replica' && !session.monitoring) return 'replica';
  return session.subscriptions > 0 ? 'pubsub' : 'normal';
}

/** CLIENT KILL addr, or CLIENT KILL [ID id] [TYPE t] [USER u] [ADDR a] [LADDR a] [SKIPME yes|no] [MAXAGE s] */
function kill(c: Context): void {
  const clients = c.server.clients;
  if (c.argc === 3) {
    const address = c.text(2);
    const found = [...clients.all.values()].find((session) => session.transport.peerAddress === address);
    if (found === undefined) throw new CommandError('ERR No such client');
    clients.kill(found, c.session);
    c.reply.ok();
    return;
  }
  const tests = parseKillFilters(c);
  let killed = 0;
  for (const session of [...clients.all.values()]) {
    if (!tests.every((test) => test(session))) continue;
    clients.kill(session, c.session);
    killed++;
  }
  c.reply.int(killed);
}

function parseKillFilters(c: Context): ((session: Session) => boolean)[] {
  const tests: ((session: Session) => boolean)[] = [];
  let skipMe = true;
  for (let i = 2; i < c.argc; i += 2) {
    if (i + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    const value = c.text(i + 1);
    if (c.is(i, 'id')) {
      const id = clientId(c, i + 1, 'ERR client-id should be greater than 0');
      tests.push((session) => session.id === id);
    } else if (c.is(i, 'type')) {
      const type = clientType(c, i + 1);
      tests.push((session) => typeOf(session) === type);
    } else if (c.is(i, 'addr')) tests.push((session) => session.transport.peerAddress === value);
    else if (c.is(i, 'laddr')) tests.push((session) => session.transport.localAddress === value);
    else if (c.is(i, 'user')) {
      if (!c.server.auth.userExists(value)) throw new CommandError(`ERR No such user '${value}'`);
      tests.push((session) => session.user === value);
    } else if (c.is(i, 'skipme')) {
      if (c.is(i + 1, 'yes')) skipMe = true;
      else if (c.is(i + 1, 'no')) skipMe = false;
      else throw new CommandError(ERRORS.syntax);
    } else throw new CommandError(ERRORS.syntax);
  }
  if (skipMe) tests.push((session) => session !== c.session);
  return tests;
}

/** CLIENT SETINFO LIB-NAME name | LIB-VER version */
function setinfo(c: Context): void {
  const value = c.text(3);
  const option = c.is(2, 'lib-name') ? 'lib-name' : c.is(2, 'lib-ver') ? 'lib-ver' : null;
  if (option === null) throw new CommandError(`ERR Unrecognized option '${c.shown(2)}'`);
  if (!/^[!-~]*$/.test(value)) {
    throw new CommandError(`ERR ${option} cannot contain spaces, newlines or special characters.`);
  }
  if (option === 'lib-name') c.session.libraryName = value;
  else c.session.libraryVersion = value;
  c.reply.ok();
}

/** CLIENT PAUSE ms [WRITE | ALL] */
function pause(c: Context): void {
  let mode: 'all' | 'write' = 'all';
  if (c.argc === 4) {
    if (c.is(3, 'write')) mode = 'write';
    else if (!c.is(3, 'all')) throw new CommandError('ERR CLIENT PAUSE mode must be WRITE or ALL');
  } else if (c.argc !== 3) throw new CommandError(ERRORS.syntax);
  const ms = c.integer(2, 'ERR timeout is not an integer or out of range');
  if (ms < 0) throw new CommandError(ERRORS.timeoutNegative);
  c.server.clients.pause(c.nowMs + ms, mode);
  c.reply.ok();
}

/** CLIENT REPLY ON | OFF | SKIP */
function replyMode(c: Context): void {
  if (c.is(2, 'on')) {
    c.session.replyMode = ReplyMode.on;
    c.reply.ok();
  } else if (c.is(2, 'off')) c.session.replyMode = ReplyMode.off;
  else if (c.is(2, 'skip')) {
    if (c.session.replyMode !== ReplyMode.off) c.session.replyMode = ReplyMode.skipNext;
  } else throw new CommandError(ERRORS.syntax);
}

/** CLIENT UNBLOCK id [TIMEOUT | ERROR] */
function unblock(c: Context): void {
  let how: 'timeout' | 'error' = 'timeout';
  if (c.argc === 4) {
    if (c.is(3, 'error')) how = 'error';
    else if (!c.is(3, 'timeout')) throw new CommandError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  }
  const session = c.server.clients.byId(c.integer(2));
  c.reply.int(session !== undefined && c.server.blocking.unblock(session, how) ? 1 : 0);
}
