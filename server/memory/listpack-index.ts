// A passing index over the elements of one listpack, for whoever looks many of them up: an open hash table of positions.
// It does not follow changes.

import { LISTPACK_FIRST, ListpackElement, ListpackValue } from './listpack.ts';
import type { Region } from './region.ts';

const SLOTS_MIN = 64;
/** Slots kept for the next index; a larger table is given up. */
const SLOTS_KEPT = 4096;
/** The bytes of an element that its hash looks at. */
const FIRST_BYTES = 4;
const LAST_BYTES = 12;
const FNV_PRIME = 0x01000193;

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

/** A quick hash (FNV) of both ends. Elements that agree there are gone through one by one, as without an index. */
function sampleHash(buf: Uint8Array, pos: number, len: number): number {
  let hash = len;
  const end = pos + len;
  const last = Math.max(pos, end - LAST_BYTES);
  for (let p = pos, stop = Math.min(last, pos + FIRST_BYTES); p < stop; p++) hash = Math.imul(hash ^ buf[p], FNV_PRIME);
  for (let p = last; p < end; p++) hash = Math.imul(hash ^ buf[p], FNV_PRIME);
  return hash ^ (hash >>> 15);
}
