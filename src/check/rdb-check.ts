// Checks one RDB: drives the reader over the input in windows and prints what redis-check-rdb prints, line for line.

import { RdbError } from '../../server/formats/rdb/errors.ts';
import { RdbReader } from '../../server/formats/rdb/reader.ts';
import { type RdbFlavour, rdbTypes } from '../../server/formats/rdb/types.ts';
import { Findings } from './findings.ts';
import type { Input } from './input.ts';
import type { CheckIo } from './io.ts';
import { printable } from './printable.ts';
import { Progress } from './progress.ts';
import { CheckingVisitor, EmptyCollection, type RdbDatabase } from './rdb-visitor.ts';

/** Values longer than this, which nobody looks into, are passed over. */
const HELD_BYTES_MAX = 64;
/** Type names that redis-check-rdb 7.0 knows; it calls the rest "unknown". */
const NAMED_TYPES_OF_VERSION_10 = 19;
const VERSION_OF_FIELD_EXPIRY = 12;

export type RdbVerdict = {
  sound: boolean;
  /** The reader came to the end of the RDB. */
  complete: boolean;
  /** Bytes that belong to the RDB; an AOF's commands may follow. */
  bytes: number;
  version: number;
  flavour: RdbFlavour;
  keys: number;
  expires: number;
  expired: number;
  fieldExpiries: number;
  functions: number;
  checksum: 'good' | 'off' | 'none';
  aux: Record<string, string>;
  databases: RdbDatabase[];
  types: Record<string, number>;
  findings: Findings;
  /** What was read beyond the RDB. */
  rest: Uint8Array;
};

export type RdbCheckOptions = {
  /** Look for everything, go on after damage where possible. Otherwise: redis-check-rdb. */
  thorough: boolean;
  /** Gets the lines of redis-check-rdb's output (byte text). */
  say: (line: string) => void;
  /** The name in the first line. */
  name: string;
};

/** Reads `input` up to the end of the RDB. Throws only what reading the input throws. */
export async function checkRdb(input: Input, io: CheckIo, options: RdbCheckOptions): Promise<RdbVerdict> {
  const findings = new Findings();
  const progress = new Progress(io, options.name, input.size);
  const say = (line: string) => {
    progress.stop(); // until the next window; a line never lands on the bar
    options.say(line);
  };
  const visitor = new CheckingVisitor({
    nowMs: io.nowMs(),
    seed: io.randomSeed(),
    say,
    findings: options.thorough ? findings : null,
  });
  const reader = new RdbReader(visitor, {
    integrity: 'deep',
    skipStringsOver: HELD_BYTES_MAX,
    seed: io.randomSeed(),
    ...(options.thorough ? { recover: (error) => note(findings, visitor, error) } : {}),
  });
  visitor.reader = reader;
  say(`[offset 0] Checking RDB file ${Buffer.from(options.name, 'utf8').toString('latin1')}`);
  const error = await feed(reader, input, progress);
  if (error !== null) {
    if (!(error instanceof EmptyCollection)) note(findings, visitor, error);
    sayError(reader, error, say);
  } else {
    say(`[offset ${reader.offset}] \\o/ RDB looks OK! \\o/`);
  }
  sayCounts(reader, visitor, say);
  return {
    complete: error === null,
    sound: error === null && findings.errors === 0,
    bytes: reader.offset,
    version: reader.version,
    flavour: reader.flavour,
    keys: reader.keysRead,
    expires: visitor.expires,
    expired: visitor.expired,
    fieldExpiries: visitor.fieldExpiries,
    functions: visitor.functions,
    checksum: visitor.checksum,
    aux: visitor.auxFields,
    databases: visitor.databases,
    types: visitor.types,
    findings,
    rest: error === null ? reader.rest() : new Uint8Array(0),
  };
}

/** Null when the RDB was complete. */
async function feed(reader: RdbReader, input: Input, progress: Progress): Promise<RdbError | EmptyCollection | null> {
  try {
    for (;;) {
      const count = input.read(reader.room());
      if (count === 0) reader.finish();
      reader.filled(count);
      if (reader.run() === 'done') return null;
      await progress.at(input.position);
    }
  } catch (error) {
    if (error instanceof RdbError || error instanceof EmptyCollection) return error;
    throw error;
  } finally {
    progress.stop();
  }
}

/** Takes down damage; true, so that the reader goes on where it can. */
function note(findings: Findings, visitor: CheckingVisitor, error: RdbError): true {
  const last = findings.list.at(-1);
  if (last?.offset === error.offset && last.message === error.message) return true;
  const key = error.key === null ? {} : { key: Buffer.from(printable(error.key), 'latin1').toString('utf8') };
  findings.add({
    severity: 'error',
    code: error.code,
    message: error.message,
    offset: error.offset,
    db: visitor.currentDb,
    ...key,
  });
  return true;
}

function sayError(reader: RdbReader, error: RdbError | EmptyCollection, say: (line: string) => void): void {
  const at = error instanceof RdbError ? error : reader.describe('Unexpected EOF reading RDB file');
  say('--- RDB ERROR DETECTED ---');
  say(`[offset ${at.offset}] ${at.message}`);
  say(`[additional info] While doing: ${at.activity}`);
  if (at.key !== null) say(`[additional info] Reading key '${printable(at.key)}'`);
  if (at.type !== -1) say(`[additional info] Reading type ${at.type} (${typeName(reader, at.type)})`);
}

function typeName(reader: RdbReader, type: number): string {
  const known = reader.version > 10 || type < NAMED_TYPES_OF_VERSION_10;
  const info = known ? rdbTypes(reader.flavour)[type] : undefined;
  return info?.name ?? (type === 8 ? '' : 'unknown');
}

function sayCounts(reader: RdbReader, visitor: CheckingVisitor, say: (line: string) => void): void {
  say(`[info] ${reader.keysRead} keys read`);
  say(`[info] ${visitor.expires} expires`);
  say(`[info] ${visitor.expired} already expired`);
  if (reader.version >= VERSION_OF_FIELD_EXPIRY) say(`[info] ${visitor.fieldExpiries} subexpires`);
}
