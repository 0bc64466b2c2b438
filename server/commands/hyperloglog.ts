// PFADD, PFCOUNT, PFMERGE, PFDEBUG, PFSELFTEST: distinct elements counted in at most 12 KiB, stored as a string.

import { Encoding, Type } from '../keyspace/layout.ts';
import type { ValueRegion } from '../keyspace/value-region.ts';
import {
  addRegister,
  CORRUPT,
  cacheCount,
  cachedCount,
  cachedWideCount,
  countDistinct,
  countRegisters,
  describeSparse,
  dropCachedCount,
  emptyHyperLogLog,
  getDense,
  HEADER_BYTES,
  isHyperLogLog,
  isSparse,
  makeDense,
  mergeRegisters,
  REGISTERS,
  raiseRegister,
  registerOf,
} from '../values/hyperloglog.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, ERRORS } from './errors.ts';
import { pfselftest } from './hyperloglog-selftest.ts';
import type { hyperloglogSpecs } from './specs/hyperloglog.ts';

const INVALID = 'WRONGTYPE Key is not a valid HyperLogLog string value.';
const DAMAGED = 'INVALIDOBJ Corrupted HLL object detected';

export const hyperloglogHandlers: Handlers<typeof hyperloglogSpecs> = { pfadd, pfcount, pfmerge, pfdebug, pfselftest };

function pfadd(c: Context): void {
  const entry = c.lookupWrite(1);
  const region = entry === 0 ? create(c, 1) : openForWrite(c, entry);
  let changes = entry === 0 ? 1 : 0;
  const sparseMax = sparseBytesMax(c);
  for (let i = 2; i < c.argc; i++) {
    const result = addRegister(region, registerOf(c.buf, c.pos[i], c.len[i]), sparseMax);
    if (result === CORRUPT) throw new CommandError(DAMAGED);
    changes += result;
  }
  if (changes > 0) {
    dropCachedCount(region.buf, region.pos);
    c.changed(1, '$', 'pfadd');
    c.keyspace.dirty += changes - 1;
  }
  c.reply.int(changes > 0 ? 1 : 0);
}

function pfcount(c: Context): void {
  if (c.argc > 2) {
    const registers = new Uint8Array(REGISTERS);
    for (let i = 1; i < c.argc; i++) mergeKey(c, i, registers);
    c.reply.int(countRegisters(registers));
    return;
  }
  const entry = c.lookupRead(1);
  if (entry === 0) {
    c.reply.int(0);
    return;
  }
  const { buf, pos, len } = openForRead(c, entry);
  let count = cachedCount(buf, pos);
  if (count < 0) {
    count = countDistinct(buf, pos, len);
    if (count === CORRUPT) throw new CommandError(DAMAGED);
    // Keeping the count changes the value: a running snapshot, watchers and replicas must know.
    c.db.findForWrite(c.buf, c.pos[1], c.len[1]);
    c.db.setEncoding(entry, Encoding.raw);
    cacheCount(buf, pos, count);
    c.keyspace.dirty++;
    c.server.events.keyChanged(c.db, c.buf, c.pos[1], c.len[1], c.session);
  }
  if (Number.isSafeInteger(count)) c.reply.int(count);
  else c.reply.bigInt(cachedWideCount(buf, pos));
}

function pfmerge(c: Context): void {
  const registers = new Uint8Array(REGISTERS);
  let dense = false;
  for (let i = 1; i < c.argc; i++) {
    if (mergeKey(c, i, registers) === 'dense') dense = true;
  }
  const entry = c.lookupWrite(1);
  const region = entry === 0 ? create(c, 1) : openForWrite(c, entry);
  if (dense && !makeDense(region)) throw new CommandError(DAMAGED);
  const sparseMax = sparseBytesMax(c);
  for (let index = 0; index < REGISTERS; index++) {
    if (registers[index] > 0) raiseRegister(region, index, registers[index], sparseMax);
  }
  dropCachedCount(region.buf, region.pos);
  c.changed(1, '$', 'pfadd');
  c.reply.ok();
}

function pfdebug(c: Context): void {
  const entry = c.lookupWrite(2);
  if (entry === 0) throw new CommandError('ERR The specified key does not exist');
  const region = openForWrite(c, entry);
  if (c.is(1, 'getreg')) {
    convert(c, region);
    c.reply.array(REGISTERS);
    for (let index = 0; index < REGISTERS; index++) {
      c.reply.int(getDense(region.buf, region.pos + HEADER_BYTES, index));
    }
  } else if (c.is(1, 'decode')) {
    if (!isSparse(region)) throw new CommandError('ERR HLL encoding is not sparse');
    c.reply.text(describeSparse(region.buf, region.pos + HEADER_BYTES, region.pos + region.len));
  } else if (c.is(1, 'encoding')) {
    c.reply.simple(isSparse(region) ? 'sparse' : 'dense');
  } else if (c.is(1, 'todense')) {
    c.reply.int(convert(c, region) ? 1 : 0);
  } else {
    throw new CommandError(`ERR Unknown PFDEBUG subcommand '${c.shown(1)}'`);
  }
}

/** Makes the value dense for PFDEBUG; returns whether it was sparse. */
function convert(c: Context, region: ValueRegion): boolean {
  if (!isSparse(region)) return false;
  if (!makeDense(region)) throw new CommandError(DAMAGED);
  c.keyspace.dirty++;
  return true;
}

/** Raises `registers` to those of the key in argument `i`, if it is there. */
function mergeKey(c: Context, i: number, registers: Uint8Array): 'missing' | 'dense' | 'sparse' {
  const entry = c.lookupRead(i);
  if (entry === 0) return 'missing';
  const region = openForRead(c, entry);
  if (!mergeRegisters(registers, region.buf, region.pos, region.len)) throw new CommandError(DAMAGED);
  return isSparse(region) ? 'sparse' : 'dense';
}

function create(c: Context, i: number): ValueRegion {
  const bytes = emptyHyperLogLog();
  const entry = c.create(i, Type.string, Encoding.raw, bytes.length);
  const region = c.keyspace.region.bind(c.db, entry);
  region.buf.set(bytes, region.pos);
  return region;
}

/** Binds the region to a key's value after checking that it is a HyperLogLog. */
function openForRead(c: Context, entry: number): ValueRegion {
  if (c.db.type(entry) !== Type.string) throw new CommandError(ERRORS.wrongType);
  const region = c.keyspace.region.bind(c.db, entry);
  if (!isHyperLogLog(region.buf, region.pos, region.len)) throw new CommandError(INVALID);
  return region;
}

function openForWrite(c: Context, entry: number): ValueRegion {
  const region = openForRead(c, entry);
  c.db.setEncoding(entry, Encoding.raw);
  return region;
}

function sparseBytesMax(c: Context): number {
  return c.server.settings.hllSparseMaxBytes;
}
