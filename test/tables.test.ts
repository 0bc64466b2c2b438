// Whole tables, not their rows: what must hold for every entry.
import { describe, expect, it } from 'vitest';
import { type ArgumentSpec, commandSpecs, listCommandDocs } from '../server/commands/docs.ts';
import type { KeySpec } from '../server/commands/spec.ts';
import { createCommandTable } from '../server/commands/table.ts';

describe('every command', () => {
  const docs = listCommandDocs();

  it('is summed up in one short sentence of its own', () => {
    for (const { name, spec } of docs) {
      expect(`${name}: ${spec.summary}`).toMatch(/^\S+: [A-Z][^\n]{10,100}\.$/);
      expect(spec.complexity, name).toMatch(/^(O\(|by )/);
    }
    const summaries = docs.map(({ spec }) => spec.summary);
    expect(summaries.length - new Set(summaries).size).toBe(0);
  });

  it('has an arity that its arguments explain', () => {
    for (const { name, spec } of docs) {
      if (spec.subcommands || unexplained.has(name)) continue;
      const least = name.split('|').length + countWords(spec.arguments ?? [], leastWords);
      const fixed = (spec.arguments ?? []).every(isFixed);
      expect(`${name} ${spec.arity}`).toBe(`${name} ${fixed ? least : -least}`);
    }
  });

  it('points from key arguments to its key specs', () => {
    for (const { name, spec } of docs) {
      const used = flatten(spec.arguments ?? []).filter((argument) => argument.keySpec !== undefined);
      for (const argument of used) {
        expect(spec.keySpecs?.[argument.keySpec!], `${name} ${argument.name}`).toBeDefined();
        expect(['key', 'pattern'], name).toContain(argument.type);
      }
    }
  });

  it('says of each key how it is used: read, read and written, overwritten or removed', () => {
    for (const { name, spec } of docs) {
      for (const keySpec of (spec.keySpecs ?? []) as readonly KeySpec[]) {
        const uses = keySpec.flags.filter((flag) => /^(RO|RW|OW|RM)$/.test(flag));
        expect([name, uses.length]).toEqual([name, keySpec.flags.includes('not_key') ? 0 : 1]);
      }
    }
  });

  it('either writes or reads or touches no data', () => {
    for (const { name, spec } of docs) {
      const flags = new Set(spec.flags);
      expect(flags.has('write') && flags.has('readonly'), name).toBe(false);
      expect(flags.has('denyoom') && flags.has('readonly'), name).toBe(false);
    }
  });

  it('names tokens in capitals and everything else in small letters', () => {
    for (const { name, spec } of docs) {
      expect(name).toBe(name.toLowerCase());
      for (const argument of flatten(spec.arguments ?? [])) {
        // CLIENT SETINFO's attributes are small in Redis, too.
        if (argument.token?.startsWith('lib-')) continue;
        expect(argument.token ?? '', name).toBe((argument.token ?? '').toUpperCase());
      }
    }
  });

  it('has subcommands of its own group, with help', () => {
    for (const [name, spec] of Object.entries(commandSpecs)) {
      if (!spec.subcommands) continue;
      expect(Object.keys(spec.subcommands), name).toContain('help');
      for (const sub of Object.values(spec.subcommands)) expect(sub.group, name).toBe(spec.group);
    }
  });
});

describe('every served command', () => {
  it('has a spec, a place of its own and is found under its name', () => {
    const index = createCommandTable();
    const served = index.all().flatMap((command) => [command, ...(command.subcommands?.all() ?? [])]);
    expect(new Set(served.map(({ id }) => id)).size).toBe(served.length);
    expect(new Set(served.map(({ name }) => name)).size).toBe(served.length);
    for (const command of index.all()) {
      const name = Buffer.from(command.name.toUpperCase());
      expect(index.find(name, 0, name.length)?.name).toBe(command.name);
      expect(command.spec).toBe(commandSpecs[command.name]);
    }
  });

  it('does something, by itself or by its subcommands', () => {
    for (const command of createCommandTable().all()) {
      expect(command.handler !== null || command.subcommands !== null, command.name).toBe(true);
    }
  });
});

/**
 * Commands whose arity and documented arguments differ in Redis itself: what they take is left open, or words that the
 * documentation asks for may be missing (GEOPOS key), or words that it calls optional may not.
 */
const unexplained = new Set([
  'client|kill',
  'command|getkeys',
  'command|getkeysandflags',
  'debug',
  'geohash',
  'geopos',
  'pfmerge',
  'psync',
  'quit',
  'replconf',
  'sentinel|config',
  'sentinel|debug',
  'sentinel|simulate-failure',
]);

const countWords = (list: readonly ArgumentSpec[], count: (argument: ArgumentSpec) => number) =>
  list.reduce((sum, argument) => sum + count(argument), 0);

/** How many words an argument takes at least. */
function leastWords(argument: ArgumentSpec): number {
  if (argument.optional) return 0;
  const parts = argument.arguments ?? [];
  const token = argument.token === undefined ? 0 : 1;
  if (argument.type === 'oneof') return token + Math.min(...parts.map(leastWords));
  if (argument.type === 'block') return token + countWords(parts, leastWords);
  return argument.type === 'pure-token' ? 1 : token + 1;
}

/** Whether an argument always takes the same number of words. */
function isFixed(argument: ArgumentSpec): boolean {
  if (argument.optional || argument.multiple) return false;
  const parts = argument.arguments ?? [];
  if (argument.type === 'oneof') return parts.every(isFixed) && new Set(parts.map(leastWords)).size === 1;
  return parts.every(isFixed);
}

function flatten(list: readonly ArgumentSpec[]): ArgumentSpec[] {
  return list.flatMap((argument) => [argument, ...flatten(argument.arguments ?? [])]);
}
