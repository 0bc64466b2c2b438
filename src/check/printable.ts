// Bytes of a data file as text that is safe to print: a key must not move the cursor, colour the terminal or forge a line.

/** Control characters, and those that change the direction of the text around them. */
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Byte text (one character per byte) in which UTF-8 stays what it is, and control characters and bytes that are no UTF-8
 * become `\xHH`. `keep` names control characters to leave alone.
 */
export function printable(bytes: Uint8Array, keep = ''): string {
  const text = Buffer.from(bytes).toString('utf8');
  const isUtf8 = Buffer.from(text, 'utf8').equals(bytes);
  if (!isUtf8) return escapeBytes(bytes, keep);
  if (!UNSAFE.test(text)) return toBytes(text);
  const escaped = text.replace(UNSAFE, (char) => (keep.includes(char) ? char : hexOf(Buffer.from(char, 'utf8'))));
  return toBytes(escaped);
}

function escapeBytes(bytes: Uint8Array, keep: string): string {
  let out = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    out += (byte >= 32 && byte < 127) || keep.includes(char) ? char : hexOf([byte]);
  }
  return out;
}

function hexOf(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
