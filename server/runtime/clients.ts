// All clients: who they are, how many there may be, who has been idle or slow for too long.

import type { Context } from '../commands/context.ts';
import type { ClientRegistry } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import { clientBytes } from './client-eviction.ts';
import { requestBytes } from './dispatch.ts';

/** A pause of clients. */
interface Pause {
  untilMs: number;
  mode: 'all' | 'write';
}

/** Who has asked for a pause. */
type PausePurpose = 'command' | 'shutdown' | 'failover';

export class Clients implements ClientRegistry {
  readonly all = new Map<number, Session>();
  /** Ids are never used twice. */
  private nextId = 1;
  /** By purpose: each ends by itself. */
  private readonly pauses = new Map<PausePurpose, Pause>();
  private readonly onUnpause: () => void;
  readonly monitors = new Set<Session>();
  /** Bytes that wait for a replica, in the stream and in its socket. */
  replicaBytes: (session: Session) => number = (session) => session.transport.queuedBytes;

  private readonly onForget: (session: Session) => void;

  private readonly current: () => Context | null;

  /** `onForget` ends what others hold of a client (tracking); `current` is the request being served, if any. */
  constructor(onUnpause: () => void, onForget: (session: Session) => void, current: () => Context | null) {
    this.onUnpause = onUnpause;
    this.onForget = onForget;
    this.current = current;
  }

  takeId(): number {
    return this.nextId++;
  }

  add(session: Session): void {
    this.all.set(session.id, session);
  }

  remove(session: Session): void {
    this.all.delete(session.id);
    this.forgetModes(session);
  }

  byId(id: number): Session | undefined {
    return this.all.get(id);
  }

  kill(session: Session, current: Session): void {
    if (session === current) session.closeAfterReply = true;
    else session.transport.destroy();
  }

  forgetModes(session: Session): void {
    session.monitoring = false;
    this.monitors.delete(session);
    this.onForget(session);
  }

  startMonitor(session: Session): void {
    session.monitoring = true;
    this.monitors.add(session);
  }

  pause(untilMs: number, mode: 'all' | 'write', purpose: PausePurpose = 'command'): void {
    const pause = this.pauses.get(purpose);
    // A second pause never shortens the first, nor does it make it weaker.
    this.pauses.set(purpose, {
      untilMs: Math.max(untilMs, pause?.untilMs ?? 0),
      mode: pause?.mode === 'all' ? 'all' : mode,
    });
  }

  unpause(purpose: PausePurpose = 'command'): void {
    if (this.pauses.delete(purpose) && this.pauses.size === 0) this.onUnpause();
  }

  /** The strongest pause in force, if any. */
  pausedMode(nowMs: number): 'all' | 'write' | null {
    let strongest: 'all' | 'write' | null = null;
    for (const [purpose, { untilMs, mode }] of [...this.pauses]) {
      if (nowMs >= untilMs) this.unpause(purpose);
      else if (strongest !== 'all') strongest = mode;
    }
    return strongest;
  }

  get pausing(): boolean {
    return this.pauses.size > 0;
  }

  describe(session: Session): string {
    return this.describeAt(session, Date.now());
  }

  /** One line of CLIENT LIST. */
  describeAt(session: Session, nowMs: number): string {
    const seconds = (since: number) => Math.max(0, Math.floor((nowMs - since) / 1000));
    const queued = session.link === 'replica' ? this.replicaBytes(session) : session.transport.queuedBytes;
    const served = this.current();
    const request = served !== null && served.session === session ? served : null;
    const argumentBytes = request === null ? 0 : requestBytes(request);
    const input = request === null ? session.inputBytes - parsedBytes(session) : session.servingBytes;
    const capacity = Math.max(input, session.input?.length ?? 0);
    const fields: [string, string | number][] = [
      ['id', session.id],
      ['addr', session.transport.peerAddress],
      ['laddr', session.transport.localAddress],
      ['fd', 8 + session.id],
      ['name', session.name],
      ['age', seconds(session.createdAtMs)],
      ['idle', seconds(session.lastActiveMs)],
      ['flags', flagsOf(session)],
      ['db', session.db.index],
      ['sub', session.channels.size],
      ['psub', session.patterns.size],
      ['ssub', session.shardChannels.size],
      ['multi', session.queued === null ? -1 : session.queued.length],
      ['qbuf', input],
      ['qbuf-free', capacity - input],
      ['argv-mem', argumentBytes],
      ['multi-mem', session.queuedBytes],
      ['rbs', 0],
      ['rbp', 0],
      ['obl', 0],
      ['oll', queued > 0 ? 1 : 0],
      ['omem', queued],
      ['tot-mem', clientBytes(session) + argumentBytes],
      ['events', 'r'],
      ['cmd', (request?.command ?? session.lastCommand)?.name ?? 'NULL'],
      ['user', session.user],
      ['redir', session.tracking === null ? -1 : session.tracking.redirect],
      ['resp', session.resp3 ? 3 : 2],
      ['lib-name', session.libraryName],
      ['lib-ver', session.libraryVersion],
    ];
    return fields.map(([name, value]) => `${name}=${value}`).join(' ');
  }
}

/** An argument that is long and still incomplete is all that counts as input: what stands before it is done with. */
const LONG_ARGUMENT_BYTES = 32 * 1024;

function parsedBytes({ input, inputBytes, inputNeeded }: Session): number {
  if (input === null || inputNeeded < LONG_ARGUMENT_BYTES) return 0;
  let at = input.indexOf('\r\n') + 2;
  for (;;) {
    const end = input.indexOf('\r\n', at);
    const length = Number(input.toString('latin1', at + 1, end));
    const data = end + 2;
    if (end < 0 || data > inputBytes || !(length >= 0)) return 0;
    if (data + length + 2 > inputBytes) return length >= LONG_ARGUMENT_BYTES ? data : 0;
    at = data + length + 2;
  }
}

/** CLIENT LIST's flags, `N` for none. */
function flagsOf(session: Session): string {
  let flags = '';
  if (session.monitoring) flags += 'O';
  else if (session.link === 'replica') flags += 'S';
  if (session.link === 'primary') flags += 'M';
  if (session.subscriptions > 0) flags += 'P';
  if (session.queued !== null) flags += 'x';
  if (session.blocked !== null) flags += 'b';
  if (session.tracking !== null) flags += 't';
  if (session.tracking?.redirectBroken) flags += 'R';
  if (session.tracking?.broadcast) flags += 'B';
  if (session.watchBroken) flags += 'd';
  if (session.closeAfterReply) flags += 'c';
  if (session.transport.isUnix) flags += 'U';
  if (session.noEvict) flags += 'e';
  if (session.noTouch) flags += 'T';
  return flags === '' ? 'N' : flags;
}
