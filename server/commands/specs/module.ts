// Specs of the MODULE family.
import type { CommandSpec } from '../spec.ts';

export const moduleSpecs = {
  module: {
    summary: 'Manage server modules.',
    complexity: 'by subcommand',
    group: 'server',
    since: '4.0.0',
    arity: -2,
    subcommands: {
      help: {
        summary: 'List the MODULE subcommands.',
        complexity: 'O(1)',
        group: 'server',
        since: '5.0.0',
        arity: 2,
        flags: ['loading', 'stale'],
      },
      list: {
        summary: 'List loaded modules.',
        complexity: 'O(N), N modules',
        group: 'server',
        since: '4.0.0',
        arity: 2,
        flags: ['admin', 'noscript'],
        tips: ['nondeterministic_output_order'],
      },
      load: {
        summary: 'Load a module.',
        complexity: 'O(1)',
        group: 'server',
        since: '4.0.0',
        arity: -3,
        flags: ['admin', 'noscript', 'no_async_loading', 'protected'],
        arguments: [
          { name: 'path', type: 'string' },
          { name: 'arg', type: 'string', optional: true, multiple: true },
        ],
      },
      loadex: {
        summary: 'Load a module with directives and arguments.',
        complexity: 'O(1)',
        group: 'server',
        since: '7.0.0',
        arity: -3,
        flags: ['admin', 'noscript', 'no_async_loading', 'protected'],
        arguments: [
          { name: 'path', type: 'string' },
          {
            name: 'configs',
            type: 'block',
            token: 'CONFIG',
            optional: true,
            multiple: true,
            multipleToken: true,
            arguments: [
              { name: 'name', type: 'string' },
              { name: 'value', type: 'string' },
            ],
          },
          {
            name: 'args',
            type: 'block',
            token: 'ARGS',
            optional: true,
            multiple: true,
            arguments: [{ name: 'arg', type: 'string' }],
          },
        ],
      },
      unload: {
        summary: 'Unload a module.',
        complexity: 'O(1)',
        group: 'server',
        since: '4.0.0',
        arity: 3,
        flags: ['admin', 'noscript', 'no_async_loading', 'protected'],
        arguments: [{ name: 'name', type: 'string' }],
      },
    },
  },
} as const satisfies Record<string, CommandSpec>;
