// Packed runs and the listpacks that RDB stores of them, both ways.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateListpack } from '../../../server/formats/rdb/listpack.ts';
import { Arena } from '../../../server/memory/arena.ts';
import { initListpack, LISTPACK_EMPTY_BYTES, listpackAppend } from '../../../server/memory/listpack.ts';
import { packedAppend } from '../../../server/memory/packed.ts';
import { ListpackCopy, listpackBytes, measureListpack, packListpack } from '../../../server/memory/packed-listpack.ts';
import { BlockRegion } from '../../../server/memory/region.ts';
import { bytesOf, emptyRun, limits, runOf, value } from './packed-samples.ts';

const copy = new ListpackCopy();

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The listpack of these values, put together as one. */
function listpackOf(values: readonly string[]): Buffer {
  const region = new BlockRegion(new Arena()).create(LISTPACK_EMPTY_BYTES);
  initListpack(region);
  for (const text of values) listpackAppend(region, Buffer.from(text, 'latin1'), 0, text.length);
  return bytesOf(region);
}

function toListpack(run: BlockRegion): Buffer {
  const { buf, len } = copy.make(run, viewOf(run.buf));
  return Buffer.from(buf.subarray(0, len));
}

/** The packed run of a listpack that stands between other bytes, written between others; null when it is damaged. */
function toRun(listpack: Buffer): Buffer | null {
  const from = Buffer.concat([Buffer.from('<<<'), listpack]);
  const bytes = measureListpack(from, 3, from.length, 1);
  if (bytes < 0) return null;
  const to = Buffer.alloc(bytes + 10, 0xee);
  packListpack(from, viewOf(from), 3, from.length, to, viewOf(to), 5, 5 + bytes);
  expect(to.subarray(0, 5)).toEqual(Buffer.alloc(5, 0xee));
  expect(to.subarray(5 + bytes)).toEqual(Buffer.alloc(5, 0xee));
  return to.subarray(5, 5 + bytes);
}

describe('a packed run as listpack', () => {
  it('has the bytes of a listpack that was put together as one, and comes back from it', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), (values) => {
        const run = runOf(values);
        const listpack = listpackOf(values);
        expect(listpackBytes(run)).toBe(listpack.length);
        expect(toListpack(run).equals(listpack)).toBe(true);
        expect(toRun(listpack)?.equals(bytesOf(run))).toBe(true);
      }),
    );
  });

  it('does so for values of all encodings and more than 65,535 of them', () => {
    const run = emptyRun();
    for (let i = 0; i < 66_000; i++) packedAppend(run, Buffer.from('x1'), i & 1, 1);
    expect(validateListpack(toListpack(run), 0, listpackBytes(run), true)).toBe(66_000);
    expect(toRun(toListpack(run))?.equals(bytesOf(run))).toBe(true);
    expect(toListpack(runOf(limits)).equals(listpackOf(limits))).toBe(true);
    expect(toListpack(runOf([])).equals(listpackOf([]))).toBe(true);
  });

  it('is made for long runs in memory that is given up again', () => {
    const values = Array.from({ length: 40 }, (_, i) => String(i).repeat(35_000));
    expect(toListpack(runOf(values)).equals(listpackOf(values))).toBe(true);
    expect(copy.buf.length).toBeGreaterThan(1 << 20);
    expect(toListpack(runOf(['a'])).equals(listpackOf(['a']))).toBe(true);
    expect(copy.buf.length).toBeLessThan(1 << 20);
  });
});

describe('a damaged listpack', () => {
  it('is told by an entry that does not end where it should', () => {
    const sound = listpackOf(['member', '5', '-300', 'x'.repeat(70), 'y'.repeat(5000)]);
    expect(toRun(sound)).not.toBeNull();
    for (const cut of [1, 2, 3, 4, 100, 5000, 5079]) {
      expect(toRun(Buffer.concat([sound.subarray(0, sound.length - 1 - cut), Buffer.from([0xff])]))).toBeNull();
    }
  });

  it('is told by a byte that begins no entry, and by half a pair', () => {
    const listpack = listpackOf(['member', '5', 'other']);
    expect(measureListpack(listpack, 0, listpack.length, 2)).toBe(-1);
    expect(measureListpack(listpack, 0, listpack.length, 3)).toBe(2 + 7 + 1 + 6);
    for (const byte of [0xf5, 0xfe, 0xff]) {
      const damaged = Buffer.from(listpack);
      damaged[6] = byte;
      expect(measureListpack(damaged, 0, damaged.length, 1)).toBe(-1);
    }
  });

  it('never makes more of the bytes than there is room for', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const damaged = Buffer.concat([Buffer.alloc(6), bytes, Buffer.from([0xff])]);
        const run = toRun(damaged);
        if (run !== null) expect(run.length).toBeLessThan(damaged.length);
      }),
      { numRuns: 2000 },
    );
  });
});
