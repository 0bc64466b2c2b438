// Specs of the HyperLogLog commands.
import type { CommandSpec } from '../spec.ts';

export const hyperloglogSpecs = {
  pfadd: {
    summary: 'Count elements into a HyperLogLog.',
    complexity: 'O(1) per element',
    group: 'hyperloglog',
    since: '2.8.9',
    arity: -2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hyperloglog'],
    keySpecs: [{ flags: ['RW', 'insert'], begin: { index: 1 } }],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'element', type: 'string', optional: true, multiple: true },
    ],
  },
  pfcount: {
    summary: 'Estimate how many distinct elements the HyperLogLogs saw.',
    complexity: 'O(1) for one key, O(N) for N keys',
    group: 'hyperloglog',
    since: '2.8.9',
    arity: -2,
    flags: ['readonly', 'may_replicate'],
    categories: ['hyperloglog'],
    keySpecs: [
      {
        flags: ['RW', 'access'],
        begin: { index: 1 },
        find: { lastKey: -1, step: 1, limit: 0 },
        notes: 'Writes, too: it keeps the count it computed inside the value.',
      },
    ],
    arguments: [{ name: 'key', type: 'key', keySpec: 0, multiple: true }],
  },
  pfdebug: {
    summary: 'Look inside a HyperLogLog; made for tests.',
    complexity: 'O(1)',
    group: 'hyperloglog',
    since: '2.8.9',
    arity: 3,
    flags: ['write', 'denyoom', 'admin'],
    categories: ['hyperloglog'],
    keySpecs: [{ flags: ['RW', 'access'], begin: { index: 2 } }],
    arguments: [
      { name: 'subcommand', type: 'string' },
      { name: 'key', type: 'key', keySpec: 0 },
    ],
    system: true,
  },
  pfmerge: {
    summary: 'Merge HyperLogLogs into one.',
    complexity: 'O(N), N keys',
    group: 'hyperloglog',
    since: '2.8.9',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['hyperloglog'],
    keySpecs: [
      { flags: ['RW', 'access', 'insert'], begin: { index: 1 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: -1, step: 1, limit: 0 } },
    ],
    arguments: [
      { name: 'destkey', type: 'key', keySpec: 0 },
      { name: 'sourcekey', type: 'key', keySpec: 1, multiple: true },
    ],
  },
  pfselftest: {
    summary: 'Check the HyperLogLog arithmetic; made for tests.',
    complexity: 'O(1)',
    group: 'hyperloglog',
    since: '2.8.9',
    arity: 1,
    flags: ['admin'],
    categories: ['hyperloglog'],
    system: true,
  },
} as const satisfies Record<string, CommandSpec>;
