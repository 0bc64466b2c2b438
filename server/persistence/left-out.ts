// Counts the parts of values that this server has no place for, so that nothing is left out silently: one line for each
// kind at the end of a load.

import type { RdbStreamIdempotency } from '../formats/rdb/visitor.ts';

/** Settings of streams that were never told otherwise. */
const SECONDS_BY_DEFAULT = 100;
const ENTRIES_BY_DEFAULT = 100;

export class LeftOut {
  private rememberingStreams = 0;
  private unownedEntries = 0;

  /** What a stream knows of earlier messages; a stream that was never asked to remember any loses nothing. */
  idempotency(state: RdbStreamIdempotency): void {
    const isDefault = state.durationSeconds === SECONDS_BY_DEFAULT && state.entriesMax === ENTRIES_BY_DEFAULT;
    const isUnused = state.producers === 0 && state.added === 0 && state.duplicates === 0;
    if (!isDefault || !isUnused) this.rememberingStreams++;
  }

  /** A pending entry without a consumer was given to the one without a name. */
  unowned(): void {
    this.unownedEntries++;
  }

  /** The lines for the log; counting starts over. */
  take(): string[] {
    const lines: string[] = [];
    if (this.rememberingStreams > 0) {
      const what = `what ${plural(this.rememberingStreams, 'stream')} kept to recognise messages that come twice (IDMP)`;
      lines.push(`Left out: ${what}; producers that send one again add it again.`);
    }
    if (this.unownedEntries > 0) {
      const what = `${plural(this.unownedEntries, 'pending entry', 'pending entries')} given back by consumers (XNACK)`;
      lines.push(`Loaded as pending of a consumer with an empty name: ${what}; XAUTOCLAIM finds them.`);
    }
    this.rememberingStreams = this.unownedEntries = 0;
    return lines;
  }
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
