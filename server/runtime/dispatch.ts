// The one way in: sockets, EXEC, AOF replay and woken clients run requests through here. What may refuse a request is
// one ordered list of guards that read flags from the table; a client and a server in their ordinary state skip it.

import type { Handler } from '../commands/command.ts';
import type { Context } from '../commands/context.ts';
import { CommandError, ERRORS, ReplyLimitError, wrongArity } from '../commands/errors.ts';
import { type Command, Flag } from '../commands/registry.ts';
import { ReplyMode, type Session } from '../commands/session.ts';
import { ArenaFullError } from '../memory/arena.ts';

/** What the guards and the aftermath of a command need to know of the server. */
export interface DispatchHost {
  /** Whether any server-wide condition (loading, memory limit, pause, failed save, monitors) makes guards necessary. */
  readonly cautious: boolean;
  /** Whether each command has to be timed and looked at by itself (low thresholds, client tracking). */
  readonly exact: boolean;
  /** Whether anybody takes the writes. */
  readonly propagating: boolean;
  readonly loading: boolean;
  /** New data is being loaded while the old is served. */
  readonly loadingAside: boolean;
  /** Frees memory if over the limit; false when it stays over. */
  makeRoom(): boolean;
  /** Whether writes need replicas that are not there. */
  readonly replicasDemanded: boolean;
  readonly lacksReplicas: boolean;
  /** Whether this is a replica that takes no writes. */
  readonly readOnly: boolean;
  /** MASTERDOWN text while a replica may not serve its old data, or null. */
  readonly staleRefusal: string | null;
  /** MISCONF text while writes are refused because saving fails, or null. */
  writesRefused(): string | null;
  /** Whether the client has to wait because of CLIENT PAUSE; then the request is kept. */
  holdBack(c: Context, command: Command): boolean;
  /** Error text when the `protected` command may not be used by this client, or null. */
  protectedRefusal(command: Command, session: Session): string | null;
  /** ACL: error text, or null. */
  permissionRefusal(c: Context, command: Command): string | null;
  /** The request as MONITOR clients see it, or null when there are none. */
  monitorLine(c: Context): string | null;
  monitor(line: string, by: Session): void;
  /** Error replies so far. */
  readonly errorReplies: number;
  /** A command has run. */
  ran(c: Context, command: Command, microseconds: number): void;
  /** Quick commands have run `calls` times, in that time all together. */
  ranOften(command: Command, calls: number, microseconds: number): void;
  /** A write has changed something: hand it to AOF and replicas. */
  propagate(c: Context): void;
  /** Whether writes of this request wait to be handed on, and its end, which hands them on. */
  readonly unsettled: boolean;
  settle(command: Command): void;
  /** A handler failed in a way it should not have. */
  fault(error: unknown, command: Command): void;
  readonly monotonicMs: () => number;
}

type Guard = (c: Context, command: Command, host: DispatchHost) => string | null;

/** Commands that read or change data, or have effects that replicas must see. */
const KEYSPACE = Flag.write | Flag.readonly | Flag.may_replicate;

/** Texts start with the error code; the first that is not null answers the request. */
const guards: readonly Guard[] = [
  (c, command, host) => ((command.flags & Flag.protected) !== 0 ? host.protectedRefusal(command, c.session) : null),
  (c, command) =>
    !c.session.authenticated && (command.flags & Flag.no_auth) === 0 && !c.server.auth.openToAll ? ERRORS.noAuth : null,
  (c, command) =>
    c.session.queued !== null && (command.flags & Flag.no_multi) !== 0
      ? 'ERR Command not allowed inside a transaction'
      : null,
  (c, command, host) => host.permissionRefusal(c, command),
  (c, command, host) => (!host.makeRoom() && (flagsOf(c, command) & Flag.denyoom) !== 0 ? ERRORS.outOfMemory : null),
  (c, command, host) => ((flagsOf(c, command) & (Flag.write | Flag.may_replicate)) !== 0 ? host.writesRefused() : null),
  (c, command, host) =>
    host.replicasDemanded && (flagsOf(c, command) & Flag.write) !== 0 && host.lacksReplicas
      ? 'NOREPLICAS Not enough good replicas to write.'
      : null,
  (c, command, host) =>
    host.readOnly && (flagsOf(c, command) & Flag.write) !== 0
      ? "READONLY You can't write against a read only replica."
      : null,
  (c, command) =>
    c.session.subscriptions > 0 && !c.session.resp3 && (command.flags & Flag.whileSubscribed) === 0
      ? `ERR Can't execute '${displayName(command)}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`
      : null,
  (c, command) =>
    c.session.link === 'replica' && (command.flags & KEYSPACE) !== 0
      ? "ERR Replica can't interact with the keyspace"
      : null,
  (c, command, host) => (isWithout(c, command, Flag.stale) ? host.staleRefusal : null),
  (c, command, host) => (host.loading && isWithout(c, command, Flag.loading) ? ERRORS.loading : null),
  (_c, command, host) => (host.loadingAside && (command.flags & Flag.no_async_loading) !== 0 ? ERRORS.loading : null),
];

/** A quick command is not, when its request or its reply is longer than this. */
const QUICK_BYTES_MAX = 4096;
/** Commands about data. */
const DATA = Flag.write | Flag.readonly;

export class Dispatcher {
  private readonly host: DispatchHost;
  /** End of the last command that was timed, on the monotonic clock: the start of the next. */
  private clockMs = 0;
  /** A quick command that has run `untimed` times since: the clock costs more than some of them do. */
  private quick: Command | null = null;
  private untimed = 0;
  /** What look() saw. */
  private careful = true;
  private exact = true;
  private propagating = true;
  /** Error replies up to the last command: one more, and the command has failed. */
  private errorsSeen = 0;

  constructor(host: DispatchHost) {
    this.host = host;
  }

  /** To be called before the first request of a batch of a session. Returns what the monotonic clock says, ms. */
  startBatch(session: Session): number {
    this.clockMs = this.host.monotonicMs();
    this.look(session);
    return this.clockMs;
  }

  /** To be called after the last. */
  endBatch(): void {
    if (this.untimed > 0) this.time();
  }

  /**
   * Sees what the state of server and client asks for. It is looked at when a batch begins and after every command that
   * is not about data: those about data do not change it.
   */
  look(session: Session): void {
    const { host } = this;
    this.careful = host.cautious || session.guarded;
    this.exact = host.exact;
    this.propagating = host.propagating;
  }

  /** Finds the command, asks the guards, queues inside MULTI or runs it. The reply is in c.reply. */
  dispatch(c: Context): void {
    let command = c.server.commands.find(c.buf, c.pos[0], c.len[0]);
    if (command === null) {
      this.refuse(c, null, unknownCommand(c));
      return;
    }
    if (command.subcommands !== null && c.argc > 1) {
      const sub = command.subcommands.find(c.buf, c.pos[1], c.len[1]);
      if (sub !== null) command = sub;
      else if (command.handler === null) {
        this.refuse(c, command, unknownSubcommand(c, command));
        return;
      }
    }
    if (c.command !== command) c.command = command;
    const arity = command.arity;
    if (command.handler === null || (arity > 0 ? c.argc !== arity : c.argc < -arity)) {
      this.refuse(c, command, wrongArity(command.name));
      return;
    }
    if (this.careful || (command.flags & Flag.protected) !== 0) {
      for (const guard of guards) {
        const refusal = guard(c, command, this.host);
        if (refusal !== null) {
          this.refuse(c, command, refusal);
          return;
        }
      }
      if (this.host.holdBack(c, command)) return;
      const queued = c.session.queued;
      if (queued !== null && (command.flags & Flag.immediate) === 0) {
        queued.push(c.storedRequest());
        c.session.queuedBytes += requestBytes(c);
        c.reply.simple('QUEUED');
        return;
      }
    }
    this.run(c, command);
  }

  /** Runs a command whose guards have been passed, with statistics, propagation and error handling. */
  run(c: Context, command: Command): void {
    const host = this.host;
    if (this.untimed > 0 && this.quick !== command) this.time();
    // Shown after it has run, so that EXEC comes behind its commands; read before, while its arguments are there.
    const shown = this.careful && !c.resumed && (command.flags & (Flag.skip_monitor | Flag.admin)) === 0;
    const line = shown ? host.monitorLine(c) : null;
    const session = c.session;
    const { dirty, releases } = c.keyspace;
    const mark = c.reply.pos;
    c.rewrites = null;
    if (c.command !== command) c.command = command;
    try {
      (command.handler as Handler)(c);
    } catch (error) {
      c.reply.pos = mark;
      this.answerFailure(c, command, error);
    }
    if (host.errorReplies > this.errorsSeen) command.stats.failedCalls++;
    this.errorsSeen = host.errorReplies;
    if (
      command.quick &&
      !this.exact &&
      c.reply.pos - mark <= QUICK_BYTES_MAX &&
      c.pos[c.argc - 1] + c.len[c.argc - 1] - c.pos[0] <= QUICK_BYTES_MAX &&
      c.keyspace.releases === releases
    ) {
      if (this.quick !== command) this.quick = command;
      this.untimed++;
    } else {
      this.timeOne(c, command);
    }
    if (line !== null) host.monitor(line, session);
    if (this.propagating && (c.keyspace.dirty > dirty || c.rewrites !== null)) host.propagate(c);
    if (host.unsettled && !c.inTransaction) host.settle(command);
    if ((command.flags & DATA) === 0) this.look(session);
  }

  /** Times the command that has just run. */
  private timeOne(c: Context, command: Command): void {
    if (this.untimed > 0 && this.quick !== command) this.time();
    const now = this.host.monotonicMs();
    const microseconds = (now - this.clockMs) * 1000;
    this.clockMs = now;
    const { stats } = command;
    // Quick ones of the same name before it, whose time is part of it.
    const { untimed } = this;
    this.untimed = 0;
    // A client that waited for a key is still on the same call.
    stats.calls += c.resumed ? untimed : untimed + 1;
    stats.microseconds += microseconds;
    if (untimed > 0) this.host.ranOften(command, untimed, 0);
    this.host.ran(c, command, microseconds);
    // The next command of the pipeline meets a later time; those of a transaction share one.
    if (microseconds >= 1000 && !c.inTransaction) c.forgetTime();
  }

  /** Times the quick commands that have run since the clock was last read: each took its share. */
  private time(): void {
    const now = this.host.monotonicMs();
    const microseconds = (now - this.clockMs) * 1000;
    this.clockMs = now;
    const command = this.quick!;
    command.stats.calls += this.untimed;
    command.stats.microseconds += microseconds;
    this.host.ranOften(command, this.untimed, microseconds);
    this.untimed = 0;
  }

  private answerFailure(c: Context, command: Command, error: unknown): void {
    if (error instanceof ReplyLimitError) return;
    if (error instanceof CommandError) {
      c.reply.error(error.text);
    } else if (error instanceof ArenaFullError || error instanceof RangeError) {
      // No segment left, or a buffer beyond what the platform can allocate: the request fails, the server lives on.
      c.reply.error(`OOM ${error.message}`);
    } else {
      this.host.fault(error, command);
      c.reply.error('ERR internal error, see the server log');
    }
  }

  private refuse(c: Context, command: Command | null, text: string): void {
    if (command !== null) command.stats.rejectedCalls++;
    if (c.session.queued !== null) c.session.queueFailed = true;
    // EXEC answers a refusal as an abort of the transaction.
    if (command !== null && command.name === 'exec') {
      c.server.transactions.discard(c.session);
      c.reply.error(`EXECABORT Transaction discarded because of: ${text.replace(/^-?ERR /, '')}`);
    } else {
      c.reply.error(text);
    }
    this.errorsSeen = this.host.errorReplies;
  }
}

/** Applies CLIENT REPLY after a command: what it wrote from `mark` on is dropped while replies are off. */
export function applyReplyMode(c: Context, mark: number): void {
  const session = c.session;
  if (session.replyMode === ReplyMode.on) return;
  // Confirmations of (un)subscribing are pushes, not replies.
  const pushes = (c.command.flags & Flag.pubsub) !== 0 && (c.command.flags & Flag.whileSubscribed) !== 0;
  if (!pushes) c.reply.pos = mark;
  if (session.replyMode === ReplyMode.skipNext) session.replyMode = ReplyMode.skip;
  else if (session.replyMode === ReplyMode.skip) session.replyMode = ReplyMode.on;
}

/** A command's flags; EXEC has those of the commands that it runs, too. */
function flagsOf(c: Context, command: Command): number {
  let { flags } = command;
  if (command.name === 'exec') for (const request of c.session.queued ?? []) flags |= request.command.flags;
  return flags;
}

/** Whether a command, or one of those that EXEC runs, is without a flag. */
function isWithout(c: Context, command: Command, flag: number): boolean {
  if ((command.flags & flag) === 0) return true;
  return command.name === 'exec' && (c.session.queued ?? []).some((request) => (request.command.flags & flag) === 0);
}

/** Bytes of a request's arguments. */
export function requestBytes(c: Context): number {
  let bytes = 0;
  for (let i = 0; i < c.argc; i++) bytes += c.len[i];
  return bytes;
}

function displayName(command: Command): string {
  return command.name;
}

/** Redis shows at most 128 bytes of the name and of the arguments together. */
function unknownCommand(c: Context): string {
  const shown = 128;
  let text = '';
  for (let i = 1; i < c.argc && text.length < shown; i++) {
    text += `'${c.shown(i, shown - text.length)}' `;
  }
  return `ERR unknown command '${c.shown(0, shown)}', with args beginning with: ${text}`;
}

function unknownSubcommand(c: Context, command: Command): string {
  return `ERR unknown subcommand '${c.shown(1, 128)}'. Try ${command.name.toUpperCase()} HELP.`;
}
