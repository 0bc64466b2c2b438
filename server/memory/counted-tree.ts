// The order of a sorted set: a B+tree over entries in the arena, sorted by score and then by the bytes of their keys,
// that counts. Finding, inserting, removing, the rank of an element and the element of a rank all take O(log n).
// It knows of an entry: word 2 is its key's length and the key's bytes start at `keyOffset`. It owns its nodes only.

import { OFFSET_MASK, SEGMENT_SHIFT } from './arena.ts';
import {
  COUNT,
  FANOUT,
  FANOUT_JOINED_MAX,
  FANOUT_LOW,
  FIRST,
  INNER_CHILDREN,
  INNER_COUNTS,
  INNER_ENTRIES,
  LEAF_ENTRIES,
  LEAF_JOINED_MAX,
  LEAF_LOW,
  LEAF_SLOTS,
  LEVELS_MAX,
  NEXT,
  PREVIOUS,
  SCORES,
  TreeNodes,
  wordOf,
} from './counted-tree-nodes.ts';

/** The way from the root to the leaf of the last search: nodes and the child taken in each. Shared: nothing reenters. */
const pathNode = new Int32Array(LEVELS_MAX);
const pathSlot = new Int32Array(LEVELS_MAX);

/** The most entries takeRun gives at once. */
export const RUN_MAX = LEAF_SLOTS;

/** Where a range begins: `reached` tells whether an element lies at or behind it. */
export interface TreeBound {
  reached(score: number, entry: number): boolean;
}

export class CountedTree extends TreeNodes {
  /** Number of elements. */
  size = 0;
  private root = 0;
  /** Levels of inner nodes above the leaves. */
  private height = 0;
  private cursorLeaf = 0;
  private cursorSlot = 0;

  /** Adds an entry whose key bytes are written already. It must not be there. */
  insert(score: number, entry: number): void {
    this.size++;
    if (this.root === 0) {
      this.root = this.newNode();
      this.clearLeaf(this.root);
    }
    const at = this.locate(score, entry);
    const leaf = pathNode[this.height];
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    for (let level = 0; level < this.height; level++) this.addBelow(level, 1);
    if (words[base + COUNT] < LEAF_SLOTS) {
      this.putIntoLeaf(leaf, at, score, entry);
    } else {
      this.splitAndPut(leaf, at, score, entry);
      return;
    }
    if (at === 0) this.lowerFirst(score, entry);
  }

  /** Removes an entry that is there with this score. */
  remove(score: number, entry: number): void {
    const at = this.locate(score, entry);
    this.removeFromPath(at, 1);
  }

  /**
   * Changes an entry's score. The common case, that it keeps its place between its neighbours, changes one slot.
   */
  update(oldScore: number, entry: number, score: number): void {
    const at = this.locate(oldScore, entry);
    const leaf = pathNode[this.height];
    if (this.staysBetween(leaf, at, score, entry)) {
      const slot = this.wordsOf(leaf)[wordOf(leaf) + FIRST] + at;
      this.arena.doubles[leaf >>> SEGMENT_SHIFT][(leaf & OFFSET_MASK) + SCORES + slot] = score;
      if (at === 0) this.lowerFirst(score, entry);
      return;
    }
    this.removeFromPath(at, 1);
    this.insert(score, entry);
  }

  /** The 0-based rank of an entry that is there with this score. */
  rank(score: number, entry: number): number {
    return this.locate(score, entry) + this.before();
  }

  /** Removes up to `count` elements from rank `rank` on; `removed` gets each entry and may free it. */
  removeRange(rank: number, count: number, removed: (entry: number, score: number) => void): void {
    let rest = Math.min(count, this.size - rank);
    while (rest > 0) {
      const at = this.descendToRank(rank);
      const leaf = pathNode[this.height];
      const words = this.wordsOf(leaf);
      const base = wordOf(leaf);
      const run = Math.min(rest, words[base + COUNT] - at);
      const slot = words[base + FIRST] + at;
      const doubles = this.arena.doubles[leaf >>> SEGMENT_SHIFT];
      for (let i = slot; i < slot + run; i++) {
        // Read before the removal: the slots are still as they were.
        removedEntries[i - slot] = words[base + LEAF_ENTRIES + i];
        removedScores[i - slot] = doubles[(leaf & OFFSET_MASK) + SCORES + i];
      }
      this.removeFromPath(at, run);
      for (let i = 0; i < run; i++) removed(removedEntries[i], removedScores[i]);
      rest -= run;
    }
  }

  // --- cursor: one per tree, valid until the tree changes ---

  /** Puts the cursor on the element of a rank (0 to size - 1). */
  seekRank(rank: number): void {
    this.cursorSlot = this.descendToRank(rank);
    this.setCursorLeaf();
  }

  /** Puts the cursor on the first element that a bound has reached; returns its rank, or size when there is none. */
  seek(bound: TreeBound): number {
    if (this.root === 0) return 0;
    let node = this.root;
    for (let level = 0; level < this.height; level++) {
      const slot = this.childBefore(node, bound);
      pathNode[level] = node;
      pathSlot[level] = slot;
      node = this.wordsOf(node)[wordOf(node) + INNER_CHILDREN + slot];
    }
    const words = this.wordsOf(node);
    const base = wordOf(node);
    const first = words[base + FIRST];
    const doubles = this.arena.doubles[node >>> SEGMENT_SHIFT];
    const scores = (node & OFFSET_MASK) + SCORES + first;
    let low = 0;
    let high = words[base + COUNT];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bound.reached(doubles[scores + middle], words[base + LEAF_ENTRIES + first + middle])) high = middle;
      else low = middle + 1;
    }
    return this.arrive(node, low);
  }

  /** seek() for the first element with a score of at least `score`, or, if `above`, with a higher one. */
  seekScore(score: number, above: boolean): number {
    if (this.root === 0) return 0;
    let node = this.root;
    for (let level = 0; level <= this.height; level++) {
      const words = this.wordsOf(node);
      const base = wordOf(node);
      const inner = level < this.height;
      const doubles = this.arena.doubles[node >>> SEGMENT_SHIFT];
      const scores = (node & OFFSET_MASK) + SCORES + (inner ? 0 : words[base + FIRST]);
      let low = inner ? 1 : 0;
      let high = words[base + COUNT];
      while (low < high) {
        const middle = (low + high) >>> 1;
        const there = doubles[scores + middle];
        if (there > score || (there === score && !above)) high = middle;
        else low = middle + 1;
      }
      if (!inner) return this.arrive(node, low);
      pathNode[level] = node;
      pathSlot[level] = low - 1;
      node = words[base + INNER_CHILDREN + low - 1];
    }
    return 0;
  }

  /** The path to a leaf stands: puts the cursor on a place in it, or behind it, and returns its rank. */
  private arrive(leaf: number, place: number): number {
    pathNode[this.height] = leaf;
    const rank = place + this.before();
    this.cursorSlot = place;
    this.setCursorLeaf();
    if (place === this.wordsOf(leaf)[wordOf(leaf) + COUNT]) {
      this.cursorSlot--;
      this.next();
    }
    return rank;
  }

  /** Whether the cursor stands on an element. */
  get valid(): boolean {
    return this.cursorLeaf !== 0;
  }

  get entry(): number {
    return this.wordsOf(this.cursorLeaf)[wordOf(this.cursorLeaf) + LEAF_ENTRIES + this.cursorSlot];
  }

  get score(): number {
    const leaf = this.cursorLeaf;
    return this.arena.doubles[leaf >>> SEGMENT_SHIFT][(leaf & OFFSET_MASK) + SCORES + this.cursorSlot];
  }

  /** Moves the cursor to the next element; invalid behind the last. */
  next(): void {
    const words = this.wordsOf(this.cursorLeaf);
    const base = wordOf(this.cursorLeaf);
    if (++this.cursorSlot < words[base + FIRST] + words[base + COUNT]) return;
    const leaf = words[base + NEXT];
    this.cursorLeaf = leaf;
    if (leaf !== 0) this.cursorSlot = this.wordsOf(leaf)[wordOf(leaf) + FIRST];
  }

  /** Moves the cursor to the previous element; invalid before the first. */
  previous(): void {
    const words = this.wordsOf(this.cursorLeaf);
    const base = wordOf(this.cursorLeaf);
    if (--this.cursorSlot >= words[base + FIRST]) return;
    const leaf = words[base + PREVIOUS];
    this.cursorLeaf = leaf;
    if (leaf === 0) return;
    const before = this.wordsOf(leaf);
    this.cursorSlot = before[wordOf(leaf) + FIRST] + before[wordOf(leaf) + COUNT] - 1;
  }

  /**
   * Copies up to `count` entries from the cursor on (backwards: down) into `into` and moves the cursor behind them; it
   * gives at most a leaf's entries, RUN_MAX, at a time. Returns how many.
   */
  takeRun(into: Int32Array, count: number, backwards: boolean): number {
    const leaf = this.cursorLeaf;
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    const first = words[base + FIRST];
    const slot = this.cursorSlot;
    const run = Math.min(count, backwards ? slot - first + 1 : first + words[base + COUNT] - slot);
    const entries = base + LEAF_ENTRIES + slot;
    if (backwards) for (let i = 0; i < run; i++) into[i] = words[entries - i];
    else for (let i = 0; i < run; i++) into[i] = words[entries + i];
    this.cursorSlot = backwards ? slot - run + 1 : slot + run - 1;
    if (backwards) this.previous();
    else this.next();
    return run;
  }

  /** Gives all nodes back; entries are the owner's. */
  free(): void {
    if (this.root !== 0) this.freeNode(this.root, this.height);
    this.root = 0;
    this.height = 0;
    this.size = 0;
  }

  // --- searching ---

  /** Goes down to where (score, entry's key) stands or belongs, noting the way; returns the place in the leaf. */
  private locate(score: number, entry: number): number {
    const keys = this.wordsOf(entry);
    const word = wordOf(entry) + (this.keyOffset >> 2);
    const len = keys[wordOf(entry) + 2];
    let node = this.root;
    for (let level = 0; level < this.height; level++) {
      const slot = this.childFor(node, score, keys, word, len);
      pathNode[level] = node;
      pathSlot[level] = slot;
      node = this.wordsOf(node)[wordOf(node) + INNER_CHILDREN + slot];
    }
    pathNode[this.height] = node;
    const words = this.wordsOf(node);
    const base = wordOf(node);
    const first = words[base + FIRST];
    const doubles = this.arena.doubles[node >>> SEGMENT_SHIFT];
    const scores = (node & OFFSET_MASK) + SCORES + first;
    let low = 0;
    let high = words[base + COUNT];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = doubles[scores + middle];
      if (
        there < score ||
        (there === score && this.compareKey(words[base + LEAF_ENTRIES + first + middle], keys, word, len) < 0)
      ) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** The last child whose first element is not behind (score, key). */
  private childFor(node: number, score: number, keys: Int32Array, word: number, len: number): number {
    const words = this.wordsOf(node);
    const base = wordOf(node);
    const doubles = this.arena.doubles[node >>> SEGMENT_SHIFT];
    const scores = (node & OFFSET_MASK) + SCORES;
    let low = 1;
    let high = words[base + COUNT];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = doubles[scores + middle];
      if (
        there < score ||
        (there === score && this.compareKey(words[base + INNER_ENTRIES + middle], keys, word, len) <= 0)
      ) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }

  /** The last child whose first element has not reached the bound. */
  private childBefore(node: number, bound: TreeBound): number {
    const words = this.wordsOf(node);
    const base = wordOf(node);
    const doubles = this.arena.doubles[node >>> SEGMENT_SHIFT];
    const scores = (node & OFFSET_MASK) + SCORES;
    let low = 1;
    let high = words[base + COUNT];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bound.reached(doubles[scores + middle], words[base + INNER_ENTRIES + middle])) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  private descendToRank(rank: number): number {
    let rest = rank;
    let node = this.root;
    for (let level = 0; level < this.height; level++) {
      const words = this.wordsOf(node);
      const base = wordOf(node);
      let slot = 0;
      while (rest >= words[base + INNER_COUNTS + slot]) {
        rest -= words[base + INNER_COUNTS + slot];
        slot++;
      }
      pathNode[level] = node;
      pathSlot[level] = slot;
      node = words[base + INNER_CHILDREN + slot];
    }
    pathNode[this.height] = node;
    return rest;
  }

  /** Number of elements left of the path's leaf. */
  private before(): number {
    let sum = 0;
    for (let level = 0; level < this.height; level++) {
      const words = this.wordsOf(pathNode[level]);
      const counts = wordOf(pathNode[level]) + INNER_COUNTS;
      for (let slot = pathSlot[level] - 1; slot >= 0; slot--) sum += words[counts + slot];
    }
    return sum;
  }

  /** The path's leaf and a place in it become the cursor. */
  private setCursorLeaf(): void {
    this.cursorLeaf = pathNode[this.height];
    this.cursorSlot += this.wordsOf(this.cursorLeaf)[wordOf(this.cursorLeaf) + FIRST];
  }

  /** Whether an entry at place `at` of a leaf would keep its place with another score. */
  private staysBetween(leaf: number, at: number, score: number, entry: number): boolean {
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    const first = words[base + FIRST];
    const count = words[base + COUNT];
    const previous = words[base + PREVIOUS];
    if (at > 0) {
      if (!this.inOrder(leaf, first + at - 1, score, entry, true)) return false;
    } else if (previous !== 0) {
      const before = this.wordsOf(previous);
      const last = before[wordOf(previous) + FIRST] + before[wordOf(previous) + COUNT] - 1;
      if (!this.inOrder(previous, last, score, entry, true)) return false;
    }
    if (at < count - 1) return this.inOrder(leaf, first + at + 1, score, entry, false);
    const next = words[base + NEXT];
    return next === 0 || this.inOrder(next, this.wordsOf(next)[wordOf(next) + FIRST], score, entry, false);
  }

  /** Whether the element in a leaf's slot comes before (score, entry's key), or, if not `before`, behind it. */
  private inOrder(leaf: number, slot: number, score: number, entry: number, before: boolean): boolean {
    const there = this.arena.doubles[leaf >>> SEGMENT_SHIFT][(leaf & OFFSET_MASK) + SCORES + slot];
    if (there !== score) return there < score === before;
    const keys = this.wordsOf(entry);
    const word = wordOf(entry) + (this.keyOffset >> 2);
    const len = keys[wordOf(entry) + 2];
    const other = this.wordsOf(leaf)[wordOf(leaf) + LEAF_ENTRIES + slot];
    return this.compareKey(other, keys, word, len) < 0 === before;
  }

  // --- inserting ---

  /** A full leaf: splits it (at the end when elements come in order) and puts the element into the right half. */
  private splitAndPut(leaf: number, at: number, score: number, entry: number): void {
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    let cut = LEAF_SLOTS >>> 1;
    if (at === LEAF_SLOTS && words[base + NEXT] === 0) cut = LEAF_SLOTS;
    else if (at === 0 && words[base + PREVIOUS] === 0) cut = 0;
    const right = this.splitLeaf(leaf, cut);
    if (at > cut || cut === LEAF_SLOTS) this.putIntoLeaf(right, at - cut, score, entry);
    else this.putIntoLeaf(leaf, at, score, entry);
    if (at === 0) this.lowerFirst(score, entry);
    this.linkRight(this.height - 1, leaf, right);
  }

  /** Makes `right` the child after `left` in the path's node of `level`, splitting upwards as needed. */
  private linkRight(level: number, left: number, right: number): void {
    const leftCount = this.countOf(left, level + 1 === this.height);
    const rightCount = this.countOf(right, level + 1 === this.height);
    if (level < 0) {
      const root = this.newNode();
      this.wordsOf(root)[wordOf(root) + COUNT] = 2;
      this.setChild(root, 0, left, leftCount, this.height);
      this.setChild(root, 1, right, rightCount, this.height);
      this.root = root;
      this.height++;
      return;
    }
    let node = pathNode[level];
    let slot = pathSlot[level];
    this.wordsOf(node)[wordOf(node) + INNER_COUNTS + slot] = leftCount;
    let sibling = 0;
    if (this.wordsOf(node)[wordOf(node) + COUNT] === FANOUT) {
      const parent = node;
      const cut = slot === FANOUT - 1 ? FANOUT - 1 : FANOUT >>> 1;
      sibling = this.splitInner(node, cut);
      if (slot >= cut) {
        node = sibling;
        slot -= cut;
      }
      this.insertChild(node, slot + 1, right, rightCount, this.height - 1 - level);
      this.linkRight(level - 1, parent, sibling);
      return;
    }
    this.insertChild(node, slot + 1, right, rightCount, this.height - 1 - level);
  }

  // --- removing ---

  /** Removes `count` elements at place `at` of the path's leaf, which holds them all. */
  private removeFromPath(at: number, count: number): void {
    const leaf = pathNode[this.height];
    this.size -= count;
    for (let level = 0; level < this.height; level++) this.addBelow(level, -count);
    const words = this.wordsOf(leaf);
    const base = wordOf(leaf);
    const first = words[base + FIRST];
    const rest = words[base + COUNT] - at - count;
    if (at < rest) {
      this.copyElements(leaf, first, at, leaf, first + count);
      words[base + FIRST] = first + count;
    } else {
      this.copyElements(leaf, first + at + count, rest, leaf, first + at);
    }
    const left = words[base + COUNT] - count;
    words[base + COUNT] = left;
    if (left === 0) {
      this.unlinkLeaf(leaf);
      this.removeChild(this.height - 1);
      return;
    }
    if (at === 0) this.lowerFirst(this.firstScore(leaf), words[base + LEAF_ENTRIES + words[base + FIRST]]);
    if (left < LEAF_LOW && this.height > 0) this.joinLeaf(leaf);
  }

  /** Takes the path's child out of its node at `level`; an emptied node goes, too. */
  private removeChild(level: number): void {
    if (level < 0) {
      this.root = 0;
      this.height = 0;
      return;
    }
    const node = pathNode[level];
    const slot = pathSlot[level];
    const words = this.wordsOf(node);
    const base = wordOf(node);
    this.copyChildren(node, slot + 1, words[base + COUNT] - slot - 1, node, slot);
    const left = --words[base + COUNT];
    if (left === 0) {
      this.releaseNode(node);
      this.removeChild(level - 1);
      return;
    }
    if (slot === 0) this.passFirstUp(level);
    this.shrink(level, left);
  }

  /** After a node at `level` lost a child: drops a root with one child, joins a node that became low. */
  private shrink(level: number, left: number): void {
    if (level > 0) {
      if (left < FANOUT_LOW) this.joinInner(level);
      return;
    }
    while (this.height > 0) {
      const root = this.root;
      const words = this.wordsOf(root);
      if (words[wordOf(root) + COUNT] > 1) return;
      this.root = words[wordOf(root) + INNER_CHILDREN];
      this.height--;
      this.releaseNode(root);
    }
  }

  /** Joins the path's leaf with a neighbour under the same node when both fit into one. */
  private joinLeaf(leaf: number): void {
    const level = this.height - 1;
    const parent = this.wordsOf(pathNode[level]);
    const base = wordOf(pathNode[level]);
    const slot = pathSlot[level];
    const own = parent[base + INNER_COUNTS + slot];
    const siblings = parent[base + COUNT];
    if (slot + 1 < siblings && own + parent[base + INNER_COUNTS + slot + 1] <= LEAF_JOINED_MAX) {
      this.joinLeaves(leaf, parent[base + INNER_CHILDREN + slot + 1], level, slot);
    } else if (slot > 0 && own + parent[base + INNER_COUNTS + slot - 1] <= LEAF_JOINED_MAX) {
      this.joinLeaves(parent[base + INNER_CHILDREN + slot - 1], leaf, level, slot - 1);
    }
  }

  /** Moves the right leaf's elements to the left one, whose slot is `slot`, and drops the right one. */
  private joinLeaves(left: number, right: number, level: number, slot: number): void {
    const words = this.wordsOf(left);
    const base = wordOf(left);
    const from = this.wordsOf(right);
    const rightBase = wordOf(right);
    const count = words[base + COUNT];
    this.copyElements(left, words[base + FIRST], count, left, 0);
    words[base + FIRST] = 0;
    this.copyElements(right, from[rightBase + FIRST], from[rightBase + COUNT], left, count);
    words[base + COUNT] = count + from[rightBase + COUNT];
    this.unlinkLeaf(right);
    this.absorbNext(level, slot, words[base + COUNT]);
  }

  private joinInner(level: number): void {
    const node = pathNode[level];
    const parent = this.wordsOf(pathNode[level - 1]);
    const base = wordOf(pathNode[level - 1]);
    const slot = pathSlot[level - 1];
    let left = node;
    let leftSlot = slot;
    let right = slot + 1 < parent[base + COUNT] ? parent[base + INNER_CHILDREN + slot + 1] : 0;
    if (right === 0 || this.childCount(left) + this.childCount(right) > FANOUT_JOINED_MAX) {
      if (slot === 0) return;
      leftSlot = slot - 1;
      left = parent[base + INNER_CHILDREN + leftSlot];
      right = node;
      if (this.childCount(left) + this.childCount(right) > FANOUT_JOINED_MAX) return;
    }
    const count = this.childCount(left);
    this.copyChildren(right, 0, this.childCount(right), left, count);
    this.wordsOf(left)[wordOf(left) + COUNT] = count + this.childCount(right);
    this.releaseNode(right);
    const sum = parent[base + INNER_COUNTS + leftSlot] + parent[base + INNER_COUNTS + leftSlot + 1];
    this.absorbNext(level - 1, leftSlot, sum);
  }

  /** The child after `slot` has moved into the one at `slot`, which now holds `count` elements. */
  private absorbNext(level: number, slot: number, count: number): void {
    const node = pathNode[level];
    this.wordsOf(node)[wordOf(node) + INNER_COUNTS + slot] = count;
    pathSlot[level] = slot + 1;
    this.removeChild(level);
  }

  // --- nodes ---

  /** Tells the path's nodes from `from` upwards (all of them) that the first element below is now this one. */
  private lowerFirst(score: number, entry: number, from = this.height - 1): void {
    for (let level = from; level >= 0; level--) {
      const node = pathNode[level];
      const slot = pathSlot[level];
      this.wordsOf(node)[wordOf(node) + INNER_ENTRIES + slot] = entry;
      this.arena.doubles[node >>> SEGMENT_SHIFT][(node & OFFSET_MASK) + SCORES + slot] = score;
      if (slot > 0) return;
    }
  }

  /** The first child of the path's node at `level` is another one now: tells the nodes above. */
  private passFirstUp(level: number): void {
    const node = pathNode[level];
    const entry = this.wordsOf(node)[wordOf(node) + INNER_ENTRIES];
    const score = this.arena.doubles[node >>> SEGMENT_SHIFT][(node & OFFSET_MASK) + SCORES];
    this.lowerFirst(score, entry, level - 1);
  }

  private addBelow(level: number, delta: number): void {
    const node = pathNode[level];
    this.wordsOf(node)[wordOf(node) + INNER_COUNTS + pathSlot[level]] += delta;
  }
}

const removedEntries = new Int32Array(LEAF_SLOTS);
const removedScores = new Float64Array(LEAF_SLOTS);
