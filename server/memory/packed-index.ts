// A passing index over the elements of one packed run, for whoever looks many of them up: an open hash table of positions.
// It does not follow changes. Equal elements have equal bytes (each value has one encoding), so elements are hashed and
// compared as they stand, four bytes at a time.

import { equalBytes, viewOf } from '../base/bytes.ts';
import { PackedValue, packedEntryBytes } from './packed-entry.ts';

const SLOTS_MIN = 64;
/** Slots kept for the next index; a larger table is given up. */
const SLOTS_KEPT = 4096;
/** First size of the buffer for elements that come from elsewhere. */
const SCRATCH_BYTES = 128;
/** Odd, its bits well mixed. */
const HASH_PRIME = 0x9e3779b1 | 0;

export class PackedIndex {
  /** The memory that the run stands in. */
  private buf: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Positions of entries in `view`; 0: free. */
  private slots = new Int32Array(SLOTS_MIN);
  private mask = SLOTS_MIN - 1;
  private readonly value = new PackedValue();
  private scratch = Buffer.alloc(SCRATCH_BYTES);
  private scratchView: DataView = viewOf(this.scratch);

  /**
   * Takes in `count` entries from position `start` to `end` of `buf`, which have to stay as and where they are; `view`
   * shows the same bytes as `buf`.
   */
  build(buf: Buffer, view: DataView, start: number, end: number, count: number): this {
    let wanted = SLOTS_MIN;
    while (wanted < count * 2) wanted *= 2;
    if (this.slots.length < wanted || this.slots.length > SLOTS_KEPT) this.slots = new Int32Array(wanted);
    else this.slots.fill(0, 0, wanted);
    const { slots } = this;
    const mask = wanted - 1;
    this.mask = mask;
    this.buf = buf;
    this.view = view;
    for (let p = start; p < end; ) {
      const bytes = packedEntryBytes(buf, p);
      let slot = sampleHash(view, p, bytes) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = p;
      p += bytes;
    }
    return this;
  }

  /** Whether the entry of `bytes` bytes at position `p` of `view` is among them. */
  hasEntry(view: DataView, p: number, bytes: number): boolean {
    const { slots, mask } = this;
    for (let slot = sampleHash(view, p, bytes) & mask; ; slot = (slot + 1) & mask) {
      const at = slots[slot];
      if (at === 0) return false;
      if (packedEntryBytes(this.buf, at) === bytes && equalBytes(this.view, at, view, p, bytes)) return true;
    }
  }

  /** Whether an element of these bytes is among them. */
  has(buf: Uint8Array, pos: number, len: number): boolean {
    const value = this.value.set(buf, pos, len);
    if (value.size > this.scratch.length) {
      this.scratch = Buffer.alloc(value.size * 2);
      this.scratchView = viewOf(this.scratch);
    }
    value.write(this.scratch, 0);
    return this.hasEntry(this.scratchView, 0, value.size);
  }
}

/**
 * A quick hash of the length and the last bytes, where members of one set mostly differ. Elements that agree there are
 * gone through one by one, as without an index.
 */
function sampleHash(view: DataView, p: number, bytes: number): number {
  let hash = bytes;
  const end = p + bytes;
  if (bytes >= 8) {
    hash = Math.imul(hash ^ view.getInt32(end - 8, true), HASH_PRIME) ^ view.getInt32(end - 4, true);
  } else for (let at = p; at < end; at++) hash = Math.imul(hash, 31) + view.getUint8(at);
  hash = Math.imul(hash ^ (hash >>> 15), HASH_PRIME);
  return hash ^ (hash >>> 15);
}
