// The nodes of one quicklist: a double-ended array of six numbers a node. Blocks stand in the arena; here is only what
// tells where and what they are.
//
//   word 0  address of the node's block (NONE: not yet allocated)
//   word 1  bytes of the listpack, or of the element of a plain node
//   word 2  number of elements
//   word 3  RAW, PLAIN (one element as it is, without a listpack), or the bytes that the compressed listpack takes
//   word 4  bytes of room in the block before the listpack (quicklist-region.ts)
//   word 5  bytes of the block

import type { NodeRegion } from './quicklist-region.ts';

export const RAW = 0;
export const PLAIN = -1;

/** The words of a node behind its first one, which at() finds. */
export const NODE_LENGTH = 1;
export const NODE_COUNT = 2;
export const NODE_FORM = 3;
export const NODE_SLACK = 4;
export const NODE_CAPACITY = 5;

const WORDS = 6;
const ROOM_MIN = 4;

export class QuicklistNodes {
  /** Number of nodes. */
  size = 0;
  /** Another array after insert() and remove(). */
  words = new Int32Array(ROOM_MIN * WORDS);
  /** Slot of node 0. */
  private start = 0;

  get bytes(): number {
    return this.words.byteLength;
  }

  /** Index of a node's first word: its address. */
  at(node: number): number {
    return (this.start + node) * WORDS;
  }

  address(node: number): number {
    return this.words[this.at(node)];
  }

  length(node: number): number {
    return this.words[this.at(node) + NODE_LENGTH];
  }

  count(node: number): number {
    return this.words[this.at(node) + NODE_COUNT];
  }

  form(node: number): number {
    return this.words[this.at(node) + NODE_FORM];
  }

  capacity(node: number): number {
    return this.words[this.at(node) + NODE_CAPACITY];
  }

  /** Points a node at a region's block. */
  set(node: number, region: NodeRegion, length: number, count: number, form: number): void {
    const at = this.at(node);
    this.words[at] = region.address;
    this.words[at + NODE_LENGTH] = length;
    this.words[at + NODE_COUNT] = count;
    this.words[at + NODE_FORM] = form;
    this.words[at + NODE_SLACK] = region.slack;
    this.words[at + NODE_CAPACITY] = region.capacity;
  }

  /** Makes room for a node at an index; the caller sets it. Both ends cost nothing, the middle moves the nearer part. */
  insert(node: number): void {
    const room = this.words.length / WORDS;
    const atHead = node * 2 < this.size;
    if (this.size === room || (atHead ? this.start === 0 : this.start + this.size === room)) this.makeRoom();
    const { words, start } = this;
    if (atHead) {
      words.copyWithin((start - 1) * WORDS, start * WORDS, (start + node) * WORDS);
      this.start--;
    } else {
      words.copyWithin((start + node + 1) * WORDS, (start + node) * WORDS, (start + this.size) * WORDS);
    }
    this.size++;
  }

  /** Takes a node out of the array; its block is the caller's. */
  remove(node: number): void {
    const { words, start } = this;
    if (node * 2 < this.size) {
      words.copyWithin((start + 1) * WORDS, start * WORDS, (start + node) * WORDS);
      this.start++;
    } else {
      words.copyWithin((start + node) * WORDS, (start + node + 1) * WORDS, (start + this.size) * WORDS);
    }
    this.size--;
    if (words.length > ROOM_MIN * WORDS * 4 && this.size * 8 * WORDS < words.length) this.makeRoom();
  }

  /** Moves everything to the middle of an array twice as large as needed. */
  private makeRoom(): void {
    const room = Math.max(ROOM_MIN, this.size * 2);
    const words = new Int32Array(room * WORDS);
    const start = (room - this.size) >>> 1;
    words.set(this.words.subarray(this.start * WORDS, (this.start + this.size) * WORDS), start * WORDS);
    this.words = words;
    this.start = start;
  }
}
