// The command table against the real server: COMMAND INFO, COMMAND DOCS and redis-cli's help must say the same of
// every command that both have.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandSpecs, listCommandDocs, syntaxOf } from '../../server/commands/docs.ts';
import {
  type ArgumentSpec,
  type CommandSpec,
  keyFlags,
  legacyKeyRange,
  listedFlags,
  oneKey,
  resolveCategories,
} from '../../server/commands/spec.ts';
import { type PlainReply, type RealRedis, realRedisMissing, startRealRedis } from '../support/real-redis.ts';

const missing = realRedisMissing();

/** What Redis 7.2 and 7.4 changed, so that the table differs from 7.0's on purpose. */
const changedArguments = new Set(['zrank', 'zrevrank']);
const newerThanOracle = (since: string) => /^(7\.[2-9]|[89]\.)/.test(since);

/** COMMAND INFO's fields that only this product's later version changes. */
const changedArity = new Map([
  ['zrank', 3],
  ['zrevrank', 3],
]);

describe.skipIf(missing)(`the command table and redis-server${missing ? ` (${missing})` : ''}`, () => {
  let redis: RealRedis;
  let info: Map<string, PlainReply[]>;
  let docs: Map<string, Record<string, PlainReply>>;

  beforeAll(async () => {
    redis = await startRealRedis();
    await redis.call('HELLO', '3');
    info = new Map();
    for (const entry of (await redis.call('COMMAND')) as PlainReply[][]) {
      info.set(entry[0] as string, entry);
      for (const sub of entry[9] as PlainReply[][]) info.set(sub[0] as string, sub);
    }
    docs = new Map();
    for (const [name, entry] of Object.entries((await redis.call('COMMAND', 'DOCS')) as Record<string, PlainReply>)) {
      docs.set(name, entry as Record<string, PlainReply>);
      const subcommands = (entry as Record<string, PlainReply>)['subcommands'] ?? {};
      for (const [sub, doc] of Object.entries(subcommands)) docs.set(sub, doc as Record<string, PlainReply>);
    }
  });
  afterAll(() => redis?.stop());

  const served = () => listCommandDocs().filter(({ spec }) => !newerThanOracle(spec.since) && !isSentinel(spec));

  it('know the same commands and subcommands', () => {
    expect(served().map(({ name }) => name)).toEqual([...info.keys()].sort());
  });

  it('agree on arity, flags, key range, categories, tips and key specs', () => {
    for (const { name, spec } of served()) {
      const entry = info.get(name)!;
      const range = legacyKeyRange(spec);
      expect([
        name,
        changedArity.get(name) ?? spec.arity,
        listedFlags(spec),
        range.first,
        range.last,
        range.step,
        resolveCategories(spec).map((category) => `@${category}`),
        [...(spec.tips ?? [])],
        (spec.keySpecs ?? []).map((keySpec) => keySpecShape(keySpec as KeySpecOf)),
      ]).toEqual([
        ...entry.slice(0, 8),
        (entry[8] as Record<string, PlainReply>[]).map(({ notes: _, ...keySpec }) => keySpec),
      ]);
    }
  });

  it('agree on groups, versions, deprecation and arguments', () => {
    for (const { name, spec } of served()) {
      const doc = docs.get(name)!;
      const shape: Record<string, PlainReply> = { group: spec.group, since: spec.since };
      const flags = [...(spec.deprecatedSince ? ['deprecated'] : []), ...(spec.system ? ['syscmd'] : [])];
      if (flags.length > 0) shape['doc_flags'] = flags;
      if (spec.deprecatedSince) shape['deprecated_since'] = spec.deprecatedSince;
      const args = (spec.arguments ?? []).filter((argument) => !newerThanOracle(argument.since ?? ''));
      if (args.length > 0) shape['arguments'] = args.map(argumentShape);
      const { summary: _s, complexity: _c, history: _h, replaced_by: replacedBy, subcommands: _u, ...expected } = doc;
      expect({ name, ...shape }).toEqual({ name, ...expected });
      expect(`${name} ${spec.replacedBy === undefined}`).toBe(`${name} ${replacedBy === undefined}`);
    }
  });

  it('tell of the same changes in the same versions', () => {
    for (const { name, spec } of served()) {
      const ours = (spec.history ?? []).map(([since]) => since).filter((since) => !newerThanOracle(since));
      const theirs = ((docs.get(name)!['history'] ?? []) as PlainReply[][]).map(([since]) => since);
      expect([name, ...ours]).toEqual([name, ...theirs]);
    }
  });

  it('write the syntax of commands as redis-cli does', () => {
    const groups = new Set(Object.values(commandSpecs).map((spec) => spec.group));
    const syntax = new Map<string, string>();
    for (const group of groups) {
      const help = execFileSync('redis-cli', ['-s', redis.socketPath, 'help', `@${group}`], { encoding: 'latin1' });
      for (const match of help.matchAll(/^ {2}\x1b\[1m(.+?)\x1b\[0m \x1b\[90m(.*?)\x1b\[0m/gm)) {
        syntax.set(match[1]!.toLowerCase().replace(' ', '|'), match[2]!);
      }
    }
    expect(syntax.size).toBeGreaterThan(300);
    for (const { name, spec } of served()) {
      if (!syntax.has(name) || changedArguments.has(name)) continue;
      expect(`${name} ${syntaxOf(spec)}`).toBe(`${name} ${syntax.get(name)}`);
    }
  });
});

type KeySpecOf = NonNullable<CommandSpec['keySpecs']>[number];

function isSentinel(spec: CommandSpec): boolean {
  return spec.flags?.includes('only_sentinel') === true || spec.group === 'sentinel';
}

/** A key spec as COMMAND INFO shows it. */
function keySpecShape({ flags, begin, find = oneKey }: KeySpecOf): PlainReply {
  const beginSearch =
    begin === 'unknown'
      ? { type: 'unknown', spec: {} }
      : 'index' in begin
        ? { type: 'index', spec: { index: begin.index } }
        : { type: 'keyword', spec: { keyword: begin.keyword, startfrom: begin.startFrom } };
  const findKeys =
    find === 'unknown'
      ? { type: 'unknown', spec: {} }
      : 'lastKey' in find
        ? { type: 'range', spec: { lastkey: find.lastKey, keystep: find.step, limit: find.limit } }
        : { type: 'keynum', spec: { keynumidx: find.countIndex, firstkey: find.firstKey, keystep: find.step } };
  return { flags: keyFlags.filter((flag) => flags.includes(flag)), begin_search: beginSearch, find_keys: findKeys };
}

/** An argument as COMMAND DOCS shows it. */
function argumentShape(argument: ArgumentSpec): PlainReply {
  const flags = [
    ...(argument.optional ? ['optional'] : []),
    ...(argument.multiple ? ['multiple'] : []),
    ...(argument.multipleToken ? ['multiple_token'] : []),
  ];
  return {
    name: argument.name,
    type: argument.type,
    ...(argument.keySpec === undefined ? {} : { key_spec_index: argument.keySpec }),
    ...(argument.token === undefined ? {} : { token: argument.token }),
    ...(argument.since === undefined ? {} : { since: argument.since }),
    ...(argument.deprecatedSince === undefined ? {} : { deprecated_since: argument.deprecatedSince }),
    ...(flags.length === 0 ? {} : { flags }),
    ...(argument.arguments ? { arguments: argument.arguments.map(argumentShape) } : {}),
  };
}
