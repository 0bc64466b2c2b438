// Puts a value that an RDB reader tells of into the keyspace, in the encoding that the limits ask for. Loading a file,
// RESTORE and full synchronisation use it; where the key comes from and what becomes of it is theirs to decide.

import { copyRange, viewOf } from '../base/bytes.ts';
import { isInt64 } from '../base/numbers.ts';
import { BLOB_MESSAGE } from '../formats/rdb/blobs.ts';
import { IntsetCursor } from '../formats/rdb/intset.ts';
import { ListpackCursor } from '../formats/rdb/listpack.ts';
import type { PackedCursor } from '../formats/rdb/packed.ts';
import { Slice } from '../formats/rdb/slice.ts';
import { RDB_TYPE, type RdbBlobKind } from '../formats/rdb/types.ts';
import {
  type RdbCollection,
  type RdbForeignType,
  type RdbStreamGroup,
  type RdbStreamIdempotency,
  type RdbStreamInfo,
  SilentVisitor,
} from '../formats/rdb/visitor.ts';
import { validateZiplist, ZiplistCursor } from '../formats/rdb/ziplist.ts';
import { validateZipmap, ZipmapCursor } from '../formats/rdb/zipmap.ts';
import type { Database } from '../keyspace/database.ts';
import { Encoding, type LargeValue, Type, textEncoding } from '../keyspace/layout.ts';
import type { Space } from '../keyspace/space.ts';
import { initListpack, LISTPACK_EMPTY_BYTES, listpackAppend, listpackCount } from '../memory/listpack.ts';
import { measureListpack, packListpack } from '../memory/packed-listpack.ts';
import { Quicklist } from '../values/quicklist.ts';
import { allowsMerge, clampFill } from '../values/quicklist-limits.ts';
import { HashBuilder } from './build-hash.ts';
import { SetBuilder } from './build-set.ts';
import { DUPLICATE_MEMBER, SortedSetBuilder } from './build-sorted-set.ts';
import { StreamBuilder } from './build-stream.ts';
import type { CollectionBuilder, EncodingLimits } from './collection-builder.ts';
import { LeftOut } from './left-out.ts';
import { ScratchRegion } from './scratch-region.ts';

/** Why values of others' types are refused, and what can be done. */
const FOREIGN: Readonly<Record<RdbForeignType, string>> = {
  array: `The value is an array (type ${RDB_TYPE.array}, since RDB version 14 of Redis 8.8), which this server has no type for`,
  'path-hash': `The value is a path hash (type ${RDB_TYPE.pathHash}, since RDB version 81 of Valkey 9.2), which this server has no type for`,
};
const FOREIGN_ADVICE =
  'delete such keys, or copy them to keys of other types, on the server that wrote the RDB, and save again';

export class ValueBuilder extends SilentVisitor {
  /** The finished key's entry; 0 when there was nothing to keep. */
  entry = 0;
  /** The value was a collection without members, which is not kept. */
  empty = false;
  /** The finished value is a hash with fields that expire. */
  hasExpiringFields = false;
  /** The value belongs to a module of this name and was passed over. */
  moduleName = '';
  /** Parts of values that were left out. */
  readonly leftOut = new LeftOut();
  /** Value events are passed over: the key is not wanted. */
  discarding = false;
  /** Fields of hashes whose time was over are dropped when they expired before this, ms since 1970. */
  dropFieldsBeforeMs = 0;
  protected db!: Database;
  protected readonly space: Space;
  private readonly limits: EncodingLimits;
  private readonly damaged: (message: string) => Error;
  private keyBuf: Uint8Array = Buffer.alloc(0);
  private keyPos = 0;
  private keyLen = 0;
  /** The database still knows the key's hash. */
  private hashed = false;
  private readonly keptKey = new Slice();
  private readonly scratch = new ScratchRegion();
  private readonly sets: SetBuilder;
  private readonly hashes: HashBuilder;
  private readonly sortedSets: SortedSetBuilder;
  private readonly streams: StreamBuilder;
  private list: Quicklist | null = null;
  /** Nodes that a list said it has. */
  private nodesExpected = 0;
  private building: 'none' | 'stream' | RdbCollection = 'none';
  private readonly cursors = {
    listpack: new ListpackCursor(),
    ziplist: new ZiplistCursor(),
    zipmap: new ZipmapCursor(),
  };
  private readonly intsets = new IntsetCursor();
  private readonly value = new Slice();

  /** `damaged` makes the error for a value that contradicts itself; `now` tells ms since 1970. */
  constructor(space: Space, limits: EncodingLimits, damaged: (message: string) => Error, now: () => number) {
    super();
    this.space = space;
    this.limits = limits;
    this.damaged = damaged;
    this.sets = new SetBuilder(space, limits, this.scratch, damaged);
    this.hashes = new HashBuilder(space, limits, this.scratch, damaged);
    this.sortedSets = new SortedSetBuilder(space, limits, this.scratch, damaged);
    this.streams = new StreamBuilder(space, damaged, now);
  }

  /** The value that follows belongs to this key, which is not there; `found`: as db.find() has just told. */
  startKey(db: Database, buf: Uint8Array, pos: number, len: number, found = false): void {
    this.hashed = found;
    this.db = db;
    this.keyBuf = buf;
    this.keyPos = pos;
    this.keyLen = len;
    this.entry = 0;
    this.empty = false;
    this.hasExpiringFields = false;
    this.moduleName = '';
    this.building = 'none';
  }

  /** Drops a half-built value after an error. */
  abandon(): void {
    if (this.building === 'list') this.list?.free();
    else if (this.building === 'stream') this.streams.abandon();
    else if (this.building !== 'none') this.builder(this.building).abandon();
    this.building = 'none';
    this.list = null;
  }

  override string(value: Slice): void {
    if (this.discarding) return;
    const { bytes, start } = value;
    const length = value.end - start;
    let encoding = textEncoding(length);
    if (length <= 20 && isInt64(bytes, start, length)) encoding = Encoding.int;
    this.createFilled(Type.string, encoding, bytes, start, length);
  }

  override begin(kind: RdbCollection, count: number): void {
    if (this.discarding) return;
    this.keepKey();
    this.building = kind;
    if (kind === 'list') this.nodesExpected = count;
    else this.builder(kind).begin(count);
  }

  override element(member: Slice): void {
    if (this.building === 'set') this.sets.add(member);
    else if (this.building === 'list') this.openList().pushTail(member.bytes, member.start, member.length);
  }

  override scored(member: Slice, score: number): void {
    if (!this.discarding) this.sortedSets.add(member, score);
  }

  override pair(field: Slice, value: Slice, expireAtMs: number): void {
    if (this.discarding || (expireAtMs >= 0 && expireAtMs < this.dropFieldsBeforeMs)) return;
    this.hashes.add(field, value, expireAtMs);
  }

  override plainNode(value: Slice): void {
    if (!this.discarding) this.openList().appendPlain(value.bytes, value.start, value.length);
  }

  override listpackNode(blob: Slice, count: number): void {
    if (this.discarding) return;
    if (this.nodesExpected === 1 && this.fitsInEntry(blob.length, count)) {
      this.createFilled(Type.list, Encoding.listpack, blob.bytes, blob.start, blob.length);
      this.building = 'none';
    } else this.openList().appendListpack(blob.bytes, blob.start, blob.length, count);
  }

  override ziplistNode(blob: Slice): void {
    if (this.discarding) return;
    this.checkZiplist(blob, 1, 'Ziplist integrity check failed.');
    const listpack = this.toListpack(blob);
    this.openList().appendListpack(listpack.buf, 0, listpack.len, listpackCount(listpack));
  }

  override blob(kind: RdbBlobKind, blob: Slice, count: number): void {
    if (this.discarding) return;
    switch (kind) {
      case 'set-intset':
        if (count <= this.limits.setMaxIntsetEntries)
          this.createFilled(Type.set, Encoding.intset, blob.bytes, blob.start, blob.length);
        else this.unpackSet(this.intsets, blob, count);
        return;
      case 'set-listpack':
        if (count <= this.limits.setMaxListpackEntries) this.createPacked(Type.set, kind, blob, 1);
        else this.unpackSet(this.cursors.listpack, blob, count);
        return;
      case 'hash-listpack':
        if (count <= this.limits.hashMaxListpackEntries * 2) this.createPacked(Type.hash, kind, blob, 2);
        else this.unpackHash(this.cursors.listpack, blob, count >>> 1, 'Hash listpack with dup elements');
        return;
      case 'zset-listpack':
        if (count <= this.limits.zsetMaxListpackEntries * 2) this.createPacked(Type.zset, kind, blob, 2);
        else this.unpackSortedSet(this.cursors.listpack, blob, count >>> 1);
        return;
      case 'zset-ziplist':
        this.checkZiplist(blob, 2, 'Zset ziplist integrity check failed.');
        this.unpackSortedSet(this.cursors.ziplist, blob, count >>> 1, 'Zset ziplist integrity check failed.');
        return;
      case 'hash-ziplist':
        this.checkZiplist(blob, 2, 'Hash ziplist integrity check failed.');
        this.unpackHash(this.cursors.ziplist, blob, count >>> 1, 'Hash ziplist integrity check failed.');
        return;
      case 'hash-zipmap':
        if (validateZipmap(this.cursors.zipmap, blob.bytes, blob.start, blob.end) < 0) {
          throw this.damaged('Zipmap integrity check failed.');
        }
        this.unpackHash(this.cursors.zipmap, blob, count >>> 1, 'Hash zipmap with dup elements, or big length (0)');
        return;
      case 'hash-listpack-expiry':
        this.unpackHashWithExpiry(blob, Math.floor(count / 3));
        return;
      case 'list-ziplist':
        this.begin('list', 1);
        this.ziplistNode(blob);
    }
  }

  override streamNode(id: Slice, listpack: Slice): void {
    if (this.startsStream()) this.streams.node(id, listpack);
  }

  override streamInfo(info: RdbStreamInfo): void {
    if (this.startsStream()) this.streams.info(info);
  }

  override streamGroup(name: Slice, group: RdbStreamGroup): void {
    if (!this.discarding) this.streams.startGroup(name, group);
  }

  override streamPending(id: Slice, deliveredAtMs: number, deliveries: number): void {
    if (!this.discarding) this.streams.pending(id, deliveredAtMs, deliveries);
  }

  override streamConsumer(name: Slice, seenAtMs: number, activeAtMs: number): void {
    if (!this.discarding) this.streams.startConsumer(name, seenAtMs, activeAtMs);
  }

  override streamOwned(id: Slice): void {
    if (!this.discarding) this.streams.owned(id);
  }

  override streamUnowned(id: Slice): void {
    if (this.discarding) return;
    this.streams.unowned(id);
    this.leftOut.unowned();
  }

  override streamIdempotency(state: RdbStreamIdempotency): void {
    if (!this.discarding) this.leftOut.idempotency(state);
  }

  override foreign(type: RdbForeignType): void {
    if (!this.discarding) throw this.damaged(`${FOREIGN[type]}: ${FOREIGN_ADVICE}`);
  }

  override keyMetadata(module: string): void {
    throw this.damaged(`The key has metadata of a module that is not there: no matching class '${module}'`);
  }

  override module(module: string): void {
    this.moduleName = module;
  }

  override emptyValue(): void {
    this.abandon();
    this.empty = true;
    if (!this.discarding) this.onEmpty(this.keyBuf.subarray(this.keyPos, this.keyPos + this.keyLen));
  }

  /** Told of a key whose value has no members. */
  protected onEmpty(_key: Uint8Array): void {}

  override keyEnd(): void {
    if (this.building === 'none') return;
    if (this.building === 'list') this.finishList();
    else if (this.building === 'stream') this.finishStream();
    else this.finishCollection(this.builder(this.building));
    this.building = 'none';
    this.list = null;
  }

  private builder(kind: Exclude<RdbCollection, 'list'>): SetBuilder | HashBuilder | SortedSetBuilder {
    if (kind === 'set') return this.sets;
    return kind === 'hash' ? this.hashes : this.sortedSets;
  }

  /** The key's bytes are needed beyond this event. */
  protected keepKey(): void {
    const memory = this.keptKey.own(this.keyLen);
    copyRange(this.keyBuf, this.keyPos, this.keyLen, memory, 0);
    this.keyBuf = memory;
    this.keyPos = 0;
    this.hashed = false;
  }

  protected createLarge(type: number, encoding: number, value: LargeValue): void {
    this.entry = this.db.createLarge(this.keyBuf, this.keyPos, this.keyLen, type, encoding, value);
  }

  /** Creates the key with an inline value of `length` bytes to be filled: open() has been called. */
  private createInline(type: number, encoding: number, length: number): void {
    const { db } = this;
    this.entry = this.hashed
      ? db.createFound(this.keyBuf, this.keyPos, this.keyLen, type, encoding, length)
      : db.create(this.keyBuf, this.keyPos, this.keyLen, type, encoding, length);
    db.open(this.entry);
  }

  /** Creates the key with an inline value of these bytes. */
  private createFilled(type: number, encoding: number, bytes: Uint8Array, start: number, length: number): void {
    this.createInline(type, encoding, length);
    this.db.fillOpened(this.entry, bytes, start);
  }

  /** Creates the key with the elements of a listpack, of which `stride` are a member, as a packed run. */
  private createPacked(type: number, kind: RdbBlobKind, { bytes, start, end }: Slice, stride: number): void {
    const length = measureListpack(bytes, start, end, stride);
    if (length < 0) throw this.damaged(BLOB_MESSAGE[kind]);
    this.createInline(type, Encoding.listpack, length);
    const { db } = this;
    packListpack(bytes, viewOf(bytes), start, end, db.vbuf, db.viewOf(this.entry), db.vpos, db.vpos + length);
  }

  private finishCollection(builder: CollectionBuilder): void {
    const type = this.building === 'set' ? Type.set : this.building === 'hash' ? Type.hash : Type.zset;
    if (builder.count === 0) {
      builder.abandon();
      this.building = 'none';
      this.emptyValue();
    } else if (builder.large === null) {
      this.createFilled(type, builder.encoding, this.scratch.buf, 0, this.scratch.len);
    } else {
      this.hasExpiringFields = builder === this.hashes && this.hashes.hasExpiring;
      this.createLarge(type, builder.encoding, builder.large);
    }
  }

  /** Begins a stream with its first event; false when it is not wanted. */
  private startsStream(): boolean {
    if (this.building !== 'stream' && !this.discarding) {
      this.keepKey();
      this.building = 'stream';
      this.streams.begin();
    }
    return !this.discarding;
  }

  private finishStream(): void {
    this.createLarge(Type.stream, Encoding.stream, this.streams.stream as LargeValue);
    this.streams.stream = null;
  }

  private openList(): Quicklist {
    this.list ??= new Quicklist(this.space.arena, this.limits.listMaxListpackSize, this.limits.listCompressDepth);
    return this.list;
  }

  /** Whether a list of one node stands in its entry. */
  private fitsInEntry(bytes: number, count: number): boolean {
    return this.limits.largeLists !== true && allowsMerge(clampFill(this.limits.listMaxListpackSize), bytes, count);
  }

  private finishList(): void {
    const { list } = this;
    if (list === null || list.length === 0) {
      this.emptyValue();
      return;
    }
    if (list.nodeCount === 1 && !list.isPlain(0)) {
      const node = list.read(0);
      if (this.fitsInEntry(node.len, list.length)) {
        const bytes = this.scratch.start(node.len);
        copyRange(node.buf, node.pos, node.len, bytes.buf, 0);
        list.free();
        this.createFilled(Type.list, Encoding.listpack, bytes.buf, 0, bytes.len);
        return;
      }
    }
    this.createLarge(Type.list, Encoding.quicklist, list);
  }

  private unpackSet(cursor: PackedCursor, blob: Slice, count: number): void {
    this.begin('set', count);
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) this.sets.add(cursor.text());
  }

  private unpackHash(cursor: PackedCursor, blob: Slice, count: number, duplicate: string): void {
    this.begin('hash', count);
    this.hashes.duplicateMessage = duplicate;
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) {
      this.value.copyFrom(cursor.text());
      if (cursor.next()) this.hashes.add(this.value, cursor.text(), -1);
    }
  }

  private unpackHashWithExpiry(blob: Slice, count: number): void {
    const field = new Slice();
    const cursor = this.cursors.listpack;
    this.begin('hash', count);
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) {
      field.copyFrom(cursor.text());
      if (!cursor.next()) return;
      this.value.copyFrom(cursor.text());
      if (!cursor.next()) return;
      this.pair(field, this.value, cursor.integer > 0 ? cursor.integer : -1);
    }
  }

  private unpackSortedSet(cursor: PackedCursor, blob: Slice, count: number, duplicate = DUPLICATE_MEMBER): void {
    this.begin('zset', count);
    this.sortedSets.duplicateMessage = duplicate;
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) {
      this.value.copyFrom(cursor.text());
      if (cursor.next()) this.sortedSets.add(this.value, cursor.score());
    }
  }

  /** Old forms are converted, so every entry must be sound, whatever else is trusted; `stride` entries are a member. */
  private checkZiplist(blob: Slice, stride: number, message: string): void {
    const count = validateZiplist(this.cursors.ziplist, blob.bytes, blob.start, blob.end, true);
    if (count <= 0 || count % stride !== 0) throw this.damaged(message);
  }

  /** An old list node in today's form, in the scratch region. */
  private toListpack(blob: Slice): ScratchRegion {
    const cursor = this.cursors.ziplist;
    const listpack = this.scratch.start(LISTPACK_EMPTY_BYTES);
    initListpack(listpack);
    cursor.open(blob.bytes, blob.start, blob.end);
    while (cursor.next()) {
      const text = cursor.text();
      listpackAppend(listpack, text.bytes, text.start, text.length);
    }
    return listpack;
  }
}
