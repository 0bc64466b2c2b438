import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CheckIo } from '../../../src/check/io.ts';
import { checkCommand, checkFiles } from '../../../src/subcommands/check.ts';
import { fixturePath } from '../../server/formats/rdb/fixtures.ts';
import { outcomeOf, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const check = (files: readonly string[], io: CheckIo, version: string) => checkFiles(files, false, io, version);
const rdb = fileURLToPath(fixturePath('librdb/single_key.rdb'));
const preamble = fileURLToPath(fixturePath('valkey/rdb-preamble.aof'));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('tsredis check', () => {
  it('tells RDB files, AOFs and manifests apart by what is in them', async () => {
    const aof = file('commands', '*1\r\n$4\r\nPING\r\n');
    const manifest = file('list', '# mine\nfile commands seq 1 type i\n');
    const { out, status } = await outcomeOf(check, [rdb, preamble, aof, manifest]);
    expect(status).toBe(0);
    expect(out).toContain(`Checking RDB file ${rdb}`);
    expect(out).toContain(`AOF ${preamble} is valid`);
    expect(out).toContain(`AOF ${aof} is valid`);
    expect(out).toContain('INCR AOF commands is valid');
  });

  it('ends with the worst exit status', async () => {
    const damaged = file('damaged.aof', '*1\r\n$4\r\nPI');
    expect((await outcomeOf(check, [rdb, damaged])).status).toBe(1);
    expect((await outcomeOf(check, [damaged, join(folder, 'missing')])).status).toBe(2);
  });

  it('is a subcommand with an example in its help', () => {
    const command = checkCommand({ setExitStatus: () => {} });
    expect(command.name()).toBe('check');
    expect(command.helpInformation()).toContain('--json');
  });
});
