// Specs of the commands that treat strings as bits.
import type { CommandSpec } from '../spec.ts';

export const bitmapSpecs = {
  bitcount: {
    summary: 'Count the one bits in a string or a part of it.',
    complexity: 'O(N), N bytes looked at',
    group: 'bitmap',
    since: '2.6.0',
    arity: -2,
    flags: ['readonly'],
    categories: ['bitmap'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 } }],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      {
        name: 'index',
        type: 'block',
        optional: true,
        arguments: [
          { name: 'start', type: 'integer' },
          { name: 'end', type: 'integer' },
          {
            name: 'index_unit',
            type: 'oneof',
            since: '7.0.0',
            optional: true,
            arguments: [
              { name: 'byte', type: 'pure-token', token: 'BYTE' },
              { name: 'bit', type: 'pure-token', token: 'BIT' },
            ],
          },
        ],
      },
    ],
    history: [['7.0.0', '`BYTE`, `BIT`.']],
  },
  bitfield: {
    summary: 'Read, write and add to integers of any width packed into a string.',
    complexity: 'O(1) per operation',
    group: 'bitmap',
    since: '3.2.0',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keySpecs: [
      {
        flags: ['RW', 'access', 'update', 'variable_flags'],
        begin: { index: 1 },
        notes: 'Reads only, unless there is a SET or INCRBY.',
      },
    ],
    keyRule: 'bitfield',
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      {
        name: 'operation',
        type: 'oneof',
        optional: true,
        multiple: true,
        arguments: [
          {
            name: 'encoding_offset',
            type: 'block',
            token: 'GET',
            arguments: [
              { name: 'encoding', type: 'string' },
              { name: 'offset', type: 'integer' },
            ],
          },
          {
            name: 'write',
            type: 'block',
            arguments: [
              {
                name: 'wrap_sat_fail',
                type: 'oneof',
                token: 'OVERFLOW',
                optional: true,
                arguments: [
                  { name: 'wrap', type: 'pure-token', token: 'WRAP' },
                  { name: 'sat', type: 'pure-token', token: 'SAT' },
                  { name: 'fail', type: 'pure-token', token: 'FAIL' },
                ],
              },
              {
                name: 'write_operation',
                type: 'oneof',
                arguments: [
                  {
                    name: 'encoding_offset_value',
                    type: 'block',
                    token: 'SET',
                    arguments: [
                      { name: 'encoding', type: 'string' },
                      { name: 'offset', type: 'integer' },
                      { name: 'value', type: 'integer' },
                    ],
                  },
                  {
                    name: 'encoding_offset_increment',
                    type: 'block',
                    token: 'INCRBY',
                    arguments: [
                      { name: 'encoding', type: 'string' },
                      { name: 'offset', type: 'integer' },
                      { name: 'increment', type: 'integer' },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  bitfield_ro: {
    summary: 'Read integers of any width packed into a string.',
    complexity: 'O(1) per operation',
    group: 'bitmap',
    since: '6.0.0',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['bitmap'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 } }],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      {
        name: 'encoding_offset',
        type: 'block',
        token: 'GET',
        optional: true,
        multiple: true,
        multipleToken: true,
        arguments: [
          { name: 'encoding', type: 'string' },
          { name: 'offset', type: 'integer' },
        ],
      },
    ],
  },
  bitop: {
    summary: 'Combine strings bit by bit (AND, OR, XOR, NOT) and store the result.',
    complexity: "O(N), N the longest string's length",
    group: 'bitmap',
    since: '2.6.0',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 2 } },
      { flags: ['RO', 'access'], begin: { index: 3 }, find: { lastKey: -1, step: 1, limit: 0 } },
    ],
    arguments: [
      { name: 'operation', type: 'string' },
      { name: 'destkey', type: 'key', keySpec: 0 },
      { name: 'key', type: 'key', keySpec: 1, multiple: true },
    ],
  },
  bitpos: {
    summary: 'Find the first bit that is 0 or 1.',
    complexity: 'O(N), N bytes looked at',
    group: 'bitmap',
    since: '2.8.7',
    arity: -3,
    flags: ['readonly'],
    categories: ['bitmap'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 } }],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'bit', type: 'integer' },
      {
        name: 'index',
        type: 'block',
        optional: true,
        arguments: [
          { name: 'start', type: 'integer' },
          {
            name: 'end_index',
            type: 'block',
            optional: true,
            arguments: [
              { name: 'end', type: 'integer' },
              {
                name: 'index_unit',
                type: 'oneof',
                since: '7.0.0',
                optional: true,
                arguments: [
                  { name: 'byte', type: 'pure-token', token: 'BYTE' },
                  { name: 'bit', type: 'pure-token', token: 'BIT' },
                ],
              },
            ],
          },
        ],
      },
    ],
    history: [['7.0.0', '`BYTE`, `BIT`.']],
  },
  getbit: {
    summary: 'Read one bit of a string.',
    complexity: 'O(1)',
    group: 'bitmap',
    since: '2.2.0',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['bitmap'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 } }],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'offset', type: 'integer' },
    ],
  },
  setbit: {
    summary: 'Write one bit of a string and reply with its former value.',
    complexity: 'O(1)',
    group: 'bitmap',
    since: '2.2.0',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keySpecs: [{ flags: ['RW', 'access', 'update'], begin: { index: 1 } }],
    arguments: [
      { name: 'key', type: 'key', keySpec: 0 },
      { name: 'offset', type: 'integer' },
      { name: 'value', type: 'integer' },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
