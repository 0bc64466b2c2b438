// The arguments that SCAN, HSCAN, SSCAN and ZSCAN share.

import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';

/** The largest cursor that is read, an unsigned 64-bit number. */
const CURSOR_MAX = 2n ** 64n - 1n;

export interface ScanOptions {
  /** null: everything. */
  pattern: Buffer | null;
  /** Elements to aim at in one call. */
  count: number;
  /** Only keys of this type, `SCAN ... TYPE`. */
  type: string | null;
}

/** A cursor argument: an unsigned number; only 32 bits are ever handed out. */
export function scanCursor(c: Context, i: number): number {
  // As strtoul reads it: nothing is 0, a sign is allowed, a zero byte ends the text.
  const text = c.text(i).split('\0', 1)[0];
  if (text === '') return 0;
  if (!/^[+-]?\d+$/.test(text)) throw new CommandError('ERR invalid cursor');
  const value = BigInt(text.replace('+', ''));
  if (value > CURSOR_MAX || -value > CURSOR_MAX) throw new CommandError('ERR invalid cursor');
  return Number(BigInt.asUintN(32, value));
}

/** Parses MATCH, COUNT and (for SCAN) TYPE from argument `from` on. */
export function parseScan(c: Context, from: number, withType: boolean): ScanOptions {
  const options: ScanOptions = { pattern: null, count: 10, type: null };
  for (let i = from; i < c.argc; i += 2) {
    if (i + 1 >= c.argc) throw new CommandError(ERRORS.syntax);
    if (c.is(i, 'count')) {
      options.count = c.integer(i + 1);
      if (options.count < 1) throw new CommandError(ERRORS.syntax);
    } else if (c.is(i, 'match')) {
      const pattern = c.copy(i + 1);
      options.pattern = pattern.length === 1 && pattern[0] === 42 ? null : pattern;
    } else if (withType && c.is(i, 'type')) {
      options.type = c.text(i + 1).toLowerCase();
    } else throw new CommandError(ERRORS.syntax);
  }
  return options;
}
