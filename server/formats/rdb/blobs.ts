// Validates packed collections as Redis does when it sanitizes a dump: header and length always, on request (`deep`) every
// entry, pairs being pairs, and no member twice.

import type { DuplicateFinder } from './duplicates.ts';
import { validateIntset } from './intset.ts';
import { ListpackCursor, validateListpack } from './listpack.ts';
import { isNan, type PackedCursor } from './packed.ts';
import type { Slice } from './slice.ts';
import type { RdbBlobKind } from './types.ts';
import { validateZiplist, ZiplistCursor } from './ziplist.ts';
import { validateZipmap, ZipmapCursor } from './zipmap.ts';

/** How many entries of a blob make one member; 1: members only, 2: member and value or score, 3: and expiry. */
const STRIDE: Record<RdbBlobKind, number> = {
  'hash-zipmap': 2,
  'list-ziplist': 1,
  'set-intset': 1,
  'zset-ziplist': 2,
  'hash-ziplist': 2,
  'hash-listpack': 2,
  'zset-listpack': 2,
  'set-listpack': 1,
  'hash-listpack-expiry': 3,
};

/** What redis-check-rdb says when the blob of that kind is broken. */
export const BLOB_MESSAGE: Record<RdbBlobKind, string> = {
  'hash-zipmap': 'Zipmap integrity check failed.',
  'list-ziplist': 'List ziplist integrity check failed.',
  'set-intset': 'Intset integrity check failed.',
  'zset-ziplist': 'Zset ziplist integrity check failed.',
  'hash-ziplist': 'Hash ziplist integrity check failed.',
  'hash-listpack': 'Hash listpack integrity check failed.',
  'zset-listpack': 'Zset listpack integrity check failed.',
  'set-listpack': 'Set listpack integrity check failed.',
  'hash-listpack-expiry': 'Hash listpackex integrity check failed.',
};

/** The score of a member is the text "nan". */
export const NAN_SCORE = -2;

export class BlobValidator {
  readonly #ziplist = new ZiplistCursor();
  readonly #zipmap = new ZipmapCursor();
  readonly #listpack = new ListpackCursor();
  readonly #duplicates: DuplicateFinder;
  readonly #deep: boolean;

  constructor(duplicates: DuplicateFinder, deep: boolean) {
    this.#duplicates = duplicates;
    this.#deep = deep;
  }

  /** Number of entries (a pair counts as two) of a sound blob, -1 of a broken one, or NAN_SCORE. */
  count(kind: RdbBlobKind, blob: Slice): number {
    const entries = this.#entries(kind, blob);
    const stride = STRIDE[kind];
    if (entries <= 0 || !this.#deep) return entries;
    if (entries % stride !== 0) return -1;
    if (kind === 'list-ziplist' || kind === 'set-intset') return entries;
    const cursor = this.#cursor(kind);
    const sound = this.#membersDiffer(cursor, blob, entries, stride);
    if (sound && stride === 2 && kind.startsWith('zset') && hasNanScore(cursor, blob)) return NAN_SCORE;
    return sound ? entries : -1;
  }

  /** Entries of a list node, or -1. */
  listpack(blob: Slice): number {
    return validateListpack(blob.bytes, blob.start, blob.end, this.#deep);
  }

  ziplist(blob: Slice): number {
    return validateZiplist(this.#ziplist, blob.bytes, blob.start, blob.end, this.#deep);
  }

  #entries(kind: RdbBlobKind, blob: Slice): number {
    if (kind === 'hash-zipmap') {
      const pairs = validateZipmap(this.#zipmap, blob.bytes, blob.start, blob.end);
      return pairs < 0 ? -1 : pairs * 2;
    }
    if (kind === 'set-intset') return validateIntset(blob.bytes, blob.start, blob.end, this.#deep);
    return kind.endsWith('ziplist') ? this.ziplist(blob) : this.listpack(blob);
  }

  #cursor(kind: RdbBlobKind): PackedCursor {
    if (kind === 'hash-zipmap') return this.#zipmap;
    return kind.endsWith('ziplist') ? this.#ziplist : this.#listpack;
  }

  #membersDiffer(cursor: PackedCursor, blob: Slice, entries: number, stride: number): boolean {
    this.#duplicates.clear(entries / stride);
    cursor.open(blob.bytes, blob.start, blob.end);
    for (let at = 0; cursor.next(); at++) {
      if (at % stride === 0 && !this.#duplicates.add(cursor.text())) return false;
    }
    return true;
  }
}

function hasNanScore(cursor: PackedCursor, blob: Slice): boolean {
  cursor.open(blob.bytes, blob.start, blob.end);
  for (let at = 0; cursor.next(); at++) {
    if (at % 2 === 1 && !cursor.isInteger && isNan(cursor.element)) return true;
  }
  return false;
}
