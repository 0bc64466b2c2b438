// What XREAD and XREADGROUP find at a key, the first time and when they run again after a wait.

import { Type } from '../keyspace/layout.ts';
import type { Stream } from '../values/stream.ts';
import type { StreamGroup } from '../values/stream-group.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { errorText, streamAt } from './stream-access.ts';

interface Found {
  stream: Stream | undefined;
  group: StreamGroup | undefined;
}

const found: Found = { stream: undefined, group: undefined };

/**
 * The stream of the key in argument `i`, and the group named by argument `groupAt` (0: none asked for). XREADGROUP fails
 * when one of them is missing. A waiting XREAD does not mind: it waits on for a stream to come.
 */
export function lookUpForRead(c: Context, i: number, groupAt: number): Found {
  const entry = c.lookupRead(i);
  const isStream = entry !== 0 && c.db.type(entry) === Type.stream;
  found.stream = isStream ? streamAt(c, entry) : undefined;
  found.group = undefined;
  if (c.resumed) {
    if (groupAt === 0) return found;
    if (!isStream) throw new CommandError('UNBLOCKED the stream key no longer exists');
  } else if (entry !== 0 && !isStream) {
    throw new CommandError(ERRORS.wrongType);
  }
  if (groupAt === 0) return found;
  found.group = found.stream?.group(c.buf, c.pos[groupAt], c.len[groupAt]);
  if (found.group !== undefined) return found;
  if (c.resumed) throw new CommandError('NOGROUP the consumer group this client was blocked on no longer exists');
  throw new CommandError(
    `NOGROUP No such key '${errorText(c, i)}' or consumer group '${errorText(c, groupAt)}' in XREADGROUP with GROUP option`,
  );
}
