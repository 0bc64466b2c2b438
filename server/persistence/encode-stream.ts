// How a stream is written to RDB: its nodes as they stand, its ids and counters, its groups with what is pending.
// The indexes have one cursor each, which readers move, too: after every pause the place is looked up again.

import { RDB_TYPE } from '../formats/rdb/types.ts';
import type { RdbWriter } from '../formats/rdb/writer.ts';
import type { Database } from '../keyspace/database.ts';
import type { IdIndex } from '../values/id-index.ts';
import type { Stream } from '../values/stream.ts';
import type { StreamConsumer, StreamGroup } from '../values/stream-group.ts';
import { StreamId } from '../values/stream-id.ts';
import { StreamNode } from '../values/stream-node.ts';

/** Writes a value, stopping wherever the caller may want to do something else. */
export type Pieces = Generator<void, void, void>;

/** A value of more elements, or a string of more bytes, is worth writing in pieces. */
export const PIECE_ELEMENTS = 512;
/** Elements between two places to stop. */
export const STEP_ELEMENTS = 128;
export const PIECE_BYTES = 1 << 18;

const ID_BYTES = 16;

export function* encodeStream(writer: RdbWriter, db: Database, entry: number, rdbType: number): Pieces {
  const stream = db.large(entry) as Stream;
  writer.length(stream.nodes.size);
  const node = new StreamNode();
  const idBytes = Buffer.alloc(ID_BYTES);
  yield* eachId(writer, stream.nodes, (id) => {
    stream.bindNode(node);
    id.writeBytes(idBytes, 0);
    writer.plainString(idBytes, 0, ID_BYTES);
    writer.string(node.buf, node.pos, node.pos + node.len);
  });
  writer.length(stream.length);
  writeId(writer, stream.lastId);
  writeId(writer, stream.firstId);
  writeId(writer, stream.maxDeletedId);
  writer.length(stream.entriesAdded);
  writer.length(stream.groups.size);
  for (const group of stream.groups) yield* encodeGroup(writer, group, rdbType);
}

function* encodeGroup(writer: RdbWriter, group: StreamGroup, rdbType: number): Pieces {
  const idBytes = Buffer.alloc(ID_BYTES);
  writer.string(group.name, 0, group.name.length);
  writeId(writer, group.lastId);
  // -1, "unknown", takes all 64 bits.
  writer.length64(BigInt.asUintN(64, BigInt(group.entriesRead)));
  writer.length(group.pending.size);
  yield* eachId(writer, group.pending, (id) => {
    id.writeBytes(idBytes, 0);
    writer.raw(idBytes, 0, ID_BYTES);
    writer.int64(group.deliveredAtMs);
    writer.length(group.deliveries);
  });
  writer.length(group.consumers.size);
  for (const consumer of group.consumers) yield* encodeConsumer(writer, consumer, rdbType);
}

function* encodeConsumer(writer: RdbWriter, consumer: StreamConsumer, rdbType: number): Pieces {
  const idBytes = Buffer.alloc(ID_BYTES);
  writer.string(consumer.name, 0, consumer.name.length);
  writer.int64(consumer.seenAtMs);
  if (rdbType === RDB_TYPE.stream3) writer.int64(consumer.activeAtMs);
  writer.length(consumer.pending.size);
  yield* eachId(writer, consumer.pending, (id) => {
    id.writeBytes(idBytes, 0);
    writer.raw(idBytes, 0, ID_BYTES);
  });
}

/** Calls `write` with every id of an index, the index' cursor being on it. */
function* eachId(writer: RdbWriter, index: IdIndex, write: (id: StreamId) => void): Pieces {
  const id = new StreamId();
  let left = STEP_ELEMENTS;
  let mark = writer.offset;
  for (let more = index.first(); more; more = index.next()) {
    write(index.readId(id));
    if (--left > 0 && writer.offset - mark < PIECE_BYTES) continue;
    yield;
    index.seek(id);
    left = STEP_ELEMENTS;
    mark = writer.offset;
  }
}

function writeId(writer: RdbWriter, id: StreamId): void {
  writer.length64(id.msBigInt);
  writer.length64(id.sequenceBigInt);
}
