// The data of one instant, written while the server goes on: a pass over the buckets of all databases in slices. A change
// to a key whose bucket the pass has not reached yet first writes that bucket out, so whatever the pass finds is as it was
// at the start. No child process, no copy of the memory.
//
// While the pass is inside a large value (which it writes in pieces) other buckets are written to a stream beside it,
// which follows the value. Who wants to change a large value that is not yet written had better wait (delays): the pass
// writes it next, in pieces, too. A change that can't wait has it written at once.

import { RdbWriter } from '../formats/rdb/writer.ts';
import type { Database } from '../keyspace/database.ts';
import type { Keyspace } from '../keyspace/keyspace.ts';
import { isInline } from '../keyspace/layout.ts';
import type { ChangeGuard } from '../keyspace/space.ts';
import type { ChainedTable } from '../memory/chained-table.ts';
import { type DumpTarget, DumpWriter } from './dump-writer.ts';
import type { Pieces } from './encode-stream.ts';

/** Keys between two looks at the clock. */
const KEYS_PER_LOOK = 16;
/** Bytes kept beside a large value under way; beyond this the value is finished at once. */
const ASIDE_BYTES_MAX = 32 << 20;

/** Writing a value of more elements, or of more bytes, at once would hold the event loop for too long. */
const DELAY_ELEMENTS = 4096;
const DELAY_BYTES = 1 << 20;

/** What the pass knows of one database. */
interface Progress {
  readonly db: Database;
  /** The database's index when the snapshot began (SWAPDB may change it). */
  readonly index: number;
  readonly dict: ChainedTable;
  readonly homes: number;
  readonly keys: number;
  readonly expires: number;
  /** Buckets below are written. */
  next: number;
  /** A bit per bucket that a change had written ahead of the pass. */
  readonly ahead: Uint32Array;
}

export class Snapshot implements ChangeGuard {
  /** Keys there were at the start. */
  readonly total: number;
  /** Bytes of data that changes have had written ahead of the pass: what copy-on-write costs here. */
  aheadBytes = 0;
  private readonly keyspace: Keyspace;
  private readonly dump: DumpTarget;
  /** Where the pass writes, if that can be exchanged. */
  private readonly stream: { readonly dump: DumpWriter; readonly writer: RdbWriter } | null;
  private readonly monotonicMs: () => number;
  private readonly parts: Progress[] = [];
  private readonly byDatabase = new Map<object, Progress>();
  private part = 0;
  /** The bucket that the pass is in, or has been in last. */
  private current: Progress | null = null;
  private currentHome = -1;
  /** Somebody waits for that bucket; for those, in this order. */
  private awaited = false;
  private readonly wanted: { readonly progress: Progress; readonly home: number }[] = [];
  /** Entries of the bucket that the pass is in, from `at` on still to be written. */
  private bucket: number[] = [];
  private at = 0;
  /** The rest of the value under way, or of what was written beside it. */
  private pieces: Pieces | null = null;
  private draining = false;
  private aside: Uint8Array[] = [];
  private asideBytes = 0;
  private asideWriter: RdbWriter | null = null;
  private running = true;

  /** A bucket that somebody waited for is written, or all that was awaited is void: whoever waits may try again. */
  written = false;

  /** Fixes the instant: from here on every change is noticed. Only one snapshot may run. */
  constructor(keyspace: Keyspace, dump: DumpTarget, monotonicMs: () => number) {
    this.keyspace = keyspace;
    this.dump = dump;
    this.stream = dump instanceof DumpWriter ? { dump, writer: dump.writer } : null;
    this.monotonicMs = monotonicMs;
    this.total = keyspace.size;
    for (const db of keyspace.databases) {
      if (db.size === 0) continue;
      const dict = db.table;
      dict.pauseResize();
      const homes = dict.homeBuckets;
      const ahead = new Uint32Array((homes + 31) >>> 5);
      const progress = { db, index: db.index, dict, homes, keys: db.size, expires: db.volatileSize, next: 0, ahead };
      this.parts.push(progress);
      this.byDatabase.set(db, progress);
    }
    keyspace.guard = this;
    dump.begin();
  }

  /** Whether somebody waits. */
  get waiting(): boolean {
    return this.awaited || this.wanted.length > 0;
  }

  /** Writes for about `budgetMs`, or `keysMax` keys; true when everything is written. */
  slice(budgetMs: number, keysMax = Number.POSITIVE_INFINITY): boolean {
    const deadline = this.monotonicMs() + budgetMs;
    let look = Math.min(KEYS_PER_LOOK, keysMax);
    let left = keysMax;
    while (this.running) {
      if (this.pieces !== null) {
        if (this.pieces.next().done === true) this.leavePieces();
        look = 0;
      } else if (this.at < this.bucket.length) {
        this.writeNext();
        look--;
        left--;
      } else if (this.awaited) {
        this.awaited = false;
        this.written = true;
        return false;
      } else if (!this.nextBucket()) {
        this.finish();
        return true;
      }
      if (left <= 0) return false;
      if (look > 0) continue;
      if (this.monotonicMs() >= deadline) return false;
      look = KEYS_PER_LOOK;
    }
    return true;
  }

  /** Ends it, whatever is missing: the file is of no use. */
  abort(): void {
    if (!this.running) return;
    this.pieces?.return();
    this.pieces = null;
    this.release();
  }

  beforeChange(db: object, hash: number): void {
    const progress = this.byDatabase.get(db);
    if (progress === undefined) return;
    const home = hash & (progress.homes - 1);
    if (progress === this.current && home === this.currentHome) {
      this.finishBucket();
      return;
    }
    if (isWritten(progress, home)) return;
    markAhead(progress, home);
    this.writeHome(progress, home);
  }

  delays(db: object, hash: number): boolean {
    const progress = this.byDatabase.get(db);
    // A dump of commands has no pieces.
    if (progress === undefined || this.stream === null) return false;
    const home = hash & (progress.homes - 1);
    if (progress === this.current && home === this.currentHome) {
      const rest = this.bucket.slice(this.at);
      if ((this.pieces === null || this.draining) && !rest.some((entry) => takesLong(progress.db, entry))) return false;
      this.awaited = true;
      return true;
    }
    if (isWritten(progress, home)) return false;
    let takes = false;
    progress.dict.visitHome(home, (entry) => {
      takes ||= takesLong(progress.db, entry);
    });
    if (takes && !this.wanted.some((one) => one.progress === progress && one.home === home)) {
      this.wanted.push({ progress, home });
    }
    return takes;
  }

  beforeClear(db: object): void {
    const progress = this.byDatabase.get(db);
    if (progress === undefined) return;
    if (progress === this.current) this.finishBucket();
    for (; progress.next < progress.homes; progress.next++) {
      if (!isAhead(progress, progress.next)) this.writeHome(progress, progress.next);
    }
  }

  /** Goes to the next bucket with entries, one that is waited for first; false at the end of the last database. */
  private nextBucket(): boolean {
    for (let next = this.wanted.shift(); next !== undefined; next = this.wanted.shift()) {
      this.awaited = true;
      if (isWritten(next.progress, next.home)) continue;
      markAhead(next.progress, next.home);
      this.open(next.progress, next.home);
      return true;
    }
    while (this.part < this.parts.length) {
      const progress = this.parts[this.part];
      while (progress.next < progress.homes) {
        const home = progress.next++;
        if (!isAhead(progress, home) && this.open(progress, home)) return true;
      }
      this.bucket.length = 0;
      this.part++;
    }
    return false;
  }

  /** Makes a bucket the one that the pass is in; false when there is nothing in it. */
  private open(progress: Progress, home: number): boolean {
    this.current = progress;
    this.currentHome = home;
    this.bucket.length = 0;
    this.at = 0;
    progress.dict.visitHome(home, this.collect);
    return this.bucket.length > 0;
  }

  private readonly collect = (entry: number): void => {
    this.bucket.push(entry);
  };

  /** Writes the next entry of the pass' bucket, or begins it if it is large. */
  private writeNext(): void {
    const progress = this.current!;
    this.dump.select(progress.index, progress.keys, progress.expires);
    this.pieces = this.dump.keyInPieces(progress.db, this.bucket[this.at++]);
  }

  /** The pass' own bucket is about to change: what is left of it is written now. */
  private finishBucket(): void {
    if (this.at === this.bucket.length && (this.pieces === null || this.draining)) return;
    this.finishPieces();
    while (this.at < this.bucket.length) {
      this.writeNext();
      this.finishPieces();
    }
  }

  private writeHome(progress: Progress, home: number): void {
    const { dump } = this;
    if (this.pieces !== null) this.openAside();
    progress.dict.visitHome(home, (entry) => {
      const { db } = progress;
      dump.select(progress.index, progress.keys, progress.expires);
      dump.key(db, entry);
      this.aheadBytes += db.entryBytes(entry);
      if (!isInline(db.encoding(entry))) this.aheadBytes += db.large(entry).memoryBytes();
    });
    if (this.pieces === null) return;
    if (this.stream !== null) this.stream.dump.writer = this.stream.writer;
    if (this.asideBytes > ASIDE_BYTES_MAX) this.finishPieces();
  }

  private openAside(): void {
    if (this.asideWriter === null) {
      const keep = (chunk: Uint8Array): void => {
        this.aside.push(chunk);
        this.asideBytes += chunk.length;
      };
      this.asideWriter = new RdbWriter(keep, { checksum: false });
    }
    if (this.stream !== null) this.stream.dump.writer = this.asideWriter;
  }

  private finishPieces(): void {
    while (this.pieces !== null) {
      while (this.pieces.next().done === false);
      this.leavePieces();
    }
  }

  /** The large value is complete: what was written beside it follows, in pieces again. */
  private leavePieces(): void {
    this.pieces = null;
    this.draining = false;
    if (this.asideWriter === null || this.stream === null) return;
    this.asideWriter.flush();
    this.pieces = drain(this.stream.writer, this.aside);
    this.draining = true;
    this.aside = [];
    this.asideBytes = 0;
    this.asideWriter = null;
  }

  private finish(): void {
    this.release();
    this.dump.end();
  }

  private release(): void {
    this.running = false;
    this.written = this.written || this.waiting;
    for (const { dict } of this.parts) dict.resumeResize();
    this.byDatabase.clear();
    if (this.keyspace.guard === this) this.keyspace.guard = null;
  }
}

function* drain(writer: RdbWriter, chunks: readonly Uint8Array[]): Pieces {
  for (const chunk of chunks) {
    writer.raw(chunk, 0, chunk.length);
    yield;
  }
}

/** Whether a value is too large to be written at once. */
function takesLong(db: Database, entry: number): boolean {
  if (isInline(db.encoding(entry))) return db.entryBytes(entry) > DELAY_BYTES;
  const value = db.large(entry);
  return value.length > DELAY_ELEMENTS || value.memoryBytes() > DELAY_BYTES;
}

function isWritten(progress: Progress, home: number): boolean {
  return home < progress.next || isAhead(progress, home);
}

function markAhead(progress: Progress, home: number): void {
  progress.ahead[home >>> 5] |= 1 << (home & 31);
}

function isAhead(progress: Progress, home: number): boolean {
  return (progress.ahead[home >>> 5] & (1 << (home & 31))) !== 0;
}
