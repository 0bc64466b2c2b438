// The kinds of directives that are neither numbers nor words: save points, output buffer limits, addresses and the like.
import { quoteArgument } from '../formats/conf/quote.ts';
import type { Kind } from './directive.ts';
import { formatMemory, parseMemoryText, ValueError } from './values.ts';

/** Save when `seconds` passed with at least `changes` writes. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

export const saveDefault: readonly SavePoint[] = [
  { seconds: 3600, changes: 1 },
  { seconds: 300, changes: 100 },
  { seconds: 60, changes: 10000 },
];

const joinSave = (points: readonly SavePoint[]) => points.map((p) => `${p.seconds} ${p.changes}`).join(' ');

export const saveKind: Kind<readonly SavePoint[]> = {
  type: 'save',
  multi: true,
  hint: 'seconds changes [seconds changes ...], or "" for never',
  parse(args, previous, atLoad) {
    if (args.length === 0 || (args.length === 1 && args[0] === '')) return [];
    if (args.length % 2 !== 0) throw new ValueError('Invalid save parameters');
    const points: SavePoint[] = [];
    for (let at = 0; at < args.length; at += 2) {
      const seconds = count(args[at]);
      const changes = count(args[at + 1]);
      if (seconds < 1 || changes < 0) throw new ValueError('Invalid save parameters');
      points.push({ seconds, changes });
    }
    // Lines of a file add up; the first one replaces the built-in points.
    return atLoad && previous !== saveDefault ? [...previous, ...points] : points;
  },
  format: joinSave,
  lines: (value) => (value.length === 0 ? ['""'] : value.map((p) => `${p.seconds} ${p.changes}`)),
  equal: (a, b) => joinSave(a) === joinSave(b),
};

const count = (text: string | undefined): number => (/^-?[0-9]{1,10}$/.test(text ?? '') ? Number(text) : Number.NaN);

/** Limits of one class of clients; 0 means no limit. */
interface OutputBufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}

/** The limits of normal clients, replicas and pub/sub clients. */
export interface OutputBufferLimits {
  readonly normal: OutputBufferLimit;
  readonly replica: OutputBufferLimit;
  readonly pubsub: OutputBufferLimit;
}

const limitClasses = { normal: 'normal', slave: 'replica', replica: 'replica', pubsub: 'pubsub' } as const;

export const outputBufferDefault: OutputBufferLimits = {
  normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
  replica: { hardBytes: 256 << 20, softBytes: 64 << 20, softSeconds: 60 },
  pubsub: { hardBytes: 32 << 20, softBytes: 8 << 20, softSeconds: 60 },
};

const showLimit = (l: OutputBufferLimit) => `${l.hardBytes} ${l.softBytes} ${l.softSeconds}`;
const showLimits = (v: OutputBufferLimits) =>
  `normal ${showLimit(v.normal)} slave ${showLimit(v.replica)} pubsub ${showLimit(v.pubsub)}`;

export const outputBufferKind: Kind<OutputBufferLimits> = {
  type: 'output-buffer-limits',
  multi: true,
  hint: 'normal|replica|pubsub hard-bytes soft-bytes soft-seconds',
  parse(args, previous) {
    if (args.length % 4 !== 0) throw new ValueError('Wrong number of arguments in buffer limit configuration.');
    const next = { ...previous };
    for (let at = 0; at < args.length; at += 4) {
      const name = limitClasses[(args[at] as string).toLowerCase() as keyof typeof limitClasses];
      if (name === undefined) throw new ValueError('Invalid client class specified in buffer limit configuration.');
      const hard = parseMemoryText(args[at + 1] as string);
      const soft = parseMemoryText(args[at + 2] as string);
      const softSeconds = count(args[at + 3]);
      if (hard === undefined || soft === undefined || !(softSeconds >= 0)) {
        throw new ValueError('Error in hard, soft or soft_seconds setting in buffer limit configuration.');
      }
      next[name] = { hardBytes: Number(hard), softBytes: Number(soft), softSeconds };
    }
    return next;
  },
  format: showLimits,
  lines: (value) =>
    (['normal', 'replica', 'pubsub'] as const).map((name) => {
      const l = value[name];
      return `${name} ${formatMemory(l.hardBytes)} ${formatMemory(l.softBytes)} ${l.softSeconds}`;
    }),
  equal: (a, b) => showLimits(a) === showLimits(b),
};

const EVENT_CLASSES = 'g$lshzxetdn';
const EVENT_HINT = 'Ag$lshzxeKEtmdn';

/** Notification classes in Redis' order, `A` standing for all but K, E, m and n. */
export const eventsKind: Kind<string> = {
  type: 'events',
  multi: false,
  hint: `letters of ${EVENT_HINT}, or "" for none`,
  parse(args) {
    if (args.length !== 1) throw new ValueError('wrong number of arguments');
    const letters = new Set(args[0]);
    for (const letter of letters) {
      if (!EVENT_HINT.includes(letter)) {
        throw new ValueError(`Invalid event class character. Use '${EVENT_HINT}'.`);
      }
    }
    const all = [...'g$lshzxetd'];
    if (letters.has('A')) for (const letter of all) letters.add(letter);
    const isAll = all.every((letter) => letters.has(letter));
    const classes = isAll
      ? `A${letters.has('n') ? 'n' : ''}`
      : [...EVENT_CLASSES].filter((c) => letters.has(c)).join('');
    return classes + [...'KEm'].filter((c) => letters.has(c)).join('');
  },
  format: (value) => value,
  lines: (value) => [quoteArgument(value)],
  equal: (a, b) => a === b,
};

/** A list of words of which some number is allowed. */
function wordsKind(hint: string, check: (args: readonly string[]) => readonly string[]): Kind<readonly string[]> {
  return {
    type: 'words',
    multi: true,
    hint,
    parse: check,
    format: (value) => value.join(' '),
    lines: (value) => [value.length === 0 ? '""' : value.map(bareOrQuoted).join(' ')],
    equal: (a, b) => a.length === b.length && a.every((item, at) => item === b[at]),
  };
}

const bareOrQuoted = (word: string) => (/^[!$-&(-~]+$/.test(word) ? word : quoteArgument(word));

const BIND_ADDRESSES_MAX = 16;

export const bindKind = wordsKind('addresses; a leading - makes one optional; * is every address', (args) => {
  if (args.length > BIND_ADDRESSES_MAX) throw new ValueError('Too many bind addresses specified.');
  return args.length === 1 && args[0] === '' ? [] : [...args];
});

export const oomValuesKind = wordsKind('primary replica background', (args) => {
  if (args.length !== 3) throw new ValueError('wrong number of arguments');
  for (const arg of args) {
    const value = count(arg);
    if (!(value >= -2000 && value <= 2000)) {
      throw new ValueError('Invalid oom-score-adj-values, elements must be between -2000 and 2000.');
    }
  }
  return [...args];
});

export const percentilesKind = wordsKind('percentiles between 0 and 100, or "" for none', (args) => {
  if (args.length === 1 && args[0] === '') return [];
  return args.map((arg) => {
    if (!/^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(arg)) {
      throw new ValueError('Invalid latency-tracking-info-percentiles parameters');
    }
    const value = Number(arg);
    if (value < 0 || value > 100) {
      throw new ValueError('latency-tracking-info-percentiles parameters should sit between [0.0,100.0]');
    }
    return String(value);
  });
});

/** The primary's address, or undefined for a primary. */
export type ReplicaOf = { readonly host: string; readonly port: number } | undefined;

export const replicaOfKind: Kind<ReplicaOf> = {
  type: 'replicaof',
  multi: true,
  hint: 'host port, or no one',
  parse(args) {
    if (args.length !== 2) throw new ValueError('wrong number of arguments');
    const [host, port] = args as readonly [string, string];
    if (host.toLowerCase() === 'no' && port.toLowerCase() === 'one') return undefined;
    const number = count(port);
    if (!(number >= 0 && number <= 65535)) throw new ValueError('Invalid master port');
    return { host, port: number };
  },
  format: (value) => (value === undefined ? '' : `${value.host} ${value.port}`),
  lines: (value) => (value === undefined ? [] : [`${bareOrQuoted(value.host)} ${value.port}`]),
  equal: (a, b) => a?.host === b?.host && a?.port === b?.port,
};
