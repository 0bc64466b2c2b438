// The COMMAND family as clients see it.
import { describe, expect, it } from 'vitest';
import { commandSpecs } from '../../../server/commands/docs.ts';
import { indexOf, runCommand } from '../../support/introspection.ts';
import { plainReply } from '../../support/real-redis.ts';

const { get, set, config, eval: evalSpec, spublish } = commandSpecs;
const commands = indexOf({ get: get!, set: set!, config: config!, eval: evalSpec!, spublish: spublish! });

const run = (...args: string[]) => plainReply(runCommand(commands, args));
const run3 = (...args: string[]) => plainReply(runCommand(commands, args, true));
const error = (...args: string[]) => (run(...args) as Error).message;

describe('COMMAND', () => {
  it('counts and lists the commands that are served', () => {
    expect(run('command', 'count')).toBe(5);
    expect(run('command', 'list', 'filterby', 'pattern', '*et')).toEqual(['get', 'set', 'config|get', 'config|set']);
    expect(run('command', 'list', 'filterby', 'aclcat', 'string')).toEqual(['get', 'set']);
    expect(error('command', 'list', 'filterby', 'name', 'x')).toBe('ERR syntax error');
  });

  it('describes commands, with null for words that are none', () => {
    expect(run('command', 'info', 'GET', 'nosuch', 'config|nosuch')).toEqual([
      ['get', 2, ['readonly', 'fast'], 1, 1, 1, ['@read', '@string', '@fast'], [], [expect.any(Array)], []],
      null,
      null,
    ]);
    expect((run('command') as unknown[]).length).toBe(5);
  });

  it('documents commands and passes over words that are none', () => {
    expect(run3('command', 'docs', 'get', 'nosuch')).toEqual({
      get: {
        summary: get!.summary,
        since: '1.0.0',
        group: 'string',
        complexity: 'O(1)',
        arguments: [{ name: 'key', type: 'key', key_spec_index: 0 }],
      },
    });
  });

  it('tells the keys of a request and their use', () => {
    expect(run('command', 'getkeys', 'SET', 'k', 'v')).toEqual(['k']);
    expect(run('command', 'getkeysandflags', 'set', 'k', 'v', 'get')).toEqual([['k', ['RW', 'access', 'update']]]);
    expect(run('command', 'getkeys', 'eval', 'script', '0')).toEqual([]);
  });

  it('says why it cannot tell the keys', () => {
    expect(error('command', 'getkeys', 'nosuch', 'x')).toBe('ERR Invalid command specified');
    expect(error('command', 'getkeys', 'config', 'nosuch', 'x')).toBe('ERR Invalid command specified');
    expect(error('command', 'getkeys', 'spublish', 'c', 'm')).toBe('ERR The command has no key arguments');
    expect(error('command', 'getkeys', 'get', 'a', 'b')).toBe('ERR Invalid number of arguments specified for command');
  });

  it('helps', () => {
    const lines = run('command', 'help') as string[];
    expect(lines[0]).toBe('COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:');
    expect(lines).toContain('DOCS [<command-name> [<command-name> ...]]');
  });

  it('refuses subcommands that do not exist', () => {
    expect(error('command', 'nosuch')).toBe("ERR unknown subcommand 'nosuch'. Try COMMAND HELP.");
  });
});
