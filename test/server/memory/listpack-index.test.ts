// The passing index of a listpack finds what the listpack holds, and nothing else.

import { expect, it } from 'vitest';
import { Arena } from '../../../server/memory/arena.ts';
import { initListpack, LISTPACK_EMPTY_BYTES, listpackAppend } from '../../../server/memory/listpack.ts';
import { ListpackIndex } from '../../../server/memory/listpack-index.ts';
import { BlockRegion } from '../../../server/memory/region.ts';

function listpackOf(arena: Arena, texts: readonly string[]): BlockRegion {
  const region = new BlockRegion(arena).create(LISTPACK_EMPTY_BYTES);
  initListpack(region);
  for (const text of texts) {
    const bytes = Buffer.from(text, 'latin1');
    listpackAppend(region, bytes, 0, bytes.length);
  }
  return region;
}

function has(index: ListpackIndex, text: string): boolean {
  const bytes = Buffer.from(`..${text}..`, 'latin1');
  return index.has(bytes, 2, text.length);
}

it('finds strings and integers of every width, and no others', () => {
  const texts = ['', 'a', '7', '-1', '4095', '70000', '-9223372036854775808', '007', 'x'.repeat(70), 'y'.repeat(5000)];
  const index = new ListpackIndex().build(listpackOf(new Arena(), texts), texts.length);
  for (const text of texts) expect(has(index, text)).toBe(true);
  for (const text of ['b', '8', '-2', '07', '9223372036854775807', 'x'.repeat(71)])
    expect(has(index, text)).toBe(false);
});

it('serves one listpack after the other, larger and smaller ones', () => {
  const arena = new Arena();
  const index = new ListpackIndex();
  for (const count of [10, 3000, 40]) {
    const texts = Array.from({ length: count }, (_, i) => `member:${i}`);
    index.build(listpackOf(arena, texts), count);
    for (const text of texts) expect(has(index, text)).toBe(true);
    expect(has(index, `member:${count}`)).toBe(false);
  }
});
