import { describe, expect, it } from 'vitest';
import { RdbError } from '../../../../server/formats/rdb/errors.ts';
import { RdbReader } from '../../../../server/formats/rdb/reader.ts';
import { SilentVisitor } from '../../../../server/formats/rdb/visitor.ts';
import { readLog } from './event-log.ts';
import { expectedVerdict, rdbFixtures, readFixture } from './fixtures.ts';

/** Collections without members are an error to redis-check-rdb. */
class Strict extends SilentVisitor {
  override emptyValue(): void {
    throw new RdbError('integrity', 'empty', { offset: 0, activity: 'read-object-value', key: null, type: 0 });
  }
}

function verdict(bytes: Uint8Array, step: number): string {
  const reader = new RdbReader(new Strict(), { integrity: 'deep', windowBytes: 16 });
  try {
    let state: 'more' | 'done' = 'more';
    for (let at = 0; at < bytes.length && state === 'more'; at += step)
      state = reader.push(bytes.subarray(at, at + step));
    if (state === 'more') reader.finish();
    return 'ok';
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    return 'rejected';
  }
}

describe('RdbReader', () => {
  it.each(rdbFixtures())('judges $file ($header) as the checkers in C do', (fixture) => {
    const bytes = readFixture(fixture.file);
    for (const step of [1, 13, bytes.length]) expect(verdict(bytes, step)).toBe(expectedVerdict(fixture));
  });

  const sound = rdbFixtures().filter((fixture) => expectedVerdict(fixture) === 'ok');

  it.each(sound)('tells the same of $file however it arrives', ({ file }) => {
    const bytes = readFixture(file);
    const whole = readLog(bytes, { integrity: 'deep' });
    expect(readLog(bytes, { integrity: 'deep', windowBytes: 8 }, 1)).toEqual(whole);
    expect(readLog(bytes, { windowBytes: 64 }, 7)).toEqual(whole);
    expect(whole.at(-1)).toMatch(/^end (good|off|none)$/);
  });

  it('tells keys with expiry and their values', () => {
    expect(readLog(readFixture('redis-rdb-tools/keys_with_expiry.rdb'))).toEqual([
      'header 4 redis',
      'selectDb 0',
      'key "expires_ms_precision" 0 1671963072573 -1 -1',
      'string "2022-12-25 10:11:12.573 UTC"',
      'keyEnd',
      'end none',
    ]);
  });

  it('keeps what follows the RDB for the caller', () => {
    const bytes = readFixture('valkey/rdb-preamble.aof');
    const reader = new RdbReader(new SilentVisitor());
    expect(reader.push(bytes)).toBe('done');
    expect(reader.offset).toBe(117);
    expect(Buffer.from(reader.rest()).equals(bytes.subarray(117))).toBe(true);
  });

  it('says where, in which key and doing what it found damage', () => {
    const bytes = readFixture('corrupt/001-global-corrupt-payload-7445.rdb');
    try {
      readLog(bytes, { integrity: 'deep' });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'integrity',
        message: 'Ziplist integrity check failed.',
        offset: 47,
        activity: 'read-object-value',
        type: 14,
      });
      expect(Buffer.from((error as RdbError).key ?? []).toString()).toBe('key');
    }
  });

  it.each([
    [0, 'start'],
    [5, 'start'],
    [9, 'read-type'],
    [30, 'read-aux'],
  ])('calls a file of %i bytes truncated', (length, activity) => {
    const bytes = readFixture('librdb/single_key.rdb').subarray(0, length);
    try {
      readLog(bytes);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'truncated', message: 'Unexpected EOF reading RDB file', activity });
    }
  });

  it('finds a flipped bit by the checksum', () => {
    const bytes = Buffer.from(readFixture('librdb/single_key.rdb'));
    const at = bytes.indexOf('redis-ver') + 12;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(() => readLog(bytes)).toThrow('RDB CRC error');
    expect(() => readLog(bytes, { checksum: false })).not.toThrow();
  });

  it('can be used again after reset', () => {
    const bytes = readFixture('redis-rdb-tools/dictionary.rdb');
    const reader = new RdbReader(new SilentVisitor());
    for (let round = 0; round < 3; round++) {
      reader.reset();
      expect(reader.push(bytes)).toBe('done');
      expect(reader.keysRead).toBe(1);
    }
  });

  it('passes over long strings without holding them', () => {
    const value = Buffer.alloc(100_000, 'x');
    const head = Buffer.from([0, 1, 0x6b, 0x80, 0, 1, 0x86, 0xa0]);
    const file = Buffer.concat([Buffer.from('REDIS0004'), head, value, Buffer.from([255])]);
    const log = readLog(file, { skipStringsOver: 1000, windowBytes: 64, stringBytesMax: 2000 }, 50);
    expect(log).toEqual(['header 4 redis', 'key "k" 0 -1 -1 -1', 'skipped 100000', 'keyEnd', 'end none']);
    expect(() => readLog(file, { stringBytesMax: 2000 }, 50)).toThrow(RdbError);
  });
});
