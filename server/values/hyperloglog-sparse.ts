// The sparse form of a HyperLogLog: its 16384 registers as a sequence of runs.
//
//   00llllll            zero      l+1 registers (1 to 64) hold 0
//   01llllll llllllll   long zero l+1 registers (1 to 16384) hold 0
//   1vvvvvll            value     l+1 registers (1 to 4) hold v+1 (1 to 32)

import type { Region } from '../memory/region.ts';
import { REGISTERS } from './hyperloglog-hash.ts';

const ZERO_RUN_MAX = 64;
const VALUE_RUN_MAX = 4;
/** The largest register value the sparse form can hold. */
const VALUE_MAX = 32;
/** Runs looked at for merging after a change: nothing further away can have changed. */
const MERGE_SCAN_RUNS = 5;

/** What setSparse() answers when the value has to become dense first. */
export const NEEDS_DENSE = 2;
export const CORRUPT = -1;

/**
 * Raises a register to `rank` if it is lower. The runs start at offset `head` of the region and may take `bytesMax`
 * bytes with the head. Returns 1 when it changed, 0 when not, NEEDS_DENSE when the form can't hold it, or CORRUPT.
 */
export function setSparse(region: Region, head: number, index: number, rank: number, bytesMax: number): number {
  if (rank > VALUE_MAX) return NEEDS_DENSE;
  const { buf, pos } = region;
  const end = pos + region.len;
  let p = pos + head;
  let previous = -1;
  let first = 0;
  let run = 0;
  while (p < end) {
    run = runLength(buf, p, end);
    if (index < first + run) break;
    previous = p;
    p += isLongZero(buf[p]) ? 2 : 1;
    first += run;
  }
  if (p >= end) return CORRUPT;
  const byte = buf[p];
  const isValue = byte >= 0x80;
  const value = isValue ? runValue(byte) : 0;
  if (value >= rank) return 0;
  const mergeFrom = (previous < 0 ? pos + head : previous) - pos;
  if (run === 1 && !isLongZero(byte)) {
    buf[p] = valueRun(rank, 1);
  } else {
    const written = splitRun(isValue ? value : 0, index - first, rank, first + run - 1 - index);
    const old = isLongZero(byte) ? 2 : 1;
    if (written > old && region.len + written - old > bytesMax) return NEEDS_DENSE;
    const offset = p - pos;
    region.splice(offset, old, written);
    for (let i = 0; i < written; i++) region.buf[region.pos + offset + i] = scratch[i];
  }
  mergeRuns(region, mergeFrom);
  return 1;
}

/**
 * Raises the registers of `max` to those of the runs. Returns false when the runs don't describe exactly all registers.
 */
export function mergeSparse(max: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  let index = 0;
  let p = start;
  while (p < end) {
    const byte = buf[p];
    const run = runLength(buf, p, end);
    if (byte >= 0x80) {
      if (index + run > REGISTERS) return false;
      const value = runValue(byte);
      for (let i = index; i < index + run; i++) if (max[i] < value) max[i] = value;
    }
    index += run;
    p += isLongZero(byte) ? 2 : 1;
  }
  return index === REGISTERS;
}

/** Adds the runs' registers to a histogram of values. Returns false like mergeSparse. */
export function countSparse(histogram: Int32Array, buf: Uint8Array, start: number, end: number): boolean {
  let index = 0;
  let p = start;
  while (p < end) {
    const byte = buf[p];
    const run = runLength(buf, p, end);
    histogram[byte >= 0x80 ? runValue(byte) : 0] += run;
    index += run;
    p += isLongZero(byte) ? 2 : 1;
  }
  return index === REGISTERS;
}

/** The runs in words, as PFDEBUG DECODE prints them: `z:3 Z:16300 v:2,1`. */
export function describeSparse(buf: Uint8Array, start: number, end: number): string {
  const runs: string[] = [];
  for (let p = start; p < end; p += isLongZero(buf[p]) ? 2 : 1) {
    const byte = buf[p];
    const run = runLength(buf, p, end);
    if (byte >= 0x80) runs.push(`v:${runValue(byte)},${run}`);
    else runs.push(`${isLongZero(byte) ? 'Z' : 'z'}:${run}`);
  }
  return runs.join(' ');
}

/** The bytes of the run that stands for all registers being 0. */
export const EMPTY_RUNS: readonly [number, number] = [0x40 | ((REGISTERS - 1) >>> 8), (REGISTERS - 1) & 0xff];

function isLongZero(byte: number): boolean {
  return (byte & 0xc0) === 0x40;
}

function runValue(byte: number): number {
  return ((byte >>> 2) & 31) + 1;
}

function valueRun(value: number, length: number): number {
  return 0x80 | ((value - 1) << 2) | (length - 1);
}

function runLength(buf: Uint8Array, p: number, end: number): number {
  const byte = buf[p];
  if (byte >= 0x80) return (byte & 3) + 1;
  if (byte < 0x40) return byte + 1;
  return (((byte & 0x3f) << 8) | (p + 1 < end ? buf[p + 1] : 0)) + 1;
}

/** A run split by a new value is at most two long zeros and the value. */
const scratch = new Uint8Array(5);

/** Writes to `scratch` a run of `value` cut by one register of `rank`; returns the bytes. */
function splitRun(value: number, before: number, rank: number, after: number): number {
  let n = 0;
  if (before > 0) n = putRun(n, value, before);
  scratch[n++] = valueRun(rank, 1);
  if (after > 0) n = putRun(n, value, after);
  return n;
}

function putRun(at: number, value: number, length: number): number {
  if (value > 0) {
    scratch[at] = valueRun(value, length);
    return at + 1;
  }
  if (length <= ZERO_RUN_MAX) {
    scratch[at] = length - 1;
    return at + 1;
  }
  scratch[at] = 0x40 | ((length - 1) >>> 8);
  scratch[at + 1] = (length - 1) & 0xff;
  return at + 2;
}

/** Joins neighbouring runs of the same value, from the run at offset `from` on. */
function mergeRuns(region: Region, from: number): void {
  let offset = from;
  for (let scans = MERGE_SCAN_RUNS; offset < region.len && scans > 0; scans--) {
    const { buf, pos } = region;
    const byte = buf[pos + offset];
    if (byte < 0x80) {
      offset += isLongZero(byte) ? 2 : 1;
      continue;
    }
    const next = offset + 1 < region.len ? buf[pos + offset + 1] : 0;
    if (next >= 0x80 && runValue(next) === runValue(byte)) {
      const joined = (byte & 3) + (next & 3) + 2;
      if (joined <= VALUE_RUN_MAX) {
        buf[pos + offset + 1] = valueRun(runValue(byte), joined);
        region.splice(offset, 1, 0);
        continue;
      }
    }
    offset++;
  }
}
