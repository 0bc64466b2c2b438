// A request as MONITOR clients see it.

import type { Context } from '../commands/context.ts';
import { secretArguments } from './slow-log.ts';

/** The request in the context: time, database, client, and the arguments in quotes. */
export function monitorLine(c: Context, nowMicroseconds: number, unixSocket: string): string {
  const { transport } = c.session;
  const source = transport.isUnix ? `unix:${unixSocket}` : transport.peerAddress;
  let line = `${(nowMicroseconds / 1e6).toFixed(6)} [${c.db.index} ${source}]`;
  const isSecret = secretArguments(c, c.command);
  for (let i = 0; i < c.argc; i++) line += isSecret(i) ? ' "(redacted)"' : ` ${quoteBytes(c.view(i))}`;
  return line;
}

/** Bytes in quotes with escapes, as `redis-cli` shows them, too. */
function quoteBytes(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === 92 || byte === 34) text += `\\${String.fromCharCode(byte)}`;
    else if (byte === 10) text += '\\n';
    else if (byte === 13) text += '\\r';
    else if (byte === 9) text += '\\t';
    else if (byte === 7) text += '\\a';
    else if (byte === 8) text += '\\b';
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${text}"`;
}
