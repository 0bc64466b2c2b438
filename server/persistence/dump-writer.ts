// The contents of a dump: header, facts, libraries, keys, end. It knows what stands around a value; encode-value.ts knows
// the values, formats/rdb the bytes.

import type { RdbWriter } from '../formats/rdb/writer.ts';
import { decodeFrequency, idleSeconds } from '../keyspace/access-clock.ts';
import { type Database, NO_EXPIRY } from '../keyspace/database.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import type { Pieces } from './encode-stream.ts';
import { encodePieces, encodeValue, rdbTypeOf } from './encode-value.ts';

/** What use of keys a dump notes: seconds since the last (LRU), a counter (LFU), or nothing. */
export type UsageHints = 'idle' | 'frequency' | 'none';

export interface DumpFacts {
  /** RDB version of the file. */
  readonly version: number;
  /** AUX fields, in order. */
  readonly aux: readonly (readonly [name: string, value: string | number])[];
  /** Source texts of function libraries. */
  readonly libraries: readonly Uint8Array[];
  readonly hints: UsageHints;
  readonly nowMs: number;
  /** lfu-decay-time. */
  readonly decayMinutes: number;
}

/** What a snapshot writes to. */
export interface DumpTarget {
  readonly keys: number;
  /** What stands before the first key. */
  begin(): void;
  /** Makes `index` the database of the keys that follow. Sizes are hints for the reader. */
  select(index: number, keys: number, expires: number): void;
  /** Writes a key with its value. */
  key(db: Database, entry: number): void;
  /** Writes a key, and its value if it is small; a large one's value is left to the pieces that are returned. */
  keyInPieces(db: Database, entry: number): Pieces | null;
  /** What stands behind the last key. */
  end(): void;
}

export class DumpWriter implements DumpTarget {
  /** Where the next key goes; replaced while a value is under way, see Snapshot. */
  writer: RdbWriter;
  /** Keys written. */
  keys = 0;
  private readonly facts: DumpFacts;
  /** Index of the database that the file has selected last. */
  private selected = -1;
  private readonly resized = new Set<number>();

  constructor(writer: RdbWriter, facts: DumpFacts) {
    this.writer = writer;
    this.facts = facts;
  }

  begin(): void {
    const { writer, facts } = this;
    writer.header(facts.version);
    for (const [name, value] of facts.aux) writer.aux(name, value);
    for (const code of facts.libraries) writer.functionLibrary(code);
  }

  select(index: number, keys: number, expires: number): void {
    if (this.selected === index) return;
    this.selected = index;
    this.writer.selectDb(index);
    if (this.resized.has(index)) return;
    this.resized.add(index);
    this.writer.resizeDb(keys, expires);
  }

  key(db: Database, entry: number): void {
    const rdbType = this.head(db, entry);
    encodeValue(this.writer, db, entry, rdbType);
  }

  keyInPieces(db: Database, entry: number): Pieces | null {
    const rdbType = this.head(db, entry);
    const pieces = encodePieces(this.writer, db, entry, rdbType);
    if (pieces === null) encodeValue(this.writer, db, entry, rdbType);
    return pieces;
  }

  end(): void {
    this.writer.eof();
  }

  private head(db: Database, entry: number): number {
    const { writer, facts } = this;
    const expireAt = db.expireAt(entry);
    if (expireAt !== NO_EXPIRY) writer.expireMs(expireAt);
    if (facts.hints === 'idle') writer.idle(idleSeconds(db.clock(entry), facts.nowMs));
    else if (facts.hints === 'frequency') {
      writer.frequency(decodeFrequency(db.clock(entry), facts.nowMs, facts.decayMinutes));
    }
    const rdbType = rdbTypeOf(db, entry, facts.version);
    writer.type(rdbType);
    const start = db.keyPosition(entry);
    writer.string(db.keyBuffer(entry), start, start + db.keyLength(entry));
    this.keys++;
    return rdbType;
  }
}

/** Writes everything at once. `eachKey` is told after every key. */
export function dumpKeyspace(dump: DumpTarget, keyspace: Keyspace, eachKey: () => void): void {
  dump.begin();
  for (const db of keyspace.databases) {
    if (db.size === 0) continue;
    dump.select(db.index, db.size, db.volatileSize);
    db.table.forEach((entry) => {
      dump.key(db, entry);
      eachKey();
    });
  }
  dump.end();
}
