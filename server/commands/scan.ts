// The arguments that SCAN, HSCAN, SSCAN and ZSCAN share.

import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';

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
  const text = c.text(i);
  if (!/^\s*[+-]?\d+$/.test(text) || text.length > 20) throw new CommandError('ERR invalid cursor');
  return Number(BigInt.asUintN(32, BigInt(text.trim())));
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

