// What the tests of packed runs are made of: values on both sides of every limit between encodings, and runs of them.

import fc from 'fast-check';
import { Arena } from '../../../server/memory/arena.ts';
import { initPacked, PACKED_EMPTY_BYTES, packedAppend } from '../../../server/memory/packed.ts';
import { BlockRegion } from '../../../server/memory/region.ts';

const STRING_BYTES = [0, 1, 9, 10, 62, 63, 64, 125, 126, 127, 128, 129, 4094, 4095, 4096, 16378, 16383, 70_000];
const INTEGERS = [
  0n,
  127n,
  128n,
  4095n,
  4096n,
  32_767n,
  32_768n,
  8_388_607n,
  8_388_608n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
];
const INT64_MAX = 2n ** 63n - 1n;
/** Texts that look like integers, and one that is too long for one. */
const NO_INTEGERS = ['-0', '007', '+1', '-', '9223372036854775808', '-9223372036854775809', '1'.repeat(21)];

/** Every limit once, for tests that go through all of them. */
export const limits: readonly string[] = [
  ...STRING_BYTES.map((bytes) => 'x'.repeat(bytes)),
  ...INTEGERS.flatMap((n) => [n - 1n, n, n + 1n, -n - 1n, -n, 1n - n].map(String)),
  ...[INT64_MAX, INT64_MAX - 1n, -INT64_MAX, -INT64_MAX - 1n].map(String),
  ...NO_INTEGERS,
];

/** A value of any encoding as latin1 text; short ones often, so that some are equal. */
export const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 20 }).map((n) => `v${n}`) },
  { weight: 2, arbitrary: fc.constantFrom(...limits) },
  { weight: 1, arbitrary: fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }).map(String) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
);

/** An empty run in a block of its own. */
export function emptyRun(): BlockRegion {
  const region = new BlockRegion(new Arena()).create(PACKED_EMPTY_BYTES);
  initPacked(region);
  return region;
}

/** A run of these values. */
export function runOf(values: readonly string[]): BlockRegion {
  const region = emptyRun();
  for (const text of values) packedAppend(region, Buffer.from(text, 'latin1'), 0, text.length);
  return region;
}

/** A copy of a region's bytes. */
export function bytesOf(region: BlockRegion): Buffer {
  return Buffer.from(region.buf.subarray(region.pos, region.pos + region.len));
}
