// LCS: the longest common subsequence of two strings.

import { Type } from '../keyspace/layout.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';

/** The table of lengths takes 4 bytes a cell; Redis refuses what it cannot allocate, this refuses above 1 GiB. */
const CELLS_MAX = 1 << 28;

interface LcsOptions {
  length: boolean;
  matches: boolean;
  matchLengths: boolean;
  minLength: number;
}

/** LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN] */
export function lcs(c: Context): void {
  const a = operand(c, 1);
  const b = operand(c, 2);
  const options = parseOptions(c);
  const width = b.length + 1;
  if ((a.length + 1) * width > CELLS_MAX) {
    throw new CommandError('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len');
  }
  const table = fillTable(a, b);
  const total = table[a.length * width + b.length];
  if (options.length) {
    c.reply.int(total);
    return;
  }
  if (options.matches) replyMatches(c, table, a, b, options, total);
  else c.reply.bulk(subsequence(table, a, b, total));
}

function operand(c: Context, i: number): Buffer {
  const entry = c.lookupRead(i);
  if (entry === 0) return Buffer.alloc(0);
  if (c.db.type(entry) !== Type.string) {
    throw new CommandError('ERR The specified keys must contain string values');
  }
  c.db.open(entry);
  return Buffer.from(c.db.vbuf.subarray(c.db.vpos, c.db.vpos + c.db.vlen));
}

function parseOptions(c: Context): LcsOptions {
  const options = { length: false, matches: false, matchLengths: false, minLength: 0 };
  for (let i = 3; i < c.argc; i++) {
    if (c.is(i, 'idx')) options.matches = true;
    else if (c.is(i, 'len')) options.length = true;
    else if (c.is(i, 'withmatchlen')) options.matchLengths = true;
    else if (c.is(i, 'minmatchlen') && i + 1 < c.argc) options.minLength = Math.max(0, c.integer(++i));
    else throw new CommandError(ERRORS.syntax);
  }
  if (options.matches && options.length) {
    throw new CommandError('ERR If you want both the length and indexes, please just use IDX.');
  }
  return options;
}

/** Cell (i, j) is the length for the first i bytes of a and j bytes of b. */
function fillTable(a: Uint8Array, b: Uint8Array): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const at = i * width + j;
      table[at] = a[i - 1] === b[j - 1] ? table[at - width - 1] + 1 : Math.max(table[at - width], table[at - 1]);
    }
  }
  return table;
}

function subsequence(table: Uint32Array, a: Uint8Array, b: Uint8Array, total: number): Buffer {
  const result = Buffer.alloc(total);
  let left = total;
  walk(table, a, b, (i) => {
    result[--left] = a[i];
  });
  return result;
}

/** Visits the matching positions from the end to the start, as Redis chooses among equals. */
function walk(table: Uint32Array, a: Uint8Array, b: Uint8Array, match: (i: number, j: number) => void): void {
  const width = b.length + 1;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      match(--i, --j);
    } else if (table[(i - 1) * width + j] > table[i * width + j - 1]) i--;
    else j--;
  }
}

function replyMatches(
  c: Context,
  table: Uint32Array,
  a: Uint8Array,
  b: Uint8Array,
  options: LcsOptions,
  total: number,
): void {
  /** Ranges from the end to the start: first and last index in a, first and last in b. */
  const ranges: number[][] = [];
  let range: number[] | null = null;
  walk(table, a, b, (i, j) => {
    if (range !== null && range[0] === i + 1 && range[2] === j + 1) {
      range[0] = i;
      range[2] = j;
      return;
    }
    range = [i, i, j, j];
    ranges.push(range);
  });
  const shown = ranges.filter(([from, to]) => options.minLength === 0 || to - from + 1 >= options.minLength);
  c.reply.map(2);
  c.reply.text('matches');
  c.reply.array(shown.length);
  for (const [aFrom, aTo, bFrom, bTo] of shown) {
    c.reply.array(options.matchLengths ? 3 : 2);
    c.reply.array(2);
    c.reply.int(aFrom);
    c.reply.int(aTo);
    c.reply.array(2);
    c.reply.int(bFrom);
    c.reply.int(bTo);
    if (options.matchLengths) c.reply.int(aTo - aFrom + 1);
  }
  c.reply.text('len');
  c.reply.int(total);
}
