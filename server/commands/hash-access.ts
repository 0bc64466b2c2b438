// What all hash commands share: finding hashes and fields whatever the encoding, storing fields, and the step from
// packed run to hash table.

import type { Database } from '../keyspace/database.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import type { ValueRegion } from '../keyspace/value-region.ts';
import {
  initPacked,
  PACKED_EMPTY_BYTES,
  PACKED_FIRST,
  PackedElement,
  PackedValue,
  packedCount,
  packedDelete,
  packedFindValue,
  packedInsertPair,
  packedNext,
  packedReplace,
} from '../memory/packed.ts';
import { listpackBytes } from '../memory/packed-listpack.ts';
import { HashTable } from '../values/hash.ts';
import type { Context } from './context.ts';
import { dropExpiredFields } from './hash-field-expiry.ts';

/** Largest listpack, whatever the settings say, as in Redis. */
const LISTPACK_BYTES_MAX = 1 << 30;
/** A packed run of up to so many bytes is no larger a listpack: an entry doubles at most. */
const PACKED_BYTES_SAFE = LISTPACK_BYTES_MAX / 2 - 8;

/** The value that findField found. */
export const fieldValue = new PackedElement();

const field = new PackedValue();
const value = new PackedValue();

/** The hash at the key in argument `i` for reading, without fields whose time is over; 0 when missing. */
export function hashForRead(c: Context, i: number): number {
  const entry = c.typedRead(i, Type.hash);
  return entry === 0 || c.db.encoding(entry) === Encoding.listpack ? entry : dropExpiredFields(c, entry);
}

/** The hash at the key in argument `i` for a change, without fields whose time is over; 0 when missing. */
export function hashForWrite(c: Context, i: number): number {
  const entry = c.typedWrite(i, Type.hash);
  return entry === 0 || c.db.encoding(entry) === Encoding.listpack ? entry : dropExpiredFields(c, entry);
}

/** hashForWrite that creates an empty hash when there is none. */
export function hashToFill(c: Context, i: number): number {
  const entry = hashForWrite(c, i);
  if (entry !== 0) return entry;
  const created = c.create(i, Type.hash, Encoding.listpack, PACKED_EMPTY_BYTES);
  initPacked(c.keyspace.region.bind(c.db, created));
  return created;
}

/** The hash table of an entry with Encoding.hashtable. */
export function tableOf(db: Database, entry: number): HashTable {
  return db.large(entry) as HashTable;
}

/** Number of fields. */
export function hashLength(c: Context, entry: number): number {
  if (c.db.encoding(entry) === Encoding.listpack) return packedCount(c.keyspace.region.bind(c.db, entry)) >>> 1;
  return tableOf(c.db, entry).length;
}

/** Looks for the field in argument `i` of the hash at `entry`; if it is there, `fieldValue` holds its value. */
export function findField(c: Context, entry: number, i: number): boolean {
  return findFieldAt(c, entry, c.buf, c.pos[i], c.len[i]);
}

export function findFieldAt(c: Context, entry: number, buf: Uint8Array, pos: number, len: number): boolean {
  if (c.db.encoding(entry) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, entry);
    const at = packedFindValue(region, field.set(buf, pos, len), 1);
    if (at === 0) return false;
    fieldValue.read(region, packedNext(region, at));
    return true;
  }
  const table = tableOf(c.db, entry);
  const found = table.find(buf, pos, len);
  if (found === 0) return false;
  openValue(table, found);
  return true;
}

/** Points `fieldValue` at the value of a hash table's entry. */
export function openValue(table: HashTable, entry: number): void {
  table.open(entry);
  fieldValue.integer = false;
  fieldValue.buf = table.buf;
  fieldValue.pos = table.valuePos;
  fieldValue.len = table.valueLen;
}

/**
 * Stores the field-value pairs in arguments `from` to the last one in the hash at `entry`. Returns how many fields were
 * new.
 */
export function storePairs(c: Context, entry: number, from: number): number {
  const { db, buf, pos, len } = c;
  let at = entry;
  if (db.encoding(at) === Encoding.listpack) {
    const valueMax = c.server.settings.hashMaxListpackValue;
    for (let i = from; i < c.argc; i++) {
      if (len[i] <= valueMax) continue;
      at = toHashTable(c, at);
      break;
    }
  }
  let created = 0;
  let i = from;
  if (db.encoding(at) === Encoding.listpack) {
    const region = c.keyspace.region.bind(db, at);
    const entriesMax = c.server.settings.hashMaxListpackEntries;
    for (; i < c.argc; i += 2) {
      value.set(buf, pos[i + 1], len[i + 1]);
      if (storePacked(region, field.set(buf, pos[i], len[i]), value)) created++;
      if (fits(region, entriesMax)) continue;
      at = toHashTable(c, region.entry);
      i += 2;
      break;
    }
  }
  if (i < c.argc) {
    const table = tableOf(db, at);
    for (; i < c.argc; i += 2) if (table.set(buf, pos[i], len[i], buf, pos[i + 1], len[i + 1])) created++;
  }
  return created;
}

/** Stores one computed value for the field in argument `i`; the field's expiry stays. */
export function storeField(c: Context, entry: number, i: number, bytes: Uint8Array, start: number, size: number): void {
  const { db, buf, pos, len } = c;
  let at = entry;
  if (db.encoding(at) === Encoding.listpack) {
    const valueMax = c.server.settings.hashMaxListpackValue;
    if (len[i] <= valueMax && size <= valueMax) {
      const region = c.keyspace.region.bind(db, at);
      storePacked(region, field.set(buf, pos[i], len[i]), value.set(bytes, start, size));
      if (!fits(region, c.server.settings.hashMaxListpackEntries)) toHashTable(c, region.entry);
      return;
    }
    at = toHashTable(c, at);
  }
  tableOf(db, at).set(buf, pos[i], len[i], bytes, start, size, true);
}

/** Removes the field in argument `i`; whether it was there. The hash may be empty afterwards. */
export function removeField(c: Context, entry: number, i: number): boolean {
  const { db, buf, pos, len } = c;
  if (db.encoding(entry) === Encoding.listpack) {
    const region = c.keyspace.region.bind(db, entry);
    const at = packedFindValue(region, field.set(buf, pos[i], len[i]), 1);
    if (at === 0) return false;
    packedDelete(region, at, 2);
    return true;
  }
  const table = tableOf(db, entry);
  const found = table.find(buf, pos[i], len[i]);
  if (found === 0) return false;
  table.remove(found);
  return true;
}

/** Turns a packed run into a hash table. Returns the entry, which may have moved. */
export function toHashTable(c: Context, entry: number): number {
  const region = c.keyspace.region.bind(c.db, entry);
  const table = new HashTable(c.keyspace.arena, c.keyspace.seed);
  table.reserve(packedCount(region) >>> 1);
  const name = new PackedElement();
  for (let at = PACKED_FIRST; at < region.len; at = fieldValue.next) {
    name.read(region, at).text();
    fieldValue.read(region, name.next).text();
    table.set(name.buf, name.pos, name.len, fieldValue.buf, fieldValue.pos, fieldValue.len);
  }
  return c.db.replaceWithLarge(entry, Encoding.hashtable, table);
}

/** Puts a field into a packed run; true when it is new. */
function storePacked(region: ValueRegion, name: PackedValue, content: PackedValue): boolean {
  const at = packedFindValue(region, name, 1);
  if (at === 0) {
    packedInsertPair(region, region.len, name, content);
    return true;
  }
  packedReplace(region, packedNext(region, at), content);
  return false;
}

function fits(region: ValueRegion, entriesMax: number): boolean {
  if (packedCount(region) > entriesMax * 2) return false;
  return region.len <= PACKED_BYTES_SAFE || listpackBytes(region) <= LISTPACK_BYTES_MAX;
}
