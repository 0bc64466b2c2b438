// A command as the bytes a client sends: an array of bulk strings, RESP's only request form besides inline commands.

/** One argument: bytes as they are, text as UTF-8, numbers in decimal. */
export type CommandArgument = string | Uint8Array | number;

/** Returns `*n` followed by one `$length` bulk string for each argument. */
export function encodeCommand(args: readonly CommandArgument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`, 'latin1')];
  for (const arg of args) {
    const bytes = typeof arg === 'object' ? arg : Buffer.from(String(arg), 'utf8');
    parts.push(Buffer.from(`$${bytes.length}\r\n`, 'latin1'), asBuffer(bytes), LINE_END);
  }
  return Buffer.concat(parts);
}

const LINE_END = Buffer.from('\r\n', 'latin1');

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
