// Tells what a file holds by its first bytes, not by its name.

import { hasRdbPreamble } from '../../server/formats/aof/reader.ts';
import { Input } from './input.ts';

const HEAD_BYTES = 4096;

/** `rdb`: magic of an RDB (an AOF with preamble too, when it is not called .aof). `aof`: commands or a manifest. */
export type FileKind = 'rdb' | 'aof';

/** Files that can't be read count as `rdb`, whose checker says why. */
export function kindOfFile(path: string): FileKind {
  if (path === '-') return 'rdb';
  let input: Input;
  try {
    input = new Input(path);
  } catch {
    return 'rdb';
  }
  try {
    if (input.size === null) return 'rdb';
    return kindOf(input.peek(Math.min(HEAD_BYTES, input.size)), path);
  } catch {
    return 'rdb';
  } finally {
    input.close();
  }
}

function kindOf(head: Uint8Array, path: string): FileKind {
  if (hasRdbPreamble(head)) return path.endsWith('.aof') ? 'aof' : 'rdb';
  const text = Buffer.from(head).toString('latin1');
  return /^[*#]|^file /m.test(text) || /\.(aof|manifest)$/.test(path) ? 'aof' : 'rdb';
}
