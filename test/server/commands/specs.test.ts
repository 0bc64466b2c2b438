// The views of the command table: finding entries, syntax, flags and categories that follow, key ranges, keys.
import { describe, expect, it } from 'vitest';
import { commandDocsByGroup, findCommandSpec, listCommandDocs, syntaxOf } from '../../../server/commands/docs.ts';
import { compileKeys, findKeys, KeyFlagBit, KeyPositions } from '../../../server/commands/key-positions.ts';
import { legacyKeyRange, listedFlags, resolveCategories } from '../../../server/commands/spec.ts';

describe('finding commands', () => {
  it('takes names in any case', () => {
    expect(findCommandSpec('GET')?.arity).toBe(2);
    expect(findCommandSpec('Config', 'SET')?.arity).toBe(-4);
  });

  it('knows no command for words that are none', () => {
    expect(findCommandSpec('nosuch')).toBeUndefined();
    expect(findCommandSpec('get', 'set')).toBeUndefined();
    expect(findCommandSpec('config', 'nosuch')).toBeUndefined();
    expect(findCommandSpec('constructor')).toBeUndefined();
    expect(findCommandSpec('config', 'toString')).toBeUndefined();
  });

  it('lists containers before their subcommands', () => {
    const names = listCommandDocs().map(({ name }) => name);
    expect(names.slice(names.indexOf('object'), names.indexOf('object') + 3)).toEqual([
      'object',
      'object|encoding',
      'object|freq',
    ]);
  });

  it('groups them', () => {
    const groups = commandDocsByGroup();
    expect(groups.get('hyperloglog')?.map(({ name }) => name)).toEqual([
      'pfadd',
      'pfcount',
      'pfdebug',
      'pfmerge',
      'pfselftest',
    ]);
  });
});

describe('syntax', () => {
  it.each([
    ['incr', 'key'],
    ['mset', 'key value [key value ...]'],
    ['zrank', 'key member [WITHSCORE]'],
    ['hexpire', 'key seconds [NX|XX|GT|LT] FIELDS numfields field [field ...]'],
    ['sort_ro', 'key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA]'],
  ])('%s', (name, syntax) => {
    expect(syntaxOf(findCommandSpec(name)!)).toBe(syntax);
  });
});

describe('what follows from an entry', () => {
  it('puts categories that flags imply beside the explicit ones', () => {
    expect(resolveCategories(findCommandSpec('get')!)).toEqual(['read', 'string', 'fast']);
    expect(resolveCategories(findCommandSpec('blpop')!)).toEqual(['write', 'list', 'slow', 'blocking']);
    expect(resolveCategories(findCommandSpec('config', 'set')!)).toEqual(['admin', 'slow', 'dangerous']);
    expect(resolveCategories(findCommandSpec('eval_ro')!)).toEqual(['slow', 'scripting']);
  });

  it('hides the flags that are for dispatch alone', () => {
    expect(listedFlags(findCommandSpec('publish')!)).toEqual(['pubsub', 'loading', 'stale', 'fast']);
  });

  it('marks commands whose keys one range cannot tell', () => {
    expect(listedFlags(findCommandSpec('sort')!)).toContain('movablekeys');
    expect(legacyKeyRange(findCommandSpec('zunionstore')!)).toEqual({ first: 1, last: 1, step: 1, movable: true });
    expect(legacyKeyRange(findCommandSpec('mset')!)).toEqual({ first: 1, last: -1, step: 2, movable: false });
    expect(legacyKeyRange(findCommandSpec('rename')!)).toEqual({ first: 1, last: 2, step: 1, movable: false });
    expect(legacyKeyRange(findCommandSpec('ping')!)).toEqual({ first: 0, last: 0, step: 0, movable: false });
  });
});

describe('keys of a request', () => {
  const found = new KeyPositions();

  /** Key indexes of a request; null when they cannot be told. */
  function keys(...args: string[]): number[] | null {
    const plan = compileKeys(findCommandSpec(args[0]!)!)!;
    const complete = findKeys(plan, view(args), found);
    return complete ? [...found.indexes.subarray(0, found.count)] : null;
  }

  it.each([
    ['SET k v', [1]],
    ['MSET a 1 b 2', [1, 3]],
    ['BLPOP a b 0', [1, 2]],
    ['ZUNIONSTORE d 2 a b', [1, 3, 4]],
    ['XREAD COUNT 1 streams a b 0 0', [4, 5]],
    ['SORT k GET store STORE d', [1, 5]],
    ['EVAL script 0', []],
  ])('%s', (line, indexes) => {
    expect(keys(...line.split(' '))).toEqual(indexes);
  });

  it('keeps the certain ones when a count makes no sense', () => {
    expect(keys('ZUNIONSTORE', 'd', '9', 'a')).toBeNull();
    expect([...found.indexes.subarray(0, found.count)]).toEqual([1]);
  });

  it('sees that SET with GET reads', () => {
    keys('SET', 'k', 'v');
    expect(found.flags[0]).toBe(KeyFlagBit.OW | KeyFlagBit.update);
    keys('SET', 'k', 'v', 'get');
    expect(found.flags[0]).toBe(KeyFlagBit.RW | KeyFlagBit.access | KeyFlagBit.update);
  });

  it('serves requests with more keys than it has held before', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `key${i}`);
    expect(keys('DEL', ...names)).toHaveLength(1000);
  });

  it('counts from a request inside another', () => {
    const plan = compileKeys(findCommandSpec('get')!)!;
    findKeys(plan, view(['COMMAND', 'GETKEYS', 'GET', 'k']), found, 2);
    expect(found.indexes[0]).toBe(1);
  });

  it('has none where only channels stand', () => {
    expect(compileKeys(findCommandSpec('spublish')!)).toBeNull();
  });
});

function view(args: readonly string[]) {
  const pos: number[] = [];
  let at = 0;
  for (const arg of args) {
    pos.push(at);
    at += arg.length;
  }
  return { argc: args.length, buf: Buffer.from(args.join('')), pos, len: args.map((arg) => arg.length) };
}
