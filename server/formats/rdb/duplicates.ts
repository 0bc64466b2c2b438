// Finds a member that comes twice, holding 8 bytes per member instead of the members.

import { type HashSeed, hashBytes } from '../../base/hash.ts';
import type { Slice } from './slice.ts';

/** Collections with more members than this are not searched to their end: 2^23 members take 128 MiB. */
const MEMBERS_MAX = 1 << 23;
const SLOTS_MIN = 64;

/**
 * Members are told apart by two 32-bit hashes, of which the keyed one chooses the slot. That two different ones of a
 * million agree in both has a chance of one in 37 million.
 */
export class DuplicateFinder {
  readonly #seed: HashSeed;
  readonly #membersMax: number;
  #a = new Int32Array(SLOTS_MIN);
  #b = new Int32Array(SLOTS_MIN);
  #mask = SLOTS_MIN - 1;
  #count = 0;
  #off = false;

  /** `seed` is any number that an author of files can't foresee; `membersMax` bounds the memory. */
  constructor(seed: number, membersMax: number = MEMBERS_MAX) {
    this.#membersMax = membersMax;
    this.#seed = { k0: seed | 0, k1: 0x5bd1e995 };
  }

  /** Forgets all members and makes room for about `expected`; a larger number is met by growing. */
  clear(expected: number): void {
    this.#count = 0;
    this.#off = false;
    let slots = SLOTS_MIN;
    while (slots < expected * 2 && slots < 1 << 16) slots *= 2;
    if (slots > this.#a.length || this.#a.length > 1 << 16) {
      this.#a = new Int32Array(slots);
      this.#b = new Int32Array(slots);
    } else {
      this.#a.fill(0, 0, slots);
      this.#b.fill(0, 0, slots);
    }
    this.#mask = slots - 1;
  }

  /** False when the same member was added before. */
  add(member: Slice): boolean {
    if (this.#off) return true;
    const a = hashBytes(this.#seed, member.bytes, member.start, member.length) || 1;
    const b = secondHash(member.bytes, member.start, member.end);
    if (!this.#insert(a, b)) return false;
    if (++this.#count * 2 > this.#mask) this.#grow();
    return true;
  }

  /** Whether the member was added (or there are too many to tell). */
  has(member: Slice): boolean {
    if (this.#off) return true;
    const a = hashBytes(this.#seed, member.bytes, member.start, member.length) || 1;
    const b = secondHash(member.bytes, member.start, member.end);
    for (let slot = a & this.#mask; this.#a[slot] !== 0; slot = (slot + 1) & this.#mask) {
      if (this.#a[slot] === a && this.#b[slot] === b) return true;
    }
    return false;
  }

  #insert(a: number, b: number): boolean {
    let slot = a & this.#mask;
    while (this.#a[slot] !== 0) {
      if (this.#a[slot] === a && this.#b[slot] === b) return false;
      slot = (slot + 1) & this.#mask;
    }
    this.#a[slot] = a;
    this.#b[slot] = b;
    return true;
  }

  #grow(): void {
    if (this.#count >= this.#membersMax) {
      this.#off = true;
      return;
    }
    const slots = (this.#mask + 1) * 2;
    const a = this.#a;
    const b = this.#b;
    const old = this.#mask + 1;
    this.#a = new Int32Array(slots);
    this.#b = new Int32Array(slots);
    this.#mask = slots - 1;
    for (let i = 0; i < old; i++) if (a[i] !== 0) this.#insert(a[i], b[i]);
  }
}

/** Another hash than the first, cheaper: four bytes a step. */
function secondHash(b: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let p = start;
  for (const words = end - 3; p < words; p += 4) {
    const word = b[p] | (b[p + 1] << 8) | (b[p + 2] << 16) | (b[p + 3] << 24);
    hash = Math.imul((hash << 13) ^ (hash >>> 19) ^ Math.imul(word, 0xcc9e2d51), 0x1b873593);
  }
  for (; p < end; p++) hash = Math.imul(hash ^ b[p], 0x01000193) ^ (hash >>> 15);
  return hash ^ (hash >>> 16);
}
