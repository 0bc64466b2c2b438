// Puts a stream together from what an RDB reader tells: nodes, counters, groups, what is pending and whose it is.

import { estimateEntriesRead } from '../commands/stream-counters.ts';
import type { Slice } from '../formats/rdb/slice.ts';
import type { RdbStreamGroup, RdbStreamInfo } from '../formats/rdb/visitor.ts';
import type { Space } from '../keyspace/space.ts';
import { Stream } from '../values/stream.ts';
import type { StreamConsumer, StreamGroup } from '../values/stream-group.ts';
import { StreamId } from '../values/stream-id.ts';

/** Entries that were given back belong to the consumer of this name here, where every pending entry has an owner. */
const NO_NAME = Buffer.alloc(0);

export class StreamBuilder {
  stream: Stream | null = null;
  private group: StreamGroup | null = null;
  private consumer: StreamConsumer | null = null;
  private readonly space: Space;
  private readonly damaged: (message: string) => Error;
  private readonly now: () => number;
  private readonly id = new StreamId();
  private readonly idBytes = Buffer.alloc(16);

  constructor(space: Space, damaged: (message: string) => Error, now: () => number) {
    this.space = space;
    this.damaged = damaged;
    this.now = now;
  }

  begin(): void {
    this.stream = new Stream(this.space.arena);
    this.group = null;
    this.consumer = null;
  }

  node(id: Slice, listpack: Slice): void {
    const { nodes } = this.open();
    const key = this.take(id);
    if (nodes.seek(key)) throw this.damaged('Listpack re-added with existing key');
    this.open().loadNode(key, listpack.bytes.subarray(listpack.start, listpack.end));
  }

  info(info: RdbStreamInfo): void {
    const stream = this.open();
    stream.length = info.length;
    stream.lastId.setExact(info.lastMs, info.lastSequence);
    if (info.firstMs === null) {
      // Older files: what they don't tell is taken from the entries.
      stream.refreshFirstId();
      stream.entriesAdded = info.length;
      return;
    }
    stream.firstId.setExact(info.firstMs, info.firstSequence ?? 0);
    stream.maxDeletedId.setExact(info.maxDeletedMs ?? 0, info.maxDeletedSequence ?? 0);
    stream.entriesAdded = Number(info.entriesAdded ?? 0);
  }

  startGroup(name: Slice, group: RdbStreamGroup): void {
    const stream = this.open();
    this.id.setExact(group.lastMs, group.lastSequence);
    const read = group.entriesRead === null ? estimateEntriesRead(stream, this.id) : Number(group.entriesRead);
    const created = stream.createGroup(Buffer.from(name.copy()), this.id, read);
    if (created === undefined) throw this.damaged('Duplicated consumer group name');
    this.group = created;
    this.consumer = null;
  }

  pending(id: Slice, deliveredAtMs: number, deliveries: number): void {
    const key = this.take(id);
    if (this.group?.pending.seek(key)) {
      throw this.damaged('Duplicated global PEL entry loading stream consumer group');
    }
    // Newer servers write the largest 64-bit number for entries that are not to be delivered again.
    this.group?.addPending(key, deliveredAtMs, Math.min(deliveries, Number.MAX_SAFE_INTEGER));
  }

  startConsumer(name: Slice, seenAtMs: number, activeAtMs: number): void {
    const bytes = Buffer.from(name.copy());
    if (this.group?.consumer(bytes) !== undefined) throw this.damaged('Duplicate stream consumer detected.');
    this.consumer = this.group?.createConsumer(bytes, seenAtMs) ?? null;
    if (this.consumer !== null) this.consumer.activeAtMs = activeAtMs;
  }

  owned(id: Slice): void {
    const key = this.take(id);
    if (!this.group?.pending.seek(key)) throw this.damaged('Consumer entry not found in group global PEL');
    if (this.group.owner !== undefined) {
      throw this.damaged('Stream consumer PEL entry already has a consumer assigned');
    }
    if (this.consumer !== null) this.group.assign(key, this.consumer);
  }

  unowned(id: Slice): void {
    const { group } = this;
    const key = this.take(id);
    if (!group?.pending.seek(key)) throw this.damaged('Stream NACK zone entry not found in group global PEL');
    if (group.owner !== undefined) throw this.damaged('Stream NACK zone entry has a consumer assigned');
    group.assign(key, group.consumer(NO_NAME) ?? group.createConsumer(NO_NAME, this.now()));
  }

  abandon(): void {
    this.stream?.free();
    this.stream = null;
  }

  private open(): Stream {
    return this.stream as Stream;
  }

  private take(id: Slice): StreamId {
    this.idBytes.set(id.bytes.subarray(id.start, id.end));
    return this.id.readBytes(this.idBytes, 0);
  }
}
