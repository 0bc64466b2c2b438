// A passing index over the elements of one listpack, for whoever looks many of them up: an open hash table of positions.
// It does not follow changes.

import { type HashSeed, hashBytes } from '../base/hash.ts';
import { LISTPACK_FIRST, ListpackElement, ListpackValue } from './listpack.ts';
import type { Region } from './region.ts';

const SLOTS_MIN = 64;
/** Slots kept for the next index; a larger table is given up. */
const SLOTS_KEPT = 4096;

export class ListpackIndex {
  private buf: Buffer = Buffer.alloc(0);
  /** Positions of entries in `buf`; 0: free. */
  private slots = new Int32Array(SLOTS_MIN);
  private mask = SLOTS_MIN - 1;
  private readonly seed: HashSeed;
  private readonly element = new ListpackElement();
  private readonly value = new ListpackValue();

  constructor(seed: HashSeed) {
    this.seed = seed;
  }

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
      let slot = hashBytes(this.seed, element.buf, element.pos, element.len) & this.mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = p;
      p = next;
    }
    return this;
  }

  has(buf: Uint8Array, pos: number, len: number): boolean {
    const value = this.value.set(buf, pos, len);
    for (let slot = hashBytes(this.seed, buf, pos, len) & this.mask; ; slot = (slot + 1) & this.mask) {
      const p = this.slots[slot];
      if (p === 0) return false;
      if (value.equals(this.buf, p)) return true;
    }
  }
}
