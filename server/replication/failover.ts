// FAILOVER: the primary hands its role to a replica. Writes stop, the replica catches up, the primary asks to follow it;
// when that is granted the roles have changed, otherwise everything goes on as before.

import { CommandError } from '../commands/errors.ts';
import type { FailoverOptions } from '../commands/services.ts';
import type { Primary } from './primary.ts';
import type { ReplicaLink } from './replica-link.ts';
import type { ReplicationStream } from './stream.ts';
import type { Target } from './upstream.ts';

/** As INFO names it. */
type FailoverState = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress';

export interface FailoverHost {
  readonly log: (level: 'notice' | 'warning', message: string) => void;
  readonly now: () => number;
  /** Holds writes back, or lets them go. */
  pause(paused: boolean): void;
  /** Follows the replica, which has to take the role over. */
  follow(target: Target): void;
  /** Goes back to being a primary. */
  becomePrimary(): void;
}

export class Failover {
  state: FailoverState = 'no-failover';
  private readonly host: FailoverHost;
  private readonly primary: Primary;
  private readonly stream: ReplicationStream;
  private target: Target | null = null;
  private force = false;
  /** ms since 1970; 0: none. */
  private deadlineMs = 0;

  constructor(host: FailoverHost, primary: Primary, stream: ReplicationStream) {
    this.host = host;
    this.primary = primary;
    this.stream = stream;
  }

  /** Throws CommandError. */
  begin(options: FailoverOptions, isReplica: boolean): void {
    const { target, force, timeoutMs } = options;
    if (this.state !== 'no-failover') throw new CommandError('ERR FAILOVER already in progress.');
    if (isReplica) throw new CommandError('ERR FAILOVER is not valid when server is a replica.');
    if (this.primary.count === 0) throw new CommandError('ERR FAILOVER requires connected replicas.');
    if (force && (target === null || timeoutMs === 0)) {
      throw new CommandError('ERR FAILOVER with force option requires both a timeout and target HOST and IP.');
    }
    if (target !== null) {
      const link = this.find(target);
      if (link === undefined) throw new CommandError('ERR FAILOVER target HOST and PORT is not a replica.');
      if (link.state !== 'online') throw new CommandError('ERR FAILOVER target replica is not online.');
    }
    this.host.log(
      'notice',
      target === null ? 'FAILOVER requested.' : `FAILOVER requested to ${target.host}:${target.port}.`,
    );
    this.target = target;
    this.force = force;
    this.deadlineMs = timeoutMs === 0 ? 0 : this.host.now() + timeoutMs;
    this.state = 'waiting-for-sync';
    this.primary.quiet = true;
    this.host.pause(true);
    this.primary.askForAcks();
  }

  /** FAILOVER ABORT. Throws CommandError. */
  abortByHand(): void {
    if (this.state === 'no-failover') throw new CommandError('ERR No failover in progress.');
    this.abort('Failover manually aborted');
  }

  /** A replica has acknowledged more, or time has passed. */
  look(): void {
    if (this.state !== 'waiting-for-sync') return;
    const isLate = this.deadlineMs > 0 && this.host.now() >= this.deadlineMs;
    if (isLate && this.force) {
      this.host.log('notice', `Failover to ${this.target!.host}:${this.target!.port} time out exceeded, failing over.`);
      this.handOver(this.target!);
      return;
    }
    if (isLate) {
      this.abort('Replica never caught up before timeout');
      return;
    }
    const link = this.caughtUp();
    if (link === undefined) return;
    this.host.log('notice', `Failover target ${link.name} is synced, failing over.`);
    this.handOver({ host: link.address, port: link.port });
  }

  /** The replica has taken the role over, or (false) refused to. */
  ended(accepted: boolean): void {
    if (this.state !== 'failover-in-progress') return;
    if (accepted) this.clear();
    else this.abort('Failover target rejected psync request');
  }

  private handOver(target: Target): void {
    this.state = 'failover-in-progress';
    this.host.follow(target);
  }

  private caughtUp(): ReplicaLink | undefined {
    const { offset } = this.stream;
    if (this.target !== null) {
      const link = this.find(this.target);
      return link !== undefined && link.ackOffset === offset ? link : undefined;
    }
    return [...this.primary.replicas()].find((link) => link.state === 'online' && link.ackOffset === offset);
  }

  private find(target: Target): ReplicaLink | undefined {
    return [...this.primary.replicas()].find((link) => link.address === target.host && link.port === target.port);
  }

  private abort(why: string): void {
    const wasFollowing = this.state === 'failover-in-progress';
    this.host.log('notice', `Aborting failover: ${why}`);
    this.clear();
    if (wasFollowing) this.host.becomePrimary();
  }

  private clear(): void {
    this.state = 'no-failover';
    this.target = null;
    this.force = false;
    this.deadlineMs = 0;
    this.primary.quiet = false;
    this.host.pause(false);
  }
}
