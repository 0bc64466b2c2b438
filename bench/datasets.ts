// Data for measuring persistence: commands that make it, the same on both servers.

export interface Dataset {
  name: string;
  /** Keys at scale 1: about a gigabyte. */
  keys: number;
  /** The command (or commands) that make key number `index`. */
  commands(index: number): string[][];
}

/** Members of the collections that are too large to be packed; one in so many keys of the mixed data is such a one. */
const LARGE_MEMBERS = 1000;
const LARGE_EVERY = 500;
const WORDS = 'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november'.split(' ');

export const DATASETS: readonly Dataset[] = [
  {
    name: 'strings',
    keys: 10_000_000,
    commands: (index) => [['SET', keyName(index), incompressible(index, 32 + (index % 64))]],
  },
  { name: 'mixed types', keys: 2_500_000, commands: mixed },
];

/** Sixteen bytes. */
export function keyName(index: number): string {
  return `key:${String(index).padStart(12, '0')}`;
}

/** Printable bytes without repetition, so that a dump is as large as the data. */
export function incompressible(seed: number, length: number): string {
  let state = seed + 1;
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += String.fromCharCode(48 + ((state >>> 24) % 75));
  }
  return text;
}

/** Every type and encoding in turn; a few are large. */
function mixed(index: number): string[][] {
  const key = keyName(index);
  if (index % LARGE_EVERY < 5) return large(key, index);
  switch (index % 10) {
    case 0:
      return [['SET', key, String(index * 7919)]];
    case 1:
      return [['SET', key, text(index, 40)]];
    case 2:
      return [
        ['SET', key, incompressible(index, 100)],
        ['EXPIRE', key, '1000000'],
      ];
    case 3:
    case 4:
      return [['HSET', key, ...pairs(8, (i) => [`field:${i}`, i % 2 === 0 ? String(index + i) : word(index + i)])]];
    case 5:
      return [['RPUSH', key, ...members(12, (i) => `${word(index + i)}:${index}`)]];
    case 6:
      return [['SADD', key, ...members(16, (i) => String(index * 3 + i * i))]];
    case 7:
      return [['SADD', key, ...members(8, (i) => `${word(i)}-${index}-${i}`)]];
    case 8:
      return [['ZADD', key, ...pairs(10, (i) => [String((index * 31 + i * 17) % 1000), `member:${index + i}`])]];
    default:
      return members(4, (i) => i).map((i) => [
        'XADD',
        key,
        `${index + 1}-${i + 1}`,
        'temperature',
        String(i),
        'unit',
        word(i),
      ]);
  }
}

function large(key: string, index: number): string[][] {
  const name = (i: number): string => `${word(i)}:${index}:${i}`;
  switch (index % LARGE_EVERY) {
    case 0:
      return [['HSET', key, ...pairs(LARGE_MEMBERS, (i) => [name(i), incompressible(i + index, 24)])]];
    case 1:
      return [['SADD', key, ...members(LARGE_MEMBERS, name)]];
    case 2:
      return [['ZADD', key, ...pairs(LARGE_MEMBERS, (i) => [String(((i * 7919) % 10007) / 8), name(i)])]];
    case 3:
      return [['RPUSH', key, ...members(LARGE_MEMBERS, (i) => `${name(i)} ${text(i, 6)}`)]];
    default:
      return members(LARGE_MEMBERS / 4, (i) => i).map((i) => [
        'XADD',
        key,
        `${1_700_000_000_000 + i * 37}-0`,
        'sensor',
        name(i),
        'value',
        String(i * 13),
      ]);
  }
}

function word(index: number): string {
  return WORDS[index % WORDS.length]!;
}

function text(seed: number, words: number): string {
  return members(words, (i) => word(seed * 5 + i * i + (seed >>> 3) * i)).join(' ');
}

function members<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function pairs(count: number, make: (index: number) => string[]): string[] {
  return members(count, make).flat();
}
