import { describe, expect, it } from 'vitest';
import { RdbError } from '../../../../server/formats/rdb/errors.ts';
import { RdbReader } from '../../../../server/formats/rdb/reader.ts';
import { SilentVisitor } from '../../../../server/formats/rdb/visitor.ts';
import { readLog } from './event-log.ts';
import { fileOf, type Sample, samples } from './newer-samples.ts';

function sample(name: string): Sample {
  const found = samples.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no sample ${name}`);
  return found;
}

/** The file with one piece of it in hex replaced by another. */
function altered(name: string, from: string, to: string): Buffer {
  const hex = fileOf(sample(name)).toString('hex');
  const [before, after] = [from, to].map((text) => text.replaceAll(' ', ''));
  const at = hex.indexOf(before as string);
  if (at < 0 || at % 2 === 1) throw new Error(`no ${from} in ${name}`);
  return Buffer.from(hex.slice(0, at) + after + hex.slice(at + (before as string).length), 'hex');
}

function errorOf(read: () => unknown): RdbError {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    return error as RdbError;
  }
  throw new Error('nothing was wrong');
}

describe.each(samples)('$name', ({ name, magic, events }) => {
  const file = fileOf(sample(name));
  const [, flavour, version] = /^([A-Z]+)0*(\d+)$/.exec(magic) as unknown as [string, string, string];
  const expected = [`header ${version} ${flavour.toLowerCase()}`, ...events, 'end off'];

  it.each(['deep', 'shallow'] as const)('is read, however it arrives (%s)', (integrity) => {
    expect(readLog(file, { integrity })).toEqual(expected);
    for (const step of [1, 2, 7]) expect(readLog(file, { integrity, windowBytes: 8 }, step)).toEqual(expected);
  });

  it('is read while strings are passed over', () => {
    const options = { integrity: 'deep' as const, skipStringsOver: 0, windowBytes: 8 };
    const whole = readLog(file, options);
    expect(whole.at(-1)).toBe('end off');
    expect(readLog(file, options, 1)).toEqual(whole);
  });

  it('is truncated wherever it is cut', () => {
    for (let length = 0; length < file.length; length++) {
      for (const options of [{ integrity: 'deep' as const }, { skipStringsOver: 0 }]) {
        expect(errorOf(() => readLog(file.subarray(0, length), options)).code).toBe('truncated');
      }
    }
  });

  it('may be damaged in any bit: that is an RdbError or something else that is sound', () => {
    for (let at = 0; at < file.length * 8; at++) {
      const damaged = Buffer.from(file);
      damaged[at >> 3]! ^= 1 << (at & 7);
      for (const recover of [undefined, () => true]) {
        for (const integrity of ['deep', 'shallow'] as const) {
          const reader = new RdbReader(new SilentVisitor(), {
            integrity,
            windowBytes: 256,
            ...(recover && { recover }),
          });
          try {
            if (reader.push(damaged) === 'more') reader.finish();
          } catch (error) {
            expect(error).toBeInstanceOf(RdbError);
          }
        }
      }
    }
  });
});

describe('versions', () => {
  const empty = (header: string) =>
    readLog(Buffer.concat([Buffer.from(header), Buffer.from('ff0000000000000000', 'hex')]));

  it('are accepted up to the newest that is known', () => {
    for (const version of [13, 14, 15]) expect(empty(`REDIS00${version}`)).toContain(`header ${version} redis`);
    expect(errorOf(() => empty('REDIS0016'))).toMatchObject({
      code: 'header',
      message: "Can't handle RDB format version 16",
    });
  });

  it('know an opcode only from the one that brought it', () => {
    const older = [
      ['key metadata', 'REDIS0012', 'Invalid object type: 243'],
      ['hash-template-array-ref, twice', 'REDIS0014', 'Invalid object type: 242'],
      ['inline command', 'VALKEY080', 'Unknown object type 242 in RDB file with version 80'],
    ] as const;
    for (const [name, magic, message] of older) {
      expect(errorOf(() => readLog(fileOf({ ...sample(name), magic })))).toMatchObject({ code: 'type', message });
    }
  });

  it('mean one thing to Redis and another to Valkey', () => {
    const asValkey = (name: string) => () => readLog(fileOf({ ...sample(name), magic: 'VALKEY081' }));
    expect(errorOf(asValkey('array')).message).toBe('Unknown object type 28 in RDB file with version 81');
    expect(errorOf(asValkey('hash-template-array-ref, twice')).message).toBe('Malformed command between the keys');
    const asRedis = fileOf({ ...sample('path-hash'), magic: 'REDIS0015' });
    expect(errorOf(() => readLog(asRedis))).toMatchObject({
      type: 23,
      message: 'Hash listpackex integrity check failed.',
    });
  });
});

describe('damage that has a name', () => {
  const id = '0000019ffed2c02400000000000000';
  const namesAscending = '06 6669656c6431 06 6669656c6432';
  const namesDescending = '06 6669656c6432 06 6669656c6431';
  const values = '03 00 01 01 01 01 02 01 ff';
  it.each([
    ['stream-v5', `02 ${id}01`, `02 ${id}05`, 'Stream NACK zone entry not found in group global PEL'],
    ['stream-v5', `02 ${id}01`, `02 ${id}00`, 'Stream NACK zone entry has a consumer assigned'],
    ['stream-v5', `${id}01 ${id}02 4064`, `${id}01 ${id}01 4064`, 'Stream NACK zone entry has a consumer assigned'],
    ['stream-v5', `02 ${id}01 ${id}02`, `01 ${id}01`, 'Stream CG PEL entry without consumer outside NACK zone'],
    ['stream-v5', `02 ${id}01 ${id}02`, '00', 'Stream CG PEL entry without consumer outside NACK zone'],
    ['stream-v4', `01 ${id}00 4064`, '00 4064', 'Stream CG PEL entry without consumer'],
    ['stream-v4', '4064 40c8', '00 40c8', 'Stream IDMP duration out of range'],
    ['stream-v4', '4064 40c8', '80 00015181 40c8', 'Stream IDMP duration out of range'],
    ['stream-v4', '4064 40c8', '4064 00', 'Stream IDMP max entries out of range'],
    ['stream-v4', '4064 40c8', '4064 6711', 'Stream IDMP max entries out of range'],
    ['array', '01 6b 04 01', '01 6b 04 02', 'Array insert index flag is 2'],
    ['array', '00 00 05 68656c6c6f', '00 04 05 68656c6c6f', 'Unknown tag 4 of an array element'],
    ['array', '00 00 05 68656c6c6f', '02 00 05 68656c6c6f', 'Duplicate array index 2'],
    ['array', 'fffffffffffffffe 03', 'ffffffffffffffff 03', 'Array index is out of range'],
    ['array', '03 03 616263', '03 08 6162636465666768', 'Array element that should be a small string is long'],
    ['hash-template-array', namesAscending, namesDescending, 'Hash template fields do not ascend'],
    ['hash-template-array', '02 06 6669656c6431 06 6669656c6432', '00', 'Hash template with zero fields'],
    ['hash-template-array', '01 6b 01 02', '01 6b 02 02', 'Unknown form 2 of hash template fields'],
    ['hash-template-listpack', values, '02 00 01 01 01 01 ff 01 ff', 'Hash template listpack integrity check failed.'],
    [
      'hash-template-listpack',
      values,
      '02 00 01 01 82 61 62 03 ff',
      'Hash template listpack has 1 values for 2 fields',
    ],
    ['hash-template-listpack-ref', '03 00 05 01', '03 00 06 01', 'Invalid hash template ID 6'],
    ['hash-template-array-ref, twice', 'f2 05 02', 'f2 07 02', 'Invalid hash template ID 5'],
    [
      'hash-template-array-ref, twice',
      `f2 05 02 ${namesAscending}`,
      `f2 05 02 ${namesDescending}`,
      'Fields of hash template 5 do not ascend',
    ],
    ['hash-template-array-ref, twice', `f2 05 02 ${namesAscending}`, 'f2 05 00', 'Hash template 5 has zero fields'],
    ['hash-template-array-ref, twice', 'f2', `f2 05 01 01 61 f2`, 'Duplicate hash template ID 5'],
    ['key metadata', 'f3 02', 'f3 08', 'A key with 8 classes of metadata, of 7 possible'],
    ['path-hash', '01 67 c007', '01 66 c007', 'Duplicate path hash fields detected'],
    ['path-hash', '02 7032 01', '02 7031 01', 'Duplicate paths of a path hash detected'],
    ['path-hash', '02 7032 01 01 66 01 77', '02 7032 00', 'Path hash with a path without fields'],
    ['inline command', '2a 32', '2a 30', 'Malformed command between the keys'],
    ['inline command', '24 33', '24 34', 'Malformed command between the keys'],
  ])('%s: %s -> %s', (name, from, to, message) => {
    const error = errorOf(() => readLog(altered(name, from, to), { integrity: 'deep' }));
    expect(error).toMatchObject({ code: 'integrity', message });
  });

  it('leaves what follows readable where the end of the value is known', () => {
    const found: string[] = [];
    const recover = (error: RdbError) => found.push(error.message) > 0;
    const log = readLog(altered('hash-template-listpack-ref', '03 00 05 01', '03 00 06 01'), {
      integrity: 'deep',
      recover,
    });
    expect(found).toEqual(['Invalid hash template ID 6']);
    expect(log.slice(1)).toEqual(['key "k" 30 -1 -1 -1', 'keyEnd', 'end off']);
  });
});

describe('as payloads of DUMP', () => {
  it('values with names of their own are whole, values that refer to a template are not', () => {
    const payload = (name: string, from: number) => sample(name).body.subarray(from);
    const readValue = (value: Buffer) => {
      const body = Buffer.concat([value.subarray(0, 1), value.subarray(3)]);
      return new RdbReader(new SilentVisitor()).readValue(body, 0, body.length) === body.length;
    };
    expect(readValue(payload('hash-template-listpack', 0))).toBe(true);
    expect(readValue(payload('hash-template-array', 0))).toBe(true);
    const template = payload('hash-template-array-ref, twice', 17).subarray(0, 8);
    expect(errorOf(() => readValue(template)).message).toBe('Invalid hash template ID 5');
  });

  it('may begin with metadata', () => {
    const { body } = sample('key metadata');
    const from = body.indexOf(0xf3);
    const value = Buffer.concat([body.subarray(from, body.length - 5), Buffer.from([0, 1, 0x76])]);
    expect(new RdbReader(new SilentVisitor()).readValue(value, 0, value.length)).toBe(value.length);
  });
});
