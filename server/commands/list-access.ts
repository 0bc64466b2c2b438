// What all list commands share: a list is one listpack in its key's entry while that may take another element, and a
// quicklist beyond. Functions here do either.

import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Database } from '../keyspace/database.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import {
  initListpack,
  LISTPACK_EMPTY_BYTES,
  LISTPACK_FIRST,
  ListpackElement,
  ListpackValue,
  listpackAppend,
  listpackCount,
  listpackDelete,
  listpackDeleteRange,
  listpackInsert,
  listpackLast,
  listpackNext,
  listpackPrepend,
  listpackPrevious,
  listpackReplace,
  listpackSeek,
} from '../memory/listpack.ts';
import type { Region } from '../memory/region.ts';
import { Quicklist, type QuicklistPlace, readPlain } from '../values/quicklist.ts';
import { allowsInsert, clampFill, isPlainSize } from '../values/quicklist-limits.ts';
import type { Context } from './context.ts';
import { replyElement, replyEntries } from './packed-reply.ts';

const element = new ListpackElement();
const needle = new ListpackValue();
const place: QuicklistPlace = { node: 0, index: 0 };

/** The quicklist of an entry with Encoding.quicklist. */
export function quicklistOf(db: Database, entry: number): Quicklist {
  return db.large(entry) as Quicklist;
}

export function listLength(c: Context, entry: number): number {
  if (c.db.encoding(entry) === Encoding.listpack) return listpackCount(c.keyspace.region.bind(c.db, entry));
  return quicklistOf(c.db, entry).length;
}

/** An empty list at the key in argument `i`, which is not there. Something must be pushed at once. */
export function createList(c: Context, i: number): number {
  const entry = c.create(i, Type.list, Encoding.listpack, LISTPACK_EMPTY_BYTES);
  initListpack(c.keyspace.region.bind(c.db, entry));
  return entry;
}

/** Pushes arguments `from` to `to - 1`, one after the other. Returns the list's length. */
export function pushArguments(c: Context, entry: number, from: number, to: number, atHead: boolean): number {
  let i = from;
  let list: Quicklist;
  if (c.db.encoding(entry) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, entry);
    const fill = clampFill(c.server.settings.listMaxListpackSize);
    for (; i < to; i++) {
      if (!fitsInline(region, fill, c.len[i])) break;
      if (atHead) listpackPrepend(region, c.buf, c.pos[i], c.len[i]);
      else listpackAppend(region, c.buf, c.pos[i], c.len[i]);
    }
    if (i === to) return listpackCount(region);
    list = quicklistOf(c.db, toQuicklist(c, region.entry));
  } else {
    list = quicklistOf(c.db, entry);
  }
  for (; i < to; i++) {
    if (atHead) list.pushHead(c.buf, c.pos[i], c.len[i]);
    else list.pushTail(c.buf, c.pos[i], c.len[i]);
  }
  return list.length;
}

/** Pushes bytes that do not stand in the arena. Returns the entry, which may have moved. */
export function pushBytes(
  c: Context,
  entry: number,
  buf: Uint8Array,
  pos: number,
  len: number,
  atHead: boolean,
): number {
  let at = entry;
  if (c.db.encoding(at) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, at);
    if (fitsInline(region, clampFill(c.server.settings.listMaxListpackSize), len)) {
      if (atHead) listpackPrepend(region, buf, pos, len);
      else listpackAppend(region, buf, pos, len);
      return region.entry;
    }
    at = toQuicklist(c, at);
  }
  const list = quicklistOf(c.db, at);
  if (atHead) list.pushHead(buf, pos, len);
  else list.pushTail(buf, pos, len);
  return at;
}

/** Reads the first or last element of a list, valid until something changes. */
export function peekEnd(c: Context, entry: number, fromHead: boolean): ListpackElement {
  if (c.db.encoding(entry) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, entry);
    return element.read(region, fromHead ? LISTPACK_FIRST : listpackLast(region));
  }
  quicklistOf(c.db, entry).peek(fromHead, element);
  return element;
}

/** Removes the first or last element. Returns the entry, which may have moved. */
export function dropEnd(c: Context, entry: number, fromHead: boolean): number {
  if (c.db.encoding(entry) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, entry);
    listpackDelete(region, fromHead ? LISTPACK_FIRST : listpackLast(region));
    return region.entry;
  }
  quicklistOf(c.db, entry).drop(fromHead);
  return entry;
}

/** Reads the element with an index from 0 to length - 1. */
export function elementAt(c: Context, entry: number, index: number): ListpackElement {
  if (c.db.encoding(entry) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, entry);
    return element.read(region, listpackSeek(region, index));
  }
  quicklistOf(c.db, entry).get(index, element);
  return element;
}

/** Puts argument `i` in the place of the element with an index. */
export function replaceAt(c: Context, entry: number, index: number, i: number): void {
  let at = entry;
  if (c.db.encoding(at) === Encoding.listpack) {
    if (!isPlainSize(c.len[i])) {
      const region = c.keyspace.region.bind(c.db, at);
      listpackReplace(region, listpackSeek(region, index), c.buf, c.pos[i], c.len[i]);
      return;
    }
    at = toQuicklist(c, at);
  }
  quicklistOf(c.db, at).replace(index, c.buf, c.pos[i], c.len[i]);
}

/** Puts argument `i` before or after the element with an index. */
export function insertAt(c: Context, entry: number, index: number, after: boolean, i: number): void {
  let at = entry;
  if (c.db.encoding(at) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, at);
    if (fitsInline(region, clampFill(c.server.settings.listMaxListpackSize), c.len[i])) {
      const offset = listpackSeek(region, index);
      listpackInsert(region, after ? listpackNext(region, offset) : offset, c.buf, c.pos[i], c.len[i]);
      return;
    }
    at = toQuicklist(c, at);
  }
  quicklistOf(c.db, at).insert(index, after, c.buf, c.pos[i], c.len[i]);
}

/** Removes `count` elements from index `start` on. Returns the entry, which may have moved. */
export function removeRange(c: Context, entry: number, start: number, count: number): number {
  if (count === 0) return entry;
  if (c.db.encoding(entry) === Encoding.listpack) {
    const region = c.keyspace.region.bind(c.db, entry);
    listpackDeleteRange(region, start, count);
    return region.entry;
  }
  quicklistOf(c.db, entry).deleteRange(start, count);
  return entry;
}

/** Removes up to `max` elements equal to argument `i`, from the tail when `backwards`. Returns how many. */
export function removeEqual(c: Context, entry: number, i: number, max: number, backwards: boolean): number {
  const value = needle.set(c.buf, c.pos[i], c.len[i]);
  if (c.db.encoding(entry) === Encoding.listpack) {
    return removeFromListpack(c.keyspace.region.bind(c.db, entry), value, max, backwards);
  }
  const list = quicklistOf(c.db, entry);
  let removed = 0;
  let node = backwards ? list.nodeCount - 1 : 0;
  while (removed < max && node >= 0 && node < list.nodeCount) {
    let gone = false;
    if (list.isPlain(node)) {
      gone = equalsPlain(c, i, list.read(node));
      if (gone) {
        removed++;
        list.deleteNode(node);
      }
    } else if (firstMatch(list.read(node), value, backwards) !== 0) {
      const result = list.shrinkNode(node, (region) => removeFromListpack(region, value, max - removed, backwards));
      removed += Math.abs(result);
      gone = result < 0;
    }
    if (backwards) node--;
    else if (!gone) node++;
  }
  return removed;
}

/**
 * Calls `visit` with the index of each element equal to argument `i`, until it returns false. Looks at `maxLength`
 * elements at most (0: all).
 */
export function eachMatch(
  c: Context,
  entry: number,
  i: number,
  backwards: boolean,
  maxLength: number,
  visit: (index: number) => boolean,
): void {
  const value = needle.set(c.buf, c.pos[i], c.len[i]);
  const length = listLength(c, entry);
  const looks = maxLength === 0 ? length : Math.min(maxLength, length);
  const range = { base: backwards ? length - 1 : 0, rest: looks };
  if (c.db.encoding(entry) === Encoding.listpack) {
    matchInListpack(c.keyspace.region.bind(c.db, entry), value, backwards, range, visit);
    return;
  }
  const list = quicklistOf(c.db, entry);
  for (let n = 0; n < list.nodeCount && range.rest > 0; n++) {
    const node = backwards ? list.nodeCount - 1 - n : n;
    const region = list.read(node);
    if (!list.isPlain(node)) {
      if (!matchInListpack(region, value, backwards, range, visit)) return;
      continue;
    }
    if (equalsPlain(c, i, region) && !visit(range.base)) return;
    range.base += backwards ? -1 : 1;
    range.rest--;
  }
}

/** Calls `visit` with every element from the head on; it must change nothing. */
export function eachElement(c: Context, entry: number, visit: (element: ListpackElement) => void): void {
  const read = new ListpackElement();
  const walk = (region: Region) => {
    for (let at = LISTPACK_FIRST; at < region.len - 1; ) {
      read.read(region, at);
      at = read.next;
      visit(read);
    }
  };
  if (c.db.encoding(entry) === Encoding.listpack) {
    walk(c.keyspace.region.bind(c.db, entry));
    return;
  }
  const list = quicklistOf(c.db, entry);
  for (let node = 0; node < list.nodeCount; node++) {
    const region = list.read(node);
    if (list.isPlain(node)) {
      readPlain(region, read);
      visit(read);
    } else walk(region);
  }
}

/** Writes `count` elements from index `start` on as bulk strings, towards the head when `backwards`. */
export function replyRange(c: Context, entry: number, start: number, count: number, backwards: boolean): void {
  if (c.db.encoding(entry) === Encoding.listpack) {
    replyFromListpack(c.reply, c.keyspace.region.bind(c.db, entry), start, count, backwards);
    return;
  }
  const list = quicklistOf(c.db, entry);
  list.seek(start, place);
  let { node, index } = place;
  let rest = count;
  while (rest > 0) {
    const region = list.read(node);
    if (list.isPlain(node)) {
      c.reply.bulkRange(region.buf, region.pos, region.len);
      rest--;
    } else {
      rest -= replyFromListpack(c.reply, region, index, rest, backwards);
    }
    node += backwards ? -1 : 1;
    index = backwards && rest > 0 ? list.countOf(node) - 1 : 0;
  }
}

/** Turns the listpack of a list into a quicklist. Returns the entry, which may have moved. */
export function toQuicklist(c: Context, entry: number): number {
  const { settings } = c.server;
  const region = c.keyspace.region.bind(c.db, entry);
  const list = new Quicklist(c.keyspace.arena, settings.listMaxListpackSize, settings.listCompressDepth);
  const count = listpackCount(region);
  if (count > 0) list.appendListpack(region.buf, region.pos, region.len, count);
  return c.db.replaceWithLarge(entry, Encoding.quicklist, list);
}

function fitsInline(region: Region, fill: number, bytes: number): boolean {
  // The first element always finds a node, however large it is.
  if (region.len === LISTPACK_EMPTY_BYTES) return !isPlainSize(bytes);
  return allowsInsert(fill, region.len, listpackCount(region), bytes);
}

/** Returns how many elements were written. */
function replyFromListpack(
  reply: ReplyWriter,
  region: Region,
  index: number,
  count: number,
  backwards: boolean,
): number {
  const { buf, pos } = region;
  let offset = listpackSeek(region, index);
  let written = 0;
  if (backwards) {
    for (; written < count && offset !== 0; offset = listpackPrevious(region, offset), written++) {
      element.readAt(buf, pos + offset);
      replyElement(reply, element);
    }
    return written;
  }
  replyEntries(reply, buf, pos + offset, pos + region.len - 1, count, true);
  return Math.min(count, listpackCount(region) - index);
}

/** Calls `visit` for matches; range.base is the first element's index, range.rest how many may be looked at. */
function matchInListpack(
  region: Region,
  value: ListpackValue,
  backwards: boolean,
  range: { base: number; rest: number },
  visit: (index: number) => boolean,
): boolean {
  const { buf, pos } = region;
  const end = region.len - 1;
  let at = backwards ? listpackLast(region) : LISTPACK_FIRST;
  while (range.rest > 0 && at !== 0 && at < end) {
    if (value.equals(buf, pos + at) && !visit(range.base)) return false;
    range.rest--;
    range.base += backwards ? -1 : 1;
    at = backwards ? listpackPrevious(region, at) : listpackNext(region, at);
  }
  return true;
}

/** Offset of the first match in a listpack, 0 without one. */
function firstMatch(region: Region, value: ListpackValue, backwards: boolean): number {
  const { buf, pos } = region;
  const end = region.len - 1;
  let at = backwards ? listpackLast(region) : LISTPACK_FIRST;
  while (at !== 0 && at < end) {
    if (value.equals(buf, pos + at)) return at;
    at = backwards ? listpackPrevious(region, at) : listpackNext(region, at);
  }
  return 0;
}

function removeFromListpack(region: Region, value: ListpackValue, max: number, backwards: boolean): number {
  let removed = 0;
  let at = backwards ? listpackLast(region) : LISTPACK_FIRST;
  while (removed < max && at !== 0 && at < region.len - 1) {
    const matches = value.equals(region.buf, region.pos + at);
    const before = backwards ? listpackPrevious(region, at) : 0;
    if (matches) {
      listpackDelete(region, at);
      removed++;
    }
    if (backwards) at = before;
    else if (!matches) at = listpackNext(region, at);
  }
  return removed;
}

function equalsPlain(c: Context, i: number, region: Region): boolean {
  if (c.len[i] !== region.len) return false;
  return c.view(i).equals(region.buf.subarray(region.pos, region.pos + region.len));
}
