// What a reader tells about an RDB, in file order. A Slice is only valid during the call (key() and the first event of
// its value may share the window, nothing else does): copy what you keep.

import type { Slice } from './slice.ts';
import type { RdbBlobKind, RdbFlavour } from './types.ts';

export type RdbCollection = 'list' | 'set' | 'zset' | 'hash';

/** An unsigned 64-bit number: a bigint where a number would not be exact. */
export type RdbExact = number | bigint;

/** Facts about a stream that come after its nodes. Ids are pairs of unsigned 64-bit numbers. */
export type RdbStreamInfo = {
  length: number;
  lastMs: RdbExact;
  lastSequence: RdbExact;
  /** The rest is null before type 19. */
  firstMs: RdbExact | null;
  firstSequence: RdbExact | null;
  maxDeletedMs: RdbExact | null;
  maxDeletedSequence: RdbExact | null;
  entriesAdded: RdbExact | null;
};

/**
 * What a stream knows of messages that came before, so that the same one is not added twice (types 26 and up), and how much
 * of it it keeps: `entriesMax` per producer, `durationSeconds` each. `added` and `duplicates` were counted since it began.
 */
export type RdbStreamIdempotency = {
  durationSeconds: number;
  entriesMax: number;
  producers: number;
  entries: number;
  added: number;
  duplicates: number;
};

/** Types of others that have no counterpart here. */
export type RdbForeignType = 'array' | 'path-hash';

/** `entriesRead` is null before type 19 and -1 when unknown. */
export type RdbStreamGroup = { lastMs: RdbExact; lastSequence: RdbExact; entriesRead: bigint | null };

/**
 * Of a key: key(), then value events, then keyEnd(). Value events by layout:
 *   string                   string()
 *   plain collections        begin(), then element() | pair() | scored() per member
 *   packed collections       blob()
 *   quicklists               begin('list', nodes), then plainNode(), ziplistNode() or listpackNode() per node
 *   streams                  streamNode()*, streamInfo(), then per group: streamGroup(), streamPending()*, per consumer:
 *                            streamConsumer(), streamOwned()*, then streamUnowned()*; at last (types 26 and up)
 *                            streamIdempotency()
 *   hashes with templates    as plain ones
 *   arrays, path hashes      foreign()
 *   modules                  module()
 * emptyValue() replaces (or, for quicklists of empty nodes, follows) the events of a collection without members, which
 * servers drop.
 */
export interface RdbVisitor {
  header(version: number, flavour: RdbFlavour): void;
  aux(name: Slice, value: Slice): void;
  selectDb(db: number): void;
  resizeDb(keys: number, expires: number): void;
  slotInfo(slot: number, keys: number, expires: number): void;
  slotImport(job: Slice): void;
  slotImportRange(first: number, last: number): void;
  /** The source text of a function library, with its `#!lua name=…` line. */
  functionLibrary(code: Slice): void;
  /** Data a module keeps beside the keys; passed over. */
  moduleAux(module: string): void;
  /** What a module attached to the key that follows; passed over. */
  keyMetadata(module: string): void;
  /** A command that was to be run before the rest is read, by its name; passed over. */
  inlineCommand(name: Slice): void;

  /** `expireAtMs`, `idleSeconds` and `frequency` are -1 when the file doesn't say. */
  key(key: Slice, type: number, expireAtMs: number, idleSeconds: number, frequency: number): void;
  string(value: Slice): void;
  /** A plain value of that many bytes was passed over, see RdbReaderOptions.skipStringsOver. */
  skipped(bytes: number): void;
  begin(kind: RdbCollection, count: number): void;
  element(member: Slice): void;
  scored(member: Slice, score: number): void;
  /** `expireAtMs` is -1 for a field that stays. */
  pair(field: Slice, value: Slice, expireAtMs: number): void;
  /** `count` is the number of elements that the header claims, or was counted: pairs count as two. */
  blob(kind: RdbBlobKind, blob: Slice, count: number): void;
  plainNode(value: Slice): void;
  ziplistNode(blob: Slice, count: number): void;
  listpackNode(blob: Slice, count: number): void;
  /** `id` is the node's first id: 8 bytes big-endian milliseconds, 8 bytes sequence. */
  streamNode(id: Slice, listpack: Slice): void;
  streamInfo(info: RdbStreamInfo): void;
  streamGroup(name: Slice, group: RdbStreamGroup): void;
  streamPending(id: Slice, deliveredAtMs: number, deliveries: number): void;
  /** `activeAtMs` is -1 before type 21. */
  streamConsumer(name: Slice, seenAtMs: number, activeAtMs: number): void;
  /** An id of the group's pending ones that belongs to the consumer just told. */
  streamOwned(id: Slice): void;
  /** An id of the group's pending ones that was given back and belongs to no consumer. */
  streamUnowned(id: Slice): void;
  streamIdempotency(state: RdbStreamIdempotency): void;
  /** A value of a type that is not served here, with that many members; passed over. */
  foreign(type: RdbForeignType, count: number): void;
  /** A value of a module; passed over. */
  module(module: string): void;
  emptyValue(): void;
  keyEnd(): void;
  /** After EOF opcode and checksum. */
  end(checksum: 'good' | 'off' | 'none'): void;
}

/** Hears everything, does nothing: derive from it and override what you care about. */
export class SilentVisitor implements RdbVisitor {
  header(_version: number, _flavour: RdbFlavour): void {}
  aux(_name: Slice, _value: Slice): void {}
  selectDb(_db: number): void {}
  resizeDb(_keys: number, _expires: number): void {}
  slotInfo(_slot: number, _keys: number, _expires: number): void {}
  slotImport(_job: Slice): void {}
  slotImportRange(_first: number, _last: number): void {}
  functionLibrary(_code: Slice): void {}
  moduleAux(_module: string): void {}
  keyMetadata(_module: string): void {}
  inlineCommand(_name: Slice): void {}
  key(_key: Slice, _type: number, _expireAtMs: number, _idleSeconds: number, _frequency: number): void {}
  string(_value: Slice): void {}
  skipped(_bytes: number): void {}
  begin(_kind: RdbCollection, _count: number): void {}
  element(_member: Slice): void {}
  scored(_member: Slice, _score: number): void {}
  pair(_field: Slice, _value: Slice, _expireAtMs: number): void {}
  blob(_kind: RdbBlobKind, _blob: Slice, _count: number): void {}
  plainNode(_value: Slice): void {}
  ziplistNode(_blob: Slice, _count: number): void {}
  listpackNode(_blob: Slice, _count: number): void {}
  streamNode(_id: Slice, _listpack: Slice): void {}
  streamInfo(_info: RdbStreamInfo): void {}
  streamGroup(_name: Slice, _group: RdbStreamGroup): void {}
  streamPending(_id: Slice, _deliveredAtMs: number, _deliveries: number): void {}
  streamConsumer(_name: Slice, _seenAtMs: number, _activeAtMs: number): void {}
  streamOwned(_id: Slice): void {}
  streamUnowned(_id: Slice): void {}
  streamIdempotency(_state: RdbStreamIdempotency): void {}
  foreign(_type: RdbForeignType, _count: number): void {}
  module(_module: string): void {}
  emptyValue(): void {}
  keyEnd(): void {}
  end(_checksum: 'good' | 'off' | 'none'): void {}
}
