// Random numbers for keys and members.

/** With a seed the same numbers in every run (xorshift), else those of `random` (0 to below 1). */
export function randomBelow(seed: number | undefined, random: () => number): (bound: number) => number {
  if (seed === undefined) return (bound) => Math.floor(random() * bound);
  let state = seed >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
}
