// A small sorted set as a packed run: member, score, member, score, in order. An offset is that of a member's entry; its
// score follows.

import { formatDouble, plainDecimal } from '../base/numbers.ts';
import {
  LONG_STRING,
  PACKED_FIRST,
  PackedElement,
  PackedValue,
  packedCount,
  packedDelete,
  packedEntryBytes,
  packedFind,
  packedInsertPair,
  packedNext,
  packedSeek,
} from '../memory/packed.ts';
import type { Region } from '../memory/region.ts';

/** Up to here Redis stores whole scores as integers. */
const WHOLE_MAX = 2 ** 62;

/** First number of offsets that a trail has room for. */
const TRAIL_MIN = 128;
/** Room kept for the next walk; more is given up. */
const TRAIL_KEPT = 4096;
/** A trail gives up guessing the lengths of members when they change so often: a wrong guess costs more than a look. */
const CHANGES_MAX = 4;

const element = new PackedElement();
const memberValue = new PackedValue();
const scoreValue = new PackedValue();

export function scoredCount(region: Region): number {
  return packedCount(region) >>> 1;
}

/** Offset of a member, 0 when it is not there. */
export function scoredFind(region: Region, buf: Uint8Array, pos: number, len: number): number {
  return packedFind(region, buf, pos, len, 1);
}

/** The score of the member at `offset`. */
export function memberScore(region: Region, offset: number): number {
  return scoreAt(region, packedNext(region, offset));
}

/** The text of a score as it is stored: whole numbers with all their digits. */
export function storedScoreText(score: number): string {
  const whole = Number.isInteger(score) && Math.abs(score) <= WHOLE_MAX;
  return whole ? BigInt(score).toString() : formatDouble(score);
}

/** Offset of the member after the one at `offset`; `region.len` behind the last. */
export function scoredNext(region: Region, offset: number): number {
  return packedNext(region, packedNext(region, offset));
}

/** Offset of the member with a rank (0 to count - 1). */
export function scoredSeek(region: Region, rank: number): number {
  return packedSeek(region, rank * 2);
}

/** The way back through a run, which can be walked only forward: members' offsets are noted on the way to one of them. */
export class ScoredTrail {
  private offsets = new Int32Array(TRAIL_MIN);
  private length = 0;

  /** scoredSeek() from which back() leads to the members before. */
  seek(region: Region, rank: number): number {
    if (this.offsets.length <= rank || this.offsets.length > TRAIL_KEPT) this.makeRoom(rank);
    const { offsets } = this;
    const { buf, pos } = region;
    const end = pos + region.len;
    let p = pos + PACKED_FIRST;
    let length = 0;
    // Members are often as long as the one before: then the next step need not wait for the length that this one reads.
    let like = -1;
    let bytes = 0;
    let changes = 0;
    while (length < rank && p < end) {
      offsets[length++] = p - pos;
      const member = buf[p];
      if (member !== like) {
        bytes = packedEntryBytes(buf, p);
        like = member < LONG_STRING && changes++ < CHANGES_MAX ? member : -1;
      }
      p += bytes;
      p += packedEntryBytes(buf, p);
    }
    this.length = length;
    return p < end ? p - pos : 0;
  }

  /** Offset of the member before the one that seek() or back() has told last, 0 when there is none. */
  back(): number {
    return this.length === 0 ? 0 : this.offsets[--this.length];
  }

  private makeRoom(rank: number): void {
    let room = TRAIL_MIN;
    while (room <= rank) room *= 2;
    if (room !== this.offsets.length) this.offsets = new Int32Array(room);
  }
}

/** The rank of the member at `offset`. */
export function scoredRank(region: Region, offset: number): number {
  let rank = 0;
  for (let at = PACKED_FIRST; at < offset; at = scoredNext(region, at)) rank++;
  return rank;
}

/** Adds a member that is not there. The bytes must not lie in the region. */
export function scoredInsert(region: Region, score: number, buf: Uint8Array, pos: number, len: number): void {
  const end = region.len;
  let at = PACKED_FIRST;
  while (at < end) {
    const scoreOffset = element.read(region, at).next;
    const there = scoreAt(region, scoreOffset);
    if (there > score) break;
    if (there === score) {
      element.read(region, at).text();
      if (compareBytes(element.buf, element.pos, element.len, buf, pos, len) > 0) break;
    }
    at = packedNext(region, scoreOffset);
  }
  memberValue.set(buf, pos, len);
  setScore(score);
  packedInsertPair(region, at, memberValue, scoreValue);
}

/** Removes `count` members from the one at `offset` on. */
export function scoredRemove(region: Region, offset: number, count: number): void {
  packedDelete(region, offset, count * 2);
}

/** Rank of the first member with a score of at least `score`, or above it; the count when there is none. */
export function scoredRankOfScore(region: Region, score: number, above: boolean): number {
  const end = region.len;
  let rank = 0;
  for (let at = PACKED_FIRST; at < end; rank++) {
    const scoreOffset = packedNext(region, at);
    const there = scoreAt(region, scoreOffset);
    if (above ? there > score : there >= score) return rank;
    at = packedNext(region, scoreOffset);
  }
  return rank;
}

/** Rank of the first member that is, in memory order, at least these bytes, or behind them. */
export function scoredRankOfMember(region: Region, buf: Uint8Array, pos: number, len: number, behind: boolean): number {
  const end = region.len;
  let rank = 0;
  for (let at = PACKED_FIRST; at < end; rank++) {
    element.read(region, at).text();
    const order = compareBytes(element.buf, element.pos, element.len, buf, pos, len);
    if (behind ? order > 0 : order >= 0) return rank;
    at = packedNext(region, element.next);
  }
  return rank;
}

/** Memory order, then length: below 0, 0 or above 0. */
export function compareBytes(
  a: Uint8Array,
  aPos: number,
  aLen: number,
  b: Uint8Array,
  bPos: number,
  bLen: number,
): number {
  const shorter = Math.min(aLen, bLen);
  for (let i = 0; i < shorter; i++) {
    const difference = a[aPos + i] - b[bPos + i];
    if (difference !== 0) return difference;
  }
  return aLen - bLen;
}

/** Whole numbers are stored as integers (so -0 becomes 0), everything else as decimal text. */
function setScore(score: number): void {
  if (Number.isSafeInteger(score)) {
    scoreValue.setInteger(score);
    return;
  }
  const text = Buffer.from(storedScoreText(score), 'latin1');
  scoreValue.set(text, 0, text.length);
}

function scoreAt(region: Region, offset: number): number {
  element.read(region, offset);
  if (element.integer) return element.value;
  const plain = plainDecimal(element.buf, element.pos, element.len);
  if (!Number.isNaN(plain)) return plain;
  const text = Buffer.from(element.buf.buffer, element.buf.byteOffset + element.pos, element.len).toString('latin1');
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
