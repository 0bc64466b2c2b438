// Writes an argument so that splitArguments reads it back byte for byte.

const named: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};

/** Byte text in double quotes, everything that is not printable ASCII escaped: the form CONFIG REWRITE writes. */
export function quoteArgument(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.charCodeAt(0);
    out += named[char] ?? (code < 32 || code > 126 ? `\\x${code.toString(16).padStart(2, '0')}` : char);
  }
  return `${out}"`;
}

/** Byte text as people write it: bare where that is safe (UTF-8 bytes included), else in double quotes. */
export function quoteIfNeeded(text: string): string {
  if (/^[!$-&(-~\x80-\xff][!-&(-~\x80-\xff]*$/.test(text) && !text.includes('"')) return text;
  let out = '"';
  for (const char of text) {
    const code = char.charCodeAt(0);
    out += named[char] ?? (code < 32 || code === 127 ? `\\x${code.toString(16).padStart(2, '0')}` : char);
  }
  return `${out}"`;
}

/** Text of the program (UTF-16) to byte text (one character per UTF-8 byte). */
export const toByteText = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Byte text to text of the program; bytes that are not UTF-8 become U+FFFD. */
export const fromByteText = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
