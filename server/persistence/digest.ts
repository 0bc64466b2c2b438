// DEBUG DIGEST: 20 bytes that are equal for equal values, whatever their encoding and the order of their members; the same
// numbers that Redis computes, so data sets can be compared across servers. A value is taken apart by the RDB reader.
//
//   mix(d, x): d = sha1(d xor sha1(x))     add(d, x): d = d xor sha1(x)

import { printf17g } from '../base/numbers.ts';
import { SHA1_BYTES, sha1 } from '../base/sha1.ts';
import { IntsetCursor } from '../formats/rdb/intset.ts';
import { ListpackCursor } from '../formats/rdb/listpack.ts';
import type { Slice } from '../formats/rdb/slice.ts';
import type { RdbBlobKind } from '../formats/rdb/types.ts';
import { SilentVisitor } from '../formats/rdb/visitor.ts';
import { forEachStreamEntry } from './stream-entries.ts';

export const DIGEST_BYTES = SHA1_BYTES;

const hash = new Uint8Array(DIGEST_BYTES);

export function mixDigest(digest: Buffer, bytes: Uint8Array): void {
  addDigest(digest, bytes);
  sha1(digest, digest);
}

export function addDigest(digest: Buffer, bytes: Uint8Array): void {
  sha1(bytes, hash);
  for (let i = 0; i < DIGEST_BYTES; i++) digest[i] ^= hash[i];
}

/** Adds the value that a reader tells of to `digest`. */
export class DigestVisitor extends SilentVisitor {
  digest: Buffer = Buffer.alloc(DIGEST_BYTES);
  private ordered = false;
  private readonly listpack = new ListpackCursor();
  private readonly intset = new IntsetCursor();

  override string(value: Slice): void {
    mixDigest(this.digest, bytesOf(value));
  }

  override begin(kind: 'list' | 'set' | 'zset' | 'hash'): void {
    this.ordered = kind === 'list';
  }

  override element(member: Slice): void {
    if (this.ordered) mixDigest(this.digest, bytesOf(member));
    else addDigest(this.digest, bytesOf(member));
  }

  override scored(member: Slice, score: number): void {
    this.addPair(bytesOf(member), Buffer.from(printf17g(score), 'latin1'));
  }

  override pair(field: Slice, value: Slice): void {
    this.addPair(bytesOf(field), bytesOf(value));
  }

  override plainNode(value: Slice): void {
    mixDigest(this.digest, bytesOf(value));
  }

  override listpackNode(blob: Slice): void {
    const cursor = this.listpack;
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) mixDigest(this.digest, bytesOf(cursor.text()));
  }

  override blob(kind: RdbBlobKind, blob: Slice): void {
    const cursor = kind === 'set-intset' ? this.intset : this.listpack;
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) {
      if (kind === 'set-intset' || kind === 'set-listpack') {
        addDigest(this.digest, bytesOf(cursor.text()));
        continue;
      }
      const first = Buffer.from(bytesOf(cursor.text()));
      if (!cursor.next()) return;
      const isScore = kind === 'zset-listpack';
      this.addPair(first, isScore ? Buffer.from(printf17g(cursor.score()), 'latin1') : bytesOf(cursor.text()));
    }
  }

  override streamNode(id: Slice, listpack: Slice): void {
    forEachStreamEntry(id, listpack, (entryId, pairs) => {
      mixDigest(this.digest, Buffer.from(entryId.replace('-', '.'), 'latin1'));
      for (const word of pairs) mixDigest(this.digest, word);
    });
  }

  private addPair(first: Uint8Array, second: Uint8Array): void {
    const pair = Buffer.alloc(DIGEST_BYTES);
    mixDigest(pair, first);
    mixDigest(pair, second);
    addDigest(this.digest, pair);
  }
}

function bytesOf(slice: Slice): Uint8Array {
  return slice.bytes.subarray(slice.start, slice.end);
}
