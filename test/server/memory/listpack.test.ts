// Listpacks against a plain array of strings, with seeded random operations, and their bytes against known ones.

import { describe, expect, it } from 'vitest';
import { validateListpack } from '../../../server/formats/rdb/listpack.ts';
import { Arena } from '../../../server/memory/arena.ts';
import {
  hasListpackHeader,
  initListpack,
  LISTPACK_EMPTY_BYTES,
  LISTPACK_FIRST,
  ListpackElement,
  ListpackValue,
  listpackAppend,
  listpackCount,
  listpackDelete,
  listpackDeleteRange,
  listpackGet,
  listpackInsert,
  listpackInsertInteger,
  listpackLast,
  listpackNext,
  listpackPrepend,
  listpackPrevious,
  listpackReplace,
  listpackReplaceInteger,
  listpackSeek,
} from '../../../server/memory/listpack.ts';
import { BlockRegion } from '../../../server/memory/region.ts';

const element = new ListpackElement();

function empty(): BlockRegion {
  const region = new BlockRegion(new Arena()).create(LISTPACK_EMPTY_BYTES);
  initListpack(region);
  return region;
}

function append(region: BlockRegion, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  listpackAppend(region, bytes, 0, bytes.length);
}

function content(region: BlockRegion): string[] {
  const out: string[] = [];
  for (let at = LISTPACK_FIRST; at < region.len - 1; at = element.next) {
    out.push(element.read(region, at).copy().toString('latin1'));
  }
  return out;
}

function contentBackwards(region: BlockRegion): string[] {
  const out: string[] = [];
  for (let at = listpackLast(region); at !== 0; at = listpackPrevious(region, at)) {
    out.push(element.read(region, at).copy().toString('latin1'));
  }
  return out;
}

function bytesOf(region: BlockRegion): Buffer {
  return Buffer.from(region.buf.subarray(region.pos, region.pos + region.len));
}

/** A random value: integers around all encoding limits, strings around all length limits. */
function randomValue(random: (bound: number) => number): string {
  const limits = [0, 127, 128, 4095, 4096, 32767, 32768, 8388607, 8388608, 2147483647, 2147483648, 2 ** 52];
  const kind = random(10);
  if (kind < 3) return String((random(2) === 0 ? 1 : -1) * (limits[random(limits.length)] + random(3) - 1));
  if (kind === 3)
    return ['9223372036854775807', '-9223372036854775808', '9223372036854775808', '-0', '007', '+1', ''][random(7)];
  if (kind === 4) return 'x'.repeat([62, 63, 64, 125, 126, 127, 128, 4094, 4095, 4096][random(10)]);
  if (kind === 5) return 'y'.repeat(random(300));
  return `v${random(20)}`;
}

function seededRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * bound);
  };
}

describe('listpack', () => {
  it('writes the bytes that Redis writes', () => {
    const region = empty();
    for (const value of ['1', '-1', '4095', '300', '40000', '-8388609', '5000000000', 'hello', ''])
      append(region, value);
    expect(bytesOf(region).toString('hex')).toBe(
      '30000000090001' + '01dfff02cfff02c12c02f2409c0004f3ffff7fff05f400f2052a0100000009' + '8568656c6c6f068001ff',
    );
  });

  it('keeps integers beyond 2^53 exactly', () => {
    const region = empty();
    const values = ['9223372036854775807', '-9223372036854775808', '9007199254740993', '-9007199254740993'];
    for (const value of values) append(region, value);
    expect(region.len).toBe(LISTPACK_EMPTY_BYTES + 40);
    expect(content(region)).toEqual(values);
    const needle = Buffer.from(values[3]);
    expect(new ListpackValue().set(needle, 0, needle.length).equals(region.buf, region.pos + 36)).toBe(true);
  });

  it('counts beyond 65,534 elements and notices when they are fewer again', () => {
    const region = empty();
    for (let i = 0; i < 65540; i++) listpackInsertInteger(region, region.len - 1, i & 127);
    expect(listpackCount(region)).toBe(65540);
    expect(listpackSeek(region, 65539)).toBe(region.len - 3);
    expect(listpackSeek(region, 65540)).toBe(0);
    expect(listpackSeek(region, -65540)).toBe(LISTPACK_FIRST);
    expect(listpackSeek(region, -65541)).toBe(0);
    expect(listpackDeleteRange(region, 10, 65000)).toBe(65000);
    expect(listpackCount(region)).toBe(540);
    expect(region.buf.readUInt16LE(region.pos + 4)).toBe(540);
  });

  it('tells a damaged header', () => {
    const region = empty();
    append(region, 'x');
    const bytes = bytesOf(region);
    expect(hasListpackHeader(bytes, 0, bytes.length)).toBe(true);
    expect(hasListpackHeader(bytes, 0, bytes.length - 1)).toBe(false);
    bytes[0]++;
    expect(hasListpackHeader(bytes, 0, bytes.length)).toBe(false);
  });

  it('does what an array does', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      const region = empty();
      const model: string[] = [];
      for (let step = 0; step < 400; step++) {
        change(region, model, random);
        expect(listpackCount(region)).toBe(model.length);
        if (step % 20 === 0) check(region, model, random);
      }
      check(region, model, random);
    }
  });

  it('compares what it wrote with what is looked for, in all encodings', () => {
    const random = seededRandom(99);
    const region = empty();
    const value = new ListpackValue();
    for (let i = 0; i < 2000; i++) {
      const first = Buffer.from(randomValue(random), 'latin1');
      const other = Buffer.from(randomValue(random), 'latin1');
      listpackAppend(region, first, 0, first.length);
      const last = listpackLast(region);
      expect(value.set(first, 0, first.length).equals(region.buf, region.pos + last)).toBe(true);
      expect(value.set(other, 0, other.length).equals(region.buf, region.pos + last)).toBe(first.equals(other));
    }
  });
});

function change(region: BlockRegion, model: string[], random: (bound: number) => number): void {
  const text = randomValue(random);
  const bytes = Buffer.from(`..${text}`, 'latin1');
  const len = text.length;
  const at = random(model.length + 1);
  const offset = at === model.length ? region.len - 1 : listpackSeek(region, at);
  switch (random(8)) {
    case 0:
      listpackAppend(region, bytes, 2, len);
      model.push(text);
      break;
    case 1:
      listpackPrepend(region, bytes, 2, len);
      model.unshift(text);
      break;
    case 2:
    case 3:
      listpackInsert(region, offset, bytes, 2, len);
      model.splice(at, 0, text);
      break;
    case 4:
      if (at === model.length) break;
      listpackReplace(region, offset, bytes, 2, len);
      model[at] = text;
      break;
    case 5:
      if (at === model.length) break;
      listpackReplaceInteger(region, offset, -at * 1000);
      model[at] = String(at === 0 ? 0 : -at * 1000);
      break;
    case 6:
      if (at === model.length) break;
      listpackDelete(region, offset);
      model.splice(at, 1);
      break;
    default: {
      const count = random(4);
      expect(listpackDeleteRange(region, at, count)).toBe(Math.min(count, model.length - at));
      model.splice(at, count);
    }
  }
}

function check(region: BlockRegion, model: string[], random: (bound: number) => number): void {
  expect(content(region)).toEqual(model);
  expect(contentBackwards(region)).toEqual([...model].reverse());
  expect(validateListpack(bytesOf(region), 0, region.len, true)).toBe(model.length);
  for (const index of [0, -1, random(model.length + 2), -random(model.length + 2)]) {
    const value = listpackGet(region, index, element) ? element.copy().toString('latin1') : undefined;
    expect(value).toBe(model.at(index));
  }
  if (model.length > 1) expect(listpackNext(region, LISTPACK_FIRST)).toBe(listpackSeek(region, 1));
}
