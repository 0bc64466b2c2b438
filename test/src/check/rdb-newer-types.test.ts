// tsredis-check-rdb knows the types that came after Redis 7.4 and Valkey 9.1, those that the server has no place for too.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCheckRdb } from '../../../src/check/rdb-main.ts';
import { fixturePath } from '../../server/formats/rdb/fixtures.ts';
import { fileOf, samples } from '../../server/formats/rdb/newer-samples.ts';
import { outcomeOf, temporaryFolder } from './support.ts';

const folder = temporaryFolder();

function saved(bytes: Buffer): string {
  const path = join(folder, 'sample.rdb');
  writeFileSync(path, bytes);
  return path;
}

function fileNamed(name: string): Buffer {
  const found = samples.find((sample) => sample.name === name);
  if (found === undefined) throw new Error(`no sample ${name}`);
  return fileOf(found);
}

async function reportOn(path: string) {
  const { out } = await outcomeOf(runCheckRdb, ['--json', path]);
  return JSON.parse(out).files[0];
}

describe('tsredis-check-rdb', () => {
  it.each([
    ['stream-v4', { 'stream-v4': 1 }, []],
    ['stream-v5', { 'stream-v5': 1 }, []],
    ['array', { array: 1, string: 1 }, ['foreign-type']],
    ['hash-template-listpack', { 'hash-template-listpack': 1 }, []],
    ['hash-template-listpack-ref', { 'hash-template-listpack-ref': 1 }, []],
    ['hash-template-array', { 'hash-template-array': 1 }, []],
    ['hash-template-array-ref, twice', { 'hash-template-array-ref': 2 }, []],
    ['key metadata', { string: 1 }, ['module-data', 'module-data']],
    ['path-hash', { 'path-hash': 1 }, ['foreign-type']],
    ['inline command', { string: 1 }, ['inline-command']],
  ])('reads %s to its end', async (name, types, codes) => {
    const path = saved(fileNamed(name));
    const { out, status } = await outcomeOf(runCheckRdb, [path]);
    expect(out).toContain('RDB looks OK!');
    const keys = Object.values(types).reduce((sum, count) => sum + count);
    expect(out).toContain(`[info] ${keys} keys read\n`);
    expect(status).toBe(0);
    const report = await reportOn(path);
    expect(report).toMatchObject({ types, keys });
    expect(report.findings.map(({ code }: { code: string }) => code)).toEqual(codes);
  });

  it('says which key the server cannot serve, and why', async () => {
    const { out } = await outcomeOf(runCheckRdb, ['--strict', saved(fileNamed('array'))]);
    expect(out).toMatch(
      /\[warning\] foreign-type: an array of Redis 8\.8: .* refuses the file \(offset \d+, db 0, key 'k'\)/,
    );
  });

  it('counts what a real dump of version 15 holds', async () => {
    const report = await reportOn(fixturePath('rediscope/native-types.rdb').pathname);
    expect(report).toMatchObject({ keys: 11, types: { array: 1, 'stream-v5': 1, string: 4 } });
  });

  it.each([
    ['array', '00 05 68656c6c6f', '05 05 68656c6c6f', 'Unknown tag 5 of an array element', '28 (array)'],
    ['path-hash', '02 7032 01', '02 7031 01', 'Duplicate paths of a path hash detected', '23 (path-hash)'],
    ['stream-v5', '40c8 01', '00 01', 'Stream IDMP max entries out of range', '27 (stream-v5)'],
    [
      'hash-template-listpack-ref',
      '0300 05',
      '0300 09',
      'Invalid hash template ID 9',
      '30 (hash-template-listpack-ref)',
    ],
  ])('names damage, key and type: %s', async (name, from, to, message, type) => {
    const hex = fileNamed(name).toString('hex');
    const [before, after] = [from, to].map((text) => text.replaceAll(' ', '')) as [string, string];
    expect(hex).toContain(before);
    const { out, status } = await outcomeOf(runCheckRdb, [saved(Buffer.from(hex.replace(before, after), 'hex'))]);
    expect(status).toBe(1);
    expect(out).toContain(message);
    expect(out).toContain(`[additional info] Reading key 'k'\n[additional info] Reading type ${type}\n`);
  });

  it('goes on with --strict behind a duplicate, and counts the rest', async () => {
    const hex = fileNamed('array').toString('hex').replace('00000568656c6c6f', '02000568656c6c6f');
    const damaged = Buffer.from(hex, 'hex');
    const { out, status } = await outcomeOf(runCheckRdb, ['--strict', saved(damaged)]);
    expect(status).toBe(1);
    expect(out).toContain('Duplicate array index 2');
    expect(out).toContain('[info] 2 keys read');
  });
});
