// The nodes of one quicklist: a double-ended array of five numbers a node. Blocks stand in the arena; here is only what
// tells where and what they are.
//
//   word 0  address of the node's block (NONE: not yet allocated)
//   word 1  bytes of the listpack, or of the element of a plain node
//   word 2  number of elements
//   word 3  RAW, PLAIN (one element as it is, without a listpack), or the bytes that the compressed listpack takes
//   word 4  bytes of room in the block before the listpack (quicklist-region.ts)

export const RAW = 0;
export const PLAIN = -1;

const WORDS = 5;
const ROOM_MIN = 4;

export class QuicklistNodes {
  /** Number of nodes. */
  size = 0;
  private words = new Int32Array(ROOM_MIN * WORDS);
  /** Slot of node 0. */
  private start = 0;

  get bytes(): number {
    return this.words.byteLength;
  }

  address(node: number): number {
    return this.words[(this.start + node) * WORDS];
  }

  length(node: number): number {
    return this.words[(this.start + node) * WORDS + 1];
  }

  count(node: number): number {
    return this.words[(this.start + node) * WORDS + 2];
  }

  form(node: number): number {
    return this.words[(this.start + node) * WORDS + 3];
  }

  slack(node: number): number {
    return this.words[(this.start + node) * WORDS + 4];
  }

  set(node: number, address: number, length: number, count: number, form: number, slack: number): void {
    const at = (this.start + node) * WORDS;
    this.words[at] = address;
    this.words[at + 1] = length;
    this.words[at + 2] = count;
    this.words[at + 3] = form;
    this.words[at + 4] = slack;
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
