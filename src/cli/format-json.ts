// Replies as JSON on one line, as redis-cli prints them with --json and --quoted-json.
import type { Reply } from '../../server/formats/resp/reply.ts';
import { escapeBytes } from './quote.ts';

export type JsonMode = 'json' | 'quoted-json';

export function formatJson(reply: Reply, mode: JsonMode): string {
  switch (reply.kind) {
    case 'error':
      return `error:${jsonString(reply.bytes, mode)}`;
    case 'status':
    case 'bulk':
    case 'verbatim':
      return jsonString(reply.bytes, mode);
    case 'integer':
    case 'boolean':
      return String(reply.value);
    case 'double':
    case 'bignum':
      return reply.text;
    case 'nil':
      return 'null';
    case 'map':
      return `{${pairs(reply.items, mode).join(',')}}`;
    default:
      return `[${reply.items.map((item) => formatJson(item, mode)).join(',')}]`;
  }
}

function pairs(items: Reply[], mode: JsonMode): string[] {
  const result: string[] = [];
  for (let i = 0; i < items.length; i += 2) {
    result.push(`${jsonKey(items[i]!, mode)}:${formatJson(items[i + 1]!, mode)}`);
  }
  return result;
}

/** JSON's keys are strings; RESP3's can be anything. */
function jsonKey(reply: Reply, mode: JsonMode): string {
  const text = formatJson(reply, mode);
  return text.startsWith('"') ? text : escapeJson(text);
}

function jsonString(bytes: Buffer, mode: JsonMode): string {
  if (mode === 'json') return escapeJson(bytes.toString('latin1'));
  // ASCII only: Redis' escapes, their backslashes doubled.
  return `"${escapeBytes(bytes).replaceAll('\\', '\\\\')}"`;
}

/** Escapes what JSON must have escaped; bytes above 0x7f pass, so UTF-8 stays UTF-8. */
function escapeJson(text: string): string {
  return `"${text.replace(/[\0-\x1f"\\]/g, (char) => JSON_ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

const JSON_ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\f': '\\f',
  '\b': '\\b',
};
