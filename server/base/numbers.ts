// Numbers in ASCII bytes, as Redis reads and prints them: strict 64-bit integers and doubles.

export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;

/**
 * Parses a canonical decimal integer (no blanks, no plus sign, no leading zeros) of at most 15 digits, which a number
 * holds exactly. Returns NaN for anything else, longer integers included: parseInt64 decides about those.
 */
export function parseInteger(buf: Uint8Array, pos: number, len: number): number {
  if (len === 0 || len > 16) return Number.NaN;
  let p = pos;
  const end = pos + len;
  const negative = buf[p] === 45;
  if (negative) p++;
  const digits = end - p;
  if (digits === 0 || digits > 15) return Number.NaN;
  let value = buf[p] - 48;
  if (value < 0 || value > 9) return Number.NaN;
  if (value === 0) return digits === 1 && !negative ? 0 : Number.NaN;
  for (p++; p < end; p++) {
    const digit = buf[p] - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Parses a canonical decimal integer in the signed 64-bit range; null for anything else. */
export function parseInt64(buf: Uint8Array, pos: number, len: number): bigint | null {
  const small = parseInteger(buf, pos, len);
  if (!Number.isNaN(small)) return BigInt(small);
  if (len < 16 || len > 20) return null;
  const negative = buf[pos] === 45;
  const start = negative ? pos + 1 : pos;
  const end = pos + len;
  if (buf[start] < 49 || buf[start] > 57) return null;
  let value = 0n;
  for (let p = start; p < end; p++) {
    const digit = buf[p] - 48;
    if (digit < 0 || digit > 9) return null;
    value = value * 10n + BigInt(digit);
  }
  if (negative) value = -value;
  return value < INT64_MIN || value > INT64_MAX ? null : value;
}

/** Whether the bytes are a canonical decimal integer in the signed 64-bit range (what the `int` encoding holds). */
export function isInt64(buf: Uint8Array, pos: number, len: number): boolean {
  if (len === 0 || len > 20) return false;
  const first = buf[pos];
  if (first !== 45 && (first < 48 || first > 57)) return false;
  const small = parseInteger(buf, pos, len);
  if (!Number.isNaN(small)) return true;
  return len >= 16 && parseInt64(buf, pos, len) !== null;
}

/** Writes a safe integer in decimal at `pos`; returns the position after it. */
export function writeInteger(buf: Uint8Array, pos: number, value: number): number {
  let p = pos;
  let rest = value;
  if (rest < 0) {
    buf[p++] = 45;
    rest = -rest;
  }
  if (rest < 10) {
    buf[p] = 48 + rest;
    return p + 1;
  }
  const end = p + decimalDigits(rest);
  let at = end;
  while (rest > 0x7fffffff) {
    const quotient = Math.floor(rest / 10);
    buf[--at] = 48 + (rest - quotient * 10);
    rest = quotient;
  }
  let small = rest | 0;
  while (at > p) {
    const quotient = (small / 10) | 0;
    buf[--at] = 48 + (small - quotient * 10);
    small = quotient;
  }
  return end;
}

/** Number of decimal digits of a non-negative safe integer. */
export function decimalDigits(value: number): number {
  // Comparisons only, up to 10 digits: this runs once per integer reply.
  if (value < 100000) {
    if (value < 100) return value < 10 ? 1 : 2;
    if (value < 1000) return 3;
    return value < 10000 ? 4 : 5;
  }
  if (value < 10000000) return value < 1000000 ? 6 : 7;
  if (value < 1000000000) return value < 100000000 ? 8 : 9;
  let digits = 9;
  for (let rest = Math.floor(value / 1000000000); rest > 0; rest = Math.floor(rest / 10)) digits++;
  return digits;
}

const DOUBLE =
  /^[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|0x[0-9a-f]+(?:\.[0-9a-f]*)?(?:p[+-]?\d+)?)$/i;

/**
 * Parses a double as strtod does with the whole text consumed: decimal, exponent, `inf`, `infinity`, hexadecimal.
 * Returns NaN for anything else (`nan` included, which no command accepts).
 */
export function parseDouble(text: string): number {
  if (!DOUBLE.test(text)) return Number.NaN;
  const lower = text.toLowerCase();
  const negative = lower.startsWith('-');
  const body = lower.replace(/^[+-]/, '');
  let value: number;
  if (body.startsWith('inf')) value = Number.POSITIVE_INFINITY;
  else if (body.startsWith('0x')) value = parseHexDouble(body);
  else value = Number(body);
  return negative ? -value : value;
}

/** Digits, sign and point of a number that is an exact integer over an exact power of ten. */
const PLAIN_BYTES_MAX = 15;

/**
 * The value of at most 15 digits with a point at most, or NaN. Both the digits and the power of ten are exact doubles,
 * so that one division rounds correctly.
 */
export function plainDecimal(buf: Uint8Array, pos: number, len: number): number {
  if (len === 0 || len > PLAIN_BYTES_MAX) return Number.NaN;
  const end = pos + len;
  const negative = buf[pos] === 45;
  let value = 0;
  let scale = 0;
  let p = negative ? pos + 1 : pos;
  if (p === end) return Number.NaN;
  for (; p < end; p++) {
    const digit = buf[p] - 48;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      scale *= 10;
    } else if (digit === -2 && scale === 0 && p > pos && p + 1 < end && buf[p - 1] >= 48) {
      scale = 1;
    } else {
      return Number.NaN;
    }
  }
  if (scale > 1) value /= scale;
  return negative ? -value : value;
}

/** Prints a double as Redis 7.0 replies do: `%.17g`, with inf, -inf and nan. */
export function formatDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  if (Number.isNaN(value)) return 'nan';
  if (Object.is(value, -0)) return '-0';
  if (Number.isInteger(value) && Math.abs(value) < 1e17) return value.toFixed(0);
  return printf17g(value);
}

/** C's `%.17g`. */
export function printf17g(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : Number.isNaN(value) ? 'nan' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = exponential17(value).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 17) {
    const sign = exponent < 0 ? '-' : '+';
    return `${stripZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return stripZeros(toPlain(mantissa, exponent));
}

/** toExponential(16) that rounds a tie to the even digit, as C does; the built-in one rounds it away from zero. */
function exponential17(value: number): string {
  const rounded = value.toExponential(16);
  // A tie has 18 digits, the last of them a 5, and 5 to the 26th has 19: so few digits have at most 25 binary places.
  if (!Number.isInteger(value * 2 ** 25)) return rounded;
  const [mantissa, exponent] = value.toExponential(50).split('e');
  const cut = mantissa.indexOf('.') + 17;
  const isTie = /^50*$/.test(mantissa.slice(cut));
  return isTie && mantissa.charCodeAt(cut - 1) % 2 === 0 ? `${mantissa.slice(0, cut)}e${exponent}` : rounded;
}

function toPlain(mantissa: string, exponent: number): string {
  const negative = mantissa.startsWith('-');
  const digits = mantissa.replace(/[-.]/g, '');
  const text =
    exponent < 0
      ? `0.${'0'.repeat(-exponent - 1)}${digits}`
      : `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
  return negative ? `-${text}` : text;
}

function stripZeros(text: string): string {
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
}

function parseHexDouble(text: string): number {
  const [digits, exponent] = text.slice(2).split('p');
  const [whole, fraction = ''] = digits.split('.');
  const mantissa = Number.parseInt(whole + fraction, 16);
  return mantissa * 2 ** (Number(exponent ?? 0) - 4 * fraction.length);
}
