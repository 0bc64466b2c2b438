import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dumpBodyEnd } from '../../../../server/formats/rdb/dump.ts';
import { RdbReader } from '../../../../server/formats/rdb/reader.ts';
import { RDB_TYPE } from '../../../../server/formats/rdb/types.ts';
import { RdbWriter, type RdbWriterOptions } from '../../../../server/formats/rdb/writer.ts';
import { loggingVisitor, readLog } from './event-log.ts';

function write(fill: (writer: RdbWriter) => void, options: RdbWriterOptions = {}): Buffer {
  const chunks: Buffer[] = [];
  let writer: RdbWriter | undefined;
  writer = new RdbWriter((chunk) => {
    chunks.push(Buffer.from(chunk));
    writer?.recycle(chunk);
  }, options);
  fill(writer);
  writer.flush();
  expect(writer.offset).toBe(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  return Buffer.concat(chunks);
}

const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const string = (writer: RdbWriter, text: string) => writer.string(bytesOf(text), 0, text.length);

describe('RdbWriter', () => {
  it('writes a file that the reader understands, whatever the size of its chunks', () => {
    const fill = (writer: RdbWriter) => {
      writer.header(10);
      writer.aux('redis-ver', '7.2.4');
      writer.selectDb(3);
      writer.resizeDb(70_000, 1);
      writer.expireMs(1_900_000_000_123);
      writer.frequency(200);
      writer.type(RDB_TYPE.string);
      string(writer, 'key');
      string(writer, 'abc'.repeat(100));
      writer.idle(99);
      writer.type(RDB_TYPE.zset2);
      string(writer, '-12345');
      writer.length(1);
      string(writer, 'member');
      writer.binaryDouble(-0.5);
      writer.functionLibrary(bytesOf('#!lua name=x\n'));
      writer.eof();
    };
    const expected = [
      'header 10 redis',
      'aux "redis-ver" "7.2.4"',
      'selectDb 3',
      'resizeDb 70000 1',
      `key "key" 0 1900000000123 -1 200`,
      `string "${'abc'.repeat(100)}"`,
      'keyEnd',
      'key "-12345" 5 -1 99 -1',
      'begin zset 1',
      'scored "member" -0.5',
      'keyEnd',
      'functionLibrary x23216c7561206e616d653d780a',
      'end good',
    ];
    for (const chunkBytes of [64, 100, 65536]) expect(readLog(write(fill, { chunkBytes }))).toEqual(expected);
    expect(readLog(write(fill, { checksum: false })).at(-1)).toBe('end off');
    expect(write(fill, { compression: false }).length).toBeGreaterThan(write(fill).length);
  });

  // Bytes as redis-server 7.0.15 stores them.
  it.each([
    ['0', 'c000'],
    ['-128', 'c080'],
    ['128', 'c18000'],
    ['-32768', 'c10080'],
    ['2147483647', 'c2ffffff7f'],
    ['2147483648', '0a32313437343833363438'],
    ['-0', '022d30'],
    ['007', '03303037'],
    ['', '00'],
    ['a'.repeat(30), 'c3091e016161e01100016161'],
  ])('encodes the string %s', (text, hex) => {
    expect(write((writer) => string(writer, text)).toString('hex')).toBe(hex);
  });

  it.each([
    [63, '3f'],
    [64, '4040'],
    [16383, '7fff'],
    [16384, '8000004000'],
    [2 ** 32 - 1, '80ffffffff'],
    [2 ** 32, '810000000100000000'],
    [2 ** 53 - 1, '81001fffffffffffff'],
  ])('encodes the length %i', (length, hex) => {
    expect(write((writer) => writer.length(length)).toString('hex')).toBe(hex);
    expect(write((writer) => writer.length64(BigInt(length))).toString('hex')).toBe(hex);
  });

  it('encodes integers as the strings they are', () => {
    const number = fc.oneof(fc.integer(), fc.maxSafeInteger());
    fc.assert(
      fc.property(number, (value) => {
        const direct = write((writer) => writer.integer(value));
        expect(direct.equals(write((writer) => string(writer, String(value))))).toBe(true);
      }),
    );
  });

  it('keeps every string, of any bytes and length', () => {
    const texts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 64, max: 300 }), (values, chunkBytes) => {
        const fill = (writer: RdbWriter) => {
          writer.header(9);
          writer.type(RDB_TYPE.list);
          string(writer, 'list');
          writer.length(values.length + 1);
          string(writer, 'one');
          for (const value of values) writer.string(value, 0, value.length);
          writer.eof();
        };
        const elements = readLog(write(fill, { chunkBytes })).filter((line) => line.startsWith('element '));
        expect(elements.length).toBe(values.length + 1);
      }),
    );
  });

  it('writes and checks DUMP payloads', () => {
    const payload = write((writer) => {
      writer.type(RDB_TYPE.string);
      string(writer, 'bar');
      writer.dumpFooter(10);
    });
    // What DUMP of redis-server 7.0.15 says of SET key bar.
    expect(payload.toString('hex')).toBe('00036261720a00e6be4960ee66fd17');
    const end = dumpBodyEnd(payload, 0, payload.length, 11, true);
    expect(end).toBe(5);
    const log: string[] = [];
    expect(new RdbReader(loggingVisitor(log)).readValue(payload, 0, end)).toBe(5);
    expect(log).toEqual(['string "bar"', 'keyEnd']);
    expect(dumpBodyEnd(payload, 0, payload.length, 9, true)).toBe(-1);
    expect(dumpBodyEnd(payload, 0, 9, 11, true)).toBe(-1);
    payload[2] = 0;
    expect(dumpBodyEnd(payload, 0, payload.length, 11, true)).toBe(-1);
    expect(dumpBodyEnd(payload, 0, payload.length, 11, false)).toBe(5);
  });
});
