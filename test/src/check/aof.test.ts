import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../../server/formats/resp/encode-command.ts';
import { runCheckAof } from '../../../src/check/aof-main.ts';
import { readFixture } from '../../server/formats/rdb/fixtures.ts';
import { originalOutcome, outcomeOf, temporaryFolder, withoutSourceLines } from './support.ts';

const hasOriginal = spawnSync('redis-check-aof', []).status === 1;
const folder = temporaryFolder();
const parts = [
  encodeCommand(['SELECT', '0']),
  encodeCommand(['SET', 'k', 'v'.repeat(50)]),
  Buffer.from('#TS:1000\r\n'),
  encodeCommand(['MULTI']),
  encodeCommand(['INCR', 'x']),
  encodeCommand(['EXEC']),
  Buffer.from('#TS:2000\r\n'),
  encodeCommand(['RPUSH', 'list', Buffer.from([0, 255, 13, 10])]),
];
const sound = Buffer.concat(parts);
const preamble = readFixture('valkey/rdb-preamble.aof');

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** What both print of the same arguments. */
async function expectSame(args: string[]): Promise<void> {
  const original = originalOutcome('redis-check-aof', args);
  const ours = await outcomeOf(runCheckAof, args);
  expect(ours.out.replaceAll('tsredis-check-aof', 'redis-check-aof')).toBe(withoutSourceLines(original?.out ?? ''));
  expect(ours.status).toBe(original?.status);
}

const broken: [string, string | Buffer][] = [
  ['empty', ''],
  ['no-aof', 'xx'],
  ['open-transaction', encodeCommand(['multi'])],
  ['multi-in-multi', Buffer.concat([encodeCommand(['multi']), encodeCommand(['Multi'])])],
  ['exec-alone', encodeCommand(['EXEC'])],
  ['no-arguments', '*0\r\n'],
  ['negative-length', '*1\r\n$-5\r\n'],
  ['wrong-line-end', '*1\r\n$4\r\nPINGxx'],
  ['wrong-prefix', '*1\r\n:1\r\n'],
  ['bulk-without-array', '$3\r\nabc\r\n'],
  ['cut-after-head', '*3\r\n'],
  ['cut-preamble', preamble.subarray(0, 60)],
  ['preamble', preamble],
  ['cut-in-tail', preamble.subarray(0, preamble.length - 3)],
];
const cuts = Array.from({ length: 25 }, (_, i): [string, Buffer] => [`cut-${i * 8}`, sound.subarray(0, i * 8)]);

describe.runIf(hasOriginal)('tsredis-check-aof prints what redis-check-aof prints', () => {
  it('of a sound file', () => expectSame([file('sound.aof', sound)]));

  // Where a cut leaves a head line without its end, the original prints bytes of its own stack.
  it.each([...broken, ...cuts.filter(([, bytes]) => !/[*$]\d*\r?$/.test(bytes.toString('latin1')))])(
    'of the file %s',
    (name, content) => expectSame([file(`${name}.aof`, content)]),
  );

  it.each([
    'file sound.aof seq 1 type b\n',
    'file sound.aof seq 1 type b\nfile sound.aof seq 1 type i\nfile cut.aof seq 2 type i\n',
    'file preamble.aof seq 1 type b\nfile sound.aof seq 1 type i\n',
    'file "sound.aof" seq 2 type i\n# comment\nfile nothing.aof seq 3 type i\n',
    'file missing.aof seq 1 type b\n',
    'file sound.aof seq 1 type h\n',
    'file sound.aof seq 1 type b',
    'file sound.aof seq 1 type i\nfile sound.aof seq 1 type i\n',
    'file sound.aof seq 1 type b\nfile sound.aof seq 2 type b\n',
    'file sound.aof seq 1\n',
    'file sound.aof seq 1 type z\n',
    'file ../sound.aof seq 1 type i\n',
    '\nfile sound.aof seq 1 type i\n',
    'file "sound.aof seq 1 type b\n',
  ])('of the manifest %j', async (text) => {
    file('sound.aof', sound);
    file('cut.aof', sound.subarray(0, 30));
    file('preamble.aof', preamble);
    file('nothing.aof', '');
    await expectSame([file('all.manifest', text)]);
  });

  it.each(['500', '1500', '2500', 'x'])('when it truncates to the timestamp %s', async (timestamp) => {
    const path = file('timestamp.aof', sound);
    const args = ['--truncate-to-timestamp', timestamp, path];
    const original = originalOutcome('redis-check-aof', args);
    const left = readFileSync(path);
    file('timestamp.aof', sound);
    const ours = await outcomeOf(runCheckAof, args);
    expect(ours.out).toBe(original?.out);
    expect(ours.status).toBe(original?.status);
    expect(readFileSync(path)).toEqual(left);
  });
});

describe('tsredis-check-aof', () => {
  it('shortens a file after asking, and keeps the whole', async () => {
    const path = file('repair.aof', sound.subarray(0, sound.length - 5));
    const refused = await outcomeOf(runCheckAof, ['--fix', path], ['n']);
    expect(refused).toMatchObject({ status: 1, error: '' });
    expect(refused.out).toMatch(/Continue\? \[y\/N\]: Aborting\.\.\.\n$/);
    expect(readFileSync(path)).toEqual(sound.subarray(0, sound.length - 5));

    const fixed = await outcomeOf(runCheckAof, ['--fix', path], ['y']);
    expect(fixed.status).toBe(0);
    expect(fixed.out).toMatch(/Continue\? \[y\/N\]: Successfully truncated AOF .*\n$/);
    expect(fixed.error).toContain(`kept as ${path}.bak\n`);
    expect(readFileSync(path)).toEqual(Buffer.concat(parts.slice(0, 7)));
    expect(readFileSync(`${path}.bak`)).toEqual(sound.subarray(0, sound.length - 5));
    expect((await outcomeOf(runCheckAof, [path])).status).toBe(0);
  });

  it('asks and keeps nothing when told so', async () => {
    const path = file('quick.aof', sound.subarray(0, 40));
    expect((await outcomeOf(runCheckAof, ['--fix', '--yes', '--no-backup', path])).status).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('quick'))).toEqual(['quick.aof']);
  });

  it('shortens to a timestamp', async () => {
    const path = file('until.aof', sound);
    expect((await outcomeOf(runCheckAof, ['--truncate-to-timestamp', '1500', path])).status).toBe(0);
    expect(readFileSync(path)).toEqual(Buffer.concat(parts.slice(0, 6)));
  });

  it('checks a file that it may only read', async () => {
    const path = file('read-only.aof', sound);
    chmodSync(path, 0o444);
    expect((await outcomeOf(runCheckAof, [path])).status).toBe(0);
  });

  it('knows a preamble with the magic of Valkey', async () => {
    const rdb = readFixture('valkey/encodings-rdb987.rdb');
    const path = file('valkey.aof', Buffer.concat([rdb, sound]));
    const { status, out } = await outcomeOf(runCheckAof, [path]);
    expect(out).toContain('RDB preamble is OK');
    expect(status).toBe(0);
  });

  it('finds with --strict what redis-check-aof does not see', async () => {
    const path = file('strict.aof', Buffer.concat([sound, Buffer.from('*0\r\n'), encodeCommand(['SELECT', '99'])]));
    expect((await outcomeOf(runCheckAof, [path])).status).toBe(0);
    const { out, status } = await outcomeOf(runCheckAof, ['--strict', path]);
    expect(status).toBe(1);
    expect(out).toContain('[error] empty-command');
    expect(out).toContain('[error] db-range');
    const wrong = [encodeCommand(['FROB', 'x']), encodeCommand(['SET', 'k']), encodeCommand(['__proto__', 'k'])];
    const unknown = await outcomeOf(runCheckAof, ['--strict', file('unknown.aof', Buffer.concat(wrong))]);
    expect(unknown.out).toContain("[error] unknown-command: the command 'FROB'");
    expect(unknown.out).toContain("[error] unknown-command: the command '__proto__'");
    expect(unknown.out).toContain("[error] wrong-arity: the command 'set' has 1 arguments");
    expect((await outcomeOf(runCheckAof, ['--strict', file('fine.aof', sound)])).status).toBe(0);
  });

  it('reports facts as JSON', async () => {
    const { out, status } = await outcomeOf(runCheckAof, ['--json', file('json.aof', sound), join(folder, 'missing')]);
    expect(status).toBe(2);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ tool: 'tsredis-check-aof', sound: false });
    expect(report.files[0].parts[0]).toMatchObject({
      state: 'sound',
      commands: 6,
      transactions: 1,
      size: sound.length,
    });
    expect(report.files[1]).toMatchObject({ readable: false, sound: false });
  });

  it('explains itself', async () => {
    expect((await outcomeOf(runCheckAof, ['--help'])).out).toContain('Examples:');
    expect(await outcomeOf(runCheckAof, [])).toMatchObject({ status: 1, out: expect.stringContaining('Usage: ') });
    copyFileSync(file('a.aof', sound), join(folder, 'b.aof'));
    const both = await outcomeOf(runCheckAof, [join(folder, 'a.aof'), join(folder, 'b.aof')]);
    expect(both.out.match(/is valid/g)).toHaveLength(2);
  });
});
