import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RdbError } from '../../../../server/formats/rdb/errors.ts';
import { IntsetCursor } from '../../../../server/formats/rdb/intset.ts';
import { ListpackCursor } from '../../../../server/formats/rdb/listpack.ts';
import { RdbReader } from '../../../../server/formats/rdb/reader.ts';
import { SilentVisitor } from '../../../../server/formats/rdb/visitor.ts';
import { ZiplistCursor } from '../../../../server/formats/rdb/ziplist.ts';
import { ZipmapCursor } from '../../../../server/formats/rdb/zipmap.ts';
import { rdbFixtures, readFixture } from './fixtures.ts';
import { fileOf, samples } from './newer-samples.ts';

const types = readFileSync(new URL('../../../fixtures/rdb-types-redis-7.0.15.rdb', import.meta.url));
const bases = [types, ...samples.map(fileOf), ...rdbFixtures().map(({ file }) => readFixture(file))].filter(
  (bytes) => bytes.length < 30_000,
);

/** A dump with a few bytes changed, perhaps cut. */
const mutated = fc
  .record({
    base: fc.nat({ max: bases.length - 1 }),
    changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
    cut: fc.option(fc.nat(), { freq: 4 }),
  })
  .map(({ base, changes, cut }) => {
    const bytes = Buffer.from(bases[base] ?? types);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return cut === null ? bytes : bytes.subarray(0, cut % bytes.length);
  });

describe('damaged bytes', () => {
  it('end in an RdbError or the end of the file, never in another error or a loop', () => {
    fc.assert(
      fc.property(
        mutated,
        fc.constantFrom('deep' as const, 'shallow' as const),
        fc.boolean(),
        (bytes, integrity, go) => {
          const recover = go ? { recover: () => true } : {};
          const reader = new RdbReader(new SilentVisitor(), { integrity, checksum: false, ...recover });
          try {
            if (reader.push(bytes) === 'more') reader.finish();
          } catch (error) {
            expect(error).toBeInstanceOf(RdbError);
            expect((error as RdbError).offset).toBeLessThanOrEqual(bytes.length);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('are the same error in one piece and byte by byte', () => {
    const outcome = (bytes: Uint8Array, step: number) => {
      const reader = new RdbReader(new SilentVisitor(), { integrity: 'deep', windowBytes: 16 });
      try {
        let state: 'more' | 'done' = 'more';
        for (let at = 0; at < bytes.length && state === 'more'; at += step) {
          state = reader.push(bytes.subarray(at, at + step));
        }
        if (state === 'more') reader.finish();
        return 'fine';
      } catch (error) {
        const { message, offset, activity, key, type } = error as RdbError;
        return `${message} ${offset} ${activity} ${key === null ? '' : Buffer.from(key).toString('hex')} ${type}`;
      }
    };
    const small = mutated.filter((bytes) => bytes.length < 2000);
    fc.assert(
      fc.property(small, (bytes) => {
        expect(outcome(bytes, 1)).toBe(outcome(bytes, bytes.length || 1));
      }),
      { numRuns: 300 },
    );
  });

  it('never lead a cursor outside of its blob', () => {
    const cursors = [new ListpackCursor(), new ZiplistCursor(), new ZipmapCursor(), new IntsetCursor()];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...cursors), (bytes, cursor) => {
        cursor.open(bytes, 0, bytes.length);
        let count = 0;
        while (cursor.next()) {
          const { end } = cursor.element;
          if (!cursor.isInteger) expect(end).toBeLessThanOrEqual(bytes.length);
          expect(cursor.text().length).toBeLessThanOrEqual(60);
          expect(++count).toBeLessThanOrEqual(60);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
