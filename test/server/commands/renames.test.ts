// rename-command: what clients can call afterwards.

import { describe, expect, it } from 'vitest';
import { RenamedCommands } from '../../../server/commands/renames.ts';
import { createCommandTable } from '../../../server/commands/table.ts';

function found(renamed: RenamedCommands, name: string): string | undefined {
  const bytes = Buffer.from(name);
  return renamed.index().find(bytes, 0, bytes.length)?.name;
}

describe('renamed commands', () => {
  it('answer to the new name alone', () => {
    const renamed = new RenamedCommands(createCommandTable());
    expect(renamed.rename('FLUSHDB', 'Wipe')).toBeUndefined();
    expect(found(renamed, 'wipe')).toBe('flushdb');
    expect(found(renamed, 'flushdb')).toBeUndefined();
    expect(renamed.rename('keys', '')).toBeUndefined();
    expect(found(renamed, 'keys')).toBeUndefined();
    expect(found(renamed, 'GET')).toBe('get');
  });

  it('refuse names that are unknown or taken', () => {
    const renamed = new RenamedCommands(createCommandTable());
    expect(renamed.rename('nosuch', 'x')).toBe('No such command in rename-command');
    expect(renamed.rename('get', 'set')).toBe('Target command name already exists');
  });
});
