// PFSELFTEST: registers keep what is written to them, and estimates stay within the error the method promises.

import { Arena } from '../memory/arena.ts';
import { BlockRegion } from '../memory/region.ts';
import {
  addRegister,
  countDistinct,
  emptyHyperLogLog,
  getDense,
  HEADER_BYTES,
  makeDense,
  REGISTERS,
  registerOf,
  setDense,
} from '../values/hyperloglog.ts';
import type { Context } from './context.ts';
import { CommandError } from './errors.ts';

const ROUNDS = 20;
const ELEMENTS = 1_000_000;
/** Standard error of 16384 registers; estimates may be off by four times as much, plus a few for tiny counts. */
const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);

export function pfselftest(c: Context): void {
  checkRegisters(c);
  checkEstimates(c);
  c.reply.ok();
}

function newRegion(): BlockRegion {
  const bytes = emptyHyperLogLog();
  const region = new BlockRegion(new Arena()).create(bytes.length);
  region.buf.set(bytes, region.pos);
  return region;
}

function checkRegisters(c: Context): void {
  const region = newRegion();
  makeDense(region);
  const expected = new Uint8Array(REGISTERS);
  const start = region.pos + HEADER_BYTES;
  for (let round = 0; round < ROUNDS; round++) {
    for (let index = 0; index < REGISTERS; index++) {
      expected[index] = c.server.random(64);
      setDense(region.buf, start, index, expected[index]);
    }
    for (let index = 0; index < REGISTERS; index++) {
      const value = getDense(region.buf, start, index);
      if (value === expected[index]) continue;
      throw new CommandError(`TESTFAILED Register ${index} should be ${expected[index]} but is ${value}`);
    }
  }
}

function checkEstimates(c: Context): void {
  const sparse = newRegion();
  const dense = newRegion();
  makeDense(dense);
  const element = Buffer.alloc(8);
  const salt = c.server.random(0x7fffffff);
  element.writeInt32LE(salt, 4);
  let checkAt = 1;
  for (let count = 1; count <= ELEMENTS; count++) {
    element.writeInt32LE(count, 0);
    const register = registerOf(element, 0, element.length);
    addRegister(dense, register, 0);
    addRegister(sparse, register, 3000);
    if (count !== checkAt) continue;
    checkAt *= 10;
    const estimated = countDistinct(dense.buf, dense.pos, dense.len);
    if (countDistinct(sparse.buf, sparse.pos, sparse.len) !== estimated) {
      throw new CommandError('TESTFAILED dense/sparse disagree');
    }
    const allowed = Math.ceil(STANDARD_ERROR * 6 * count) + (count === 10 ? 1 : 0);
    if (Math.abs(estimated - count) <= allowed) continue;
    throw new CommandError(`TESTFAILED Too big error. card:${count} estimated:${estimated}`);
  }
}
