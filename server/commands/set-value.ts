// A set wherever and however it stands: as intset or packed run in its keyspace entry, or as a table. Handlers bind one of
// these to an entry and work with bytes; changes convert the encoding when the limits ask for it.

import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Database } from '../keyspace/database.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import { ValueRegion } from '../keyspace/value-region.ts';
import {
  INTSET_DIGITS_MAX,
  INTSET_EMPTY_BYTES,
  IntsetValue,
  initIntset,
  intsetAdd,
  intsetCount,
  intsetGet,
  intsetRemove,
  intsetRemoveAt,
  intsetSearch,
} from '../memory/intset.ts';
import {
  initPacked,
  PACKED_EMPTY_BYTES,
  PACKED_FIRST,
  PackedElement,
  packedAppend,
  packedCount,
  packedDelete,
  packedEntryBytes,
  packedFind,
  packedSeek,
} from '../memory/packed.ts';
import { PackedIndex } from '../memory/packed-index.ts';
import { HashSet } from '../values/set-table.ts';
import type { Context } from './context.ts';
import { replyEntries } from './packed-reply.ts';

/** The intset's upper limit, whatever the directive says. */
const INTSET_ENTRIES_MAX = 1 << 30;

/** Where more than one member in this many is wanted, one pass over a table beats single draws. */
export const DRAWS_PER_PASS = 4;

/** So many members, and so many looks at them, make an index of a packed run pay. */
const INDEXED_MIN = 8;

const NO_VIEW = new DataView(new ArrayBuffer(0));

/** The directives that decide about a set's encoding. */
interface SetLimits {
  readonly setMaxIntsetEntries: number;
  readonly setMaxListpackEntries: number;
  readonly setMaxListpackValue: number;
}

/** Gets one member: `len` bytes of `buf` at `pos`, valid until the set changes. Returns false to stop. */
export type MemberVisitor = (buf: Uint8Array, pos: number, len: number) => boolean;

export class SetValue {
  /** The keyspace entry; changes may move it. */
  entry = 0;
  encoding = 0;
  /** The member that random() or at() has found. */
  buf: Uint8Array = Buffer.alloc(0);
  pos = 0;
  len = 0;
  private db!: Database;
  private limits!: SetLimits;
  private table!: HashSet;
  private readonly region = new ValueRegion();
  private readonly element = new PackedElement();
  private readonly number = new IntsetValue();
  private readonly digits = Buffer.alloc(INTSET_DIGITS_MAX + 4);
  /** Finds members of a packed run that is searched often; see expectLooks. */
  private index: PackedIndex | null = null;
  private ownIndex: PackedIndex | null = null;
  /** While a packed run is walked: the position of the entry that the walk is at, and the memory it stands in. Else 0. */
  private at = 0;
  private view: DataView = NO_VIEW;
  /** What random() found, for removeFound(): an index, an offset or an entry of the table. */
  private found = 0;

  /** Works on the set of an entry. */
  bind(c: Context, entry: number): this {
    return this.bindIn(c, c.db, entry);
  }

  bindIn(c: Context, db: Database, entry: number): this {
    this.db = db;
    this.entry = entry;
    this.limits = c.server.settings;
    this.index = null;
    this.encoding = db.encoding(entry);
    if (this.encoding === Encoding.hashtable) this.table = db.large(entry) as HashSet;
    else this.region.bind(db, entry);
    return this;
  }

  /** Creates the key in argument `i` as an empty set fit for its first member, of `expected` to come. */
  create(c: Context, i: number, first: number, expected: number): this {
    const limits = c.server.settings;
    const compact = limits.setMaxListpackEntries;
    // Redis 7.0 (no listpacks) does not look at the number of members to come.
    const small = compact === 0 || expected <= limits.setMaxIntsetEntries;
    if (small && this.number.parse(c.buf, c.pos[first], c.len[first])) {
      this.bind(c, c.create(i, Type.set, Encoding.intset, INTSET_EMPTY_BYTES));
      initIntset(this.region);
    } else if (compact > 0 && expected <= compact) {
      this.bind(c, c.create(i, Type.set, Encoding.listpack, PACKED_EMPTY_BYTES));
      initPacked(this.region);
    } else {
      const table = new HashSet(c.keyspace.arena, c.keyspace.seed);
      this.bind(c, c.db.createLarge(c.buf, c.pos[i], c.len[i], Type.set, Encoding.hashtable, table));
    }
    return this;
  }

  get count(): number {
    if (this.encoding === Encoding.hashtable) return this.table.length;
    return this.encoding === Encoding.intset ? intsetCount(this.region) : packedCount(this.region);
  }

  has(buf: Uint8Array, pos: number, len: number): boolean {
    if (this.encoding === Encoding.hashtable) return this.table.find(buf, pos, len) !== 0;
    if (this.encoding === Encoding.listpack) {
      if (this.index !== null) return this.index.has(buf, pos, len);
      return packedFind(this.region, buf, pos, len, 0) !== 0;
    }
    return this.number.parse(buf, pos, len) && intsetSearch(this.region, this.number) >= 0;
  }

  /** has() for the member that `source`, which is being walked, is at: `len` bytes of `buf` at `pos`. */
  hasMemberOf(source: SetValue, buf: Uint8Array, pos: number, len: number): boolean {
    const { index } = this;
    if (index === null || source.at === 0) return this.has(buf, pos, len);
    return index.hasEntry(source.view, source.at, packedEntryBytes(source.region.buf, source.at));
  }

  /** Adds a member; returns false when it is there. The bytes must not lie in this set. */
  add(buf: Uint8Array, pos: number, len: number): boolean {
    if (this.encoding === Encoding.hashtable) return this.table.add(buf, pos, len);
    return this.encoding === Encoding.intset ? this.addToIntset(buf, pos, len) : this.addToPacked(buf, pos, len);
  }

  /** Removes a member; returns false when it is not there. The last one leaves an empty set. */
  remove(buf: Uint8Array, pos: number, len: number): boolean {
    if (this.encoding === Encoding.hashtable) return this.table.remove(buf, pos, len);
    let removed: boolean;
    if (this.encoding === Encoding.intset) {
      removed = this.number.parse(buf, pos, len) && intsetRemove(this.region, this.number);
    } else {
      const offset = packedFind(this.region, buf, pos, len, 0);
      removed = offset !== 0;
      if (removed) packedDelete(this.region, offset, 1);
    }
    this.entry = this.region.entry;
    return removed;
  }

  /** Finds a random member, each with the same chance. The set must not be empty. */
  random(draw: (bound: number) => number): void {
    if (this.encoding === Encoding.hashtable) {
      this.found = this.table.dict.fairEntry(draw);
      this.takeEntry(this.found);
    } else if (this.encoding === Encoding.intset) {
      this.found = draw(intsetCount(this.region));
      this.takeInteger(this.found);
    } else {
      this.found = packedSeek(this.region, draw(packedCount(this.region)));
      this.takeElement(this.found);
    }
  }

  /** Something that tells members apart after random(): the same for the same member until the set changes. */
  get foundId(): number {
    return this.found;
  }

  /** Removes the member that random() has found. */
  removeFound(): void {
    if (this.encoding === Encoding.hashtable) this.table.removeEntry(this.found);
    else if (this.encoding === Encoding.intset) intsetRemoveAt(this.region, this.found, 1);
    else packedDelete(this.region, this.found, 1);
    if (this.encoding !== Encoding.hashtable) this.entry = this.region.entry;
  }

  /** Visits members until the visitor returns false. The set may not change meanwhile (its table may be searched). */
  walk(visit: MemberVisitor): void {
    if (this.encoding === Encoding.hashtable) {
      this.walkTable(visit);
    } else if (this.encoding === Encoding.intset) {
      const count = intsetCount(this.region);
      for (let index = 0; index < count; index++) {
        this.takeInteger(index);
        if (!visit(this.buf, this.pos, this.len)) return;
      }
    } else this.walkPacked(visit);
  }

  /** Writes all members as bulk strings, in the order of walk(). */
  replyAll(reply: ReplyWriter): void {
    if (this.encoding === Encoding.listpack) {
      const { buf, pos, len } = this.region;
      replyEntries(reply, buf, pos + PACKED_FIRST, pos + len, packedCount(this.region), false);
      return;
    }
    this.walk((buf, pos, len) => {
      reply.bulkRange(buf, pos, len);
      return true;
    });
  }

  /**
   * Prepares for `looks` calls of has() while the set does not change: a long packed run gets an index, so that they do
   * not go through all of it.
   */
  expectLooks(looks: number): void {
    this.index = null;
    if (this.encoding !== Encoding.listpack) return;
    const count = packedCount(this.region);
    if (count < INDEXED_MIN || looks < INDEXED_MIN) return;
    this.ownIndex ??= new PackedIndex();
    const { buf, pos, len } = this.region;
    this.index = this.ownIndex.build(buf, this.db.viewOf(this.entry), pos + PACKED_FIRST, pos + len, count);
  }

  /** Visits `count` random members (fewer than there are), each with the same chance, in one pass over all. */
  sample(count: number, draw: (bound: number) => number, visit: MemberVisitor): void {
    let left = this.count;
    let wanted = count;
    this.walk((buf, pos, len) => {
      if (draw(left--) >= wanted) return true;
      wanted--;
      return visit(buf, pos, len) && wanted > 0;
    });
  }

  /** Visits and removes `count` random members. */
  takeSample(count: number, draw: (bound: number) => number, visit: MemberVisitor): void {
    if (this.encoding !== Encoding.hashtable || count * DRAWS_PER_PASS < this.count) {
      for (let rest = count; rest > 0; rest--) {
        this.random(draw);
        visit(this.buf, this.pos, this.len);
        this.removeFound();
      }
      return;
    }
    let left = this.count;
    let wanted = count;
    this.table.dict.forEach((entry) => {
      if (draw(left--) >= wanted) return;
      wanted--;
      this.takeEntry(entry);
      visit(this.buf, this.pos, this.len);
      this.table.removeEntry(entry);
    });
  }

  /** One SSCAN step over a table (see Dict.scan); compact sets come whole and return 0. */
  scan(cursor: number, visit: MemberVisitor): number {
    if (this.encoding !== Encoding.hashtable) {
      this.walk(visit);
      return 0;
    }
    return this.table.dict.scan(cursor, (entry) => {
      this.takeEntry(entry);
      visit(this.buf, this.pos, this.len);
    });
  }

  /** Writes the member found last as a bulk string. */
  reply(reply: ReplyWriter): void {
    reply.bulkRange(this.buf, this.pos, this.len);
  }

  /** A copy of the member found last. */
  copyMember(): Buffer {
    return Buffer.from(this.buf.subarray(this.pos, this.pos + this.len));
  }

  private addToIntset(buf: Uint8Array, pos: number, len: number): boolean {
    if (this.number.parse(buf, pos, len)) {
      const added = intsetAdd(this.region, this.number);
      this.entry = this.region.entry;
      const most = Math.min(this.limits.setMaxIntsetEntries, INTSET_ENTRIES_MAX);
      if (added && intsetCount(this.region) > most) this.toTable();
      return added;
    }
    const count = intsetCount(this.region);
    const longest = count === 0 ? 0 : Math.max(this.digitsAt(0), this.digitsAt(count - 1));
    const value = this.limits.setMaxListpackValue;
    if (count < this.limits.setMaxListpackEntries && len <= value && longest <= value) {
      this.toPacked();
      packedAppend(this.region, buf, pos, len);
      this.entry = this.region.entry;
    } else {
      this.toTable();
      this.table.add(buf, pos, len);
    }
    return true;
  }

  private addToPacked(buf: Uint8Array, pos: number, len: number): boolean {
    if (packedFind(this.region, buf, pos, len, 0) !== 0) return false;
    const { setMaxListpackEntries, setMaxListpackValue } = this.limits;
    if (packedCount(this.region) < setMaxListpackEntries && len <= setMaxListpackValue) {
      packedAppend(this.region, buf, pos, len);
      this.entry = this.region.entry;
    } else {
      this.toTable();
      this.table.add(buf, pos, len);
    }
    return true;
  }

  private toTable(): void {
    const { arena, seed } = this.db.space;
    const table = new HashSet(arena, seed);
    table.dict.reserve(this.count);
    this.walk((buf, pos, len) => table.add(buf, pos, len));
    this.entry = this.db.replaceWithLarge(this.entry, Encoding.hashtable, table);
    this.encoding = Encoding.hashtable;
    this.table = table;
  }

  private toPacked(): void {
    const members: Buffer[] = [];
    this.walk((buf, pos, len) => members.push(Buffer.from(buf.subarray(pos, pos + len))) > 0);
    this.entry = this.db.resizeValue(this.entry, PACKED_EMPTY_BYTES);
    this.db.setEncoding(this.entry, Encoding.listpack);
    this.encoding = Encoding.listpack;
    this.region.bind(this.db, this.entry);
    initPacked(this.region);
    for (const member of members) packedAppend(this.region, member, 0, member.length);
  }

  private walkPacked(visit: MemberVisitor): void {
    const { element } = this;
    const { buf, pos, len } = this.region;
    const end = pos + len;
    this.view = this.db.viewOf(this.entry);
    let p = pos + PACKED_FIRST;
    while (p < end) {
      this.at = p;
      const first = buf[p];
      // The common case, a short string, without the element.
      if (first >= 0x80 && first < 0xc0) {
        const bytes = first & 63;
        if (!visit(buf, p + 1, bytes)) break;
        p += bytes + 1;
      } else {
        p += element.readAt(buf, p);
        element.text();
        if (!visit(element.buf, element.pos, element.len)) break;
      }
    }
    this.at = 0;
  }

  private walkTable(visit: MemberVisitor): void {
    const dict = this.table.dict;
    dict.pauseResize();
    try {
      for (let bucket = dict.buckets - 1; bucket >= 0; bucket--) {
        for (let entry = dict.head(bucket); entry !== 0; entry = dict.next(entry)) {
          this.takeEntry(entry);
          if (!visit(this.buf, this.pos, this.len)) return;
        }
      }
    } finally {
      dict.resumeResize();
    }
  }

  private digitsAt(index: number): number {
    this.takeInteger(index);
    return this.len;
  }

  private takeInteger(index: number): void {
    intsetGet(this.region, index, this.number);
    this.buf = this.digits;
    this.pos = 0;
    this.len = this.number.format(this.digits, 0);
  }

  private takeElement(offset: number): void {
    this.element.read(this.region, offset).text();
    this.buf = this.element.buf;
    this.pos = this.element.pos;
    this.len = this.element.len;
  }

  private takeEntry(entry: number): void {
    this.buf = this.table.memberBuffer(entry);
    this.pos = this.table.memberPosition(entry);
    this.len = this.table.memberLength(entry);
  }
}

/**
 * Puts a computed set into the key in argument `i`, which must not be there, in the encoding that its members call for.
 * The table becomes the key's value or is freed.
 */
export function storeSet(c: Context, i: number, table: HashSet): void {
  const limits = c.server.settings;
  const number = new IntsetValue();
  let onlyIntegers = true;
  let longest = 0;
  table.dict.forEach((entry) => {
    const len = table.memberLength(entry);
    if (len > longest) longest = len;
    if (onlyIntegers) onlyIntegers = number.parse(table.memberBuffer(entry), table.memberPosition(entry), len);
  });
  const compact = limits.setMaxListpackEntries;
  let encoding: number = Encoding.hashtable;
  if (onlyIntegers && table.length <= limits.setMaxIntsetEntries) encoding = Encoding.intset;
  else if (!onlyIntegers && table.length <= compact && longest <= limits.setMaxListpackValue) {
    encoding = Encoding.listpack;
  }
  if (encoding === Encoding.hashtable) {
    c.db.createLarge(c.buf, c.pos[i], c.len[i], Type.set, Encoding.hashtable, table);
    return;
  }
  const bytes = encoding === Encoding.intset ? INTSET_EMPTY_BYTES : PACKED_EMPTY_BYTES;
  const region = new ValueRegion().bind(c.db, c.create(i, Type.set, encoding, bytes));
  if (encoding === Encoding.intset) initIntset(region);
  else initPacked(region);
  table.dict.forEach((entry) => {
    const [buf, pos, len] = [table.memberBuffer(entry), table.memberPosition(entry), table.memberLength(entry)];
    if (encoding === Encoding.listpack) packedAppend(region, buf, pos, len);
    else if (number.parse(buf, pos, len)) intsetAdd(region, number);
  });
  table.free();
}
