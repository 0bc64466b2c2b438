// Both forms of a dump, cut anywhere.

import { describe, expect, it } from 'vitest';
import { PayloadReader } from '../../../server/replication/payload-reader.ts';

const MARK = '0123456789'.repeat(4);

/** Reads a payload that arrives in pieces of `size` bytes: the dump, and what lies behind it. */
function readIn(size: number, text: string): { dump: string; rest: string | null } {
  let dump = '';
  const reader = new PayloadReader(() => ({
    write: (chunk) => {
      dump += chunk.toString('latin1');
    },
  }));
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) {
    const rest = reader.take(bytes.subarray(at, at + size));
    if (rest !== null) return { dump, rest: rest.toString('latin1') + bytes.toString('latin1', at + size) };
  }
  return { dump, rest: null };
}

describe('a dump from a primary', () => {
  it.each([1, 2, 7, 39, 40, 41, 1000])('is read in pieces of %i bytes', (size) => {
    expect(readIn(size, '\n\n$5\r\nREDIS*1\r\n')).toEqual({ dump: 'REDIS', rest: '*1\r\n' });
    expect(readIn(size, `\n$EOF:${MARK}\r\nREDIS${MARK}`)).toEqual({ dump: 'REDIS', rest: '' });
    expect(readIn(size, '$5\r\nREDI')).toEqual({ dump: 'REDI', rest: null });
    expect(readIn(size, '$0\r\n')).toEqual({ dump: '', rest: '' });
  });

  it('is refused when it is none', () => {
    expect(() => readIn(1000, '-ERR no\r\n')).toThrow('MASTER aborted replication with an error: ERR no');
    expect(() => readIn(1000, '+OK\r\n')).toThrow(/Bad protocol from MASTER/);
    expect(() => readIn(1000, 'x'.repeat(2000))).toThrow(/no head/);
  });
});
