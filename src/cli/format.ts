// Replies as text, to the byte as redis-cli prints them. The text is latin1, one character per byte of output.
import type { Reply } from '../../server/formats/resp/reply.ts';
import { formatJson } from './format-json.ts';
import type { OutputMode } from './options.ts';
import { quote } from './quote.ts';

export interface FormatOptions {
  mode: OutputMode;
  /** Between the elements of an aggregate, in raw mode. */
  bulkDelimiter: string;
  /** After each reply, in raw mode. */
  replyDelimiter: string;
}

/** @param plain the reply is text for people (INFO and the like): printed as it is in every mode */
export function formatReply(reply: Reply, options: FormatOptions, plain = false): string {
  if (plain) return formatRaw(reply, options.bulkDelimiter);
  switch (options.mode) {
    case 'standard':
      return formatStandard(reply, '');
    case 'raw':
      return formatRaw(reply, options.bulkDelimiter) + options.replyDelimiter;
    case 'csv':
      return `${formatCsv(reply)}\n`;
    default:
      return `${formatJson(reply, options.mode)}\n`;
  }
}

/** An invalidation push on one line: `-> invalidate: 'key'`. */
export function formatPush(push: Reply): string {
  const [name, keys] = push.kind === 'push' ? push.items : [];
  if (name?.kind === 'bulk' && name.bytes.toString() === 'invalidate' && keys?.kind === 'array') {
    return `-> invalidate: ${keys.items.map((key) => `'${textOf(key)}'`).join(', ')}\n`;
  }
  return formatStandard(push, '');
}

/** The bytes of a string-like reply as latin1, its number otherwise. */
export function textOf(reply: Reply): string {
  switch (reply.kind) {
    case 'status':
    case 'error':
    case 'bulk':
    case 'verbatim':
      return reply.bytes.toString('latin1');
    case 'integer':
      return String(reply.value);
    case 'double':
    case 'bignum':
      return reply.text;
    default:
      return '';
  }
}

function formatStandard(reply: Reply, prefix: string): string {
  switch (reply.kind) {
    case 'error':
      return `(error) ${textOf(reply)}\n`;
    case 'status':
    case 'verbatim':
    case 'bignum':
      return `${textOf(reply)}\n`;
    case 'integer':
      return `(integer) ${reply.value}\n`;
    case 'double':
      return `(double) ${reply.text}\n`;
    case 'bulk':
      return `${quote(reply.bytes)}\n`;
    case 'nil':
      return '(nil)\n';
    case 'boolean':
      return `(${reply.value})\n`;
    default:
      return formatAggregate(reply, prefix);
  }
}

const AGGREGATES = {
  array: { empty: '(empty array)\n', mark: ')' },
  map: { empty: '(empty hash)\n', mark: '#' },
  set: { empty: '(empty set)\n', mark: '~' },
  push: { empty: '(empty push)\n', mark: ')' },
};

/** Numbered lines; nested aggregates are indented by the width of the numbers before them. */
function formatAggregate(reply: Aggregate, prefix: string): string {
  const { items } = reply;
  const { empty, mark } = AGGREGATES[reply.kind];
  if (items.length === 0) return empty;
  const step = reply.kind === 'map' ? 2 : 1;
  const width = String(items.length / step).length;
  const inner = prefix + ' '.repeat(width + 2);
  const lines: string[] = [];
  for (let i = 0; i < items.length; i += step) {
    const number = String(i / step + 1).padStart(width);
    // The parent has printed the prefix of the first line.
    let line = `${i === 0 ? '' : prefix}${number}${mark} ${formatStandard(items[i]!, inner)}`;
    if (step === 2) line = `${line.slice(0, -1)} => ${formatMapValue(items[i + 1]!, inner)}`;
    lines.push(line);
  }
  return lines.join('');
}

/** A value of more than one line begins on a line of its own. */
function formatMapValue(value: Reply, prefix: string): string {
  const text = formatStandard(value, prefix);
  const lines = isAggregate(value) ? value.items.length / (value.kind === 'map' ? 2 : 1) : 0;
  return lines > 1 ? `\n${prefix}${text}` : text;
}

function formatRaw(reply: Reply, delimiter: string): string {
  switch (reply.kind) {
    case 'nil':
      return '';
    case 'boolean':
      return `(${reply.value})`;
    case 'error':
      return `${textOf(reply)}\n`;
    case 'map': {
      const pairs: string[] = [];
      for (let i = 0; i < reply.items.length; i += 2) {
        pairs.push(`${formatRaw(reply.items[i]!, delimiter)} ${formatRaw(reply.items[i + 1]!, delimiter)}`);
      }
      return pairs.join(delimiter);
    }
    default:
      if (isAggregate(reply)) return reply.items.map((item) => formatRaw(item, delimiter)).join(delimiter);
      return textOf(reply);
  }
}

function formatCsv(reply: Reply): string {
  switch (reply.kind) {
    case 'error':
      return `ERROR,${quote(reply.bytes)}`;
    case 'status':
    case 'bulk':
    case 'verbatim':
      return quote(reply.bytes);
    case 'nil':
      return 'NULL';
    case 'boolean':
      return String(reply.value);
    default:
      if (isAggregate(reply)) return reply.items.map(formatCsv).join(',');
      return textOf(reply);
  }
}

export function isAggregate(reply: Reply): reply is Aggregate {
  return 'items' in reply;
}

export type Aggregate = Extract<Reply, { items: Reply[] }>;
