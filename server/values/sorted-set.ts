// A sorted set too large for a packed run (a LargeValue of the keyspace): a table that knows each member's score and a
// counted tree that knows the order. Both share the members' entries in the arena:
//
//   word 0 next | word 1 hash | word 2 member length | words 3 and 4 score | member bytes from byte 20 on

import type { HashSeed } from '../base/hash.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { CountedTree } from '../memory/counted-tree.ts';
import { MemberTable } from './set-table.ts';

const WORD_SCORE = 3;
/** Byte of an entry at which its member starts. */
export const MEMBER_OFFSET = 20;

/** A score on its way between two words and a number: entries are not aligned to doubles. */
const scoreDouble = new Float64Array(1);
const scoreWords = new Int32Array(scoreDouble.buffer);

export class SortedSet extends MemberTable {
  readonly tree: CountedTree;

  constructor(arena: Arena, seed: HashSeed) {
    super(arena, seed, MEMBER_OFFSET);
    this.tree = new CountedTree(arena, MEMBER_OFFSET);
  }

  override memoryBytes(): number {
    return super.memoryBytes() + this.tree.memoryBytes;
  }

  scoreOf(entry: number): number {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const at = ((entry & OFFSET_MASK) << 1) + WORD_SCORE;
    scoreWords[0] = words[at];
    scoreWords[1] = words[at + 1];
    return scoreDouble[0];
  }

  /** Adds the member that find() has just not found. */
  insertScored(buf: Uint8Array, pos: number, len: number, score: number): void {
    const entry = this.insertFound(buf, pos, len);
    this.writeScore(entry, score);
    this.tree.insert(score, entry);
  }

  /** Adds a member or changes its score, as a load does. */
  put(buf: Uint8Array, pos: number, len: number, score: number): void {
    const entry = this.find(buf, pos, len);
    if (entry === 0) this.insertScored(buf, pos, len, score);
    else this.setScore(entry, score);
  }

  /** insertScored without a place in the order; order() must follow. */
  insertUnordered(buf: Uint8Array, pos: number, len: number, score: number): void {
    this.writeScore(this.insertFound(buf, pos, len), score);
  }

  /** Changes the score of a member that has no place in the order yet. */
  rescoreUnordered(entry: number, score: number): void {
    this.writeScore(entry, score);
  }

  /** Puts all members in order, none of which has a place yet. */
  order(): void {
    this.dict.forEach((entry) => {
      this.tree.insert(this.scoreOf(entry), entry);
    });
  }

  setScore(entry: number, score: number): void {
    const old = this.scoreOf(entry);
    if (old === score) return;
    this.writeScore(entry, score);
    this.tree.update(old, entry, score);
  }

  /** Takes a member out of both structures. */
  drop(entry: number): void {
    this.tree.remove(this.scoreOf(entry), entry);
    this.removeEntry(entry);
  }

  /** Removes `count` members from rank `rank` on. */
  dropRange(rank: number, count: number): void {
    this.tree.removeRange(rank, count, (entry) => {
      this.removeEntry(entry);
    });
  }

  /** The 0-based rank of a member's entry. */
  rank(entry: number): number {
    return this.tree.rank(this.scoreOf(entry), entry);
  }

  override free(): void {
    this.tree.free();
    super.free();
  }

  private writeScore(entry: number, score: number): void {
    const words = this.arena.words[entry >>> SEGMENT_SHIFT];
    const at = ((entry & OFFSET_MASK) << 1) + WORD_SCORE;
    scoreDouble[0] = score;
    words[at] = scoreWords[0];
    words[at + 1] = scoreWords[1];
  }
}
