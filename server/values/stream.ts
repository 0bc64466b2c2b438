// A stream (a LargeValue of the keyspace): nodes of entries (stream-node.ts) in an index ordered by id, what has
// happened to it, and its consumer groups.

import type { Arena } from '../memory/arena.ts';
import { entryBytes } from '../memory/listpack-entry.ts';
import { IdIndex } from './id-index.ts';
import { StreamCursor } from './stream-cursor.ts';
import { NameTable, StreamGroup } from './stream-group.ts';
import { StreamId } from './stream-id.ts';
import {
  appendEntry,
  createNode,
  DELETED,
  deletedCount,
  type FieldArguments,
  firstEntry,
  lastEntry,
  liveCount,
  masterFields,
  readEntryId,
  readInteger,
  SAME_FIELDS,
  StreamNode,
  setCounts,
  setFlags,
} from './stream-node.ts';

/** A node may not exceed this, whatever the settings say; nor may the strings of one entry. */
export const STREAM_NODE_BYTES_MAX = 1 << 30;
/** What a node after the first gets to begin with, unless its limit is lower. */
const NODE_ROOM_BYTES = 4096;
const NODE_WORDS = 3;
const WORD_ADDRESS = 0;
const WORD_LENGTH = 1;
const WORD_CAPACITY = 2;

/** Limits of nodes; 0 means none. */
export interface NodeLimits {
  nodeBytesMax: number;
  nodeEntriesMax: number;
}

/** What to trim: at most `maxLength` entries stay, or those from `minId` on. */
export interface Trim {
  strategy: 'maxlen' | 'minid';
  maxLength: number;
  minId: StreamId;
  /** Only whole nodes go. */
  approximate: boolean;
  /** No more than this many entries go; 0: no limit. */
  limit: number;
}

const node = new StreamNode();
const cursor = new StreamCursor();
const scratchId = new StreamId();
const nodeId = new StreamId();
/** Where trimNode stopped. */
let scanOffset = 0;
const ZERO = new StreamId();
const MAX = new StreamId().setMax();

export class Stream {
  /** Entries, deleted ones not counted. */
  length = 0;
  /** The largest id ever given. */
  readonly lastId = new StreamId();
  /** Id of the first entry, 0-0 when empty. */
  readonly firstId = new StreamId();
  /** The largest id that XDEL has deleted. */
  readonly maxDeletedId = new StreamId();
  /** Entries ever added. */
  entriesAdded = 0;
  readonly groups = new NameTable<StreamGroup>();
  /** Nodes by their id: address, length and capacity of each block. See bindNode. */
  readonly nodes: IdIndex;
  readonly arena: Arena;
  private nodeBytes = 0;

  constructor(arena: Arena) {
    this.arena = arena;
    this.nodes = new IdIndex(arena, NODE_WORDS);
  }

  /** Binds `to` to the node under the index' cursor. */
  bindNode(to: StreamNode): StreamNode {
    const words = this.nodes.words;
    const at = this.nodes.payloadAt;
    return to.bind(this.arena, words[at + WORD_ADDRESS], words[at + WORD_LENGTH], words[at + WORD_CAPACITY]);
  }

  /** Adds an entry; `id` must be above lastId. */
  append(id: StreamId, args: FieldArguments, textBytes: number, limits: NodeLimits): void {
    const nodes = this.nodes;
    if (nodes.last() && this.fits(textBytes, limits)) {
      nodes.readId(nodeId);
      appendEntry(node, nodeId, id, args);
      this.storeNode();
    } else {
      const room = nodes.size === 0 ? 0 : Math.min(NODE_ROOM_BYTES, limits.nodeBytesMax || NODE_ROOM_BYTES);
      createNode(node, this.arena, args, room);
      nodes.insert(id);
      nodes.set(WORD_CAPACITY, 0);
      this.storeNode();
    }
    this.length++;
    this.entriesAdded++;
    this.lastId.set(id);
    if (this.length === 1) this.firstId.set(id);
  }

  /** Marks an entry as deleted; false when it is not there. firstId and maxDeletedId are the caller's: see noteDeleted. */
  delete(id: StreamId): boolean {
    if (!this.nodes.seekAtMost(id)) return false;
    this.bindNode(node);
    this.nodes.readId(nodeId);
    let offset = firstEntry(node);
    while (offset < node.len - 1) {
      const next = this.readEntryAt(offset);
      const order = scratchId.compare(id);
      if (order > 0) return false;
      if (order === 0) {
        const flags = node.buf[node.pos + offset];
        if ((flags & DELETED) !== 0) return false;
        this.deleteAt(offset, flags);
        return true;
      }
      offset = next;
    }
    return false;
  }

  /** Brings firstId up to date after entries have gone. */
  refreshFirstId(): void {
    if (this.length === 0) this.firstId.setZero();
    else if (!this.edge(false, this.firstId)) this.firstId.setMax();
  }

  /** The id of the first or the last entry; false (and unchanged) when there is none. */
  edge(last: boolean, into: StreamId): boolean {
    if (!cursor.start(this, ZERO, MAX, last).next()) return false;
    into.set(cursor.id);
    return true;
  }

  has(id: StreamId): boolean {
    return cursor.start(this, id, id).next();
  }

  /** Removes entries from the old end. Returns how many. */
  trim(trim: Trim): number {
    const nodes = this.nodes;
    let removed = 0;
    let more = nodes.first();
    while (more && !(trim.strategy === 'maxlen' && this.length <= trim.maxLength)) {
      this.bindNode(node);
      const live = liveCount(node);
      if (trim.limit > 0 && removed + live > trim.limit) break;
      if (this.nodeGoes(trim, live)) {
        this.freeNode();
        more = nodes.remove();
        this.length -= live;
        removed += live;
        continue;
      }
      if (trim.approximate) break;
      const marked = this.trimNode(trim, live);
      if (marked > 0 && this.firstIdFrom(scanOffset)) return removed + marked;
      removed += marked;
      break;
    }
    if (removed > 0 || this.length === 0) this.refreshFirstId();
    return removed;
  }

  /** The group whose name stands in `len` bytes of `buf` at `pos`. */
  group(buf: Uint8Array, pos = 0, len = buf.length): StreamGroup | undefined {
    return this.groups.get(buf, pos, len);
  }

  /** Creates a group; undefined when there is one of that name. `entriesRead` is -1 when unknown. */
  createGroup(name: Buffer, lastId: StreamId, entriesRead: number): StreamGroup | undefined {
    if (this.groups.get(name) !== undefined) return undefined;
    const group = new StreamGroup(this.arena, name, lastId, entriesRead);
    this.groups.add(group);
    return group;
  }

  destroyGroup(group: StreamGroup): void {
    this.groups.delete(group);
    group.free();
  }

  /** Calls `visit` with each node in order: its id, and its listpack as `len` bytes of `buf` at `pos`. */
  forEachNode(visit: (id: StreamId, buf: Buffer, pos: number, len: number) => void): void {
    const id = new StreamId();
    for (let more = this.nodes.first(); more; more = this.nodes.next()) {
      this.bindNode(node);
      visit(this.nodes.readId(id), node.buf, node.pos, node.len);
    }
  }

  /** Adds a node as a load brings it: in order, with sound bytes. Length and ids are set afterwards. */
  loadNode(id: StreamId, listpack: Uint8Array): void {
    node.create(this.arena, listpack.length, listpack.length);
    node.buf.set(listpack, node.pos);
    this.nodes.insert(id);
    this.nodes.set(WORD_CAPACITY, 0);
    this.storeNode();
  }

  /** A copy with everything in it, groups included. */
  copy(): Stream {
    const other = new Stream(this.arena);
    this.forEachNode((id, buf, pos, len) => {
      other.loadNode(id, buf.subarray(pos, pos + len));
    });
    other.length = this.length;
    other.lastId.set(this.lastId);
    other.firstId.set(this.firstId);
    other.maxDeletedId.set(this.maxDeletedId);
    other.entriesAdded = this.entriesAdded;
    for (const group of this.groups) other.groups.add(group.copy(this.arena));
    return other;
  }

  free(): void {
    for (let more = this.nodes.first(); more; more = this.nodes.next()) {
      this.bindNode(node);
      node.free();
    }
    this.nodes.free();
    for (const group of this.groups) group.free();
  }

  memoryBytes(): number {
    let sum = this.nodeBytes + this.nodes.memoryBytes;
    for (const group of this.groups) sum += group.memoryBytes;
    return sum;
  }

  /** Whether the last node, which the index stands on, takes an entry with `textBytes` of strings; binds it. */
  private fits(textBytes: number, limits: NodeLimits): boolean {
    this.bindNode(node);
    const { nodeBytesMax, nodeEntriesMax } = limits;
    const bytesMax = nodeBytesMax === 0 ? STREAM_NODE_BYTES_MAX : Math.min(nodeBytesMax, STREAM_NODE_BYTES_MAX);
    if (node.len + textBytes >= bytesMax) return false;
    if (nodeEntriesMax === 0 || liveCount(node) + deletedCount(node) < nodeEntriesMax) return true;
    // The node is full for good.
    node.shrink();
    this.storeNode();
    return false;
  }

  /** Notes the bound node's place in the record under the index' cursor. */
  private storeNode(): void {
    const words = this.nodes.words;
    const at = this.nodes.payloadAt;
    const before = words[at + WORD_CAPACITY];
    if (node.capacity !== before) {
      this.nodeBytes += this.arena.capacity(node.capacity) - (before === 0 ? 0 : this.arena.capacity(before));
      words[at + WORD_ADDRESS] = node.address;
      words[at + WORD_CAPACITY] = node.capacity;
    }
    words[at + WORD_LENGTH] = node.len;
  }

  /** Frees the bound node's block; its record is the caller's. */
  private freeNode(): void {
    this.nodeBytes -= this.arena.capacity(node.capacity);
    node.free();
  }

  private deleteAt(offset: number, flags: number): void {
    setFlags(node, offset, flags | DELETED);
    const live = liveCount(node);
    if (live === 1) {
      this.freeNode();
      this.nodes.remove();
    } else {
      setCounts(node, live - 1, deletedCount(node) + 1);
      this.storeNode();
    }
    this.length--;
  }

  /** Reads the id of the bound node's entry at `offset` into scratchId; returns the offset of the entry after it. */
  private readEntryAt(offset: number): number {
    const at = node.pos + offset;
    readEntryId(node.buf, at + entryBytes(node.buf, at), nodeId, scratchId);
    return skipEntry(offset, masterCount());
  }

  /** Whether the bound node is to be removed as a whole. */
  private nodeGoes(trim: Trim, live: number): boolean {
    if (trim.strategy === 'maxlen') return this.length - live >= trim.maxLength;
    this.nodes.readId(nodeId);
    this.readEntryAt(lastEntry(node));
    return scratchId.compare(trim.minId) < 0;
  }

  /**
   * Marks entries of the bound node as deleted as far as the trim asks for; returns how many. scanOffset is where it
   * stopped.
   */
  private trimNode(trim: Trim, live: number): number {
    const byLength = trim.strategy === 'maxlen';
    const shared = masterCount();
    let removed = 0;
    this.nodes.readId(nodeId);
    let offset = firstEntry(node);
    while (offset < node.len - 1) {
      if (!byLength) this.readEntryAt(offset);
      if (byLength ? this.length <= trim.maxLength : scratchId.compare(trim.minId) >= 0) break;
      const flags = node.buf[node.pos + offset];
      if ((flags & DELETED) === 0) {
        setFlags(node, offset, flags | DELETED);
        removed++;
        this.length--;
      }
      offset = skipEntry(offset, shared);
    }
    const before = node.len;
    setCounts(node, live - removed, deletedCount(node) + removed);
    scanOffset = offset + node.len - before;
    this.storeNode();
    return removed;
  }

  /** Takes the first entry of the bound node from `offset` on that is not deleted for firstId; false without one. */
  private firstIdFrom(offset: number): boolean {
    const shared = masterCount();
    for (let at = offset; at < node.len - 1; at = skipEntry(at, shared)) {
      if ((node.buf[node.pos + at] & DELETED) !== 0) continue;
      this.readEntryAt(at);
      this.firstId.set(scratchId);
      return true;
    }
    return false;
  }
}

/** Number of fields in the bound node's master entry. */
function masterCount(): number {
  return readInteger(node.buf, node.pos + masterFields(node));
}

/** Offset of the entry after the one at `offset` of the bound node, whose master entry has `shared` fields. */
function skipEntry(offset: number, shared: number): number {
  const { buf, pos } = node;
  let p = pos + offset;
  const flags = readInteger(buf, p);
  p += entryBytes(buf, p);
  p += entryBytes(buf, p);
  p += entryBytes(buf, p);
  let elements = shared;
  if ((flags & SAME_FIELDS) === 0) {
    elements = readInteger(buf, p) * 2;
    p += entryBytes(buf, p);
  }
  const end = pos + node.len;
  for (; elements > 0 && p < end; elements--) p += entryBytes(buf, p);
  return p + entryBytes(buf, p) - pos;
}
