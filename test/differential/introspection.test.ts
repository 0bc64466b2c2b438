// The COMMAND family beside the real server: the same shapes and RESP types, the same lists and errors. Texts that are
// our own words (summaries, complexities, notes, what changed) are left out, and order within sets and maps, which
// Redis takes from a hash table.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandSpecs } from '../../server/commands/docs.ts';
import type { CommandIndex } from '../../server/commands/registry.ts';
import type { CommandSpec } from '../../server/commands/spec.ts';
import type { Reply } from '../../server/formats/resp/reply.ts';
import { indexOf, runCommand } from '../support/introspection.ts';
import { type RealRedis, realRedisMissing, startRealRedis } from '../support/real-redis.ts';

const missing = realRedisMissing();

/** Redis 7.2 gave them one more argument, and these one more field in their history. */
const changedSince = new Set(['zrank', 'zrevrank', 'client|list', 'xinfo|stream', 'xinfo|consumers']);

const calls = [
  'command count',
  'command count x',
  'command list',
  'command list filterby pattern xgroup*',
  'command list FILTERBY PATTERN XGROUP|C*',
  'command list filterby aclcat PubSub',
  'command list filterby aclcat nosuch',
  'command list filterby module x',
  'command list filterby x y',
  'command list x y z',
  'command list filterby pattern a b',
  'command info nosuch get config|get CONFIG|SET config|nosuch get|config object|encoding|x nosuch|get',
  'command docs nosuch get memory|usage GET config|nosuch',
  'command nosuch',
  'command getkeys nosuch x',
  'command getkeys config get x',
  'command getkeys config nosuch x',
  'command getkeys object|encoding x y',
  'command getkeys command getkeys get',
  'command getkeys command nosuch x',
  'command getkeys object help',
  'command getkeys xgroup create',
  'command getkeys spublish a b',
  'command getkeys eval script 0',
  'command getkeys get a b',
  'command getkeys zunionstore d 3 a',
  'command getkeys mset a 1 b 2',
  'command getkeysandflags mset a 1 b 2',
  'command getkeysandflags set a 1 get',
  'command getkeysandflags memory usage a',
];

describe.skipIf(missing)(`COMMAND and redis-server${missing ? ` (${missing})` : ''}`, () => {
  let redis: RealRedis;
  let commands: CommandIndex;

  beforeAll(async () => {
    redis = await startRealRedis();
    commands = indexOf(specsOfOracle(commandSpecs));
  });
  afterAll(() => redis?.stop());

  describe.each([2, 3])('RESP%i', (protocol) => {
    beforeAll(async () => {
      await redis.call('HELLO', String(protocol));
    });

    const answer = (...args: string[]) => shape(runCommand(commands, args, protocol === 3));
    const theirs = async (...args: string[]) => shape(await redis.client.call(...args));
    const arityErrors = /wrong number of arguments/;

    it.each(calls)('%s', async (line) => {
      const expected = await theirs(...line.split(' '));
      // The dispatcher checks arity before a handler runs.
      if (!arityErrors.test(JSON.stringify(expected))) expect(answer(...line.split(' '))).toEqual(expected);
    });

    it('INFO and DOCS of every command', async () => {
      for (const command of commands.all()) {
        const names = [command.name, ...(command.subcommands?.all() ?? []).map((sub) => sub.name)];
        for (const name of names) {
          if (changedSince.has(name) || names.some((each) => changedSince.has(each))) continue;
          expect(answer('command', 'info', name)).toEqual(await theirs('command', 'info', name));
          expect(answer('command', 'docs', name)).toEqual(await theirs('command', 'docs', name));
        }
      }
    });
  });
});

/** Without what came after the oracle's version. */
function specsOfOracle(specs: Readonly<Record<string, CommandSpec>>): Record<string, CommandSpec> {
  const old: Record<string, CommandSpec> = {};
  for (const [name, spec] of Object.entries(specs)) {
    if (/^7\.[2-9]/.test(spec.since) || spec.group === 'sentinel') continue;
    old[name] = spec.subcommands ? { ...spec, subcommands: specsOfOracle(spec.subcommands) } : spec;
  }
  return old;
}

/** A reply's kind and content; replies without content are null. */
type Shape = string | number | null | Shape[];

const ownWords = new Set(['summary', 'notes', 'replaced_by', 'history']);

/** A reply as kinds and values; members sorted where the order means nothing. */
function shape(reply: Reply): Shape {
  switch (reply.kind) {
    case 'bulk':
    case 'status':
    case 'error':
      return [reply.kind, reply.bytes.toString('latin1')];
    case 'integer':
      return ['integer', Number(reply.value)];
    case 'nil':
      return null;
    case 'map':
      return ['map', ...pairs(documented(reply.items))];
    case 'set':
    case 'array': {
      // RESP2 has maps as flat arrays of field and value; which value belongs to which field, RESP3 shows.
      const members = documented(reply.items);
      const items = members.map((item, i) => (i > 0 && ours(members[i - 1]!) ? null : shape(item)));
      return [reply.kind, ...(isInfoEntry(members) ? items : items.sort(byText))];
    }
    default:
      throw new Error(`COMMAND has no replies of kind ${reply.kind}`);
  }
}

function pairs(items: readonly Reply[]): Shape[] {
  const found: Shape[] = [];
  for (let i = 0; i < items.length; i += 2) {
    found.push(['pair', shape(items[i]!), ours(items[i]!) ? null : shape(items[i + 1]!)]);
  }
  return found.sort(byText);
}

/** Without the field `complexity`: Redis leaves it out for some commands. */
function documented(items: readonly Reply[]): Reply[] {
  const at = items.findIndex((item) => item.kind === 'bulk' && item.bytes.toString('latin1') === 'complexity');
  return at < 0 ? [...items] : [...items.slice(0, at), ...items.slice(at + 2)];
}

/** Whether the value that follows is in our own words. */
function ours(field: Reply): boolean {
  return field.kind === 'bulk' && ownWords.has(field.bytes.toString('latin1'));
}

/** COMMAND INFO's entry: an array of a name and nine fields, in an order that matters. */
function isInfoEntry(items: readonly Reply[]): boolean {
  return items.length === 10 && items[0]!.kind === 'bulk' && items[1]!.kind === 'integer';
}

function byText(a: Shape, b: Shape): number {
  const left = JSON.stringify(a);
  const right = JSON.stringify(b);
  return left < right ? -1 : left > right ? 1 : 0;
}
