// Which history the data belongs to: a random id, and an offset in the stream. After a change of role the old id is kept
// beside the new one, so that replicas of the old primary go on from where they are.

import type { ReplicationStream } from './stream.ts';

const NO_ID = '0'.repeat(40);

export class History {
  id: string;
  /** The id before; valid up to `previousUntil`. */
  previousId = NO_ID;
  /** First offset that the previous history does not have; -1: there is none. */
  previousUntil = -1;
  private readonly newId: () => string;

  /** `newId` makes 40 random hex digits. */
  constructor(newId: () => string) {
    this.newId = newId;
    this.id = newId();
  }

  /** A new history begins, which has nothing in common with the one before. */
  renew(): void {
    this.id = this.newId();
    this.forgetPrevious();
  }

  /** The data is that of another server from here on. */
  adopt(id: string): void {
    this.id = id;
    this.forgetPrevious();
  }

  /** A new history that goes on from the present one at `offset`: a replica becomes a primary. */
  branch(offset: number): void {
    this.previousId = this.id;
    // A replica asks for the next byte, hence the one.
    this.previousUntil = offset + 1;
    this.id = this.newId();
  }

  /** After a restart: a new history that goes on from `id` at `offset`. */
  continueFrom(id: string, offset: number): void {
    this.previousId = id;
    this.previousUntil = offset + 1;
  }

  /** The primary has changed its id and told the new one: the same data up to `offset`. */
  rename(id: string, offset: number): void {
    this.previousId = this.id;
    this.previousUntil = offset + 1;
    this.id = id;
  }

  forgetPrevious(): void {
    this.previousId = NO_ID;
    this.previousUntil = -1;
  }

  /** Why a replica that has `id` up to `wanted` - 1 can't go on from there, as the log tells it; null when it can. */
  refusal(replica: string, id: string, wanted: number, stream: ReplicationStream): string | null {
    if (id === '?') return `Full resync requested by replica ${replica}`;
    if (id !== this.id && id !== this.previousId) {
      return `Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '${id}', my replication IDs are '${this.id}' and '${this.previousId}')`;
    }
    if (id !== this.id && wanted > this.previousUntil) {
      return `Partial resynchronization not accepted: Requested offset for second ID was ${wanted}, but I can reply up to ${this.previousUntil}`;
    }
    if (!stream.recording || wanted - 1 < stream.firstOffset || wanted - 1 > stream.offset) {
      return `Unable to partial resync with replica ${replica} for lack of backlog (Replica request was: ${wanted}).`;
    }
    return null;
  }
}
