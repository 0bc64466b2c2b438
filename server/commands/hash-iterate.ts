// Hash commands that walk over fields: HGETALL, HKEYS, HVALS, HSCAN, HRANDFIELD.

import { globMatchRange } from '../base/glob.ts';
import { Encoding } from '../keyspace/layout.ts';
import { PACKED_FIRST, PackedElement, packedCount, packedSeek } from '../memory/packed.ts';
import type { HashTable } from '../values/hash.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { hashForRead, hashLength, tableOf } from './hash-access.ts';
import { replyElement, replyEntries } from './packed-reply.ts';
import { parseScan, scanCursor } from './scan.ts';
import type { hashSpecs } from './specs/hash.ts';

type IterationCommands = 'hgetall' | 'hkeys' | 'hvals' | 'hscan' | 'hrandfield';

export const iterationHandlers: Handlers<Pick<typeof hashSpecs, IterationCommands>> = {
  hgetall: (c) => all(c, true, true),
  hkeys: (c) => all(c, true, false),
  hvals: (c) => all(c, false, true),
  hscan,
  hrandfield,
};

/** When more than a third of a table is wanted, its entries are listed and shuffled instead of drawn one by one. */
const SHUFFLE_FROM = 3;
/** Beyond this a count of pairs would overflow 64 bits. */
const PAIRS_MAX = 2 ** 62;
const COUNT_LIMITS = 'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807';

const element = new PackedElement();

function all(c: Context, fields: boolean, values: boolean): void {
  const entry = hashForRead(c, 1);
  const both = fields && values;
  const count = entry === 0 ? 0 : hashLength(c, entry);
  if (both) c.reply.map(count);
  else c.reply.array(count);
  if (count === 0) return;
  if (c.db.encoding(entry) !== Encoding.listpack) {
    const table = tableOf(c.db, entry);
    table.forEach((found) => {
      table.open(found);
      if (fields) c.reply.bulkRange(table.buf, table.fieldPos, table.fieldLen);
      if (values) c.reply.bulkRange(table.buf, table.valuePos, table.valueLen);
    });
    return;
  }
  const region = c.keyspace.region.bind(c.db, entry);
  const end = region.pos + region.len;
  if (both) {
    replyEntries(c.reply, region.buf, region.pos + PACKED_FIRST, end, count * 2, false);
    return;
  }
  for (let at = region.pos + PACKED_FIRST; at < end; ) {
    at += element.readAt(region.buf, at);
    if (fields) replyElement(c.reply, element);
    at += element.readAt(region.buf, at);
    if (values) replyElement(c.reply, element);
  }
}

/** HSCAN key cursor [MATCH pattern] [COUNT count] */
function hscan(c: Context): void {
  let cursor = scanCursor(c, 2);
  const entry = hashForRead(c, 1);
  if (entry === 0) {
    c.reply.array(2);
    c.reply.text('0');
    c.reply.array(0);
    return;
  }
  const options = parseScan(c, 3, false);
  if (c.db.encoding(entry) === Encoding.listpack) {
    c.reply.array(2);
    c.reply.text('0');
    scanPacked(c, entry, options.pattern);
    return;
  }
  const table = tableOf(c.db, entry);
  const found: number[] = [];
  let visits = options.count * 10;
  do {
    cursor = table.table.scan(cursor, (at) => found.push(at));
  } while (cursor !== 0 && --visits > 0 && found.length * 2 < options.count);
  c.reply.array(2);
  c.reply.bulkInt(cursor);
  const mark = c.reply.beginAggregate();
  let written = 0;
  for (const at of found) {
    table.open(at);
    if (options.pattern !== null && !globMatchRange(options.pattern, table.buf, table.fieldPos, table.fieldLen))
      continue;
    replyPair(c, table);
    written += 2;
  }
  c.reply.endAggregate(mark, 'array', written);
}

function scanPacked(c: Context, entry: number, pattern: Buffer | null): void {
  const region = c.keyspace.region.bind(c.db, entry);
  const mark = c.reply.beginAggregate();
  let written = 0;
  for (let at = PACKED_FIRST; at < region.len; at = element.next) {
    element.read(region, at);
    let matches = true;
    if (pattern !== null) {
      element.text();
      matches = globMatchRange(pattern, element.buf, element.pos, element.len);
    }
    if (matches) replyElement(c.reply, element);
    element.read(region, element.next);
    if (!matches) continue;
    replyElement(c.reply, element);
    written += 2;
  }
  c.reply.endAggregate(mark, 'array', written);
}

/** HRANDFIELD key [count [WITHVALUES]] */
function hrandfield(c: Context): void {
  if (c.argc === 2) {
    const entry = hashForRead(c, 1);
    if (entry === 0) c.reply.nil();
    else randomFields(c, entry, 1, false, false);
    return;
  }
  const count = c.integer(2);
  if (c.text(2) === '-9223372036854775808') throw new CommandError(COUNT_LIMITS);
  if (c.argc > 4 || (c.argc === 4 && !c.is(3, 'withvalues'))) throw new CommandError(ERRORS.syntax);
  const withValues = c.argc === 4;
  if (withValues && Math.abs(count) >= PAIRS_MAX) throw new CommandError('ERR value is out of range');
  const entry = hashForRead(c, 1);
  if (entry === 0 || count === 0) {
    c.reply.array(0);
    return;
  }
  if (count < 0) {
    replyCount(c, -count, withValues);
    randomFields(c, entry, -count, withValues, c.reply.resp3);
    return;
  }
  const length = hashLength(c, entry);
  const wanted = Math.min(count, length);
  replyCount(c, wanted, withValues);
  if (c.db.encoding(entry) === Encoding.listpack) packedSample(c, entry, wanted, length, withValues);
  else tableSample(c, tableOf(c.db, entry), wanted, withValues);
}

/** The head for `count` fields: pairs are nested in RESP3 and flat in RESP2. */
function replyCount(c: Context, count: number, withValues: boolean): void {
  c.reply.array(withValues && !c.reply.resp3 ? count * 2 : count);
}

/** Writes `count` random fields, each drawn from all of them. */
function randomFields(c: Context, entry: number, count: number, withValues: boolean, nested: boolean): void {
  const { random } = c.server;
  if (c.db.encoding(entry) !== Encoding.listpack) {
    const table = tableOf(c.db, entry);
    for (let i = 0; i < count; i++) {
      table.open(table.table.fairEntry(random));
      if (withValues && nested) c.reply.array(2);
      if (withValues) replyPair(c, table);
      else c.reply.bulkRange(table.buf, table.fieldPos, table.fieldLen);
    }
    return;
  }
  const region = c.keyspace.region.bind(c.db, entry);
  const length = packedCount(region) >>> 1;
  for (let i = 0; i < count; i++) {
    if (withValues && nested) c.reply.array(2);
    replyElement(c.reply, element.read(region, packedSeek(region, random(length) * 2)));
    if (withValues) replyElement(c.reply, element.read(region, element.next));
  }
}

/** Writes `wanted` different fields of a packed run: each is taken with the chance that is left for it. */
function packedSample(c: Context, entry: number, wanted: number, length: number, withValues: boolean): void {
  const region = c.keyspace.region.bind(c.db, entry);
  let left = wanted;
  let at = PACKED_FIRST;
  for (let rest = length; left > 0; rest--) {
    const taken = c.server.random(rest) < left;
    element.read(region, at);
    if (taken) {
      left--;
      if (withValues && c.reply.resp3) c.reply.array(2);
      replyElement(c.reply, element);
    }
    element.read(region, element.next);
    if (taken && withValues) replyElement(c.reply, element);
    at = element.next;
  }
}

/** Writes `wanted` different fields of a table. */
function tableSample(c: Context, table: HashTable, wanted: number, withValues: boolean): void {
  const { random } = c.server;
  const length = table.length;
  const write = (entry: number) => {
    table.open(entry);
    if (withValues && c.reply.resp3) c.reply.array(2);
    if (withValues) replyPair(c, table);
    else c.reply.bulkRange(table.buf, table.fieldPos, table.fieldLen);
  };
  if (wanted === length) {
    table.forEach(write);
    return;
  }
  if (wanted * SHUFFLE_FROM > length) {
    const entries = new Int32Array(length);
    let size = 0;
    table.forEach((entry) => {
      entries[size++] = entry;
    });
    for (let i = 0; i < wanted; i++) {
      const other = i + random(length - i);
      const drawn = entries[other];
      entries[other] = entries[i];
      write(drawn);
    }
    return;
  }
  const drawn = new Set<number>();
  while (drawn.size < wanted) {
    const entry = table.table.fairEntry(random);
    if (drawn.has(entry)) continue;
    drawn.add(entry);
    write(entry);
  }
}

function replyPair(c: Context, table: HashTable): void {
  c.reply.bulkRange(table.buf, table.fieldPos, table.fieldLen);
  c.reply.bulkRange(table.buf, table.valuePos, table.valueLen);
}
