// Specs of the CONFIG family.
import type { CommandSpec } from '../spec.ts';

export const configSpecs = {
  config: {
    summary: 'Read and change the configuration.',
    complexity: 'by subcommand',
    group: 'server',
    since: '2.0.0',
    arity: -2,
    subcommands: {
      get: {
        summary: 'Read directives that match patterns.',
        complexity: 'O(N), N directives',
        group: 'server',
        since: '2.0.0',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        arguments: [
          { name: 'parameter', type: 'block', multiple: true, arguments: [{ name: 'parameter', type: 'string' }] },
        ],
        history: [['7.0.0', 'Several patterns in one call.']],
      },
      help: {
        summary: 'List the CONFIG subcommands.',
        complexity: 'O(1)',
        group: 'server',
        since: '5.0.0',
        arity: 2,
        flags: ['loading', 'stale'],
      },
      resetstat: {
        summary: 'Set the counters of INFO back to zero.',
        complexity: 'O(1)',
        group: 'server',
        since: '2.0.0',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
      },
      rewrite: {
        summary: 'Write the running configuration to its file.',
        complexity: 'O(1)',
        group: 'server',
        since: '2.8.0',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
      },
      set: {
        summary: 'Change directives while the server runs, all or none.',
        complexity: 'O(N), N directives',
        group: 'server',
        since: '2.0.0',
        arity: -4,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        arguments: [
          {
            name: 'parameter_value',
            type: 'block',
            multiple: true,
            arguments: [
              { name: 'parameter', type: 'string' },
              { name: 'value', type: 'string' },
            ],
          },
        ],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        history: [['7.0.0', 'Several directives in one call.']],
      },
    },
  },
} as const satisfies Record<string, CommandSpec>;
