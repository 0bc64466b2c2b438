// Walks the entries of a stream between two ids, forward or backward, without making objects.

import { entryBytes, ListpackElement } from '../memory/listpack-entry.ts';
import type { IdIndex } from './id-index.ts';
import { StreamId } from './stream-id.ts';
import {
  DELETED,
  entryBefore,
  firstEntry,
  masterFields,
  readEntryId,
  readInteger,
  SAME_FIELDS,
  StreamNode,
} from './stream-node.ts';

/** What a cursor needs to know of a stream. */
interface NodeSource {
  readonly nodes: IdIndex;
  /** Binds `to` to the node under the index' cursor. */
  bindNode(to: StreamNode): StreamNode;
}

/**
 * After start(), next() places it on one entry after the other; then `id` and `fieldCount` are the entry's and
 * nextField() reads its pairs one by one into `field` and `value`. The stream's nodes may not change in between.
 */
export class StreamCursor {
  readonly id = new StreamId();
  readonly field = new ListpackElement();
  readonly value = new ListpackElement();
  fieldCount = 0;
  private stream!: NodeSource;
  private readonly node = new StreamNode();
  private readonly nodeId = new StreamId();
  private readonly from = new StreamId();
  private readonly to = new StreamId();
  private reverse = false;
  private chunk = 0;
  private slot = 0;
  private inNode = false;
  private done = false;
  /** Position where the next entry begins; backward: behind the entry that comes next. */
  private p = 0;
  private end = 0;
  private entriesFrom = 0;
  /** Position of the next pair of the current entry, and of the master's field that goes with it. */
  private pair = 0;
  private masterField = 0;
  private sameFields = false;

  /** From the entry with the smallest id to the largest, both ends included; backward the other way round. */
  start(stream: NodeSource, from: StreamId, to: StreamId, reverse = false): this {
    this.stream = stream;
    this.from.set(from);
    this.to.set(to);
    this.reverse = reverse;
    this.inNode = false;
    const nodes = stream.nodes;
    this.done = !nodes.seekAtMost(reverse ? to : from) && (reverse || !nodes.first());
    if (!this.done) this.openNode();
    return this;
  }

  /**
   * Places the cursor on the entry with an id; false when there is none. After another find() on a stream that has not
   * changed it goes on from there: ids in rising order cost one pass over a node.
   */
  find(stream: NodeSource, id: StreamId, goOn: boolean): boolean {
    if (goOn && this.inNode && !this.reverse && this.stream === stream && this.id.compare(id) < 0) {
      this.from.set(id);
      this.to.set(id);
      this.done = false;
      while (this.p < this.end && !this.done) if (this.stepForward()) return true;
      if (this.done) return false;
    }
    return this.start(stream, id, id).next();
  }

  /** Places the cursor on the next entry; false at the end. */
  next(): boolean {
    while (!this.done) {
      if (!this.inNode && !this.enterNextNode()) break;
      const found = this.reverse ? this.stepBack() : this.stepForward();
      if (found) return true;
    }
    return false;
  }

  /** Reads the current entry's next pair; to be called at most `fieldCount` times. */
  nextField(): void {
    const buf = this.node.buf;
    if (this.sameFields) {
      this.masterField += this.field.readAt(buf, this.masterField);
    } else {
      this.pair += this.field.readAt(buf, this.pair);
    }
    this.pair += this.value.readAt(buf, this.pair);
  }

  /** Opens the node under the index' cursor. */
  private openNode(): void {
    const { nodes } = this.stream;
    this.chunk = nodes.chunk;
    this.slot = nodes.slot;
    nodes.readId(this.nodeId);
    this.stream.bindNode(this.node);
    const { pos, len } = this.node;
    this.entriesFrom = pos + firstEntry(this.node);
    this.end = pos + len - 1;
    this.p = this.reverse ? this.end : this.entriesFrom;
    this.inNode = true;
  }

  private enterNextNode(): boolean {
    const { nodes } = this.stream;
    nodes.chunk = this.chunk;
    nodes.slot = this.slot;
    this.done = !(this.reverse ? nodes.previous() : nodes.next());
    if (!this.done) this.openNode();
    return !this.done;
  }

  private stepForward(): boolean {
    if (!(this.p < this.end)) {
      this.inNode = false;
      return false;
    }
    const flags = this.readEntry(this.p);
    this.p = this.skipEntry();
    if (this.id.compare(this.to) > 0) {
      this.done = true;
      return false;
    }
    return (flags & DELETED) === 0 && this.id.compare(this.from) >= 0;
  }

  private stepBack(): boolean {
    if (!(this.p > this.entriesFrom)) {
      this.inNode = false;
      return false;
    }
    this.p = entryBefore(this.node.buf, this.p, this.node.pos);
    const flags = this.readEntry(this.p);
    if (this.id.compare(this.from) < 0) {
      this.done = true;
      return false;
    }
    return (flags & DELETED) === 0 && this.id.compare(this.to) <= 0;
  }

  /** Reads id and number of fields of the entry at `at`; returns its flags. */
  private readEntry(at: number): number {
    const buf = this.node.buf;
    const flags = readInteger(buf, at);
    let p = readEntryId(buf, at + entryBytes(buf, at), this.nodeId, this.id);
    this.sameFields = (flags & SAME_FIELDS) !== 0;
    const count = this.sameFields ? this.node.pos + masterFields(this.node) : p;
    // A damaged count must not make a reply longer than the node.
    this.fieldCount = Math.min(Math.max(0, readInteger(buf, count)), this.node.len);
    if (this.sameFields) this.masterField = count + entryBytes(buf, count);
    else p += entryBytes(buf, p);
    this.pair = p;
    return flags;
  }

  /** Position behind the entry that has just been read. */
  private skipEntry(): number {
    const buf = this.node.buf;
    let p = this.pair;
    for (
      let elements = this.sameFields ? this.fieldCount : this.fieldCount * 2;
      elements > 0 && p < this.end;
      elements--
    ) {
      p += entryBytes(buf, p);
    }
    return p + entryBytes(buf, p);
  }
}
