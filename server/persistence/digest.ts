// DEBUG DIGEST: 20 bytes that are equal for equal values, whatever their encoding and the order of their members; the same
// numbers that Redis computes, so data sets can be compared across servers. A value is taken apart by the RDB reader.
//
//   mix(d, x): d = sha1(d xor sha1(x))     add(d, x): d = d xor sha1(x)

import { createHash } from 'node:crypto';
import { printf17g } from '../base/numbers.ts';
import { IntsetCursor } from '../formats/rdb/intset.ts';
import { ListpackCursor } from '../formats/rdb/listpack.ts';
import type { Slice } from '../formats/rdb/slice.ts';
import type { RdbBlobKind } from '../formats/rdb/types.ts';
import { SilentVisitor } from '../formats/rdb/visitor.ts';

export const DIGEST_BYTES = 20;

export function mixDigest(digest: Buffer, bytes: Uint8Array): void {
  addDigest(digest, bytes);
  createHash('sha1').update(digest).digest().copy(digest);
}

export function addDigest(digest: Buffer, bytes: Uint8Array): void {
  const hash = createHash('sha1').update(bytes).digest();
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
    const node = Buffer.from(id.copy());
    const base = { ms: node.readBigUInt64BE(0), sequence: node.readBigUInt64BE(8) };
    const words: Buffer[] = [];
    const cursor = this.listpack;
    cursor.open(listpack.bytes, listpack.start, listpack.end);
    while (cursor.next()) words.push(Buffer.from(bytesOf(cursor.text())));
    this.streamEntries(words, base);
  }

  /** Walks a stream node's entries; see values/stream-node.ts for the layout. */
  private streamEntries(words: readonly Buffer[], base: { ms: bigint; sequence: bigint }): void {
    const number = (i: number) => Number(words[i].toString('latin1'));
    const fieldCount = number(2);
    const fields = words.slice(3, 3 + fieldCount);
    let at = 3 + fieldCount + 1;
    while (at < words.length) {
      const flags = number(at);
      const ms = BigInt.asUintN(64, base.ms + BigInt(words[at + 1].toString('latin1')));
      const sequence = BigInt.asUintN(64, base.sequence + BigInt(words[at + 2].toString('latin1')));
      const same = (flags & SAME_FIELDS) !== 0;
      const count = same ? fieldCount : number(at + 3);
      const first = same ? at + 3 : at + 4;
      if ((flags & DELETED) === 0) {
        mixDigest(this.digest, Buffer.from(`${ms}.${sequence}`, 'latin1'));
        for (let i = 0; i < count; i++) {
          mixDigest(this.digest, same ? fields[i] : words[first + i * 2]);
          mixDigest(this.digest, same ? words[first + i] : words[first + i * 2 + 1]);
        }
      }
      at = first + (same ? count : count * 2) + 1;
    }
  }

  private addPair(first: Uint8Array, second: Uint8Array): void {
    const pair = Buffer.alloc(DIGEST_BYTES);
    mixDigest(pair, first);
    mixDigest(pair, second);
    addDigest(this.digest, pair);
  }
}

const DELETED = 1;
const SAME_FIELDS = 2;

function bytesOf(slice: Slice): Uint8Array {
  return slice.bytes.subarray(slice.start, slice.end);
}
