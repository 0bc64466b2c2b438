import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RDB_TYPE } from '../../../server/formats/rdb/types.ts';
import { RdbWriter } from '../../../server/formats/rdb/writer.ts';
import { runCheckRdb } from '../../../src/check/rdb-main.ts';
import { expectedVerdict, fixturePath, rdbFixtures } from '../../server/formats/rdb/fixtures.ts';
import { originalOutcome, outcomeOf, temporaryFolder, withoutSourceLines } from './support.ts';

const types = fileURLToPath(new URL('../../fixtures/rdb-types-redis-7.0.15.rdb', import.meta.url));
const hasOriginal = spawnSync('redis-check-rdb', ['--version']).status === 0;
const folder = temporaryFolder();

function makeRdb(name: string, fill: (writer: RdbWriter) => void, tail = ''): string {
  const chunks: Uint8Array[] = [];
  const writer = new RdbWriter((chunk) => chunks.push(chunk));
  writer.header(10);
  fill(writer);
  writer.eof();
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([...chunks, Buffer.from(tail)]));
  return path;
}

function addString(writer: RdbWriter, key: string, value: string): void {
  writer.type(RDB_TYPE.string);
  writer.text(key);
  writer.text(value);
}

async function findingCodes(path: string): Promise<string[]> {
  const { out } = await outcomeOf(runCheckRdb, ['--json', path]);
  return JSON.parse(out).files[0].findings.map((finding: { code: string }) => finding.code);
}

describe('tsredis-check-rdb', () => {
  it.each(rdbFixtures())('accepts or rejects $file as the checkers in C do', async (fixture) => {
    const { status, error } = await outcomeOf(runCheckRdb, [fileURLToPath(fixturePath(fixture.file))]);
    expect(status).toBe(expectedVerdict(fixture) === 'ok' ? 0 : 1);
    expect(error).toBe('');
  });

  // Version 10 is the newest that redis-check-rdb 7.0 knows. The one left out prints raw carriage returns.
  const old = rdbFixtures().filter(({ file, header }) => header <= 'REDIS0010' && !file.includes('misc_with_stream'));

  it.runIf(hasOriginal).each([...old.map(({ file }) => fileURLToPath(fixturePath(file))), types])(
    'prints of %s what redis-check-rdb prints',
    async (path) => {
      const ours = await outcomeOf(runCheckRdb, [path]);
      const original = originalOutcome('redis-check-rdb', [path]);
      expect(ours.out).toBe(withoutSourceLines(original?.out ?? ''));
      expect(ours.status).toBe(original?.status);
    },
  );

  it('prints the story of a damaged file', async () => {
    const path = fileURLToPath(fixturePath('corrupt/001-global-corrupt-payload-7445.rdb'));
    const { out, status } = await outcomeOf(runCheckRdb, [path]);
    expect(status).toBe(1);
    expect(out).toBe(
      [
        `[offset 0] Checking RDB file ${path}`,
        '[offset 11] Selecting DB ID 0',
        '--- RDB ERROR DETECTED ---',
        '[offset 47] Ziplist integrity check failed.',
        '[additional info] While doing: read-object-value',
        "[additional info] Reading key 'key'",
        '[additional info] Reading type 14 (quicklist)',
        '[info] 1 keys read',
        '[info] 0 expires',
        '[info] 0 already expired',
        '',
      ].join('\n'),
    );
  });

  it('says what is wrong with a file that cannot be read', async () => {
    const missing = join(folder, 'missing.rdb');
    expect(await outcomeOf(runCheckRdb, [missing])).toEqual({
      status: 1,
      out: `[offset 0] Checking RDB file ${missing}\n`,
      error: `tsredis-check-rdb: cannot read ${missing}: No such file or directory\n`,
    });
    expect((await outcomeOf(runCheckRdb, ['--strict', missing])).status).toBe(2);
    expect((await outcomeOf(runCheckRdb, [folder])).error).toContain('Is a directory');
  });

  it('checks several files, and is 1 when one of them is damaged', async () => {
    const damaged = fileURLToPath(fixturePath('corrupt/057-hash-empty-zipmap.rdb'));
    const { out, status } = await outcomeOf(runCheckRdb, [types, damaged, types]);
    expect(status).toBe(1);
    expect(out.match(/RDB looks OK!/g)).toHaveLength(2);
  });

  it('keeps escape sequences of keys away from the terminal', async () => {
    const path = makeRdb('escape.rdb', (writer) => {
      writer.aux('fi\x1b[2Jeld', 'a\x1b]0;title\x07b');
      writer.type(RDB_TYPE.set);
      writer.text('k\x1b[31m\x00\r\u009b');
      writer.length(2);
      writer.text('twice');
      writer.text('twice');
    });
    const { out } = await outcomeOf(runCheckRdb, [path]);
    expect(out).toContain("AUX FIELD fi\\x1b[2Jeld = 'a\\x1b]0;title\\x07b'");
    expect(out).toContain("Reading key 'k\\x1b[31m\\x00\\x0d\\x9b'");
    expect(out).toContain('Duplicate set members detected');
  });

  it('prints UTF-8 as it is', async () => {
    const path = makeRdb('utf8.rdb', (writer) => writer.aux('name', Buffer.from('grüße 你好').toString('latin1')));
    const { out } = await outcomeOf(runCheckRdb, [path]);
    expect(Buffer.from(out, 'latin1').toString('utf8')).toContain("AUX FIELD name = 'grüße 你好'");
  });

  it('finds with --strict what redis-check-rdb does not see', async () => {
    const path = makeRdb(
      'findings.rdb',
      (writer) => {
        writer.selectDb(0);
        writer.resizeDb(7, 0);
        addString(writer, 'same', '1');
        addString(writer, 'same', '2');
        writer.selectDb(999);
        addString(writer, 'far', 'away');
        writer.type(RDB_TYPE.setListpack);
        writer.text('new');
        writer.plainString(Buffer.from('09000000010005' + '01ff', 'hex'), 0, 9);
        writer.functionLibrary(Buffer.from('return 1'));
        writer.expireMs(5);
      },
      'surplus',
    );
    expect((await outcomeOf(runCheckRdb, [path])).status).toBe(0);
    expect((await outcomeOf(runCheckRdb, ['--strict', path])).status).toBe(1);
    const codes = await findingCodes(path);
    for (const code of ['duplicate-key', 'db-range', 'type-newer-than-header', 'function-library']) {
      expect(codes).toContain(code);
    }
    for (const code of ['dangling-expire', 'resizedb']) expect(codes).toContain(code);
    expect(await findingCodes(makeRdb('tail.rdb', () => {}, 'surplus'))).toEqual(['bytes-after-checksum']);
    expect(await findingCodes(types)).toEqual([]);
  });

  it('goes on after damage with --strict and --json', async () => {
    const path = fileURLToPath(fixturePath('valkey/corrupt_empty_keys.rdb'));
    const codes = await findingCodes(path);
    expect(codes).toHaveLength(9);
    expect(new Set(codes)).toEqual(new Set(['empty-collection']));
  });

  it('reports facts as JSON', async () => {
    const { out, status } = await outcomeOf(runCheckRdb, ['--json', types]);
    expect(status).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ tool: 'tsredis-check-rdb', version: '1.2.3', sound: true });
    expect(report.files[0]).toMatchObject({ keys: 31, rdbVersion: 10, checksum: 'good', functions: 1 });
    expect(report.files[0].databases.map(({ db }: { db: number }) => db)).toEqual([0, 3]);
    expect(report.files[0].bytes).toBe(readFileSync(types).length);
  });

  it('explains itself', async () => {
    const help = await outcomeOf(runCheckRdb, ['--help']);
    expect(help.status).toBe(0);
    expect(help.out).toContain('Examples:');
    expect((await outcomeOf(runCheckRdb, ['-v'])).out).toBe('tsredis-check-rdb 1.2.3\n');
    const wrong = await outcomeOf(runCheckRdb, ['--frobnicate', types]);
    expect(wrong.status).toBe(1);
    expect(wrong.error).toContain('there is no option --frobnicate');
    expect(await outcomeOf(runCheckRdb, [])).toEqual({
      status: 1,
      out: '',
      error: 'Usage: tsredis-check-rdb <rdb-file-name>\n',
    });
  });
});
