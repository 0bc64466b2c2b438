// Redis' glob patterns over bytes: `*`, `?`, `[a-z]`, `[^a]`, backslash escapes.
//
// Backtracking goes to the last star only, so a match costs at most pattern x text steps: no pattern from outside can
// hang the server (redis' recursive matcher needed a limit for that).

/** Whether the whole text matches the pattern. With `nocase`, ASCII letters match in either case. */
export function globMatch(pattern: Uint8Array, text: Uint8Array, nocase = false): boolean {
  return globMatchRange(pattern, text, 0, text.length, nocase);
}

/** Like globMatch for `len` bytes of `buf` from `pos`. */
export function globMatchRange(
  pattern: Uint8Array,
  buf: Uint8Array,
  pos: number,
  len: number,
  nocase = false,
): boolean {
  const end = pos + len;
  let p = 0;
  let s = pos;
  let starAt = -1;
  let starText = 0;
  for (;;) {
    if (p < pattern.length && pattern[p] === 42) {
      starAt = ++p;
      starText = s;
      if (p === pattern.length) return true;
      continue;
    }
    if (s === end) return p >= pattern.length;
    const after = p < pattern.length ? matchOne(pattern, p, buf[s], nocase) : -1;
    if (after >= 0) {
      p = after;
      s++;
    } else if (starAt >= 0) {
      p = starAt;
      s = ++starText;
    } else {
      return false;
    }
  }
}

/** Matches one pattern element at `p` against a byte; returns the position after it, or -1. */
function matchOne(pattern: Uint8Array, p: number, byte: number, nocase: boolean): number {
  const c = pattern[p];
  if (c === 63) return p + 1;
  if (c === 91) return matchClass(pattern, p + 1, byte, nocase);
  const literal = c === 92 && p + 1 < pattern.length ? p + 1 : p;
  return fold(pattern[literal], nocase) === fold(byte, nocase) ? literal + 1 : -1;
}

/** A class from after its `[`. An unclosed class ends with the pattern, as in Redis. */
function matchClass(pattern: Uint8Array, start: number, byte: number, nocase: boolean): number {
  let p = start;
  const negated = pattern[p] === 94;
  if (negated) p++;
  let matched = false;
  const wanted = fold(byte, nocase);
  while (p < pattern.length && pattern[p] !== 93) {
    if (pattern[p] === 92 && p + 1 < pattern.length) {
      p++;
      if (fold(pattern[p], nocase) === wanted) matched = true;
    } else if (pattern[p + 1] === 45 && p + 2 < pattern.length) {
      let low = fold(pattern[p], nocase);
      let high = fold(pattern[p + 2], nocase);
      if (low > high) [low, high] = [high, low];
      if (wanted >= low && wanted <= high) matched = true;
      p += 2;
    } else if (fold(pattern[p], nocase) === wanted) {
      matched = true;
    }
    p++;
  }
  return matched !== negated ? Math.min(p + 1, pattern.length) : -1;
}

function fold(byte: number, nocase: boolean): number {
  return nocase && byte >= 65 && byte <= 90 ? byte | 32 : byte;
}
