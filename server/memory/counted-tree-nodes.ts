// The nodes of the counted tree: how they lie in the arena, and what is done to one or two of them. counted-tree.ts
// walks and balances.
//
//   leaf   word 0 count | word 1 first used slot | word 2 next leaf | word 3 previous leaf | scores | entries
//   inner  word 0 count | 3 words unused | lowest score per child | lowest entry per child | child | elements below it
//
// A leaf's used slots may start anywhere, so that popping from either end moves nothing. Every score and entry that an
// inner node names is the first element below that child.

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from './arena.ts';

/** A node with fewer used slots looks for a neighbour to join. */
export const LEAF_LOW = 16;
export const FANOUT_LOW = 10;
/** Joined nodes keep room, so that the next insert does not split them again. */
export const LEAF_JOINED_MAX = 48;
export const FANOUT_JOINED_MAX = 28;
/** Enough for more elements than the arena can hold. */
export const LEVELS_MAX = 16;

const NODE_BYTES = 768;
export const LEAF_SLOTS = 62;
export const FANOUT = 37;

export const COUNT = 0;
export const FIRST = 1;
export const NEXT = 2;
export const PREVIOUS = 3;
/** Scores start at double 2 of a node (byte 16); the words after them follow at these word offsets. */
export const SCORES = 2;
export const LEAF_ENTRIES = 4 + LEAF_SLOTS * 2;
export const INNER_ENTRIES = 4 + FANOUT * 2;
export const INNER_CHILDREN = INNER_ENTRIES + FANOUT;
export const INNER_COUNTS = INNER_CHILDREN + FANOUT;

export class TreeNodes {
  protected readonly arena: Arena;
  protected readonly keyOffset: number;
  private nodes = 0;

  constructor(arena: Arena, keyOffset: number) {
    this.arena = arena;
    this.keyOffset = keyOffset;
  }

  /** Bytes of all nodes. */
  get memoryBytes(): number {
    return this.nodes * NODE_BYTES;
  }

  /** Puts an element at place `at` of a leaf with room, moving the shorter side when both have room. */
  protected putIntoLeaf(leaf: number, at: number, score: number, entry: number): void {
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    const doubles = this.arena.doubles[leaf >>> SEGMENT_SHIFT];
    const scores = (leaf & OFFSET_MASK) + SCORES;
    const entries = base + LEAF_ENTRIES;
    const first = words[base + FIRST];
    const count = words[base + COUNT]++;
    let slot = first + at;
    if (first > 0 && (at < count >>> 1 || first + count === LEAF_SLOTS)) {
      for (let i = first; i < slot; i++) {
        doubles[scores + i - 1] = doubles[scores + i];
        words[entries + i - 1] = words[entries + i];
      }
      words[base + FIRST] = first - 1;
      slot--;
    } else {
      for (let i = first + count; i > slot; i--) {
        doubles[scores + i] = doubles[scores + i - 1];
        words[entries + i] = words[entries + i - 1];
      }
    }
    doubles[scores + slot] = score;
    words[entries + slot] = entry;
  }

  /** Moves a leaf's elements from `cut` on to a new leaf at its right. */
  protected splitLeaf(leaf: number, cut: number): number {
    const right = this.newNode();
    this.clearLeaf(right);
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    const target = this.wordsOf(right);
    const to = wordOf(right);
    const count = words[base + COUNT];
    this.copyElements(leaf, words[base + FIRST] + cut, count - cut, right, 0);
    words[base + COUNT] = cut;
    target[to + COUNT] = count - cut;
    const next = words[base + NEXT];
    target[to + NEXT] = next;
    target[to + PREVIOUS] = leaf;
    words[base + NEXT] = right;
    if (next !== 0) this.wordsOf(next)[wordOf(next) + PREVIOUS] = right;
    if (cut === 0) words[base + FIRST] = LEAF_SLOTS - 1;
    return right;
  }

  protected splitInner(node: number, cut: number): number {
    const right = this.newNode();
    const words = this.wordsOf(node);
    const count = words[wordOf(node) + COUNT];
    this.copyChildren(node, cut, count - cut, right, 0);
    words[wordOf(node) + COUNT] = cut;
    this.wordsOf(right)[wordOf(right) + COUNT] = count - cut;
    return right;
  }

  protected insertChild(node: number, slot: number, child: number, count: number, childLevel: number): void {
    const words = this.wordsOf(node);
    const base = wordOf(node);
    this.copyChildren(node, slot, words[base + COUNT] - slot, node, slot + 1);
    words[base + COUNT]++;
    this.setChild(node, slot, child, count, childLevel);
  }

  /** Fills a child's slot. `childLevel` is 0 when the child is a leaf. */
  protected setChild(node: number, slot: number, child: number, count: number, childLevel: number): void {
    const words = this.wordsOf(node);
    const base = wordOf(node);
    words[base + INNER_CHILDREN + slot] = child;
    words[base + INNER_COUNTS + slot] = count;
    const below = this.wordsOf(child);
    const from = wordOf(child);
    const at = childLevel === 0 ? below[from + FIRST] : 0;
    words[base + INNER_ENTRIES + slot] = below[from + (childLevel === 0 ? LEAF_ENTRIES : INNER_ENTRIES) + at];
    this.arena.doubles[node >>> SEGMENT_SHIFT][(node & OFFSET_MASK) + SCORES + slot] =
      this.arena.doubles[child >>> SEGMENT_SHIFT][(child & OFFSET_MASK) + SCORES + at];
  }

  protected unlinkLeaf(leaf: number): void {
    const words = this.wordsOf(leaf);
    const next = words[wordOf(leaf) + NEXT];
    const previous = words[wordOf(leaf) + PREVIOUS];
    if (next !== 0) this.wordsOf(next)[wordOf(next) + PREVIOUS] = previous;
    if (previous !== 0) this.wordsOf(previous)[wordOf(previous) + NEXT] = next;
    this.releaseNode(leaf);
  }

  /** Elements below a node. */
  protected countOf(node: number, isLeaf: boolean): number {
    const words = this.wordsOf(node);
    const base = wordOf(node);
    const count = words[base + COUNT];
    if (isLeaf) return count;
    let sum = 0;
    for (let slot = 0; slot < count; slot++) sum += words[base + INNER_COUNTS + slot];
    return sum;
  }

  protected childCount(node: number): number {
    return this.wordsOf(node)[wordOf(node) + COUNT];
  }

  protected firstScore(leaf: number): number {
    const first = this.wordsOf(leaf)[wordOf(leaf) + FIRST];
    return this.arena.doubles[leaf >>> SEGMENT_SHIFT][(leaf & OFFSET_MASK) + SCORES + first];
  }

  /**
   * Compares a stored entry's key with another entry's, whose bytes begin at word `word` of `own`: memory order, then
   * length. Four bytes at a time, as keys begin at a whole word in both.
   */
  protected compareKey(entry: number, own: Int32Array, word: number, len: number): number {
    const words = this.wordsOf(entry);
    const stored = words[wordOf(entry) + 2];
    const shorter = Math.min(stored, len);
    let at = wordOf(entry) + (this.keyOffset >> 2);
    let from = word;
    for (const end = at + (shorter >> 2); at < end; at++, from++) {
      const difference = words[at] ^ own[from];
      if (difference !== 0) return byteOrder(words[at], own[from], difference);
    }
    const difference = (words[at] ^ own[from]) & ((1 << ((shorter & 3) << 3)) - 1);
    return difference === 0 ? stored - len : byteOrder(words[at], own[from], difference);
  }

  protected copyElements(from: number, start: number, count: number, to: number, at: number): void {
    this.copyDoubles(from, start, count, to, at);
    this.copyWords(from, LEAF_ENTRIES + start, count, to, LEAF_ENTRIES + at);
  }

  protected copyChildren(from: number, start: number, count: number, to: number, at: number): void {
    this.copyDoubles(from, start, count, to, at);
    this.copyWords(from, INNER_ENTRIES + start, count, to, INNER_ENTRIES + at);
    this.copyWords(from, INNER_CHILDREN + start, count, to, INNER_CHILDREN + at);
    this.copyWords(from, INNER_COUNTS + start, count, to, INNER_COUNTS + at);
  }

  /** Copies scores; the ranges may overlap. */
  protected copyDoubles(from: number, start: number, count: number, to: number, at: number): void {
    const source = this.arena.doubles[from >>> SEGMENT_SHIFT];
    const target = this.arena.doubles[to >>> SEGMENT_SHIFT];
    const s = (from & OFFSET_MASK) + SCORES + start;
    const t = (to & OFFSET_MASK) + SCORES + at;
    if (from === to && s < t) for (let i = count - 1; i >= 0; i--) target[t + i] = source[s + i];
    else for (let i = 0; i < count; i++) target[t + i] = source[s + i];
  }

  protected copyWords(from: number, start: number, count: number, to: number, at: number): void {
    const source = this.wordsOf(from);
    const target = this.wordsOf(to);
    const s = wordOf(from) + start;
    const t = wordOf(to) + at;
    if (from === to && s < t) for (let i = count - 1; i >= 0; i--) target[t + i] = source[s + i];
    else for (let i = 0; i < count; i++) target[t + i] = source[s + i];
  }

  protected newNode(): number {
    this.nodes++;
    return this.arena.alloc(NODE_BYTES);
  }

  protected clearLeaf(leaf: number): void {
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    words[base + COUNT] = 0;
    words[base + FIRST] = 0;
    words[base + NEXT] = 0;
    words[base + PREVIOUS] = 0;
  }

  protected releaseNode(node: number): void {
    this.nodes--;
    this.arena.free(node, NODE_BYTES);
  }

  protected freeNode(node: number, level: number): void {
    if (level > 0) {
      const words = this.wordsOf(node);
      const base = wordOf(node);
      for (let slot = words[base + COUNT] - 1; slot >= 0; slot--) {
        this.freeNode(words[base + INNER_CHILDREN + slot], level - 1);
      }
    }
    this.releaseNode(node);
  }

  protected wordsOf(address: number): Int32Array {
    return this.arena.words[address >>> SEGMENT_SHIFT];
  }
}

/** The index of an address' first word in its segment. */
export function wordOf(address: number): number {
  return (address & OFFSET_MASK) << 1;
}

/** Compares the first bytes, in memory order, in which two words differ; `difference` has bits of those that count. */
function byteOrder(a: number, b: number, difference: number): number {
  const shift = (31 - Math.clz32(difference & -difference)) & 24;
  return ((a >>> shift) & 255) - ((b >>> shift) & 255);
}
