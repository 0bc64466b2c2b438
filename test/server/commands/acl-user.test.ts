// Rules of users: what they allow, how they are written down again, what is wrong with them.

import { describe, expect, it } from 'vitest';
import { AclCatalog } from '../../../server/commands/acl-catalog.ts';
import { AclLog } from '../../../server/commands/acl-log.ts';
import { AclUser, mergeSelectors } from '../../../server/commands/acl-user.ts';

const catalog = new AclCatalog();

function userOf(...rules: string[]): AclUser {
  const user = new AclUser('u', { catalog, allChannels: () => false });
  const wrong = user.applyAll(rules);
  if (wrong !== null) throw new Error(`${wrong.rule}: ${wrong.problem}`);
  return user;
}

function problemOf(...rules: string[]): string | undefined {
  return new AclUser('u', { catalog, allChannels: () => false }).applyAll(rules)?.problem;
}

/** What a user is refused: `reason:argument`, or null. */
function refused(user: AclUser, ...words: string[]): string | null {
  const args = words.map((word) => Buffer.from(word, 'latin1'));
  let at = 0;
  const pos = args.map((arg) => {
    const start = at;
    at += arg.length;
    return start;
  });
  const request = { argc: args.length, buf: Buffer.concat(args), pos, len: args.map((arg) => arg.length) };
  const command = catalog.resolve(words[0] as string, words[1] ?? null);
  if (command === undefined) throw new Error(`no command ${words[0]}`);
  const refusal = user.refusal(command, request);
  return refusal === null ? null : `${refusal.reason}:${words[refusal.at]}`;
}

describe('rules of commands', () => {
  it('are written down in their shortest form', () => {
    const cases: [rules: string, written: string][] = [
      ['+@read -@all +get +set -set', '-@all +get'],
      ['+@all -@read +get', '+@all -@read +get'],
      ['+@string +@hash -hget +hset', '-@all +@string +@hash -hget'],
      ['+@all -get -@string +get +@all -del', '+@all -del'],
      ['+select|0 +select|1 -select +config|get', '-@all +config|get'],
      ['+CONFIG|GET +GET +@READ', '-@all +config|get +@read'],
      ['+client -client|id -client|kill +client|id', '-@all +client -client|kill'],
      ['+@all +client|id', '+@all'],
      ['allcommands', '+@all'],
      ['+@all nocommands', '-@all'],
      ['-debug +debug|digest +debug|segfault', '-@all +debug|digest +debug|segfault'],
    ];
    for (const [rules, written] of cases) {
      expect(userOf(...rules.split(' ')).root.commands.describe(), rules).toBe(written);
    }
  });

  it('keep every category as it was given', () => {
    for (const category of ['keyspace', 'read', 'write', 'fast', 'slow', 'dangerous', 'connection', 'scripting']) {
      expect(userOf('+@all', `-@${category}`).root.commands.describe()).toBe(`+@all -@${category}`);
      expect(userOf(`+@${category}`).root.commands.describe()).toBe(`-@all +@${category}`);
    }
  });

  it('allow commands, subcommands and first arguments', () => {
    const user = userOf('allkeys', '+get', '+config|get', '+select|0', '+client', '-client|kill');
    expect(refused(user, 'get', 'k')).toBeNull();
    expect(refused(user, 'set', 'k', 'v')).toBe('command:set');
    expect(refused(user, 'config', 'get', 'x')).toBeNull();
    expect(refused(user, 'config', 'set', 'x', 'y')).toBe('command:config');
    expect(refused(user, 'select', '0')).toBeNull();
    expect(refused(user, 'select', '1')).toBe('command:select');
    expect(refused(user, 'client', 'id')).toBeNull();
    expect(refused(user, 'client', 'kill', 'a')).toBe('command:client');
  });

  it('always allow logging in', () => {
    expect(refused(userOf('-@all'), 'auth', 'x')).toBeNull();
    expect(refused(userOf('-@all'), 'hello', '3')).toBeNull();
  });

  it('accept commands that this server does not have yet', () => {
    expect(userOf('+eval', '-cluster|nodes').root.commands.describe()).toBe('-@all +eval');
  });
});

describe('rules of keys and channels', () => {
  it('tell reading from writing', () => {
    const user = userOf('+@all', '%R~read*', '%W~write*', '~both*');
    expect(refused(user, 'get', 'read1')).toBeNull();
    expect(refused(user, 'set', 'read1', 'v')).toBe('key:read1');
    expect(refused(user, 'lpush', 'write1', 'v')).toBeNull();
    expect(refused(user, 'get', 'write1')).toBe('key:write1');
    expect(refused(user, 'copy', 'read1', 'write1')).toBeNull();
    expect(refused(user, 'copy', 'write1', 'read1')).toBe('key:write1');
    expect(refused(user, 'set', 'write1', 'v', 'get')).toBe('key:write1');
    expect(refused(user, 'set', 'both1', 'v', 'get')).toBeNull();
    expect(refused(user, 'touch', 'other')).toBe('key:other');
    expect(refused(user, 'touch', 'write1')).toBeNull();
  });

  it('join what is given twice', () => {
    expect(userOf('%R~foo', '%W~foo', '%RW~bar').root.describeKeys()).toBe('~foo ~bar');
  });

  it('take channels as patterns, and patterns to the letter', () => {
    const user = userOf('+@all', '&news:*');
    expect(refused(user, 'subscribe', 'news:1', 'other')).toBe('channel:other');
    expect(refused(user, 'publish', 'news:1', 'x')).toBeNull();
    expect(refused(user, 'psubscribe', 'news:*')).toBeNull();
    expect(refused(user, 'psubscribe', 'news:1')).toBe('channel:news:1');
    expect(refused(user, 'unsubscribe', 'other')).toBeNull();
  });
});

describe('selectors', () => {
  it('allow a request as a whole or not at all', () => {
    const user = userOf('(+@all %R~read*)', '(+@all %W~write*)');
    expect(refused(user, 'get', 'read1')).toBeNull();
    expect(refused(user, 'lpush', 'write1', 'v')).toBeNull();
    expect(refused(user, 'copy', 'read1', 'write1')).toBe('key:write1');
  });

  it('blame what came nearest to being allowed', () => {
    const user = userOf('+mget', '~key', '(+mget ~key ~otherkey)');
    expect(refused(user, 'get', 'key')).toBe('command:get');
    expect(refused(user, 'mget', 'otherkey', 'someotherkey')).toBe('key:someotherkey');
  });

  it('are put together from several arguments', () => {
    expect(mergeSelectors(['on', '(~a', '+get', ')', '+set'])).toEqual({ rules: ['on', '(~a +get )', '+set'] });
    expect(mergeSelectors(['(+get', '+set'])).toEqual({ unmatched: '(+get +set' });
  });
});

describe('a user', () => {
  it('is written down as the rules that make it again', () => {
    const hash = '34344e4d60c2b6d639b7bd22e18f2b0b91bc34bf0ac5f9952744435093cfb4e6';
    const rules = ['on', `#${hash}`, '~a', '%R~b', '&c', '+get', '(+@read ~x)', 'skip-sanitize-payload'];
    const text = userOf(...rules).describe();
    expect(text).toBe(
      `u on skip-sanitize-payload #${hash} ~a %R~b resetchannels &c -@all +get (~x resetchannels -@all +@read)`,
    );
    const merged = mergeSelectors(text.split(' ').slice(1));
    if ('unmatched' in merged) throw new Error(merged.unmatched);
    expect(userOf(...merged.rules).describe()).toBe(text);
  });

  it('is let in with one of its passwords only, and only while it is on', () => {
    const user = userOf('>one', '>two');
    expect(user.accepts(Buffer.from('one'))).toBe(false);
    user.apply('on');
    expect(user.accepts(Buffer.from('one'))).toBe(true);
    expect(user.accepts(Buffer.from('two'))).toBe(true);
    expect(user.accepts(Buffer.from('three'))).toBe(false);
    user.apply('<one');
    expect(user.accepts(Buffer.from('one'))).toBe(false);
    user.apply('nopass');
    expect(user.accepts(Buffer.from('anything'))).toBe(true);
    user.apply('reset');
    expect(user.flags()).toEqual(['off', 'sanitize-payload']);
  });

  it('is unrestricted only when nothing has to be checked', () => {
    expect(userOf('+@all', '~*', '&*').unrestricted).toBe(true);
    expect(userOf('+@all', '~*').unrestricted).toBe(false);
    expect(userOf('+@all', '-get', '~*', '&*').unrestricted).toBe(false);
  });

  it('tells what is wrong with a rule', () => {
    expect(problemOf('+foo')).toBe('Unknown command or category name in ACL');
    expect(problemOf('+@foo')).toBe('Unknown command or category name in ACL');
    expect(problemOf('-get|a')).toBe('Unknown command or category name in ACL');
    expect(problemOf('+config|nosuch')).toBe('Unknown command or category name in ACL');
    expect(problemOf('+config|get|x')).toBe('Allowing first-arg of a subcommand is not supported');
    expect(problemOf('+get|')).toBe('Syntax error');
    expect(problemOf('%X~a')).toBe('Syntax error');
    expect(problemOf('%~a')).toBe('Syntax error');
    expect(problemOf('~a b')).toBe('Syntax error');
    expect(problemOf('(on)')).toBe('Syntax error');
    expect(problemOf('nonsense')).toBe('Syntax error');
    expect(problemOf('<nopw')).toBe('The password you are trying to remove from the user does not exist');
    expect(problemOf('#abc')).toMatch(/exactly 64 characters/);
    expect(problemOf('allkeys', '~x')).toMatch(/Try 'resetkeys'/);
    expect(problemOf('allchannels', '&x')).toMatch(/Try 'resetchannels'/);
  });
});

describe('the log of denials', () => {
  const event = { reason: 'key', context: 'toplevel', object: 'k', user: 'u', client: 'id=1' } as const;

  it('counts repetitions within a minute, and keeps its limit', () => {
    const log = new AclLog();
    log.add(event, 1000, 3);
    log.add({ ...event, client: 'id=2' }, 50_000, 3);
    expect(log.entries).toMatchObject([{ count: 2, client: 'id=2', createdAtMs: 1000, updatedAtMs: 50_000 }]);
    log.add(event, 120_000, 3);
    expect(log.entries.map((entry) => entry.count)).toEqual([1, 2]);
    for (let i = 0; i < 5; i++) log.add({ ...event, object: `k${i}` }, 120_000, 3);
    expect(log.entries.map((entry) => entry.object)).toEqual(['k4', 'k3', 'k2']);
  });
});
