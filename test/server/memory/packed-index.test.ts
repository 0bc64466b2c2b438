// The passing index of a packed run finds what the run holds, and nothing else.

import { expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import {
  initPacked,
  PACKED_EMPTY_BYTES,
  PACKED_FIRST,
  packedAppend,
  packedEntryBytes,
  packedNext,
} from '../../../server/memory/packed.ts';
import { PackedIndex } from '../../../server/memory/packed-index.ts';
import { BlockRegion } from '../../../server/memory/region.ts';

function packedOf(arena: Arena, texts: readonly string[]): BlockRegion {
  const region = new BlockRegion(arena).create(PACKED_EMPTY_BYTES);
  initPacked(region);
  for (const text of texts) {
    const bytes = Buffer.from(text, 'latin1');
    packedAppend(region, bytes, 0, bytes.length);
  }
  return region;
}

/** The index of all elements of a packed run. */
function build(index: PackedIndex, { buf, pos, len }: BlockRegion, count: number): PackedIndex {
  const view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  return index.build(buf, view, pos + PACKED_FIRST, pos + len, count);
}

function has(index: PackedIndex, text: string): boolean {
  const bytes = Buffer.from(`..${text}..`, 'latin1');
  return index.has(bytes, 2, text.length);
}

it('finds strings and integers of every width, and no others', () => {
  const texts = ['', 'a', '7', '-1', '4095', '70000', '-9223372036854775808', '007', 'x'.repeat(70), 'y'.repeat(5000)];
  const index = build(new PackedIndex(), packedOf(new Arena(), texts), texts.length);
  for (const text of texts) expect(has(index, text)).toBe(true);
  for (const text of ['b', '8', '-2', '07', '9223372036854775807', 'x'.repeat(71)])
    expect(has(index, text)).toBe(false);
});

it('serves one run after the other, larger and smaller ones', () => {
  const arena = new Arena();
  const index = new PackedIndex();
  for (const count of [10, 3000, 40]) {
    const texts = Array.from({ length: count }, (_, i) => `member:${i}`);
    build(index, packedOf(arena, texts), count);
    for (const text of texts) expect(has(index, text)).toBe(true);
    expect(has(index, `member:${count}`)).toBe(false);
  }
});

it('tells entries of another run that it holds from those that it does not', () => {
  const arena = new Arena();
  const mine = ['', '5', '-300', '123456', 'member:1', 'member:2', 'z'.repeat(63), 'z'.repeat(64), '9'.repeat(25)];
  const theirs = ['member:1', 'member:3', '5', '6', '-300', 'z'.repeat(64), 'z'.repeat(62), '', '9'.repeat(25)];
  const index = build(new PackedIndex(), packedOf(arena, mine), mine.length);
  const { buf, pos, len } = packedOf(arena, theirs);
  const region = { buf, pos, len } as BlockRegion;
  const view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  const found: boolean[] = [];
  for (let at = PACKED_FIRST; at < len; at = packedNext(region, at)) {
    found.push(index.hasEntry(view, pos + at, packedEntryBytes(buf, pos + at)));
  }
  expect(found).toEqual(theirs.map((text) => mine.includes(text)));
});
