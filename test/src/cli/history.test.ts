import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { historyPath, isSensitive, readLines, saveLine } from '../../../src/cli/history.ts';
import { loadPreferences } from '../../../src/cli/preferences.ts';

describe('history', () => {
  it.each([
    'auth secret',
    'AUTH user secret',
    'acl setuser bob on >secret',
    'config set requirepass secret',
    'CONFIG SET maxmemory 1 masterauth secret',
    'hello 3 auth default secret',
    'migrate host 6379 key 0 1000 auth2 user secret',
    'sentinel set mymaster auth-pass secret',
  ])('never stores %s', (line) => {
    expect(isSensitive(line.split(' '))).toBe(true);
  });

  it.each(['get auth', 'config set maxmemory 1', 'acl list', 'hello 3', 'set requirepass x'])('stores %s', (line) => {
    expect(isSensitive(line.split(' '))).toBe(false);
  });

  it('adds lines to a file that only its owner can read, without repeating the last', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'history-'));
    try {
      const path = join(directory, 'history');
      for (const line of ['ping', 'ping', 'get a']) saveLine(path, line);
      expect(await readFile(path, 'utf8')).toBe('ping\nget a\n');
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      for (let i = 0; i < 1005; i++) saveLine(path, `get ${i}`);
      expect(readLines(path)).toHaveLength(1000);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('is kept where the environment says, or nowhere', () => {
    expect(historyPath({ REDISCLI_HISTFILE: '/x/y' })).toBe('/x/y');
    expect(historyPath({ REDISCLI_HISTFILE: '/dev/null' })).toBeUndefined();
    expect(historyPath({})).toMatch(/\/\.rediscli_history$/);
    expect(() => saveLine('/nonexistent/history', 'ping')).not.toThrow();
  });
});

describe('preferences', () => {
  it('come from a file, complaints included', () => {
    const preferences = { hints: true };
    expect(loadPreferences(preferences, ['# comment', ':set nohints', ':set colour', ':what x'])).toEqual([
      ".redisclirc: unknown redis-cli preference 'colour'",
      ".redisclirc: unknown redis-cli internal command ':what'",
    ]);
    expect(preferences.hints).toBe(false);
  });
});
