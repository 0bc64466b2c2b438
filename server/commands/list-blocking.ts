// List commands that wait for an element: BLPOP, BRPOP, BLMOVE, BRPOPLPUSH, BLMPOP. Each tries like its plain form; when
// nothing is there the client waits, and the same request runs again when one of its keys has changed.

import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { dropEnd, peekEnd } from './list-access.ts';
import { isPassedOver, listToPop, move, noteRemoved, parseMultiPop, popFirst, sideArgument } from './list-move.ts';
import { replyElement } from './packed-reply.ts';
import type { listSpecs } from './specs/list.ts';

type BlockingCommands = 'blpop' | 'brpop' | 'blmove' | 'brpoplpush' | 'blmpop';

export const blockingHandlers: Handlers<Pick<typeof listSpecs, BlockingCommands>> = {
  blpop: (c) => popAny(c, true),
  brpop: (c) => popAny(c, false),
  blmove: (c) => {
    const fromHead = sideArgument(c, 3);
    const toHead = sideArgument(c, 4);
    moveOrWait(c, 5, fromHead, toHead, (from, to) => {
      const words = c.resumed ? [fromHead ? 'left' : 'right', toHead ? 'left' : 'right'] : [c.copy(3), c.copy(4)];
      return ['LMOVE', from, to, ...words];
    });
  },
  brpoplpush: (c) => moveOrWait(c, 3, false, true, (from, to) => ['RPOPLPUSH', from, to]),
  blmpop: (c) => {
    const request = parseMultiPop(c, 2);
    const deadlineMs = deadlineArgument(c, 1);
    if (!popFirst(c, request)) wait(c, request.from, request.to, deadlineMs);
  },
};

/** BLPOP key [key ...] timeout */
function popAny(c: Context, fromHead: boolean): void {
  const last = c.argc - 1;
  const deadlineMs = deadlineArgument(c, last);
  for (let i = 1; i < last; i++) {
    if (isPassedOver(c, i)) continue;
    const entry = listToPop(c, i);
    if (entry === 0) continue;
    c.reply.array(2);
    c.reply.bulkRange(c.buf, c.pos[i], c.len[i]);
    replyElement(c.reply, peekEnd(c, entry, fromHead));
    noteRemoved(c, i, dropEnd(c, entry, fromHead), fromHead);
    c.rewrite([fromHead ? 'LPOP' : 'RPOP', c.copy(i)]);
    return;
  }
  wait(c, 1, last, deadlineMs);
}

function moveOrWait(
  c: Context,
  timeoutAt: number,
  fromHead: boolean,
  toHead: boolean,
  plainForm: (from: Buffer, to: Buffer) => (string | Buffer)[],
): void {
  const deadlineMs = deadlineArgument(c, timeoutAt);
  const source = listToPop(c, 1);
  if (source !== 0) {
    move(c, source, fromHead, toHead);
    c.rewrite(plainForm(c.copy(1), c.copy(2)));
  } else if (c.mayBlock) {
    c.block({ keys: [c.copy(1)], deadlineMs, onTimeout: 'nilArray' });
  } else {
    c.reply.nil();
  }
}

function wait(c: Context, from: number, to: number, deadlineMs: number): void {
  if (!c.mayBlock) {
    c.reply.nilArray();
    return;
  }
  const keys: Buffer[] = [];
  for (let i = from; i < to; i++) keys.push(c.copy(i));
  c.block({ keys, deadlineMs, onTimeout: 'nilArray' });
}

/** A client that has waited keeps its first deadline. */
function deadlineArgument(c: Context, i: number): number {
  return c.resumed ? 0 : c.deadline(i);
}
