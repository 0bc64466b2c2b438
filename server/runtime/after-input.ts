// Requests that tell of other clients come after what those have sent before them. The system does not report ready
// sockets in the order of what arrived: a socket that was read in the round before is still first in its list (epoll,
// level-triggered), before one that has become ready since. So such a request waits until every socket that was ready by
// then has been read.

import type { Context } from '../commands/context.ts';
import type { Session, StoredRequest } from '../commands/session.ts';
import type { Turns } from './turns.ts';

export interface AfterInputHost {
  readonly context: Context;
  readonly turns: Turns;
  /** The client may be read again. */
  release(session: Session): void;
}

export class AfterInput {
  private readonly host: AfterInputHost;

  constructor(host: AfterInputHost) {
    this.host = host;
  }

  /** Holds the client and runs its request again, as resumed, two rounds later: what arrived meanwhile is read by then. */
  add(session: Session, request: StoredRequest): void {
    const inputBytes = session.servingBytes;
    session.held = true;
    setImmediate(() => setImmediate(() => this.run(session, request, inputBytes)));
  }

  private run(session: Session, request: StoredRequest, inputBytes: number): void {
    if (session.closing) return;
    const { context, turns } = this.host;
    session.servingBytes = inputBytes;
    turns.asSession(session, () => {
      turns.dispatcher.startBatch(session);
      context.resumed = true;
      turns.bind(request);
      turns.dispatcher.run(context, request.command);
      turns.dispatcher.endBatch();
    });
    session.servingBytes = 0;
    this.host.release(session);
    turns.flushOthers();
  }
}
