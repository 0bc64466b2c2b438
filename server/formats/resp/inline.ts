// Splits an inline request into words: blanks separate, "..." with escapes (\n \r \t \b \a \xHH) and '...' quote.

const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;
const ESCAPES = new Map<number, number>([
  [110, 10],
  [114, 13],
  [116, 9],
  [98, 8],
  [97, 7],
]);

/** The words between `start` and `end`, or null when quotes are unbalanced or run into the next word. */
export function splitInline(buf: Uint8Array, start: number, end: number): Buffer[] | null {
  const words: Buffer[] = [];
  let p = start;
  for (;;) {
    while (p < end && isBlank(buf[p])) p++;
    if (p >= end || buf[p] === 0) return words;
    const bytes: number[] = [];
    p = readWord(buf, p, end, bytes);
    if (p < 0) return null;
    words.push(Buffer.from(bytes));
  }
}

/** Reads one word from `at` into `bytes`; returns the position after it, or -1. */
function readWord(buf: Uint8Array, at: number, end: number, bytes: number[]): number {
  let p = at;
  while (p < end && !isBlank(buf[p]) && buf[p] !== 0) {
    const c = buf[p];
    if (c === DOUBLE_QUOTE || c === SINGLE_QUOTE) {
      p = c === DOUBLE_QUOTE ? readDoubleQuoted(buf, p + 1, end, bytes) : readSingleQuoted(buf, p + 1, end, bytes);
      if (p < 0 || (p < end && !isBlank(buf[p]))) return -1;
      return p;
    }
    bytes.push(c);
    p++;
  }
  return p;
}

function readDoubleQuoted(buf: Uint8Array, at: number, end: number, bytes: number[]): number {
  for (let p = at; p < end; p++) {
    const c = buf[p];
    if (c === DOUBLE_QUOTE) return p + 1;
    if (c !== BACKSLASH || p + 1 >= end) {
      bytes.push(c);
      continue;
    }
    const hex = buf[p + 1] === 120 && p + 3 < end ? hexPair(buf[p + 2], buf[p + 3]) : -1;
    if (hex >= 0) {
      bytes.push(hex);
      p += 3;
    } else {
      p++;
      bytes.push(ESCAPES.get(buf[p]) ?? buf[p]);
    }
  }
  return -1;
}

function readSingleQuoted(buf: Uint8Array, at: number, end: number, bytes: number[]): number {
  for (let p = at; p < end; p++) {
    if (buf[p] === SINGLE_QUOTE) return p + 1;
    if (buf[p] === BACKSLASH && buf[p + 1] === SINGLE_QUOTE && p + 1 < end) p++;
    bytes.push(buf[p]);
  }
  return -1;
}

function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

function hexPair(high: number, low: number): number {
  const text = String.fromCharCode(high, low);
  return /^[0-9a-fA-F]{2}$/.test(text) ? Number.parseInt(text, 16) : -1;
}
