// A sorted set wherever and however it stands: as packed run in its keyspace entry or as table and tree. Handlers bind one
// of these to an entry; additions convert the encoding when the limits ask for it.
//
// Three kinds of state: what find() found (score, and what the *Found methods act on), the cursor (seekRank and next, or
// seekBack and previous), and the member taken from the cursor (buf, pos, len, score).

import { formatDouble } from '../base/numbers.ts';
import type { ReplyWriter } from '../formats/resp/writer.ts';
import type { Database } from '../keyspace/database.ts';
import { Encoding, Type } from '../keyspace/layout.ts';
import { ValueRegion } from '../keyspace/value-region.ts';
import { OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { RUN_MAX, type TreeBound } from '../memory/counted-tree.ts';
import { initPacked, PACKED_EMPTY_BYTES, PackedElement, packedEntryBytes } from '../memory/packed.ts';
import { MEMBER_OFFSET, SortedSet } from '../values/sorted-set.ts';
import {
  compareBytes,
  memberScore,
  ScoredTrail,
  scoredCount,
  scoredFind,
  scoredInsert,
  scoredNext,
  scoredRank,
  scoredRankOfMember,
  scoredRankOfScore,
  scoredRemove,
  scoredSeek,
  storedScoreText,
} from '../values/sorted-set-packed.ts';
import type { Context } from './context.ts';

/** The directives that decide about a sorted set's encoding. */
interface SortedSetLimits {
  readonly zsetMaxListpackEntries: number;
  readonly zsetMaxListpackValue: number;
}

const runEntries = new Int32Array(RUN_MAX);

export class SortedSetValue {
  /** The keyspace entry; changes may move it. */
  entry = 0;
  encoding = 0;
  /** The score of what find() found, or of the member taken from the cursor. */
  score = 0;
  /** The member taken from the cursor. */
  buf: Uint8Array = Buffer.alloc(0);
  pos = 0;
  len = 0;
  private db!: Database;
  private limits!: SortedSetLimits;
  private large!: SortedSet;
  private readonly region = new ValueRegion();
  private readonly element = new PackedElement();
  private readonly memberBound = new MemberBound();
  /** What find() found: an offset or an entry of the table. */
  private found = 0;
  /** The cursor in a packed run: an offset, 0 when invalid. */
  private offset = 0;
  /** The way back from the cursor, once seekBack() was called. */
  private trail: ScoredTrail | null = null;

  /** Works on the sorted set of an entry. */
  bind(c: Context, entry: number): this {
    this.db = c.db;
    this.entry = entry;
    this.limits = c.server.settings;
    this.encoding = c.db.encoding(entry);
    if (this.encoding === Encoding.skiplist) this.large = c.db.large(entry) as SortedSet;
    else this.region.bind(c.db, entry);
    return this;
  }

  /** Creates the key in argument `i` as an empty sorted set for `expected` members, the first of `firstLength` bytes. */
  create(c: Context, i: number, expected: number, firstLength: number): this {
    const { zsetMaxListpackEntries, zsetMaxListpackValue } = c.server.settings;
    if (expected <= zsetMaxListpackEntries && firstLength <= zsetMaxListpackValue) {
      this.bind(c, c.create(i, Type.zset, Encoding.listpack, PACKED_EMPTY_BYTES));
      initPacked(this.region);
    } else {
      const large = new SortedSet(c.keyspace.arena, c.keyspace.seed);
      this.bind(c, c.db.createLarge(c.buf, c.pos[i], c.len[i], Type.zset, Encoding.skiplist, large));
    }
    return this;
  }

  get count(): number {
    return this.encoding === Encoding.skiplist ? this.large.length : scoredCount(this.region);
  }

  /** Looks for a member; sets `score` when it is there. */
  find(buf: Uint8Array, pos: number, len: number): boolean {
    if (this.encoding === Encoding.skiplist) {
      this.found = this.large.find(buf, pos, len);
      if (this.found !== 0) this.score = this.large.scoreOf(this.found);
    } else {
      this.found = scoredFind(this.region, buf, pos, len);
      if (this.found !== 0) this.score = memberScore(this.region, this.found);
    }
    return this.found !== 0;
  }

  /** Adds the member that find() has just not found. The bytes must not lie in this sorted set. */
  add(buf: Uint8Array, pos: number, len: number, score: number): void {
    if (this.encoding !== Encoding.skiplist) {
      const { zsetMaxListpackEntries, zsetMaxListpackValue } = this.limits;
      if (len <= zsetMaxListpackValue && scoredCount(this.region) < zsetMaxListpackEntries) {
        scoredInsert(this.region, score, buf, pos, len);
        this.entry = this.region.entry;
        return;
      }
      this.toLarge();
      this.large.find(buf, pos, len);
    }
    this.large.insertScored(buf, pos, len, score);
  }

  /** Gives the member that find() found, and whose bytes these are, another score. */
  setFoundScore(buf: Uint8Array, pos: number, len: number, score: number): void {
    if (this.encoding === Encoding.skiplist) {
      this.large.setScore(this.found, score);
      return;
    }
    scoredRemove(this.region, this.found, 1);
    scoredInsert(this.region, score, buf, pos, len);
    this.entry = this.region.entry;
  }

  /** Removes the member that find() found. */
  removeFound(): void {
    if (this.encoding === Encoding.skiplist) {
      this.large.drop(this.found);
      return;
    }
    scoredRemove(this.region, this.found, 1);
    this.entry = this.region.entry;
  }

  /** The 0-based rank of the member that find() found. */
  get foundRank(): number {
    return this.encoding === Encoding.skiplist ? this.large.rank(this.found) : scoredRank(this.region, this.found);
  }

  /** Rank of the first member with a score of at least `score` (or above it); the count when there is none. */
  rankOfScore(score: number, above: boolean): number {
    if (this.encoding !== Encoding.skiplist) return scoredRankOfScore(this.region, score, above);
    return this.large.tree.seekScore(score, above);
  }

  /** Rank of the first member of at least these bytes (or behind them), all scores being equal. */
  rankOfMember(buf: Uint8Array, pos: number, len: number, behind: boolean): number {
    if (this.encoding !== Encoding.skiplist) return scoredRankOfMember(this.region, buf, pos, len, behind);
    return this.large.tree.seek(this.memberBound.set(this.large, buf, pos, len, behind));
  }

  /** Removes `count` members from rank `rank` on. */
  removeRange(rank: number, count: number): void {
    if (count === 0) return;
    if (this.encoding === Encoding.skiplist) {
      this.large.dropRange(rank, count);
      return;
    }
    scoredRemove(this.region, scoredSeek(this.region, rank), count);
    this.entry = this.region.entry;
  }

  /** Removes `count` members from the cursor on, whose rank is `rank`. The cursor is used up. */
  removeFromCursor(rank: number, count: number): void {
    if (this.encoding === Encoding.skiplist) {
      this.large.dropRange(rank, count);
      return;
    }
    scoredRemove(this.region, this.offset, count);
    this.entry = this.region.entry;
  }

  /** Puts the cursor on a rank; invalid when there is none. */
  seekRank(rank: number): void {
    if (this.encoding === Encoding.skiplist) this.large.tree.seekRank(rank);
    else this.offset = scoredSeek(this.region, rank);
  }

  /** seekRank for a walk with previous(). */
  seekBack(rank: number): void {
    if (this.encoding === Encoding.skiplist) {
      this.large.tree.seekRank(rank);
      return;
    }
    this.trail ??= new ScoredTrail();
    this.offset = this.trail.seek(this.region, rank);
  }

  next(): void {
    if (this.encoding === Encoding.skiplist) this.large.tree.next();
    else this.offset = scoredNext(this.region, this.offset);
  }

  /** A step down, after seekBack() and nothing else but such steps. */
  previous(): void {
    if (this.encoding === Encoding.skiplist) this.large.tree.previous();
    else this.offset = this.trail?.back() ?? 0;
  }

  /** Fills buf, pos, len and score from the cursor. */
  take(): void {
    if (this.encoding === Encoding.skiplist) {
      this.takeEntry(this.large.tree.entry);
      this.score = this.large.tree.score;
      return;
    }
    this.score = memberScore(this.region, this.offset);
    this.takeMember(this.offset);
  }

  /** The score taken last as ZSCAN prints it: whole numbers in a packed run keep their digits. */
  get scoreText(): string {
    return this.encoding === Encoding.skiplist ? formatDouble(this.score) : storedScoreText(this.score);
  }

  /** Writes the cursor's member as a bulk string, without taking it. */
  replyMember(reply: ReplyWriter): void {
    if (this.encoding === Encoding.skiplist) {
      const large = this.large;
      const entry = large.tree.entry;
      reply.bulkRange(large.memberBuffer(entry), large.memberPosition(entry), large.memberLength(entry));
      return;
    }
    const element = this.element.read(this.region, this.offset);
    if (element.integer) reply.bulkInt(element.value);
    else reply.bulkRange(element.buf, element.pos, element.len);
  }

  /** Writes `count` members from the cursor on (backwards: down, after seekBack) as bulk strings. The cursor is used up. */
  replyMembers(reply: ReplyWriter, count: number, backwards: boolean): void {
    if (this.encoding === Encoding.skiplist) this.replyFromTree(reply, count, backwards);
    else this.replyFromPacked(reply, count, backwards);
  }

  /** Names the cursor's member until the set changes: see takeHandle. */
  get handle(): number {
    return this.encoding === Encoding.skiplist ? this.large.tree.entry : this.offset;
  }

  /** Fills buf, pos and len with the member of a handle. */
  takeHandle(handle: number): void {
    if (this.encoding === Encoding.skiplist) this.takeEntry(handle);
    else this.takeMember(handle);
  }

  get cursorScore(): number {
    return this.encoding === Encoding.skiplist ? this.large.tree.score : memberScore(this.region, this.offset);
  }

  /** Takes every member in order; the visitor finds it in buf, pos, len and score. It returns false to stop. */
  walk(visit: () => boolean): void {
    const count = this.count;
    if (count === 0) return;
    this.seekRank(0);
    for (let rest = count; rest > 0; rest--) {
      this.take();
      if (!visit()) return;
      if (rest > 1) this.next();
    }
  }

  /** One ZSCAN step over a table (see Dict.scan); packed runs come whole and return 0. */
  scan(cursor: number, visit: () => void): number {
    if (this.encoding !== Encoding.skiplist) {
      this.walk(() => {
        visit();
        return true;
      });
      return 0;
    }
    return this.large.dict.scan(cursor, (entry) => {
      this.takeEntry(entry);
      this.score = this.large.scoreOf(entry);
      visit();
    });
  }

  /** A copy of the member taken last. */
  copyMember(): Buffer {
    return Buffer.from(this.buf.subarray(this.pos, this.pos + this.len));
  }

  private replyFromTree(reply: ReplyWriter, count: number, backwards: boolean): void {
    const { large } = this;
    const { words } = this.db.space.arena;
    for (let rest = count; rest > 0; ) {
      const run = large.tree.takeRun(runEntries, rest, backwards);
      for (let i = 0; i < run; i++) {
        const entry = runEntries[i];
        const segment = words[entry >>> SEGMENT_SHIFT];
        const word = (entry & OFFSET_MASK) << 1;
        reply.bulkWords(segment, word + (MEMBER_OFFSET >> 2), segment[word + 2]);
      }
      rest -= run;
    }
  }

  private replyFromPacked(reply: ReplyWriter, count: number, backwards: boolean): void {
    const { buf, pos } = this.region;
    const view = this.db.space.arena.views[this.region.entry >>> SEGMENT_SHIFT];
    let p = pos + this.offset;
    for (let rest = count; rest > 0; rest--) {
      const first = buf[p];
      if (first >= 0x80 && first < 0xc0) {
        // A string of up to 63 bytes: its length stands in the first byte.
        reply.bulkView(view, p + 1, first & 63);
        p += (first & 63) + 1;
      } else {
        p += this.element.readAt(buf, p);
        if (this.element.integer) reply.bulkInt(this.element.value);
        else reply.bulkRange(this.element.buf, this.element.pos, this.element.len);
      }
      if (!backwards) p += packedEntryBytes(buf, p);
      else if (rest > 1) {
        this.previous();
        p = pos + this.offset;
      }
    }
  }

  private takeMember(offset: number): void {
    this.element.read(this.region, offset).text();
    this.buf = this.element.buf;
    this.pos = this.element.pos;
    this.len = this.element.len;
  }

  private takeEntry(entry: number): void {
    this.buf = this.large.memberBuffer(entry);
    this.pos = this.large.memberPosition(entry);
    this.len = this.large.memberLength(entry);
  }

  private toLarge(): void {
    const { arena, seed } = this.db.space;
    const large = new SortedSet(arena, seed);
    large.dict.reserve(this.count + 1);
    this.walk(() => {
      large.put(this.buf, this.pos, this.len, this.score);
      return true;
    });
    this.entry = this.db.replaceWithLarge(this.entry, Encoding.skiplist, large);
    this.encoding = Encoding.skiplist;
    this.large = large;
  }
}

/**
 * Puts a computed sorted set into the key in argument `i`, which must not be there, as a packed run when it is
 * small enough. The value becomes the key's or is freed.
 */
export function storeSortedSet(c: Context, i: number, large: SortedSet): void {
  const { zsetMaxListpackEntries, zsetMaxListpackValue } = c.server.settings;
  const tree = large.tree;
  let longest = 0;
  large.dict.forEach((entry) => {
    longest = Math.max(longest, large.memberLength(entry));
  });
  if (large.length > zsetMaxListpackEntries || longest > zsetMaxListpackValue) {
    c.db.createLarge(c.buf, c.pos[i], c.len[i], Type.zset, Encoding.skiplist, large);
    return;
  }
  const entry = c.create(i, Type.zset, Encoding.listpack, PACKED_EMPTY_BYTES);
  const region = new ValueRegion().bind(c.db, entry);
  initPacked(region);
  for (tree.seekRank(0); tree.valid; tree.next()) {
    const at = tree.entry;
    scoredInsert(region, tree.score, large.memberBuffer(at), large.memberPosition(at), large.memberLength(at));
  }
  large.free();
}

class MemberBound implements TreeBound {
  private large!: SortedSet;
  private buf!: Uint8Array;
  private pos = 0;
  private len = 0;
  private behind = false;

  set(large: SortedSet, buf: Uint8Array, pos: number, len: number, behind: boolean): this {
    this.large = large;
    this.buf = buf;
    this.pos = pos;
    this.len = len;
    this.behind = behind;
    return this;
  }

  reached(_score: number, entry: number): boolean {
    const large = this.large;
    const order = compareBytes(
      large.memberBuffer(entry),
      large.memberPosition(entry),
      large.memberLength(entry),
      this.buf,
      this.pos,
      this.len,
    );
    return this.behind ? order > 0 : order >= 0;
  }
}
