// A passing index over the elements of one listpack, for whoever looks many of them up: an open hash table of positions.
// It does not follow changes.

import { LISTPACK_FIRST, ListpackElement, ListpackValue } from './listpack.ts';
import type { Region } from './region.ts';

const SLOTS_MIN = 64;
/** Slots kept for the next index; a larger table is given up. */
const SLOTS_KEPT = 4096;
/** Odd, its bits well mixed. */
const HASH_PRIME = 0x9e3779b1 | 0;

export class ListpackIndex {
  private buf: Buffer = Buffer.alloc(0);
  /** Positions of entries in `buf`; 0: free. */
  private slots = new Int32Array(SLOTS_MIN);
  private mask = SLOTS_MIN - 1;
  private readonly element = new ListpackElement();
  private readonly value = new ListpackValue();

  /** Takes in the `count` elements of a listpack, which has to stay as and where it is. */
  build(region: Region, count: number): this {
    const { buf, pos, len } = region;
    let slots = SLOTS_MIN;
    while (slots < count * 2) slots *= 2;
    if (this.slots.length < slots || this.slots.length > SLOTS_KEPT) this.slots = new Int32Array(slots);
    else this.slots.fill(0, 0, slots);
    this.mask = slots - 1;
    this.buf = buf;
    const { element } = this;
    const end = pos + len - 1;
    for (let p = pos + LISTPACK_FIRST; p < end; ) {
      const next = p + element.readAt(buf, p);
      element.text();
      let slot = sampleHash(element.buf, element.pos, element.len) & this.mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = p;
      p = next;
    }
    return this;
  }

  has(buf: Uint8Array, pos: number, len: number): boolean {
    const value = this.value.set(buf, pos, len);
    for (let slot = sampleHash(buf, pos, len) & this.mask; ; slot = (slot + 1) & this.mask) {
      const p = this.slots[slot];
      if (p === 0) return false;
      if (value.equals(this.buf, p)) return true;
    }
  }
}

/**
 * A quick hash of the length and the last bytes, where members of one set mostly differ. Elements that agree there are
 * gone through one by one, as without an index.
 */
function sampleHash(buf: Uint8Array, pos: number, len: number): number {
  let hash = len;
  const end = pos + len;
  if (len >= 8) {
    hash ^= buf[end - 8] | (buf[end - 7] << 8) | (buf[end - 6] << 16) | (buf[end - 5] << 24);
    hash = Math.imul(hash, HASH_PRIME);
    hash ^= buf[end - 4] | (buf[end - 3] << 8) | (buf[end - 2] << 16) | (buf[end - 1] << 24);
  } else for (let p = pos; p < end; p++) hash = Math.imul(hash, 31) + buf[p];
  hash = Math.imul(hash ^ (hash >>> 15), HASH_PRIME);
  return hash ^ (hash >>> 15);
}
