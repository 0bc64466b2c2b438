// The end of the server: waits for replicas that are behind, saves as asked, leaves. A wait can be called off, and a save
// that fails calls it off, too.

import type { ShutdownOptions } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import type { Persistence } from './persistence.ts';
import { notifyManager, removePidFile } from './process-control.ts';
import type { Replication } from './replication.ts';
import type { Server } from './server.ts';

const FAILED = 'ERR Errors trying to SHUTDOWN. Check logs.';

export class Shutdown {
  /** A signal has asked for the end: the next tick takes it, so that SHUTDOWN ABORT has a chance. */
  asked: ShutdownOptions | null = null;
  private readonly server: Server;
  private readonly persistence: Persistence;
  private readonly replication: Replication;
  /** The end under way, waiting for replicas until `untilMs`. */
  private waiting: { options: ShutdownOptions; untilMs: number } | null = null;
  /** Clients that get an error when the end is called off. */
  private readonly clients = new Set<Session>();

  constructor(server: Server, persistence: Persistence, replication: Replication) {
    this.server = server;
    this.persistence = persistence;
    this.replication = replication;
  }

  /** Ms until the server ends, whatever replicas do; null while no end is under way. */
  get remainingMs(): number | null {
    return this.waiting === null ? null : Math.max(0, this.waiting.untilMs - this.server.now());
  }

  /** Ends the server, or holds the client until it ends; returns why neither is possible. */
  begin(options: ShutdownOptions, client: Session | null): string | null {
    if (this.waiting === null) {
      this.server.log('warning', 'User requested shutdown...');
      const timeoutMs = Number(this.server.settings.shutdownTimeout) * 1000;
      if (options.now || timeoutMs === 0 || this.server.loading || this.replicasAreThere()) return this.end(options);
      this.server.log('notice', 'Waiting for replicas before shutting down.');
      this.waiting = { options, untilMs: this.server.now() + timeoutMs };
      // Nothing more to catch up with.
      this.server.clients.pause(Number.POSITIVE_INFINITY, 'write', 'shutdown');
    }
    if (client !== null) this.hold(client);
    return null;
  }

  /** Calls the end off; false when there is none. */
  abort(): boolean {
    if (this.asked === null && this.waiting === null) return false;
    this.asked = null;
    this.server.log('notice', 'Shutdown manually aborted.');
    this.cancel();
    return true;
  }

  /** Takes what signals have asked for, and looks whether replicas are there. */
  tick(nowMs: number): void {
    const { asked, waiting } = this;
    if (asked !== null) {
      this.asked = null;
      this.begin(asked, null);
    } else if (waiting !== null && (nowMs >= waiting.untilMs || this.replicasAreThere())) {
      if (this.end(waiting.options) !== null) this.cancel();
    }
  }

  private hold(client: Session): void {
    this.clients.add(client);
    const request = this.server.context.storedRequest();
    this.server.blocking.block(client, request, { keys: [], deadlineMs: 0, onTimeout: 'nil' });
  }

  private cancel(): void {
    this.waiting = null;
    this.server.clients.unpause('shutdown');
    for (const client of this.clients) this.server.blocking.fail(client, FAILED);
    this.clients.clear();
  }

  private replicasAreThere(): boolean {
    const { stream, primary } = this.replication;
    for (const link of primary.replicas()) if (link.ackOffset !== stream.offset) return false;
    return true;
  }

  /** Tells which replicas miss something. */
  private logReplicas(): void {
    const { log, now } = this.server;
    const { stream, primary } = this.replication;
    let lagging = 0;
    for (const link of primary.replicas()) {
      if (link.ackOffset === stream.offset) continue;
      lagging++;
      const lag = link.state === 'online' ? Math.floor((now() - link.seenMs) / 1000) : 0;
      const behind = stream.offset - link.ackOffset;
      log(
        'warning',
        `Lagging replica ${link.name} reported offset ${behind} behind master, lag=${lag}, state=${link.stateWord}.`,
      );
    }
    const { count } = primary;
    if (count > 0) log('notice', `${count - lagging} of ${count} replicas are in sync when shutting down.`);
  }

  /** Saves as asked and exits; returns an error reply when saving failed and the end was not forced. */
  private end(options: ShutdownOptions): string | null {
    const { server } = this;
    const { log, settings } = server;
    this.logReplicas();
    const problem = this.persistence.close(options);
    if (problem !== null && !options.force) {
      log('warning', "Error trying to save the DB, can't exit.");
      log('warning', 'Errors trying to shut down the server. Check the logs for more information.');
      return FAILED;
    }
    notifyManager(process.env, 'STOPPING=1\n');
    const pidFile = settings.string('pidfile') || (settings.daemonize ? '/var/run/redis.pid' : '');
    if (pidFile !== '') {
      log('notice', 'Removing the pid file.');
      removePidFile(pidFile);
    }
    server.listener.close();
    log('warning', 'Redis is now ready to exit, bye bye...');
    process.exit(0);
  }
}
