// Specs of the transaction commands.
import type { CommandSpec } from '../spec.ts';

export const transactionSpecs = {
  discard: {
    summary: 'Drop the queued commands and leave the transaction.',
    complexity: 'O(N), N queued commands',
    group: 'transactions',
    since: '2.0.0',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
  },
  exec: {
    summary: 'Run the queued commands as one step.',
    complexity: 'O(N), N queued commands and their own cost',
    group: 'transactions',
    since: '1.2.0',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    categories: ['transaction'],
  },
  multi: {
    summary: 'Begin a transaction: queue the commands that follow.',
    complexity: 'O(1)',
    group: 'transactions',
    since: '1.2.0',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
  },
  unwatch: {
    summary: 'Forget all watched keys.',
    complexity: 'O(N), N watched keys',
    group: 'transactions',
    since: '2.2.0',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
  },
  watch: {
    summary: 'Let the next transaction fail if one of the keys changes before it.',
    complexity: 'O(1) per key',
    group: 'transactions',
    since: '2.2.0',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
    keySpecs: [{ flags: ['RO'], begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
    arguments: [{ name: 'key', type: 'key', keySpec: 0, multiple: true }],
  },
} as const satisfies Record<string, CommandSpec>;
