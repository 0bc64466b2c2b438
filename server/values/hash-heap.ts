// The fields of one hash that have an expiry, as a binary heap with the soonest on top. It holds addresses of entries in
// the arena; where an entry keeps its expiry and its index here the caller says as `word`, the number of the entry's
// word with the low half of the expiry (then the high half, then the index).
//
// `word` differs from field to field (it follows the field's name), so the heap keeps it beside the address.

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';

const ROOM_MIN = 16;

export class FieldHeap {
  size = 0;
  private readonly arena: Arena;
  /** Pairs of address and word. */
  private slots = new Int32Array(ROOM_MIN * 2);

  constructor(arena: Arena) {
    this.arena = arena;
  }

  get bytes(): number {
    return this.slots.byteLength;
  }

  /** The entry that expires first, 0 when empty. */
  first(): number {
    return this.size === 0 ? 0 : this.slots[0];
  }

  /** Puts an entry where its expiry belongs: a new one, or one that is here already and got another expiry. */
  put(entry: number, word: number, isNew: boolean): void {
    if (isNew) {
      if (this.size * 2 === this.slots.length) this.resize(this.size * 4);
      this.place(this.size++, entry, word);
    }
    const index = this.indexOf(entry, word);
    if (!this.up(index)) this.down(index);
  }

  /** Takes an entry out. */
  remove(entry: number, word: number): void {
    const index = this.indexOf(entry, word);
    const last = --this.size;
    if (index !== last) {
      this.place(index, this.slots[last * 2], this.slots[last * 2 + 1]);
      if (!this.up(index)) this.down(index);
    }
    if (this.slots.length > ROOM_MIN * 4 && this.size * 8 < this.slots.length) this.resize(this.slots.length >>> 1);
  }

  /** The entry stands at a new address, with the same words. */
  moved(entry: number, word: number): void {
    this.slots[this.indexOf(entry, word) * 2] = entry;
  }

  private up(from: number): boolean {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (this.expiry(parent) <= this.expiry(index)) break;
      this.exchange(index, parent);
      index = parent;
    }
    return index !== from;
  }

  private down(from: number): void {
    let index = from;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= this.size) return;
      if (child + 1 < this.size && this.expiry(child + 1) < this.expiry(child)) child++;
      if (this.expiry(index) <= this.expiry(child)) return;
      this.exchange(index, child);
      index = child;
    }
  }

  private exchange(a: number, b: number): void {
    const entry = this.slots[a * 2];
    const word = this.slots[a * 2 + 1];
    this.place(a, this.slots[b * 2], this.slots[b * 2 + 1]);
    this.place(b, entry, word);
  }

  private place(index: number, entry: number, word: number): void {
    this.slots[index * 2] = entry;
    this.slots[index * 2 + 1] = word;
    this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + word + 2] = index;
  }

  private indexOf(entry: number, word: number): number {
    return this.arena.words[entry >>> SEGMENT_SHIFT][((entry & OFFSET_MASK) << 1) + word + 2];
  }

  private expiry(index: number): number {
    const entry = this.slots[index * 2];
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const at = ((entry & OFFSET_MASK) << 1) + this.slots[index * 2 + 1];
    return words[at + 1] * 4294967296 + (words[at] >>> 0);
  }

  private resize(numbers: number): void {
    const slots = new Int32Array(numbers);
    slots.set(this.slots.subarray(0, this.size * 2));
    this.slots = slots;
  }
}
