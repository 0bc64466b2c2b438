// Specs of the commands that save the data set.
import type { CommandSpec } from '../spec.ts';

export const persistenceSpecs = {
  bgrewriteaof: {
    summary: 'Rewrite the append-only file in the background.',
    complexity: 'O(1)',
    group: 'server',
    since: '1.0.0',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading'],
  },
  bgsave: {
    summary: 'Save the data set in the background.',
    complexity: 'O(1)',
    group: 'server',
    since: '1.0.0',
    arity: -1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    arguments: [{ name: 'schedule', type: 'pure-token', token: 'SCHEDULE', since: '3.2.2', optional: true }],
    history: [['3.2.2', '`SCHEDULE`.']],
  },
  lastsave: {
    summary: 'Unix time of the last good save.',
    complexity: 'O(1)',
    group: 'server',
    since: '1.0.0',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
    tips: ['nondeterministic_output'],
  },
  save: {
    summary: 'Save the data set and block until it is done.',
    complexity: 'O(N), N keys in all databases',
    group: 'server',
    since: '1.0.0',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
  },
} as const satisfies Record<string, CommandSpec>;
