// Reads lists, sets, sorted sets and hashes that are stored member by member, and quicklists.
//   list, set: count, strings | hash: count, (field, value) | zset: count, (member, score)
//   type 3 scores: length and ASCII, 253 nan, 254 inf, 255 -inf; type 5: 8 bytes IEEE, little-endian
//   type 24: i64 smallest expiry, count, (ttl, field, value), ttl 0 = none, else expiry = ttl + smallest - 1
//   type 22 of Redis pre-releases: count, (expiry, field, value), 0 = none; of Valkey: (field, value, i64 expiry), -1 = none
//   quicklist 14: count, ziplists | 18: count, (container 1 plain or 2 listpack, string)

import type { BlobValidator } from './blobs.ts';
import type { DuplicateFinder } from './duplicates.ts';
import { isNan, parseScore } from './packed.ts';
import { Slice } from './slice.ts';
import { type RdbSource, UNEXPECTED_EOF } from './source.ts';
import { RDB_TYPE, type RdbFlavour, type RdbLayout } from './types.ts';
import type { RdbVisitor } from './visitor.ts';

/** More members than any server can hold: what allocating tables for them would say. */
const COUNT_MAX = 2 ** 40;
const PLAIN_NODE = 1;
const PACKED_NODE = 2;

/** Reads one value in as many calls as it takes. */
export interface ValueReader {
  /** Reads what it can; true when the value is complete, false when a passed-over string has to be skipped first. */
  run(): boolean;
}

export class CollectionReader implements ValueReader {
  /** Members (or nodes) still to come. */
  left = 0;
  readonly #source: RdbSource;
  readonly #visitor: RdbVisitor;
  readonly #duplicates: DuplicateFinder;
  readonly #blobs: BlobValidator;
  readonly #deep: boolean;
  readonly #member = new Slice();
  readonly #value = new Slice();
  #layout: RdbLayout = 'list';
  #type = 0;
  #flavour: RdbFlavour = 'redis';
  #smallestExpiryMs = 0;
  #nodes = 0;

  constructor(
    source: RdbSource,
    visitor: RdbVisitor,
    duplicates: DuplicateFinder,
    blobs: BlobValidator,
    deep: boolean,
  ) {
    this.#source = source;
    this.#visitor = visitor;
    this.#duplicates = duplicates;
    this.#blobs = blobs;
    this.#deep = deep;
  }

  /** Reads what precedes the members; returns their number. */
  open(layout: RdbLayout, type: number, flavour: RdbFlavour): number {
    const s = this.#source;
    this.#layout = layout;
    this.#type = type;
    this.#flavour = flavour;
    this.#nodes = 0;
    if (type === RDB_TYPE.hashMetadata) this.#smallestExpiryMs = s.i64le();
    this.left = s.length();
    if (this.left > COUNT_MAX && layout !== 'list' && layout !== 'quicklist') {
      throw s.fail('integrity', `OOM in dictTryExpand ${s.lengthExact()}`);
    }
    return this.left;
  }

  /** Tells the visitor that the members follow. */
  begin(): void {
    const layout = this.#layout;
    if (layout === 'list' || layout === 'quicklist') this.#visitor.begin('list', this.left);
    else if (layout === 'hash-expiry') this.#visitor.begin('hash', this.left);
    else this.#visitor.begin(layout as 'set', this.left);
    if (this.#deep && layout !== 'list' && layout !== 'quicklist') this.#duplicates.clear(this.left);
  }

  run(): boolean {
    switch (this.#layout) {
      case 'list':
        return this.#runList();
      case 'set':
        return this.#runSet();
      case 'zset':
        return this.#runZset();
      case 'hash':
        return this.#runHash();
      case 'hash-expiry':
        return this.#runHashWithExpiry();
      default:
        return this.#runQuicklist();
    }
  }

  #done(): void {
    this.left--;
    this.#source.mark = this.#source.pos;
  }

  #runList(): boolean {
    const s = this.#source;
    while (this.left > 0) {
      const skipped = s.stringOrSkip(this.#member);
      if (skipped > 0) this.#visitor.skipped(skipped);
      else this.#visitor.element(this.#member);
      this.#done();
      if (s.toSkip > 0) return false;
    }
    return true;
  }

  #runSet(): boolean {
    const s = this.#source;
    while (this.left > 0) {
      s.string(this.#member);
      if (this.#deep && !this.#duplicates.add(this.#member)) s.damaged('Duplicate set members detected');
      this.#visitor.element(this.#member);
      this.#done();
    }
    return true;
  }

  #runZset(): boolean {
    const s = this.#source;
    const binary = this.#type === RDB_TYPE.zset2;
    while (this.left > 0) {
      s.string(this.#member);
      const score = binary ? s.doubleLe() : this.#asciiScore();
      if (Number.isNaN(score)) s.damaged('Zset with NAN score detected');
      if (this.#deep && !this.#duplicates.add(this.#member)) s.damaged('Duplicate zset fields detected');
      this.#visitor.scored(this.#member, score);
      this.#done();
    }
    return true;
  }

  #asciiScore(): number {
    const length = this.#source.u8();
    if (length === 255) return Number.NEGATIVE_INFINITY;
    if (length === 254) return Number.POSITIVE_INFINITY;
    if (length === 253) return Number.NaN;
    this.#source.raw(this.#value, length);
    const score = parseScore(this.#value);
    if (Number.isNaN(score) && !isNan(this.#value)) throw this.#source.fail('integrity', UNEXPECTED_EOF);
    return score;
  }

  #runHash(): boolean {
    const s = this.#source;
    while (this.left > 0) {
      s.string(this.#member);
      const skipped = s.stringOrSkip(this.#value);
      this.#noDuplicateField();
      if (skipped > 0) this.#visitor.skipped(skipped);
      else this.#visitor.pair(this.#member, this.#value, -1);
      this.#done();
      if (s.toSkip > 0) return false;
    }
    return true;
  }

  #runHashWithExpiry(): boolean {
    const s = this.#source;
    while (this.left > 0) {
      let expireAtMs = -1;
      if (this.#flavour === 'redis') expireAtMs = this.#fieldExpiry();
      s.string(this.#member);
      s.string(this.#value);
      if (this.#flavour === 'valkey') expireAtMs = s.i64le();
      this.#noDuplicateField();
      this.#visitor.pair(this.#member, this.#value, expireAtMs);
      this.#done();
    }
    return true;
  }

  #fieldExpiry(): number {
    const ttl = this.#source.length();
    if (ttl === 0) return -1;
    return this.#type === RDB_TYPE.hashMetadata ? ttl + this.#smallestExpiryMs - 1 : ttl;
  }

  #noDuplicateField(): void {
    if (!this.#deep || this.#duplicates.add(this.#member)) return;
    this.#source.damaged('Duplicate hash fields detected');
  }

  #runQuicklist(): boolean {
    const s = this.#source;
    while (this.left > 0) {
      if (this.#type === RDB_TYPE.listQuicklist2) {
        const container = s.length();
        if (container === PLAIN_NODE) {
          const skipped = s.stringOrSkip(this.#value);
          if (skipped === 0 && this.#value.length === 0) throw s.fail('integrity', UNEXPECTED_EOF);
          this.#nodes++;
          if (skipped > 0) this.#visitor.skipped(skipped);
          else this.#visitor.plainNode(this.#value);
          this.#done();
          if (s.toSkip > 0) return false;
          continue;
        }
        if (container !== PACKED_NODE) throw s.fail('integrity', 'Quicklist integrity check failed.');
      }
      s.string(this.#value);
      if (this.#value.length === 0) throw s.fail('integrity', UNEXPECTED_EOF);
      this.#packedNode();
      this.#done();
    }
    if (this.#nodes === 0) this.#visitor.emptyValue();
    return true;
  }

  #packedNode(): void {
    const modern = this.#type === RDB_TYPE.listQuicklist2;
    const count = modern ? this.#blobs.listpack(this.#value) : this.#blobs.ziplist(this.#value);
    if (count < 0) {
      this.#source.damaged(`${modern ? 'Listpack' : 'Ziplist'} integrity check failed.`);
      this.#nodes++;
      return;
    }
    if (count === 0) return; // an empty node counts for nothing; a list of only these is empty
    this.#nodes++;
    if (modern) this.#visitor.listpackNode(this.#value, count);
    else this.#visitor.ziplistNode(this.#value, count);
  }
}
