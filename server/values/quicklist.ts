// A list too large for one listpack: a row of nodes, each a listpack in a block of the arena. Nodes far from both ends
// are compressed with LZF when the directive list-compress-depth says so. Which node an element goes to, when nodes are
// split and joined follows Redis, so that DUMP gives the same bytes.

import { LzfCompressor, lzfDecompress } from '../base/lzf.ts';
import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import {
  entryBytes,
  entryBytesBefore,
  initListpack,
  LISTPACK_EMPTY_BYTES,
  LISTPACK_END,
  LISTPACK_FIRST,
  type ListpackElement,
  ListpackValue,
  listpackAppend,
  listpackDelete,
  listpackDeleteEncoded,
  listpackDeleteRange,
  listpackInsert,
  listpackInsertEncoded,
  listpackLast,
  listpackNext,
  listpackPrepend,
  listpackReplace,
  listpackSeek,
  writeListpackHeader,
} from '../memory/listpack.ts';
import type { Region } from '../memory/region.ts';
import {
  allowsMerge,
  clampFill,
  ENTRY_OVERHEAD_BYTES,
  isPlainSize,
  nodeBytesMax,
  nodeCountMax,
} from './quicklist-limits.ts';
import {
  NODE_CAPACITY,
  NODE_COUNT,
  NODE_FORM,
  NODE_LENGTH,
  NODE_SLACK,
  PLAIN,
  QuicklistNodes,
  RAW,
} from './quicklist-nodes.ts';
import { isRoomy, NodeRegion } from './quicklist-region.ts';

/** Listpacks below this are never compressed. */
const COMPRESS_BYTES_MIN = 48;
/** What compression must save to be kept. */
const COMPRESS_GAIN_MIN = 8;
/** The most that a block at an end of the list grows by at once. */
const GROWTH_MAX = 4096;
/** Bytes of the JavaScript objects behind one list, roughly. */
const OBJECT_BYTES = 320;

/** Where seek() found an element: the node's number and the element's index in it. */
export interface QuicklistPlace {
  node: number;
  index: number;
}

export class Quicklist {
  /** Number of elements. */
  length = 0;
  private readonly arena: Arena;
  private readonly fill: number;
  /** What allowsInsert() says for this fill, reckoned once. */
  private readonly bytesMax: number;
  private readonly countMax: number;
  private readonly depth: number;
  private readonly nodes = new QuicklistNodes();
  private readonly region: NodeRegion;
  /** Bytes of all nodes' blocks. */
  private blockBytes = 0;

  /** `fill` and `depth` are the directives list-max-listpack-size and list-compress-depth. */
  constructor(arena: Arena, fill: number, depth: number) {
    this.arena = arena;
    this.fill = clampFill(fill);
    this.bytesMax = nodeBytesMax(this.fill);
    this.countMax = nodeCountMax(this.fill);
    this.depth = depth;
    this.region = new NodeRegion(arena);
  }

  get nodeCount(): number {
    return this.nodes.size;
  }

  /** Whether a node holds one element as it is, without a listpack. */
  isPlain(node: number): boolean {
    return this.nodes.form(node) === PLAIN;
  }

  /** Whether a node's listpack is compressed. */
  isCompressed(node: number): boolean {
    return this.nodes.form(node) > 0;
  }

  /** Number of elements in a node. */
  countOf(node: number): number {
    return this.nodes.count(node);
  }

  /** The bytes of a node (listpack or plain element) for reading, until the next call or change. */
  read(node: number): Region {
    return this.isCompressed(node) ? this.expand(node) : this.bind(node);
  }

  /** Puts a copy of a whole listpack with `count` elements behind the last node, as a load does. */
  appendListpack(buf: Uint8Array, pos: number, len: number, count: number): void {
    this.appendBlock(buf, pos, len, count, RAW);
  }

  /** Puts a node of its own for one element behind the last node, as a load does. */
  appendPlain(buf: Uint8Array, pos: number, len: number): void {
    this.appendBlock(buf, pos, len, 1, PLAIN);
  }

  pushHead(buf: Uint8Array, pos: number, len: number): void {
    this.length++;
    if (this.nodes.size > 0 && this.takes(0, len)) this.extend(0, true, buf, pos, len);
    else this.beginNode(0, buf, pos, len);
  }

  pushTail(buf: Uint8Array, pos: number, len: number): void {
    this.length++;
    const last = this.nodes.size - 1;
    if (last >= 0 && this.takes(last, len)) this.extend(last, false, buf, pos, len);
    else this.beginNode(last + 1, buf, pos, len);
  }

  /** Reads the first (or last) element. The list is not empty. */
  peek(fromHead: boolean, element: ListpackElement): void {
    const node = fromHead ? 0 : this.nodes.size - 1;
    const region = this.read(node);
    if (this.isPlain(node)) readPlain(region, element);
    else element.read(region, fromHead ? LISTPACK_FIRST : listpackLast(region));
  }

  /** Removes the first (or last) element. The list is not empty. */
  drop(fromHead: boolean): void {
    const { nodes } = this;
    const node = fromHead ? 0 : nodes.size - 1;
    const at = nodes.at(node);
    const { words } = nodes;
    this.length--;
    if (words[at + NODE_COUNT] === 1) {
      this.removeNode(node);
      return;
    }
    const address = words[at];
    const buf = this.arena.bytes[address >>> SEGMENT_SHIFT];
    let pos = ((address & OFFSET_MASK) << 3) + words[at + NODE_SLACK];
    let bytes: number;
    if (fromHead) {
      bytes = entryBytes(buf, pos + LISTPACK_FIRST);
      pos += bytes;
      words[at + NODE_SLACK] += bytes;
    } else {
      const end = pos + words[at + NODE_LENGTH] - 1;
      bytes = entryBytesBefore(buf, end);
      buf[end - bytes] = LISTPACK_END;
    }
    const length = words[at + NODE_LENGTH] - bytes;
    const count = words[at + NODE_COUNT] - 1;
    words[at + NODE_LENGTH] = length;
    words[at + NODE_COUNT] = count;
    writeListpackHeader(this.arena.views[address >>> SEGMENT_SHIFT], pos, length, count);
    if (isRoomy(words[at + NODE_CAPACITY], length)) this.resize(node, 0, 0);
  }

  /** Finds the element with an index from 0 to length - 1. Counts nodes from the nearer end. */
  seek(index: number, place: QuicklistPlace): void {
    const { nodes } = this;
    if (index * 2 < this.length) {
      let rest = index;
      let node = 0;
      for (let count = nodes.count(0); rest >= count; count = nodes.count(node)) {
        rest -= count;
        node++;
      }
      place.node = node;
      place.index = rest;
      return;
    }
    let node = nodes.size - 1;
    let first = this.length - nodes.count(node);
    while (first > index) first -= nodes.count(--node);
    place.node = node;
    place.index = index - first;
  }

  /** Reads the element with an index from 0 to length - 1. */
  get(index: number, element: ListpackElement): void {
    this.seek(index, scratchPlace);
    const region = this.read(scratchPlace.node);
    if (this.isPlain(scratchPlace.node)) readPlain(region, element);
    else element.read(region, listpackSeek(region, scratchPlace.index));
  }

  /** Puts a value before or after the element with an index from 0 to length - 1. */
  insert(index: number, after: boolean, buf: Uint8Array, pos: number, len: number): void {
    this.seek(index, scratchPlace);
    this.insertBeside(scratchPlace.node, scratchPlace.index, after, buf, pos, len);
  }

  /** Puts another value in the place of the element with an index from 0 to length - 1. */
  replace(index: number, buf: Uint8Array, pos: number, len: number): void {
    this.seek(index, scratchPlace);
    const { node, index: at } = scratchPlace;
    const large = isPlainSize(len);
    if (!this.isPlain(node) && !large) {
      const region = this.edit(node);
      listpackReplace(region, listpackSeek(region, at), buf, pos, len);
      this.save(node, 0);
      this.settle(node);
    } else if (this.isPlain(node) && large) {
      this.removeNode(node);
      this.insertNode(node, buf, pos, len);
    } else {
      // The new value goes behind the old one, with whatever splits that takes; then the old one goes.
      this.insertBeside(node, at, true, buf, pos, len);
      this.deleteAt(node, at);
      this.settle(node);
    }
  }

  /** Removes `count` elements from index `start` on; both within the list. */
  deleteRange(start: number, count: number): void {
    let rest = count;
    if (rest === 0) return;
    this.seek(start, scratchPlace);
    let { node, index } = scratchPlace;
    this.length -= count;
    while (rest > 0) {
      const here = this.nodes.count(node);
      const removed = Math.min(rest, here - index);
      rest -= removed;
      if (removed === here) {
        this.removeNode(node);
      } else {
        listpackDeleteRange(this.edit(node), index, removed);
        this.save(node, -removed);
        this.settle(node);
        node++;
      }
      index = 0;
    }
  }

  /**
   * For removals by value: hands a node's listpack to `change`, which removes elements from it and returns how many.
   * Returns that number, negative when the node went with its last element. Not for plain nodes.
   */
  shrinkNode(node: number, change: (region: Region) => number): number {
    const removed = change(this.edit(node));
    this.save(node, -removed);
    this.length -= removed;
    if (this.nodes.count(node) > 0) {
      this.settle(node);
      return removed;
    }
    this.removeNode(node);
    return -removed;
  }

  /** Removes a whole node with its elements. */
  deleteNode(node: number): void {
    this.length -= this.nodes.count(node);
    this.removeNode(node);
  }

  free(): void {
    while (this.nodes.size > 0) this.dropBlock(this.nodes.size - 1);
    this.length = 0;
  }

  memoryBytes(): number {
    return OBJECT_BYTES + this.blockBytes + this.nodes.bytes;
  }

  /** Whether a node takes one more element of `bytes`. */
  private takes(node: number, bytes: number): boolean {
    const { nodes } = this;
    const at = nodes.at(node);
    const { words } = nodes;
    return (
      words[at + NODE_FORM] !== PLAIN &&
      words[at + NODE_LENGTH] + bytes + ENTRY_OVERHEAD_BYTES <= this.bytesMax &&
      words[at + NODE_COUNT] < this.countMax &&
      !isPlainSize(bytes)
    );
  }

  /** Puts one more element at an end of the list, into the node there. Nodes at the ends are never compressed. */
  private extend(node: number, atHead: boolean, buf: Uint8Array, pos: number, len: number): void {
    const { nodes } = this;
    const { bytes } = value.set(buf, pos, len);
    const at = nodes.at(node);
    const { words } = nodes;
    const used = atHead ? 0 : words[at + NODE_SLACK] + words[at + NODE_LENGTH];
    if ((atHead ? words[at + NODE_SLACK] : words[at + NODE_CAPACITY] - used) < bytes) {
      // An end grows on, up to a full node.
      const more = bytes + Math.min(words[at + NODE_LENGTH], GROWTH_MAX);
      this.resize(node, atHead ? more : 0, atHead ? 0 : more);
    }
    const address = words[at];
    const to = this.arena.bytes[address >>> SEGMENT_SHIFT];
    const length = words[at + NODE_LENGTH] + bytes;
    const count = words[at + NODE_COUNT] + 1;
    if (atHead) words[at + NODE_SLACK] -= bytes;
    words[at + NODE_LENGTH] = length;
    words[at + NODE_COUNT] = count;
    const start = ((address & OFFSET_MASK) << 3) + words[at + NODE_SLACK];
    if (atHead) {
      value.write(to, start + LISTPACK_FIRST);
    } else {
      value.write(to, start + length - 1 - bytes);
      to[start + length - 1] = LISTPACK_END;
    }
    writeListpackHeader(this.arena.views[address >>> SEGMENT_SHIFT], start, length, count);
  }

  /** A new node at an end of the list; the one that was there gives back what it kept for growing. */
  private beginNode(node: number, buf: Uint8Array, pos: number, len: number): void {
    const { nodes } = this;
    const before = node === 0 ? 0 : node - 1;
    if (nodes.size > 0 && nodes.form(before) === RAW) this.trim(before);
    this.insertNode(node, buf, pos, len);
    this.settle(node);
  }

  private trim(node: number): void {
    const needed = this.arena.capacity(this.nodes.length(node));
    if (this.nodes.capacity(node) > needed) this.resize(node, 0, 0);
  }

  /** Puts a node's listpack into a block with that much room before and behind it. */
  private resize(node: number, slack: number, rest: number): void {
    this.bind(node).resize(slack, rest);
    this.save(node, 0);
  }

  private insertBeside(node: number, index: number, after: boolean, buf: Uint8Array, pos: number, len: number): void {
    this.length++;
    const atTail = after && index === this.nodes.count(node) - 1;
    const atHead = !after && index === 0;
    const large = isPlainSize(len);
    if (!large && this.takes(node, len)) {
      const region = this.edit(node);
      const offset = listpackSeek(region, index);
      listpackInsert(region, after ? listpackNext(region, offset) : offset, buf, pos, len);
      this.save(node, 1);
      this.settle(node);
    } else if (!large && atTail && node + 1 < this.nodes.size && this.takes(node + 1, len)) {
      listpackPrepend(this.edit(node + 1), buf, pos, len);
      this.save(node + 1, 1);
      this.settle(node + 1);
    } else if (!large && atHead && node > 0 && this.takes(node - 1, len)) {
      listpackAppend(this.edit(node - 1), buf, pos, len);
      this.save(node - 1, 1);
      this.settle(node - 1);
    } else if (atTail || atHead || this.isPlain(node)) {
      const at = after ? node + 1 : node;
      this.insertNode(at, buf, pos, len);
      this.settle(at);
    } else {
      this.splitAndInsert(node, after ? index + 1 : index, after, buf, pos, len);
    }
  }

  /** Splits a node before its element `at` and puts the value between the halves. */
  private splitAndInsert(node: number, at: number, after: boolean, buf: Uint8Array, pos: number, len: number): void {
    this.split(node, at);
    if (isPlainSize(len)) {
      this.insertNode(node + 1, buf, pos, len);
      this.settle(node + 1);
      return;
    }
    // The value joins the half that is new in Redis: the one behind for an insert after, the one before otherwise.
    const half = after ? node + 1 : node;
    if (after) listpackPrepend(this.edit(half), buf, pos, len);
    else listpackAppend(this.edit(half), buf, pos, len);
    this.save(half, 1);
    this.mergeAround(after ? node : node + 1);
  }

  /** Makes two nodes of one: elements from `at` on go to the new node behind it. */
  private split(node: number, at: number): void {
    const region = this.edit(node);
    const count = this.nodes.count(node);
    const offset = listpackSeek(region, at);
    const bytes = region.len - 1 - offset;
    const second = new NodeRegion(this.arena).create(LISTPACK_EMPTY_BYTES);
    initListpack(second);
    listpackInsertEncoded(second, LISTPACK_FIRST, region.buf, region.pos + offset, bytes, count - at);
    listpackDeleteEncoded(region, offset, region.len - 1, count - at);
    this.save(node, at - count);
    this.nodes.insert(node + 1);
    this.nodes.set(node + 1, second, second.len, count - at, RAW);
    this.blockBytes += second.capacity;
  }

  /** Joins what may be joined among a node and two neighbours on each side, in Redis' order. */
  private mergeAround(center: number): void {
    let at = center;
    if (at >= 2 && this.merge(at - 2)) at--;
    if (at + 2 < this.nodes.size) this.merge(at + 1);
    if (at >= 1 && this.merge(at - 1)) at--;
    if (at + 1 < this.nodes.size) this.merge(at);
    this.settle(at);
  }

  /** Joins a node with the one behind it, if the limits allow. */
  private merge(node: number): boolean {
    const { nodes } = this;
    if (this.isPlain(node) || this.isPlain(node + 1)) return false;
    const lengths = nodes.length(node) + nodes.length(node + 1);
    if (!allowsMerge(this.fill, lengths, nodes.count(node) + nodes.count(node + 1))) return false;
    const count = nodes.count(node + 1);
    const bytes = nodes.length(node + 1) - LISTPACK_EMPTY_BYTES;
    const { buf: source, pos } = this.edit(node + 1);
    const start = pos + LISTPACK_FIRST;
    const region = this.edit(node);
    listpackInsertEncoded(region, region.len - 1, source, start, bytes, count);
    this.save(node, count);
    this.dropBlock(node + 1);
    return true;
  }

  private deleteAt(node: number, index: number): void {
    this.length--;
    if (this.nodes.count(node) === 1) {
      this.removeNode(node);
      return;
    }
    const region = this.edit(node);
    listpackDelete(region, listpackSeek(region, index));
    this.save(node, -1);
  }

  /** Binds `region` to a node's listpack for a change; save() must follow. */
  private edit(node: number): NodeRegion {
    if (this.isCompressed(node)) this.decompress(node);
    return this.bind(node);
  }

  private bind(node: number): NodeRegion {
    const { words } = this.nodes;
    const at = this.nodes.at(node);
    return this.region.bind(words[at], words[at + NODE_LENGTH], words[at + NODE_SLACK], words[at + NODE_CAPACITY]);
  }

  /** Notes what became of a node that was edited. */
  private save(node: number, delta: number): void {
    const { region, nodes } = this;
    this.blockBytes += region.capacity - nodes.capacity(node);
    nodes.set(node, region, region.len, nodes.count(node) + delta, RAW);
  }

  /** A new node for one element, at an index among the nodes. */
  private insertNode(node: number, buf: Uint8Array, pos: number, len: number): void {
    const { region } = this;
    const plain = isPlainSize(len);
    region.create(plain ? len : LISTPACK_EMPTY_BYTES);
    if (plain) {
      region.buf.set(new Uint8Array(buf.buffer, buf.byteOffset + pos, len), region.pos);
    } else {
      initListpack(region);
      listpackAppend(region, buf, pos, len);
    }
    this.nodes.insert(node);
    this.nodes.set(node, region, region.len, 1, plain ? PLAIN : RAW);
    this.blockBytes += region.capacity;
  }

  private appendBlock(buf: Uint8Array, pos: number, len: number, count: number, form: number): void {
    const node = this.nodes.size;
    const region = this.region.create(len);
    region.buf.set(new Uint8Array(buf.buffer, buf.byteOffset + pos, len), region.pos);
    this.nodes.insert(node);
    this.nodes.set(node, region, len, count, form);
    this.blockBytes += region.capacity;
    this.length += count;
    this.settle(node);
  }

  private removeNode(node: number): void {
    this.dropBlock(node);
    if (this.depth > 0 && this.nodes.size > 0) this.settle(Math.min(node, this.nodes.size - 1));
  }

  private dropBlock(node: number): void {
    const { nodes } = this;
    const capacity = nodes.capacity(node);
    this.arena.free(nodes.address(node), capacity);
    this.blockBytes -= capacity;
    nodes.remove(node);
  }

  /**
   * After a change to a node: the `depth` nodes at each end are plain listpacks, the changed node and those that have
   * just come to lie behind the ends are compressed.
   */
  private settle(changed: number): void {
    const { depth } = this;
    const { size } = this.nodes;
    if (depth === 0) return;
    for (let i = 0; i < depth && i < size; i++) {
      if (this.isCompressed(i)) this.decompress(i);
      if (this.isCompressed(size - 1 - i)) this.decompress(size - 1 - i);
    }
    if (size <= depth * 2) return;
    if (changed >= depth && changed < size - depth) this.compress(changed);
    this.compress(depth);
    this.compress(size - 1 - depth);
  }

  private compress(node: number): void {
    const { nodes, arena } = this;
    const bytes = nodes.length(node);
    if (nodes.form(node) !== RAW || bytes < COMPRESS_BYTES_MIN) return;
    lzf ??= { compressor: new LzfCompressor(), output: Buffer.alloc(0) };
    if (lzf.output.length < bytes) lzf.output = Buffer.allocUnsafeSlow(bytes);
    const from = this.bind(node);
    const block = from.capacity;
    const max = bytes - COMPRESS_GAIN_MIN;
    const packed = lzf.compressor.compress(from.buf, from.pos, from.pos + bytes, lzf.output, max);
    if (packed === 0) return;
    arena.free(from.address, block);
    const to = from.create(packed);
    lzf.output.copy(to.buf, to.pos, 0, packed);
    this.blockBytes += to.capacity - block;
    nodes.set(node, to, bytes, nodes.count(node), packed);
  }

  private decompress(node: number): void {
    const { nodes, arena } = this;
    const packed = nodes.form(node);
    const bytes = nodes.length(node);
    const from = nodes.address(node);
    const start = (from & OFFSET_MASK) << 3;
    const to = this.region.create(bytes);
    const whole = lzfDecompress(arena.bytes[from >>> SEGMENT_SHIFT], start, start + packed, to.buf, to.pos, bytes);
    if (!whole) throw new Error('quicklist: a compressed node does not expand to its size');
    const block = nodes.capacity(node);
    arena.free(from, block);
    this.blockBytes += to.capacity - block;
    nodes.set(node, to, bytes, nodes.count(node), RAW);
  }

  /** A compressed node's listpack, expanded beside the list. */
  private expand(node: number): Region {
    const { nodes, arena } = this;
    const bytes = nodes.length(node);
    const from = nodes.address(node);
    const start = (from & OFFSET_MASK) << 3;
    if (expanded.buf.length < bytes) expanded.buf = Buffer.allocUnsafeSlow(bytes);
    expanded.len = bytes;
    const source = arena.bytes[from >>> SEGMENT_SHIFT];
    if (!lzfDecompress(source, start, start + nodes.form(node), expanded.buf, 0, bytes)) {
      throw new Error('quicklist: a compressed node does not expand to its size');
    }
    return expanded;
  }
}

/** A plain node's bytes as an element. */
export function readPlain(region: Region, element: ListpackElement): void {
  element.integer = false;
  element.buf = region.buf;
  element.pos = region.pos;
  element.len = region.len;
}

const value = new ListpackValue();
const scratchPlace: QuicklistPlace = { node: 0, index: 0 };

/** Made when the first list is compressed. */
let lzf: { compressor: LzfCompressor; output: Buffer } | undefined;

/** Where compressed nodes are expanded for reading: one at a time. */
const expanded: Region = {
  buf: Buffer.alloc(0),
  pos: 0,
  len: 0,
  splice: () => {
    throw new Error('quicklist: an expanded copy is for reading');
  },
  refresh: () => undefined,
};
