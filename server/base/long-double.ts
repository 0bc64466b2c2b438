// Sums of decimals as INCRBYFLOAT and HINCRBYFLOAT print them. Redis adds x87 long doubles (64-bit mantissa) and prints
// 17 digits after the point without trailing zeros; doubles alone would print 3.0000000000000004 where Redis says 3.
//
// The numbers are held exactly as (mantissa, exponent) over BigInt, rounded to 64 bits like the hardware does.

const MANTISSA_BITS = 64;
const FRACTION_DIGITS = 17;

interface Binary {
  /** Value is mantissa * 2^exponent. */
  mantissa: bigint;
  exponent: number;
}

/** The sum of two decimal texts as Redis prints it, or null when it is not finite. Both must satisfy parseDouble. */
export function addLongDouble(first: string, second: string): string | null {
  const a = parse(first);
  const b = parse(second);
  if (a === null || b === null) return null;
  const exponent = Math.min(a.exponent, b.exponent);
  const mantissa = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  return print(round(mantissa, exponent));
}

function parse(text: string): Binary | null {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) {
    const value = Number(text);
    return Number.isFinite(value) ? fromDouble(value) : null;
  }
  const [, sign, whole, fraction = '', power = '0'] = match;
  const digits = BigInt(`${whole}${fraction}` || '0');
  const scale = Number(power) - fraction.length;
  // Beyond the range of long double: infinite, or zero.
  if (scale > 5000) return digits === 0n ? { mantissa: 0n, exponent: 0 } : null;
  if (scale < -10000) return { mantissa: 0n, exponent: 0 };
  const signed = sign === '-' ? -digits : digits;
  if (scale >= 0) return round(signed * 10n ** BigInt(scale), 0);
  // Divide with enough extra bits that one rounding to 64 bits is correct.
  const divisor = 10n ** BigInt(-scale);
  const extra = MANTISSA_BITS + 8 + bitLength(divisor);
  const quotient = (signed << BigInt(extra)) / divisor;
  const sticky = (signed << BigInt(extra)) % divisor === 0n ? 0n : signed < 0n ? -1n : 1n;
  return round((quotient << 1n) + sticky, -extra - 1);
}

function fromDouble(value: number): Binary {
  let exponent = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent--;
  }
  return { mantissa: BigInt(scaled), exponent };
}

/** Rounds to 64 significant bits, half to even. */
function round(mantissa: bigint, exponent: number): Binary {
  const negative = mantissa < 0n;
  let magnitude = negative ? -mantissa : mantissa;
  const excess = bitLength(magnitude) - MANTISSA_BITS;
  if (excess <= 0) return { mantissa, exponent };
  const shift = BigInt(excess);
  const half = 1n << (shift - 1n);
  const rest = magnitude & ((1n << shift) - 1n);
  magnitude >>= shift;
  if (rest > half || (rest === half && (magnitude & 1n) === 1n)) magnitude += 1n;
  return { mantissa: negative ? -magnitude : magnitude, exponent: exponent + excess };
}

/** `%.17Lf` with trailing zeros removed. */
function print(value: Binary): string | null {
  const { mantissa, exponent } = value;
  if (exponent + bitLength(mantissa < 0n ? -mantissa : mantissa) > 16384) return null;
  const negative = mantissa < 0n;
  const magnitude = negative ? -mantissa : mantissa;
  let scaled = magnitude * 10n ** BigInt(FRACTION_DIGITS);
  if (exponent >= 0) scaled <<= BigInt(exponent);
  else {
    const shift = BigInt(-exponent);
    const half = 1n << (shift - 1n);
    const rest = scaled & ((1n << shift) - 1n);
    scaled >>= shift;
    if (rest > half || (rest === half && (scaled & 1n) === 1n)) scaled += 1n;
  }
  const digits = scaled.toString().padStart(FRACTION_DIGITS + 1, '0');
  const whole = digits.slice(0, -FRACTION_DIGITS);
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
  const text = fraction === '' ? whole : `${whole}.${fraction}`;
  return negative && text !== '0' ? `-${text}` : text;
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : (value < 0n ? -value : value).toString(2).length;
}
