// Writes down what a reader tells, one line per event, so that tests can compare what was told.

import { RdbReader, type RdbReaderOptions } from '../../../../server/formats/rdb/reader.ts';
import type { Slice } from '../../../../server/formats/rdb/slice.ts';
import type { RdbVisitor } from '../../../../server/formats/rdb/visitor.ts';

const events = [
  'header aux selectDb resizeDb slotInfo slotImport slotImportRange functionLibrary moduleAux keyMetadata inlineCommand key',
  'string skipped begin',
  'element scored pair blob plainNode ziplistNode listpackNode streamNode streamInfo streamGroup streamPending',
  'streamConsumer streamOwned streamUnowned streamIdempotency foreign module emptyValue keyEnd end',
]
  .join(' ')
  .split(' ');

/** A visitor whose events end up in `log`; binary strings are shown in hex. */
export function loggingVisitor(log: string[]): RdbVisitor {
  const visitor: Record<string, (...values: unknown[]) => void> = {};
  for (const name of events) visitor[name] = (...values) => log.push([name, ...values.map(show)].join(' '));
  return visitor as unknown as RdbVisitor;
}

/** Reads `bytes` in pieces of `step` bytes. */
export function readLog(bytes: Uint8Array, options: RdbReaderOptions = {}, step = bytes.length): string[] {
  const log: string[] = [];
  const reader = new RdbReader(loggingVisitor(log), options);
  let state: 'more' | 'done' = 'more';
  for (let at = 0; at < bytes.length && state === 'more'; at += step)
    state = reader.push(bytes.subarray(at, at + step));
  if (state === 'more') reader.finish();
  return log;
}

function show(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  if ('bytes' in value) {
    const bytes = Buffer.from((value as Slice).copy());
    return /^[ -~]*$/.test(bytes.toString('latin1')) ? `"${bytes.toString('latin1')}"` : `x${bytes.toString('hex')}`;
  }
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? `${part}` : part));
}
