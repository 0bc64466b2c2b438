// What the server takes from the process it runs in: time, randomness, timers. Tests give their own.

import { closeSync, openSync, readSync } from 'node:fs';
import { REDIS_VERSION } from '../base/version.ts';

export interface Host {
  /** ms since 1970. */
  readonly now: () => number;
  /** Microseconds since 1970. */
  readonly nowMicroseconds: () => number;
  /** ms on a clock that never jumps, with fractions. */
  readonly monotonicMs: () => number;
  /** A random integer from 0 to bound - 1, for sampling; not for secrets. */
  readonly random: (bound: number) => number;
  readonly randomBytes: (bytes: number) => Buffer;
  /** Calls back at a time (ms since 1970); returns a function that cancels. */
  readonly at: (timeMs: number, callback: () => void) => () => void;
  readonly redisVersion: string;
  readonly tsredisVersion: string;
}

declare const __TSREDIS_VERSION__: string;

export { REDIS_VERSION };

/** Longest delay that timers take; later moments are reached in several steps. */
const TIMER_MS_MAX = 0x7fffffff;

export function processHost(): Host {
  // The global is looked up anew at each use.
  const clock = performance;
  return {
    now: Date.now,
    nowMicroseconds: () => Math.floor((performance.timeOrigin + performance.now()) * 1000),
    monotonicMs: () => clock.now(),
    random: (bound) => Math.floor(Math.random() * bound),
    randomBytes,
    at: callAt,
    redisVersion: REDIS_VERSION,
    tsredisVersion: typeof __TSREDIS_VERSION__ === 'string' ? __TSREDIS_VERSION__ : 'development',
  };
}

/** From the kernel's generator, without loading node:crypto, which would be felt at every start; by it where there is none. */
function randomBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  if (readRandom(bytes) === count) return bytes;
  return process.getBuiltinModule('node:crypto').randomBytes(count);
}

function readRandom(into: Buffer): number {
  try {
    const file = openSync('/dev/urandom', 'r');
    try {
      return readSync(file, into);
    } finally {
      closeSync(file);
    }
  } catch {
    return 0;
  }
}

function callAt(timeMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const delay = timeMs - Date.now();
    timer = setTimeout(delay > TIMER_MS_MAX ? arm : callback, Math.max(0, Math.min(delay, TIMER_MS_MAX)));
  };
  arm();
  return () => clearTimeout(timer);
}
