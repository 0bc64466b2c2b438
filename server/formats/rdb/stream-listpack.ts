// Validates the listpack of a stream node:
//   master entry: live, deleted, field count N, N field names, 0
//   each record:  flags (1 deleted, 2 same fields as the master), ms and sequence relative to the node's id,
//                 values only (same fields), or field count and field, value pairs; then the number of entries before this

import { ListpackCursor } from './listpack.ts';
import type { Slice } from './slice.ts';

const FLAG_DELETED = 1;
const FLAG_SAME_FIELDS = 2;

/** Walks one node after the other; call with listpacks whose own integrity is proven. */
export class StreamListpackValidator {
  readonly #cursor = new ListpackCursor();

  /** Whether records, counts and flags agree. A record whose relative id would go back is not looked for. */
  isSound(listpack: Slice): boolean {
    this.#cursor.open(listpack.bytes, listpack.start, listpack.end);
    const live = this.#integer();
    const deleted = this.#integer();
    const fields = this.#integer();
    if (!(live >= 0 && deleted >= 0 && fields >= 0)) return false;
    if (!this.#pass(fields) || this.#integer() !== 0) return false;
    let deletedSeen = 0;
    const records = live + deleted;
    for (let record = 0; record < records; record++) {
      const flags = this.#record(fields);
      if (flags < 0) return false;
      if (flags & FLAG_DELETED) deletedSeen++;
    }
    return deletedSeen === deleted && !this.#cursor.next() && !this.#cursor.broken;
  }

  /** The record's flags, or -1. */
  #record(masterFields: number): number {
    const flags = this.#integer();
    if (!(flags >= 0)) return -1;
    if (Number.isNaN(this.#integer()) || Number.isNaN(this.#integer())) return -1;
    let entries = masterFields;
    let head = 3;
    if ((flags & FLAG_SAME_FIELDS) === 0) {
      const fields = this.#integer();
      if (!(fields >= 0)) return -1;
      entries = fields * 2;
      head = 4;
    }
    return this.#pass(entries) && this.#integer() === entries + head ? flags : -1;
  }

  /** The next entry as an integer, or NaN. */
  #integer(): number {
    return this.#cursor.next() && this.#cursor.isInteger ? this.#cursor.integer : Number.NaN;
  }

  #pass(count: number): boolean {
    for (let i = 0; i < count; i++) if (!this.#cursor.next()) return false;
    return true;
  }
}
