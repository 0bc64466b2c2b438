// Commands made up from the command table: every option, token and alternative that the table describes comes up, with
// values that fit often enough to have an effect, and now and then with arguments that are wrong.

import { listCommandDocs } from '../../../server/commands/docs.ts';
import type { ArgumentSpec, CommandSpec } from '../../../server/commands/spec.ts';
import type { Generator } from './generate.ts';
import type { Command } from './pair.ts';

const GROUPS = new Set([
  'string',
  'bitmap',
  'list',
  'hash',
  'set',
  'sorted-set',
  'stream',
  'geo',
  'hyperloglog',
  'generic',
]);
/**
 * Not comparable, or not of a single node: they wait, draw lots for a change, name the time, reach other servers, or
 * follow 7.2 (XSETID; docs/differences.md).
 */
const LEFT_OUT = /^(wait|waitaof|migrate|xsetid|pfdebug|pfselftest|spop|randomkey|.*\|help|object\|freq)$/;
/** What the real server does not have yet. */
const isNewer = (since: string | undefined): boolean => /^(7\.[2-9]|[89]\.)/.test(since ?? '');

/** Prefixes of keys by group, so that commands mostly meet their own type. */
const PREFIXES: Record<string, string> = {
  string: 'k',
  bitmap: 'b',
  list: 'l',
  hash: 'h',
  set: 's',
  'sorted-set': 'z',
  stream: 'x',
  geo: 'g',
  hyperloglog: 'p',
};
const ALL_PREFIXES = Object.values(PREFIXES);
const KEYS_PER_PREFIX = 4;

interface Entry {
  words: string[];
  spec: CommandSpec;
}

const entries: Entry[] = listCommandDocs()
  .filter(({ name, spec }) => GROUPS.has(spec.group) && !LEFT_OUT.test(name) && !isNewer(spec.since))
  .filter(({ spec }) => (spec.arguments ?? []).length > 0)
  .map(({ name, spec }) => ({ words: name.split('|'), spec }));

export class SpecCommands {
  private readonly g: Generator;
  private prefix = 'k';
  private name = '';
  /** Number of keys that numkeys announced, or that stand in a block of keys and values; 0: free. */
  private keyCount = 0;
  private inTransaction = false;

  constructor(g: Generator) {
    this.g = g;
  }

  /** One command. `inTransaction`: blocking ones are allowed. */
  next(inTransaction = false): Command {
    const { g } = this;
    this.inTransaction = inTransaction;
    if (g.once(400))
      return g.pick([['flushdb'], ['swapdb', g.pick(['0', '1', '9']), g.pick(['1', '2', 'x'])], ['dbsize']]);
    if (g.once(60)) return ['select', g.pick(['0', '1', '2', '16', 'x'])];
    if (g.once(40)) return ['spop', this.key('s'), g.pick(['100000', '100000', '0', '-1', 'x'])];
    if (g.once(60)) return ['zadd', `y${g.below(KEYS_PER_PREFIX)}`, ...g.several(1, 3, () => ['0', element(g)]).flat()];
    if (g.once(60))
      return [g.pick(['rpush', 'sadd']), `q${g.below(KEYS_PER_PREFIX)}`, ...g.several(1, 3, () => element(g))];
    if (g.once(200)) return ['lrange', 'w0', '0', '-1'];
    let entry = g.pick(entries);
    while (!inTransaction && entry.spec.flags?.includes('blocking') === true && !entry.words[0].startsWith('xread')) {
      entry = g.pick(entries);
    }
    this.name = entry.words.join('|');
    this.prefix = PREFIXES[entry.spec.group] ?? g.pick(ALL_PREFIXES);
    this.keyCount = 0;
    const words = [...entry.words, ...(entry.spec.arguments ?? []).flatMap((arg) => this.argument(arg))];
    return this.comparable(this.spoil(words));
  }

  /** Takes out what docs/differences.md explains, or what Redis itself leaves open. */
  private comparable(made: string[]): string[] {
    const { g } = this;
    let words = made;
    // Lexical ranges are defined only where all scores are the same: y keys are such sets.
    const lexical = words.findIndex((word) => /bylex$|^zlexcount$/i.test(word));
    if (lexical === 0 || (lexical > 0 && words[0] === 'zrange')) words[1] = `y${g.below(KEYS_PER_PREFIX)}`;
    else if (lexical > 0) words[2] = `y${g.below(KEYS_PER_PREFIX)}`;
    // SORT changes the encoding of a sorted set in Redis; it does not here.
    if (words[0].startsWith('sort')) return this.comparableSort(words);
    // Strings of hundreds of megabytes take their time.
    if (/^(setrange|setbit|bitfield)$/.test(words[0]))
      words = words.map((word) => word.replace(/^#?[0-9]{6,10}$/, '-1'));
    // Counters beyond 2^53.
    if (words[0] === 'xgroup') words = words.map((word) => word.replace(/^[+-]?[0-9]{15,}$/, '7'));
    // Times beyond 2^53 ms, and those so near that they may be over in between.
    if (!/ex|px/.test(words.join(' ').toLowerCase())) return words;
    return words.map((word) => (/^[+0]*[1-9][0-9]{0,5}$|^-?[0-9]{15,}$/.test(word) ? '4000000000' : word));
  }

  /** Sources are q keys, which hold lists and sets; results are w keys, whose nodes are of another size in Redis. */
  private comparableSort(words: string[]): string[] {
    words[1] = `q${this.g.below(KEYS_PER_PREFIX)}`;
    const lower = words.map((word) => word.toLowerCase());
    const store = lower.indexOf('store');
    if (store < 0) return words;
    // What sorts equal comes in any order.
    if (lower.includes('by')) words.splice(store, 2);
    else words[store + 1] = 'w0';
    return words;
  }

  /** Makes one command in fifteen wrong, unless that could make its effect depend on luck or time. */
  private spoil(words: string[]): string[] {
    const { g } = this;
    if (!g.once(15) || /scan|xread|^b|sort|randmember|randfield|^zrank|^zrevrank/.test(words[0])) return words;
    const at = 1 + g.below(words.length - 1);
    const kind = g.below(4);
    if (kind === 0) words.splice(at, 1);
    else if (kind === 1) words.splice(at, 0, g.value());
    else if (kind === 2) words[at] = g.value();
    else words.push(g.pick(words));
    return words;
  }

  private argument(arg: ArgumentSpec): string[] {
    const { g } = this;
    if (isNewer(arg.since) || !this.isAllowed(arg)) return [];
    if (arg.optional === true && !this.isWanted(arg)) return [];
    if (arg.multiple !== true) return this.once(arg, true);
    const announced = arg.type === 'key' && this.keyCount > 0;
    const matched = this.keyCount > 0 && this.name.startsWith('xread') && arg.name === 'id';
    const count = announced || matched ? this.keyCount : 1 + g.below(arg.type === 'block' || g.once(3) ? 3 : 2);
    const words: string[] = [];
    for (let i = 0; i < count; i++) words.push(...this.once(arg, i === 0 || arg.multipleToken === true));
    return words;
  }

  private isWanted(arg: ArgumentSpec): boolean {
    // Scans are compared as a whole.
    if (this.name.endsWith('scan') && arg.name === 'count') return true;
    return this.g.below(10) < 4;
  }

  /** What would wait for real, or tell the time. */
  private isAllowed(arg: ArgumentSpec): boolean {
    if (this.name.startsWith('xread') && arg.name === 'milliseconds') return this.inTransaction;
    return !(this.name === 'restore' && arg.token === 'FREQ');
  }

  private once(arg: ArgumentSpec, withToken: boolean): string[] {
    const { g } = this;
    const token = withToken && arg.token !== undefined ? [g.once(4) ? arg.token.toLowerCase() : arg.token] : [];
    if (arg.type === 'pure-token') return token;
    if (arg.type === 'oneof') {
      const choices = (arg.arguments ?? []).filter((other) => !isNewer(other.since) && other.name !== 'auto_id');
      return [...token, ...this.once(g.pick(choices), true)];
    }
    if (arg.type === 'block') {
      if (arg.name === 'streams') this.keyCount = 1 + g.below(2);
      return [...token, ...(arg.arguments ?? []).flatMap((part) => this.argument(part))];
    }
    return [...token, this.value(arg)];
  }

  private value(arg: ArgumentSpec): string {
    const { g } = this;
    if (arg.type === 'key') return this.key(this.prefix);
    const make = this.special(arg) ?? VALUES[arg.name];
    if (make !== undefined) return make(g, this.name);
    if (arg.type === 'integer') return g.number(20);
    if (arg.type === 'double') return score(g);
    return g.value();
  }

  private special(arg: ArgumentSpec): ((g: Generator) => string) | undefined {
    if (arg.name === 'numkeys') {
      this.keyCount = 1 + this.g.below(3);
      const count = this.keyCount;
      return (g) => (g.once(20) ? g.number(4) : String(count));
    }
    if (arg.name === 'count' && this.name.endsWith('scan')) return () => '100000';
    if (arg.name === 'count' && /rand/.test(this.name)) return (g) => g.pick(['1', '3', '20', '-4', '0', 'x']);
    if (this.name.startsWith('x') && ['start', 'end', 'id', 'last-id'].includes(arg.name)) return streamBound;
    if (/^(restore)$/.test(this.name) && arg.name === 'ttl') return (g) => g.pick(['0', '0', '-1', 'x']);
    return undefined;
  }

  private key(prefix: string): string {
    const { g } = this;
    const chosen = g.once(25) ? g.pick(ALL_PREFIXES) : prefix;
    return `${chosen}${g.below(KEYS_PER_PREFIX)}`;
  }
}

const element = (g: Generator): string => (g.once(4) ? g.value() : `f${g.below(30)}`);
const score = (g: Generator): string =>
  g.pick([() => g.integer(20), () => g.integer(20), () => `${g.integer(9)}.${g.below(1000)}`, () => g.pick(SCORES)])();
const SCORES = ['inf', '-inf', '+inf', '1e3', '-0', '0.1', '3.0e-5', '1e308', '17.5', 'nan', 'x', '9007199254740993'];
const streamId = (g: Generator): string => `${g.below(60)}-${g.below(3)}`;
const streamBound = (g: Generator, name = ''): string => {
  if (name === 'xreadgroup' && g.once(2)) return '>';
  if (name === 'xadd') return g.pick([() => streamId(g), () => `${60 + g.below(1e6)}-1`, () => `${g.below(90)}-*`])();
  return g.pick([
    () => '-',
    () => '+',
    () => streamId(g),
    () => streamId(g),
    () => `(${streamId(g)}`,
    () => `${g.below(60)}`,
  ])();
};
const bound = (g: Generator, name: string): string => {
  if (name.includes('lex') || (name.startsWith('zrange') && g.once(5))) {
    return g.pick([() => '-', () => '+', () => `[${element(g)}`, () => `(${element(g)}`, () => element(g)])();
  }
  return g.once(3) ? `(${score(g)}` : score(g);
};
const relative = (g: Generator): string =>
  g.pick([() => String(100_000 + g.below(1e9)), () => g.pick(['0', '-1', '-3000', 'x', ''])])();

const VALUES: Record<string, (g: Generator, name: string) => string> = {
  member: element,
  member1: element,
  member2: element,
  field: element,
  element,
  pivot: element,
  score,
  increment: (g) => (g.once(4) ? score(g) : g.number(1000)),
  weight: score,
  min: bound,
  max: bound,
  start: (g, name) => (name.startsWith('zrange') ? bound(g, name) : g.number(12)),
  stop: (g, name) => (name.startsWith('zrange') ? bound(g, name) : g.number(12)),
  longitude: (g) => (g.once(20) ? '200' : g.pick([`${g.integer(180)}.${g.below(999999)}`, '13.361389'])),
  latitude: (g) => (g.once(20) ? '-90' : g.pick([`${g.integer(84)}.${g.below(999999)}`, '38.115556'])),
  radius: (g) => (g.once(9) ? g.pick(['-1', 'x']) : g.pick(['10', '100', '5000', '20000', '0.5'])),
  width: (g) => (g.once(9) ? 'x' : g.pick(['10', '500', '20000', '0'])),
  height: (g) => (g.once(9) ? '-3' : g.pick(['10', '500', '20000', '0.1'])),
  offset: (g, name) => {
    if (name.startsWith('z') || name.startsWith('sort')) return g.number(5);
    return g.pick([() => String(g.below(300)), () => `#${g.below(9)}`, () => g.pick(['-1', 'x', '4294967296'])])();
  },
  encoding: (g) => g.pick(['u8', 'i16', 'u1', 'i64', 'u63', 'u64', 'i5', 'x']),
  value: (g, name) => (name === 'setbit' ? g.pick(['0', '1', '1', '2']) : g.value()),
  bit: (g) => g.pick(['0', '1', '2']),
  db: (g) => g.pick(['0', '1', '2', '99', 'x']),
  'destination-db': (g) => g.pick(['0', '1', '2', '-1']),
  cursor: (g) => (g.once(20) ? 'x' : '0'),
  pattern: (g) => g.pick(['*', 'f1*', 'k?', '[a-h]*', '\\*', 'h*->f1', 'k*', 'nosort', '#', 'b*']),
  type: (g) => g.pick(['string', 'list', 'zset', 'stream', 'nothing']),
  timeout: (g) => g.pick(['0', '0.01', '-1', 'x']),
  seconds: relative,
  milliseconds: relative,
  ms: (g) => g.number(50),
  'min-idle-time': (g) => g.pick(['0', '0', '0', '1000000000', 'x', '-1']),
  'unix-time-seconds': (g) => g.pick([() => String(4e9 + g.below(1e9)), () => g.number(3)])(),
  'unix-time-milliseconds': (g) => g.pick([() => String(4e12 + g.below(1e9)), () => g.number(3)])(),
  group: (g) => g.pick(['g1', 'g1', 'g2', 'nogroup']),
  consumer: (g) => g.pick(['c1', 'c2', 'c3']),
  operation: (g) => g.pick(['and', 'or', 'XOR', 'not', 'NOT', 'x']),
  consumername: (g) => g.pick(['c1', 'c2', 'c3']),
  groupname: (g) => g.pick(['g1', 'g2']),
  threshold: (g) => (g.once(3) ? streamId(g) : String(g.below(40))),
  max_deleted_entry_id: streamId,
  entries_added: (g) => g.number(50),
  count: (g) => g.number(6),
  'serialized-value': (g) => g.pick(['', 'garbage', '\x00\x03abc\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00']),
};
