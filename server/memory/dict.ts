// The hash table of fields and members, whose entries say their hash and the length of their key themselves:
//
//   word 0  next    address of the next entry in the bucket, 0 at the end
//   word 1  hash    the key's full 32-bit hash, so a resize never touches key bytes
//   word 2  klen    key length in bytes
//   ...     the owner's words; the key bytes start at `keyOffset`

import { equalBytes, viewOf } from '../base/bytes.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from './arena.ts';
import { ChainedTable } from './chained-table.ts';

export class Dict extends ChainedTable {
  private readonly keyOffset: number;

  constructor(arena: Arena, keyOffset: number) {
    super(arena);
    this.keyOffset = keyOffset;
  }

  override hashOf(entry: number): number {
    return this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + 1];
  }

  protected override findInChain(head: number, buf: Uint8Array, pos: number, len: number, hash: number): number {
    let entry = head;
    while (entry !== 0) {
      const segment = entry >>> SEGMENT_SHIFT;
      const words = this.arena.words[segment];
      const word = (entry & OFFSET_MASK) << 1;
      if (words[word + 1] === hash && words[word + 2] === len) {
        const stored = (word << 2) + this.keyOffset;
        if (equalBytes(this.arena.views[segment], stored, viewOf(buf), pos, len)) return entry;
      }
      entry = words[word];
    }
    return 0;
  }
}
