// Bit offsets as SETBIT, GETBIT and BITFIELD read them.

import { parseInteger } from '../base/numbers.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';
import { growString } from './string-store.ts';

const OFFSET_INVALID = 'ERR bit offset is not an integer or out of range';
const HASH = 35;

/**
 * The bit offset in argument `i`, at most proto-max-bulk-len bytes into the string. With `fieldBits` above 0, `#n` means
 * the n-th field of that width.
 */
export function bitOffset(c: Context, i: number, fieldBits = 0): number {
  let offset: number;
  if (fieldBits > 0 && c.len[i] > 0 && c.buf[c.pos[i]] === HASH) {
    offset = parseInteger(c.buf, c.pos[i] + 1, c.len[i] - 1) * fieldBits;
    if (Number.isNaN(offset)) throw new CommandError(OFFSET_INVALID);
  } else {
    offset = c.integer(i, OFFSET_INVALID);
  }
  if (offset < 0 || (!c.replaying && Math.floor(offset / 8) >= c.server.limits.bulkBytesMax))
    throw new CommandError(OFFSET_INVALID);
  return offset;
}

/** Makes the string of argument 1 (`entry`, or 0) long enough for a bit, and opens it. Returns whether it grew. */
export function growForBit(c: Context, entry: number, offset: number): boolean {
  let before = -1;
  if (entry !== 0) {
    c.db.open(entry);
    before = c.db.vlen;
  }
  c.db.open(growString(c, 1, entry, Math.floor(offset / 8) + 1));
  return c.db.vlen !== before;
}
