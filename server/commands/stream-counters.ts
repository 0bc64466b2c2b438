// How many entries a group has read and how many it lags behind: known exactly unless deletions blur the count.

import type { Stream } from '../values/stream.ts';
import type { StreamGroup } from '../values/stream-group.ts';
import type { StreamId } from '../values/stream-id.ts';

/** "Not known", as the counters and replies have it. */
export const UNKNOWN = -1;

/** Whether an entry from `start` on was deleted. */
function hasTombstones(stream: Stream, start: StreamId): boolean {
  if (stream.length === 0 || stream.maxDeletedId.isZero) return false;
  // Whatever was deleted before the first entry is out of sight.
  if (stream.firstId.compare(stream.maxDeletedId) > 0) return false;
  return start.compare(stream.maxDeletedId) <= 0;
}

/** How many entries were ever added up to `id`; UNKNOWN when that can't be told. */
export function estimateEntriesRead(stream: Stream, id: StreamId): number {
  if (stream.entriesAdded === 0) return 0;
  const toLast = id.compare(stream.lastId);
  if (stream.length === 0 && toLast < 1) return stream.entriesAdded;
  if (toLast === 0) return stream.entriesAdded;
  if (toLast > 0) return UNKNOWN;
  if (stream.maxDeletedId.isZero || stream.maxDeletedId.compare(stream.firstId) < 0) {
    const toFirst = id.compare(stream.firstId);
    if (toFirst < 0) return stream.entriesAdded - stream.length;
    if (toFirst === 0) return stream.entriesAdded - stream.length + 1;
  }
  return UNKNOWN;
}

/** The group has just read the entry `id`, which is above its last id: counts it and moves the last id. */
export function noteRead(stream: Stream, group: StreamGroup, id: StreamId): void {
  if (group.entriesRead !== UNKNOWN && !hasTombstones(stream, id)) group.entriesRead++;
  else if (stream.entriesAdded > 0) group.entriesRead = estimateEntriesRead(stream, id);
  group.lastId.set(id);
}

/**
 * Entries the group has not read yet; null when that can't be told. Counters set by hand can make it negative.
 */
export function lagOf(stream: Stream, group: StreamGroup): number | null {
  if (stream.entriesAdded === 0) return 0;
  if (group.entriesRead !== UNKNOWN && !hasTombstones(stream, group.lastId)) {
    return stream.entriesAdded - group.entriesRead;
  }
  const read = estimateEntriesRead(stream, group.lastId);
  return read === UNKNOWN ? null : stream.entriesAdded - read;
}
