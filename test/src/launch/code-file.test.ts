import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cachePath, codePath, loadCode } from '../../../src/launch/code-file.ts';
import { hashOf } from '../../../src/launch/write-caches.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsredis-launch-'));
afterAll(() => rmSync(directory, { recursive: true }));

const load = createRequire(import.meta.url);
const code = "globalThis.launched = [__filename, typeof require('node:fs').readFileSync];";
const file = { directory, name: 'tsredis-example', hash: hashOf(Buffer.from(code)) };
const shared = globalThis as { launched?: unknown };

describe('a code file', () => {
  beforeEach(() => {
    writeFileSync(codePath(file), code);
    delete shared.launched;
  });

  it('runs with what a module gets', () => {
    loadCode(file).run(load);
    expect(shared.launched).toEqual([codePath(file), 'function']);
  });

  it('is taken from the cache that its own Node made', () => {
    writeFileSync(cachePath(file), loadCode(file).script.createCachedData());
    const again = loadCode(file);
    expect(again.script.cachedDataRejected).toBe(false);
    again.run(load);
    expect(shared.launched).toEqual([codePath(file), 'function']);
  });

  it('runs without a cache that is none of V8', () => {
    // Other code than before, which V8 has not compiled yet.
    writeFileSync(codePath(file), `${code}\n`);
    writeFileSync(cachePath(file), 'half a cach');
    const again = loadCode(file);
    expect(again.script.cachedDataRejected).toBe(true);
    again.run(load);
    expect(shared.launched).toEqual([codePath(file), 'function']);
  });

  it('has a cache of its own for every Node and every code', () => {
    const path = cachePath(file);
    expect(path).toContain(process.version);
    expect(path).toContain(hashOf(Buffer.from(code)));
    expect(hashOf(Buffer.from(`${code} `))).not.toBe(file.hash);
  });
});
