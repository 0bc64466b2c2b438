// The 24 bits an entry keeps of its use, for eviction and OBJECT IDLETIME/FREQ.
//
//   LRU: seconds since 1970 modulo 2^24 of the last use
//   LFU: | minutes of the last decrement, modulo 2^16 | logarithmic counter, 8 bits |

const CLOCK_BITS_MAX = 0xffffff;
/** New keys start here, so that they are not evicted before they had a chance. */
const LFU_INITIAL = 5;

/** The LRU clock of a moment. */
export function lruClock(nowMs: number): number {
  return Math.floor(nowMs / 1000) & CLOCK_BITS_MAX;
}

/** Seconds since the last use by an LRU clock. */
export function idleSeconds(clock: number, nowMs: number): number {
  return (lruClock(nowMs) - clock) & CLOCK_BITS_MAX;
}

function lfuMinutes(nowMs: number): number {
  return Math.floor(nowMs / 60000) & 0xffff;
}

/** The LFU clock of a new key. */
export function initialFrequency(nowMs: number): number {
  return (lfuMinutes(nowMs) << 8) | LFU_INITIAL;
}

/** The counter after the decay of the minutes gone by; `decayMinutes` is lfu-decay-time. */
export function decodeFrequency(clock: number, nowMs: number, decayMinutes: number): number {
  const counter = clock & 255;
  if (decayMinutes === 0) return counter;
  const elapsed = (lfuMinutes(nowMs) - (clock >>> 8)) & 0xffff;
  return Math.max(0, counter - Math.floor(elapsed / decayMinutes));
}

/** The clock after one more use: the counter grows with a probability that falls as it rises (lfu-log-factor). */
export function countUse(
  clock: number,
  nowMs: number,
  decayMinutes: number,
  logFactor: number,
  random: () => number,
): number {
  let counter = decodeFrequency(clock, nowMs, decayMinutes);
  if (counter < 255 && random() < 1 / (Math.max(0, counter - LFU_INITIAL) * logFactor + 1)) counter++;
  return (lfuMinutes(nowMs) << 8) | counter;
}
