// The bytes of a stream's nodes: listpacks of entries in exactly the form that RDB stores.
//
//   master entry   count | deleted | number of fields | field ... | 0
//   entry          flags | ms - node's ms | sequence - node's sequence | value ...                    (SAME_FIELDS)
//                  flags | ms - ... | sequence - ... | number of fields | field value ...             (otherwise)
//                  ... | number of listpack elements of this entry before this one
//
// The master's fields are those of the node's first entry, whose id is the node's. Nodes come from dumps, too, whose
// bytes may be damaged: no loop here runs beyond the node.

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { entryBytes, entryBytesBefore, ListpackElement, ListpackValue } from '../memory/listpack-entry.ts';
import { write32 } from '../memory/packed-entry.ts';
import type { Region } from '../memory/region.ts';
import type { StreamId } from './stream-id.ts';

export const SAME_FIELDS = 2;
export const DELETED = 1;

const HEADER_BYTES = 6;
const END = 0xff;
const COUNT_UNKNOWN = 65535;
/** What a listpack entry takes beyond the bytes of its string, at most. */
const ENTRY_OVERHEAD = 10;
/** What the integers of an entry and of a master entry take, at most. */
const FIXED_BYTES = 64;
const TWO_32 = 4294967296;

const value = new ListpackValue();
const element = new ListpackElement();

/** A request's fields and values: `count` pairs, the first field being argument `first`. */
export interface FieldArguments {
  buf: Buffer;
  pos: Int32Array;
  len: Int32Array;
  first: number;
  count: number;
}

/**
 * The node being worked on, in a block of its own with room to grow. Bind it before use; its address, length and
 * capacity go back to the stream's index after any change.
 */
export class StreamNode implements Region {
  buf: Buffer = Buffer.alloc(0);
  pos = 0;
  len = 0;
  address = 0;
  capacity = 0;
  private arena!: Arena;

  bind(arena: Arena, address: number, len: number, capacity: number): this {
    this.arena = arena;
    this.address = address;
    this.len = len;
    this.capacity = capacity;
    this.refresh();
    return this;
  }

  /** Allocates a block of `capacity` bytes of which `len` are in use. */
  create(arena: Arena, len: number, capacity: number): this {
    return this.bind(arena, arena.alloc(capacity), len, capacity);
  }

  refresh(): void {
    this.buf = this.arena.bytes[this.address >>> SEGMENT_SHIFT];
    this.pos = (this.address & OFFSET_MASK) << 3;
  }

  /** Makes room for `needed` bytes in all. */
  reserve(needed: number): void {
    if (needed > this.capacity) this.move(needed + (needed >>> 1));
  }

  /** Gives back what is not in use. */
  shrink(): void {
    if (this.arena.capacity(this.len) < this.arena.capacity(this.capacity)) this.move(this.len);
  }

  splice(offset: number, removed: number, inserted: number): void {
    const len = this.len - removed + inserted;
    this.reserve(len);
    const tail = this.pos + offset + removed;
    this.buf.copyWithin(this.pos + offset + inserted, tail, this.pos + this.len);
    this.len = len;
  }

  free(): void {
    this.arena.free(this.address, this.capacity);
  }

  private move(capacity: number): void {
    const from = this.address;
    const source = this.buf;
    const start = this.pos;
    this.address = this.arena.alloc(capacity);
    this.refresh();
    source.copy(this.buf, this.pos, start, start + this.len);
    this.arena.free(from, this.capacity);
    this.capacity = capacity;
  }
}

/**
 * Creates a node with its first entry, whose id becomes the node's. It gets room for `roomBytes`; 0 makes it no larger
 * than that entry.
 */
export function createNode(node: StreamNode, arena: Arena, args: FieldArguments, roomBytes: number): void {
  const { first, count, buf, pos, len } = args;
  const needed = HEADER_BYTES + 1 + FIXED_BYTES * 2 + ENTRY_OVERHEAD * 2 * count + argumentBytes(args) * 2;
  node.create(arena, 0, Math.max(needed, roomBytes));
  const b = node.buf;
  let p = node.pos + HEADER_BYTES;
  p = putInteger(b, p, 1);
  p = putInteger(b, p, 0);
  p = putInteger(b, p, count);
  for (let i = 0; i < count; i++) p = putBytes(b, p, buf, pos[first + 2 * i], len[first + 2 * i]);
  p = putInteger(b, p, 0);
  p = putInteger(b, p, SAME_FIELDS);
  p = putInteger(b, p, 0);
  p = putInteger(b, p, 0);
  for (let i = 0; i < count; i++) p = putBytes(b, p, buf, pos[first + 2 * i + 1], len[first + 2 * i + 1]);
  p = putInteger(b, p, count + 3);
  b[p] = END;
  node.len = p + 1 - node.pos;
  write32(b, node.pos, node.len);
  setElementCount(b, node.pos, 8 + count * 2);
  if (roomBytes === 0) node.shrink();
}

/** Adds an entry behind the last one. `id` must be above all ids of the node, `nodeId` is the node's own. */
export function appendEntry(node: StreamNode, nodeId: StreamId, id: StreamId, args: FieldArguments): void {
  replaceInteger(node, HEADER_BYTES, liveCount(node) + 1);
  node.reserve(node.len + FIXED_BYTES + ENTRY_OVERHEAD * 2 * args.count + argumentBytes(args));
  const { first, count, buf, pos, len } = args;
  const b = node.buf;
  const same = hasFields(b, node.pos, args);
  let p = node.pos + node.len - 1;
  p = putInteger(b, p, same ? SAME_FIELDS : 0);
  p = putDifference(b, p, id.msHigh, id.msLow, nodeId.msHigh, nodeId.msLow);
  p = putDifference(b, p, id.sequenceHigh, id.sequenceLow, nodeId.sequenceHigh, nodeId.sequenceLow);
  if (!same) p = putInteger(b, p, count);
  for (let i = first, end = first + count * 2; i < end; i += 2) {
    if (!same) p = putBytes(b, p, buf, pos[i], len[i]);
    p = putBytes(b, p, buf, pos[i + 1], len[i + 1]);
  }
  const elements = same ? count + 3 : count * 2 + 4;
  p = putInteger(b, p, elements);
  b[p] = END;
  node.len = p + 1 - node.pos;
  write32(b, node.pos, node.len);
  addElementCount(b, node.pos, elements + 1);
}

/** Entries that are not deleted. */
export function liveCount(node: Region): number {
  return readInteger(node.buf, node.pos + HEADER_BYTES);
}

/** Entries flagged as deleted. */
export function deletedCount(node: Region): number {
  const { buf, pos } = node;
  return readInteger(buf, pos + HEADER_BYTES + entryBytes(buf, pos + HEADER_BYTES));
}

/** Sets both counts of the master entry. */
export function setCounts(node: Region, live: number, deleted: number): void {
  replaceInteger(node, HEADER_BYTES, live);
  replaceInteger(node, HEADER_BYTES + entryBytes(node.buf, node.pos + HEADER_BYTES), deleted);
}

/** Offset of the master entry's number of fields; the fields follow. */
export function masterFields(node: Region): number {
  const { buf, pos } = node;
  let p = pos + HEADER_BYTES;
  p += entryBytes(buf, p);
  p += entryBytes(buf, p);
  return p - pos;
}

/** Offset of the first entry behind the master entry. */
export function firstEntry(node: Region): number {
  const { buf, pos } = node;
  let p = pos + masterFields(node);
  let fields = readInteger(buf, p);
  p += entryBytes(buf, p);
  const end = pos + node.len;
  for (; fields > 0 && p < end; fields--) p += entryBytes(buf, p);
  return p + entryBytes(buf, p) - pos;
}

/** Offset of the last entry. */
export function lastEntry(node: Region): number {
  const { buf, pos } = node;
  return entryBefore(buf, pos + node.len - 1, pos) - pos;
}

/** Position of the entry that ends before position `p`; the node starts at `start`. */
export function entryBefore(buf: Buffer, p: number, start: number): number {
  let at = p - entryBytesBefore(buf, p);
  for (let elements = readInteger(buf, at); elements > 0 && at > start; elements--) at -= entryBytesBefore(buf, at);
  return at;
}

/** The integer at position `p`; 0 when a string stands there, which no sound node has. */
export function readInteger(buf: Buffer, p: number): number {
  const byte = buf[p];
  if (byte < 0x80) return byte;
  element.readAt(buf, p);
  return element.integer ? element.value : 0;
}

/** Adds the two differences at position `p` to the node's id; returns the position behind them. */
export function readEntryId(buf: Buffer, p: number, nodeId: StreamId, id: StreamId): number {
  let at = p;
  readDifference(buf, at, nodeId.msHigh, nodeId.msLow);
  const msHigh = sumHigh;
  const msLow = sumLow;
  at += entryBytes(buf, at);
  readDifference(buf, at, nodeId.sequenceHigh, nodeId.sequenceLow);
  id.setWords(msHigh, msLow, sumHigh, sumLow);
  return at + entryBytes(buf, at);
}

/** Sets an entry's flags; `offset` is the entry's. Flags always take the same room. */
export function setFlags(node: Region, offset: number, flags: number): void {
  node.buf[node.pos + offset] = flags;
}

/** Puts another integer in the place of the entry at `offset`. */
function replaceInteger(node: Region, offset: number, number: number): void {
  if (number < 128 && node.buf[node.pos + offset] < 128) {
    node.buf[node.pos + offset] = number;
    return;
  }
  const old = entryBytes(node.buf, node.pos + offset);
  value.setInteger(number);
  if (value.bytes !== old) {
    node.splice(offset, old, value.bytes);
    write32(node.buf, node.pos, node.len);
  }
  value.write(node.buf, node.pos + offset);
}

function argumentBytes(args: FieldArguments): number {
  let sum = 0;
  for (let i = args.first, end = args.first + args.count * 2; i < end; i++) sum += args.len[i];
  return sum;
}

/** Whether the master entry has exactly these fields in this order. */
function hasFields(b: Buffer, start: number, args: FieldArguments): boolean {
  let p = start + HEADER_BYTES;
  p += entryBytes(b, p);
  p += entryBytes(b, p);
  if (readInteger(b, p) !== args.count) return false;
  p += entryBytes(b, p);
  for (let i = args.first, end = args.first + args.count * 2; i < end; i += 2) {
    if (!equalsAt(b, p, args.buf, args.pos[i], args.len[i])) return false;
    p += entryBytes(b, p);
  }
  return true;
}

function equalsAt(b: Buffer, p: number, buf: Buffer, pos: number, len: number): boolean {
  const first = b[p];
  // Short strings, by far the most frequent field names, need no encoding to be compared.
  if (first >= 0x80 && first < 0xc0) {
    if ((first & 63) !== len) return false;
    for (let i = 0; i < len; i++) if (b[p + 1 + i] !== buf[pos + i]) return false;
    return true;
  }
  return value.set(buf, pos, len).equals(b, p);
}

function putInteger(b: Buffer, p: number, number: number): number {
  if (number >= 0 && number < 128) {
    b[p] = number;
    b[p + 1] = 1;
    return p + 2;
  }
  return value.setInteger(number).write(b, p);
}

function putBytes(b: Buffer, p: number, buf: Buffer, pos: number, len: number): number {
  return value.set(buf, pos, len).write(b, p);
}

/** Writes a - b of two unsigned 64-bit numbers as a signed one. */
function putDifference(b: Buffer, p: number, high: number, low: number, fromHigh: number, fromLow: number): number {
  const differenceLow = (low >>> 0) - (fromLow >>> 0);
  const differenceHigh = (high - fromHigh - (differenceLow < 0 ? 1 : 0)) | 0;
  const number = differenceHigh * TWO_32 + (differenceLow >>> 0);
  if (Number.isSafeInteger(number)) return putInteger(b, p, number);
  const digits = Buffer.from(((BigInt(differenceHigh) << 32n) | BigInt(differenceLow >>> 0)).toString(), 'latin1');
  return putBytes(b, p, digits, 0, digits.length);
}

/** Words of the sum that readDifference has computed. */
let sumHigh = 0;
let sumLow = 0;

function readDifference(buf: Buffer, p: number, high: number, low: number): void {
  const byte = buf[p];
  let number = byte;
  if (byte >= 0x80) {
    element.readAt(buf, p);
    if (!element.integer) {
      const wide = BigInt(element.copy().toString('latin1'));
      addWords(high, low, Number(BigInt.asIntN(32, wide >> 32n)), Number(BigInt.asUintN(32, wide)));
      return;
    }
    number = element.value;
  }
  addWords(high, low, Math.floor(number / TWO_32), number >>> 0);
}

function addWords(high: number, low: number, addHigh: number, addLow: number): void {
  const sum = (low >>> 0) + addLow;
  sumLow = sum | 0;
  sumHigh = (high + addHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
}

function addElementCount(b: Buffer, pos: number, added: number): void {
  const stored = b[pos + 4] | (b[pos + 5] << 8);
  if (stored !== COUNT_UNKNOWN) setElementCount(b, pos, Math.min(stored + added, COUNT_UNKNOWN));
}

function setElementCount(b: Buffer, pos: number, count: number): void {
  const stored = Math.min(count, COUNT_UNKNOWN);
  b[pos + 4] = stored & 255;
  b[pos + 5] = stored >>> 8;
}
