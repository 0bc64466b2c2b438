// Clients in WAIT and WAITAOF: each waits until its own writes are where it wants them.

import type { Context } from '../commands/context.ts';
import { ERRORS } from '../commands/errors.ts';
import { hasCopies } from '../commands/replication.ts';
import type { BlockingService, Copies, CopiesAnswer } from '../commands/services.ts';
import type { BlockedState, Session } from '../commands/session.ts';

export interface WriteWaitsHost {
  readonly blocking: BlockingService;
  readonly context: Context;
  /** Where a client's writes are by now. */
  copies(session: Session): Copies;
  /** Whether this server keeps a log at all. */
  keepsLog(): boolean;
}

interface Wait {
  readonly goal: Copies;
  /** The client may have been unblocked by other means, and wait for something else by now. */
  readonly blocked: BlockedState | null;
}

export class WriteWaits {
  private readonly waiting = new Map<Session, Wait>();
  private readonly host: WriteWaitsHost;

  constructor(host: WriteWaitsHost) {
    this.host = host;
  }

  /** Holds a client until `goal` is reached or the time is over; `answer` makes its reply of what is reached then. */
  add(session: Session, goal: Copies, deadlineMs: number, answer: CopiesAnswer): void {
    const { blocking, context, copies } = this.host;
    const onTimeout = () => answer(copies(session));
    blocking.block(session, context.storedRequest(), { keys: [], deadlineMs, onTimeout });
    this.waiting.set(session, { goal, blocked: session.blocked });
  }

  forget(session: Session): void {
    this.waiting.delete(session);
  }

  /** Answers the clients that have what they wait for, or can no longer get it. */
  serve(): void {
    if (this.waiting.size === 0) return;
    const { blocking } = this.host;
    for (const [session, { goal, blocked }] of [...this.waiting]) {
      if (session.blocked !== null && session.blocked === blocked) {
        if (goal.local > 0 && !this.host.keepsLog()) blocking.fail(session, ERRORS.waitaofWithoutLog);
        else if (hasCopies(this.host.copies(session), goal)) blocking.unblock(session, 'timeout');
        else continue;
      }
      this.waiting.delete(session);
    }
  }
}
