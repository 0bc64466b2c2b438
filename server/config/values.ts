// Parsing and formatting of single configuration values: integers, memory sizes, enums. Error texts are Redis' own.

/** A value that a directive refuses. The message is what Redis answers, without prefix. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

/** A limit of a range: most are numbers, the 64-bit ones do not fit. */
export type Limit = number | bigint;

export const LONG_MAX = 9223372036854775807n;
export const INT_MAX = 2147483647;
export const INT_MIN = -2147483648;
export const UINT_MAX = 4294967295;
export const ULONG_MAX = 18446744073709551615n;

/** A decimal integer without sign tricks, spaces or leading zeros, as Redis' string2ll takes it. */
export function parseIntegerText(text: string): bigint {
  if (!/^(?:0|-?[1-9][0-9]{0,19})$/.test(text)) throw new ValueError("argument couldn't be parsed into an integer");
  const value = BigInt(text);
  if (value > LONG_MAX || value < -LONG_MAX - 1n) {
    throw new ValueError("argument couldn't be parsed into an integer");
  }
  return value;
}

const units: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1_000_000n,
  mb: 1n << 20n,
  g: 1_000_000_000n,
  gb: 1n << 30n,
};

/**
 * Bytes of `10`, `10k`, `10kb`, `10M`, `10gb`; undefined for anything else. Values over 2^64 are cut to 2^64-1,
 * and an empty number is 0, as in Redis.
 */
export function parseMemoryText(text: string): bigint | undefined {
  const match = /^([0-9]*)([a-zA-Z]*)$/.exec(text);
  const unit = units[(match?.[2] ?? '?').toLowerCase()];
  if (match === null || unit === undefined || (match[1] as string).length > 127) return undefined;
  const value = BigInt(match[1] || '0');
  const bytes = (value > ULONG_MAX ? ULONG_MAX : value) * unit;
  return bytes > ULONG_MAX ? ULONG_MAX : bytes;
}

/** Decimal digits. Values are kept as numbers: beyond 2^53 the low bits are gone, but the 64-bit limits print exactly. */
export function formatInteger(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const exact = BigInt(value);
  if (exact > ULONG_MAX) return String(ULONG_MAX);
  return String(exact === LONG_MAX + 1n ? LONG_MAX : exact);
}

/** Bytes in the largest unit that divides them: `1gb`, `64mb`, `4kb`, `100`. */
export function formatMemory(bytes: number): string {
  if (bytes > 0 && Number.isSafeInteger(bytes)) {
    if (bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}gb`;
    if (bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20}mb`;
    if (bytes % 1024 === 0) return `${bytes / 1024}kb`;
  }
  return formatInteger(bytes);
}

/** Checks the range. */
export function inRange(value: bigint, min: Limit, max: Limit, show: (limit: Limit) => string = String): number {
  if (value < BigInt(min) || value > BigInt(max)) {
    throw new ValueError(`argument must be between ${show(min)} and ${show(max)} inclusive`);
  }
  return Number(value);
}

/** The listed spelling of an enum word, compared without case. */
export function parseEnumWord(words: readonly string[], text: string): string {
  const wanted = text.toLowerCase();
  const found = words.find((word) => word === wanted);
  if (found === undefined) throw new ValueError(`argument(s) must be one of the following: ${words.join(', ')}`);
  return found;
}
