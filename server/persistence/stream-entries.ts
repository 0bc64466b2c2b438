// The entries of a stream node, taken apart; for digests and for writing streams as commands. values/stream-node.ts draws
// the layout.

import { ListpackCursor } from '../formats/rdb/listpack.ts';
import type { Slice } from '../formats/rdb/slice.ts';

const DELETED = 1;
const SAME_FIELDS = 2;

/** Calls `visit` with the id (as text) and the fields and values of every entry that is not deleted. */
export function forEachStreamEntry(id: Slice, listpack: Slice, visit: (id: string, pairs: Buffer[]) => void): void {
  const node = Buffer.from(id.copy());
  const words = elements(listpack);
  const number = (i: number) => BigInt(words[i].toString('latin1'));
  const base = { ms: node.readBigUInt64BE(0), sequence: node.readBigUInt64BE(8) };
  const fieldCount = Number(number(2));
  const fields = words.slice(3, 3 + fieldCount);
  let at = 3 + fieldCount + 1;
  while (at < words.length) {
    const flags = Number(number(at));
    const ms = BigInt.asUintN(64, base.ms + number(at + 1));
    const sequence = BigInt.asUintN(64, base.sequence + number(at + 2));
    const same = (flags & SAME_FIELDS) !== 0;
    const count = same ? fieldCount : Number(number(at + 3));
    const first = same ? at + 3 : at + 4;
    const end = first + (same ? count : count * 2);
    if ((flags & DELETED) === 0) {
      const values = words.slice(first, end);
      visit(`${ms}-${sequence}`, same ? values.flatMap((value, i) => [fields[i], value]) : values);
    }
    at = end + 1;
  }
}

function elements(listpack: Slice): Buffer[] {
  const words: Buffer[] = [];
  const cursor = new ListpackCursor();
  cursor.open(listpack.bytes, listpack.start, listpack.end);
  while (cursor.next()) words.push(Buffer.from(cursor.text().copy()));
  return words;
}
