import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPayload } from '../../../src/install/payload.ts';

const root = mkdtempSync(join(tmpdir(), 'tsredis-payload-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('the payload', () => {
  it('says how to build a package that is not built', () => {
    expect(() => readPayload(root)).toThrow('it is not built; run: npm run build');
  });

  it('is programs, templates and what names them, and nothing else', () => {
    for (const directory of ['dist/bin', 'dist/programs', 'templates', 'src'])
      mkdirSync(join(root, directory), { recursive: true });
    const files = [
      'dist/bin/tsredis-server.js',
      'dist/bin/tsredis.js',
      'dist/programs/tsredis.cjs',
      'dist/programs/tsredis-0123-v20.0.0-linux-x64.cache',
      'templates/redis.conf.ejs',
      'src/main.ts',
      'LICENSE',
    ];
    for (const file of files) writeFileSync(join(root, file), '');
    writeFileSync(join(root, 'package.json'), '{"version":"1.2.3"}');
    const payload = readPayload(root);
    expect(payload.version).toBe('1.2.3');
    expect(payload.programs).toEqual(['tsredis', 'tsredis-server']);
    expect(payload.files.map(({ to, mode }) => `${mode.toString(8)} ${to}`)).toEqual([
      '755 dist/bin/tsredis.js',
      '755 dist/bin/tsredis-server.js',
      '644 dist/programs/tsredis-0123-v20.0.0-linux-x64.cache',
      '644 dist/programs/tsredis.cjs',
      '644 package.json',
      '644 LICENSE',
      '644 templates/redis.conf.ejs',
    ]);
  });
});
