// Whether a request had better wait for the running snapshot: it would change a large value that is not yet written, and
// writing it at once would hold up everybody.

import type { Context } from '../commands/context.ts';
import { findKeys, KeyPositions, keyPlanOf, type RequestView } from '../commands/key-positions.ts';
import type { Command } from '../commands/registry.ts';

const found = new KeyPositions();

/** For requests that write, or EXEC of some that do. Scripts are known by the keys they declare. */
export function awaitsSnapshot(c: Context, command: Command): boolean {
  // What comes from a log or a primary has to keep its order, and nobody waits for it.
  if (c.replaying) return false;
  const { queued } = c.session;
  if (queued === null) return delays(c, command, c);
  return queued.some((request) => delays(c, request.command, viewOf(request.args)));
}

function delays(c: Context, command: Command, request: RequestView): boolean {
  const { guard } = c.keyspace;
  const plan = keyPlanOf(command.spec);
  if (guard === null || plan === null) return false;
  findKeys(plan, request, found);
  for (let i = 0; i < found.count; i++) {
    const at = found.indexes[i]!;
    if (guard.delays(c.db, c.keyspace.hash(request.buf, request.pos[at]!, request.len[at]!))) return true;
  }
  return false;
}

function viewOf(args: readonly Buffer[]): RequestView {
  const pos: number[] = [];
  let end = 0;
  for (const { length } of args) {
    pos.push(end);
    end += length;
  }
  return { argc: args.length, buf: Buffer.concat(args), pos, len: args.map(({ length }) => length) };
}
