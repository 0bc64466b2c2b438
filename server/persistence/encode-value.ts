// How every value is written to RDB: one row per type and encoding. Small values are copied as they stand, packed runs as
// listpacks; large values can be written in pieces, so that a snapshot of a huge one does not hold the event loop.

import { RDB_TYPE } from '../formats/rdb/types.ts';
import type { RdbWriter } from '../formats/rdb/writer.ts';
import type { Database } from '../keyspace/database.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import { ValueRegion } from '../keyspace/value-region.ts';
import type { Dict } from '../memory/dict.ts';
import { PACKED_FIRST, PackedElement, packedCount } from '../memory/packed.ts';
import { ListpackCopy } from '../memory/packed-listpack.ts';
import type { HashTable } from '../values/hash.ts';
import type { Quicklist } from '../values/quicklist.ts';
import type { HashSet } from '../values/set-table.ts';
import type { SortedSet } from '../values/sorted-set.ts';
import { encodeStream, PIECE_BYTES, PIECE_ELEMENTS, type Pieces, STEP_ELEMENTS } from './encode-stream.ts';

/** RDB versions that brought something a value may need. */
const LISTPACK_SETS_SINCE = 11;
const ACTIVE_TIME_SINCE = 11;
export const FIELD_EXPIRY_SINCE = 12;

/** A string above this is written as it is when it is written in pieces: compressing it would take too long at once. */
const COMPRESS_BYTES_MAX = 1 << 20;

/** What a node of a quicklist is, in type 18. */
const PLAIN_NODE = 1;
const PACKED_NODE = 2;

interface ValueForm {
  /** The type byte for a file of that version. */
  rdbType(version: number, db: Database, entry: number): number;
  write(writer: RdbWriter, db: Database, entry: number, rdbType: number): void;
  /** For values that may be large. */
  pieces?(writer: RdbWriter, db: Database, entry: number, rdbType: number): Pieces;
}

const element = new PackedElement();
const region = new ValueRegion();
const listpack = new ListpackCopy();

/** The type byte of a value in a file (or DUMP payload) of that RDB version. */
export function rdbTypeOf(db: Database, entry: number, version: number): number {
  return formOf(db, entry).rdbType(version, db, entry);
}

/** Writes a value, without key and type byte. */
export function encodeValue(writer: RdbWriter, db: Database, entry: number, rdbType: number): void {
  formOf(db, entry).write(writer, db, entry, rdbType);
}

/**
 * encodeValue in pieces, or null when the value is small enough to be written at once. The value must not change, and
 * nobody else may write to `writer`, before it is complete; end it early with `return()`.
 */
export function encodePieces(writer: RdbWriter, db: Database, entry: number, rdbType: number): Pieces | null {
  const form = formOf(db, entry);
  if (form.pieces === undefined) return null;
  if (form === STRING) {
    db.open(entry);
    if (db.vlen <= PIECE_BYTES) return null;
  } else if (db.large(entry).length <= PIECE_ELEMENTS) return null;
  return form.pieces(writer, db, entry, rdbType);
}

/** The lowest RDB version that can hold a value. */
export function versionNeeded(db: Database, entry: number): number {
  if (db.type(entry) !== Type.hash || db.encoding(entry) !== Encoding.hashtable) return 0;
  return (db.large(entry) as HashTable).expiring > 0 ? FIELD_EXPIRY_SINCE : 0;
}

function formOf(db: Database, entry: number): ValueForm {
  return FORMS[(db.type(entry) << 4) | db.encoding(entry)];
}

const STRING: ValueForm = {
  rdbType: () => RDB_TYPE.string,
  write: writeBlob,
  pieces: stringPieces,
};

/** A packed run, which RDB stores as a listpack. */
function packed(rdbType: number): ValueForm {
  return { rdbType: () => rdbType, write: writePacked };
}

/** A value written by a generator, also when it is written at once. */
function large(
  rdbType: ValueForm['rdbType'],
  pieces: (writer: RdbWriter, db: Database, entry: number, rdbType: number) => Pieces,
): ValueForm {
  return {
    rdbType,
    pieces,
    write(writer, db, entry, type) {
      const steps = pieces(writer, db, entry, type);
      while (steps.next().done !== true);
    },
  };
}

const FORMS: readonly ValueForm[] = (() => {
  const forms: ValueForm[] = [];
  const add = (type: number, encoding: number, form: ValueForm) => {
    forms[(type << 4) | encoding] = form;
  };
  add(Type.string, Encoding.raw, STRING);
  add(Type.string, Encoding.int, STRING);
  add(Type.string, Encoding.embstr, STRING);
  add(Type.list, Encoding.listpack, { rdbType: () => RDB_TYPE.listQuicklist2, write: writeListListpack });
  add(
    Type.list,
    Encoding.quicklist,
    large(() => RDB_TYPE.listQuicklist2, listPieces),
  );
  add(Type.set, Encoding.intset, { rdbType: () => RDB_TYPE.setIntset, write: writeBlob });
  add(Type.set, Encoding.listpack, {
    rdbType: (version) => (version >= LISTPACK_SETS_SINCE ? RDB_TYPE.setListpack : RDB_TYPE.set),
    write: writePackedSet,
  });
  add(
    Type.set,
    Encoding.hashtable,
    large(() => RDB_TYPE.set, setPieces),
  );
  add(Type.zset, Encoding.listpack, packed(RDB_TYPE.zsetListpack));
  add(
    Type.zset,
    Encoding.skiplist,
    large(() => RDB_TYPE.zset2, sortedSetPieces),
  );
  add(Type.hash, Encoding.listpack, packed(RDB_TYPE.hashListpack));
  add(
    Type.hash,
    Encoding.hashtable,
    large(
      (version, db, entry) =>
        version >= FIELD_EXPIRY_SINCE && (db.large(entry) as HashTable).expiring > 0
          ? RDB_TYPE.hashMetadata
          : RDB_TYPE.hash,
      hashPieces,
    ),
  );
  add(
    Type.stream,
    Encoding.stream,
    large((version) => (version >= ACTIVE_TIME_SINCE ? RDB_TYPE.stream3 : RDB_TYPE.stream2), encodeStream),
  );
  return forms;
})();

function writeBlob(writer: RdbWriter, db: Database, entry: number): void {
  db.open(entry);
  writer.string(db.vbuf, db.vpos, db.vpos + db.vlen);
}

function writePacked(writer: RdbWriter, db: Database, entry: number): void {
  const { buf, len } = listpack.make(region.bind(db, entry), db.viewOf(entry));
  writer.string(buf, 0, len);
}

function* stringPieces(writer: RdbWriter, db: Database, entry: number): Pieces {
  db.open(entry);
  const length = db.vlen;
  if (length <= COMPRESS_BYTES_MAX) {
    writer.string(db.vbuf, db.vpos, db.vpos + length);
    return;
  }
  writer.length(length);
  for (let at = 0; at < length; at += PIECE_BYTES) {
    db.open(entry);
    writer.raw(db.vbuf, db.vpos + at, db.vpos + Math.min(length, at + PIECE_BYTES));
    yield;
  }
}

/** A small list is a list of one node. */
function writeListListpack(writer: RdbWriter, db: Database, entry: number): void {
  writer.length(1);
  writer.length(PACKED_NODE);
  writeBlob(writer, db, entry);
}

function* listPieces(writer: RdbWriter, db: Database, entry: number): Pieces {
  const list = db.large(entry) as Quicklist;
  writer.length(list.nodeCount);
  let mark = writer.offset;
  for (let node = 0; node < list.nodeCount; node++) {
    writer.length(list.isPlain(node) ? PLAIN_NODE : PACKED_NODE);
    const bytes = list.read(node);
    writer.string(bytes.buf, bytes.pos, bytes.pos + bytes.len);
    if (writer.offset - mark < PIECE_BYTES) continue;
    yield;
    mark = writer.offset;
  }
}

function writePackedSet(writer: RdbWriter, db: Database, entry: number, rdbType: number): void {
  if (rdbType === RDB_TYPE.setListpack) {
    writePacked(writer, db, entry);
    return;
  }
  region.bind(db, entry);
  writer.length(packedCount(region));
  for (let at = PACKED_FIRST; at < region.len; at = element.next) {
    element.read(region, at);
    if (element.integer) writer.integer(element.value);
    else writer.string(element.buf, element.pos, element.pos + element.len);
  }
}

function* setPieces(writer: RdbWriter, db: Database, entry: number): Pieces {
  const set = db.large(entry) as HashSet;
  writer.length(set.length);
  yield* dictPieces(writer, set.dict, (member) => {
    const start = set.memberPosition(member);
    writer.string(set.memberBuffer(member), start, start + set.memberLength(member));
  });
}

function* hashPieces(writer: RdbWriter, db: Database, entry: number, rdbType: number): Pieces {
  const hash = db.large(entry) as HashTable;
  const withExpiry = rdbType === RDB_TYPE.hashMetadata;
  const soonest = withExpiry ? hash.nextExpiryMs : 0;
  if (withExpiry) writer.int64(soonest);
  writer.length(hash.length);
  yield* dictPieces(writer, hash.table, (field) => {
    if (withExpiry) {
      const expireAt = hash.expireAt(field);
      writer.length(expireAt < 0 ? 0 : expireAt - soonest + 1);
    }
    hash.open(field);
    writer.string(hash.buf, hash.fieldPos, hash.fieldPos + hash.fieldLen);
    writer.string(hash.buf, hash.valuePos, hash.valuePos + hash.valueLen);
  });
}

/** From the last member to the first, as Redis does: so a reader inserts each at the head. */
function* sortedSetPieces(writer: RdbWriter, db: Database, entry: number): Pieces {
  const set = db.large(entry) as SortedSet;
  const { tree } = set;
  writer.length(set.length);
  for (let rank = set.length - 1; rank >= 0; ) {
    tree.seekRank(rank);
    const mark = writer.offset;
    for (let i = STEP_ELEMENTS; i > 0 && tree.valid && writer.offset - mark < PIECE_BYTES; i--) {
      const member = tree.entry;
      const start = set.memberPosition(member);
      writer.string(set.memberBuffer(member), start, start + set.memberLength(member));
      writer.binaryDouble(tree.score);
      tree.previous();
      rank--;
    }
    yield;
  }
}

/** Walks the entries of a table, which stays as it is meanwhile: its buckets are not moved. */
function* dictPieces(writer: RdbWriter, dict: Dict, write: (entry: number) => void): Pieces {
  dict.pauseResize();
  try {
    let left = STEP_ELEMENTS;
    let mark = writer.offset;
    for (let bucket = 0; bucket < dict.buckets; bucket++) {
      for (let entry = dict.head(bucket); entry !== 0; entry = dict.next(entry)) {
        write(entry);
        if (--left > 0 && writer.offset - mark < PIECE_BYTES) continue;
        yield;
        left = STEP_ELEMENTS;
        mark = writer.offset;
      }
    }
  } finally {
    dict.resumeResize();
  }
}
