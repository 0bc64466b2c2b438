// A small sorted set as a listpack: member, score, member, score, in order, in exactly the form that RDB stores. An
// offset is that of a member's entry; its score follows.

import { formatDouble, plainDecimal } from '../base/numbers.ts';
import {
  LISTPACK_FIRST,
  ListpackElement,
  ListpackValue,
  listpackCount,
  listpackDeleteEntries,
  listpackFind,
  listpackInsertPair,
  listpackNext,
  listpackPrevious,
  listpackSeek,
} from '../memory/listpack.ts';
import type { Region } from '../memory/region.ts';

/** Up to here Redis stores whole scores as integers. */
const WHOLE_MAX = 2 ** 62;

const element = new ListpackElement();
const memberValue = new ListpackValue();
const scoreValue = new ListpackValue();

export function packedCount(region: Region): number {
  return listpackCount(region) >>> 1;
}

/** Offset of a member, 0 when it is not there. */
export function packedFind(region: Region, buf: Uint8Array, pos: number, len: number): number {
  return listpackFind(region, LISTPACK_FIRST, buf, pos, len, 1);
}

/** The score of the member at `offset`. */
export function packedScore(region: Region, offset: number): number {
  return scoreAt(region, listpackNext(region, offset));
}

/** The text of a score as it is stored: whole numbers with all their digits. */
export function packedScoreText(score: number): string {
  const whole = Number.isInteger(score) && Math.abs(score) <= WHOLE_MAX;
  return whole ? BigInt(score).toString() : formatDouble(score);
}

/** Offset of the member after the one at `offset`; the end's offset behind the last. */
export function packedNext(region: Region, offset: number): number {
  return listpackNext(region, listpackNext(region, offset));
}

/** Offset of the member before `offset`, 0 when there is none. */
export function packedPrevious(region: Region, offset: number): number {
  const score = listpackPrevious(region, offset);
  return score === 0 ? 0 : listpackPrevious(region, score);
}

/** Offset of the member with a rank (0 to count - 1). */
export function packedSeek(region: Region, rank: number): number {
  return listpackSeek(region, rank * 2);
}

/** The rank of the member at `offset`. */
export function packedRank(region: Region, offset: number): number {
  let rank = 0;
  for (let at = LISTPACK_FIRST; at < offset; at = packedNext(region, at)) rank++;
  return rank;
}

/** Adds a member that is not there. The bytes must not lie in the region. */
export function packedInsert(region: Region, score: number, buf: Uint8Array, pos: number, len: number): void {
  const end = region.len - 1;
  let at = LISTPACK_FIRST;
  while (at < end) {
    const scoreOffset = element.read(region, at).next;
    const there = scoreAt(region, scoreOffset);
    if (there > score) break;
    if (there === score) {
      element.read(region, at).text();
      if (compareBytes(element.buf, element.pos, element.len, buf, pos, len) > 0) break;
    }
    at = listpackNext(region, scoreOffset);
  }
  memberValue.set(buf, pos, len);
  setScore(score);
  listpackInsertPair(region, at, memberValue, scoreValue);
}

/** Removes `count` members from the one at `offset` on. */
export function packedRemove(region: Region, offset: number, count: number): void {
  listpackDeleteEntries(region, offset, count * 2);
}

/** Rank of the first member with a score of at least `score`, or above it; the count when there is none. */
export function packedRankOfScore(region: Region, score: number, above: boolean): number {
  const end = region.len - 1;
  let rank = 0;
  for (let at = LISTPACK_FIRST; at < end; rank++) {
    const scoreOffset = listpackNext(region, at);
    const there = scoreAt(region, scoreOffset);
    if (above ? there > score : there >= score) return rank;
    at = listpackNext(region, scoreOffset);
  }
  return rank;
}

/** Rank of the first member that is, in memory order, at least these bytes, or behind them. */
export function packedRankOfMember(region: Region, buf: Uint8Array, pos: number, len: number, behind: boolean): number {
  const end = region.len - 1;
  let rank = 0;
  for (let at = LISTPACK_FIRST; at < end; rank++) {
    element.read(region, at).text();
    const order = compareBytes(element.buf, element.pos, element.len, buf, pos, len);
    if (behind ? order > 0 : order >= 0) return rank;
    at = listpackNext(region, element.next);
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
  const text = Buffer.from(packedScoreText(score), 'latin1');
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
