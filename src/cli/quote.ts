// Bytes as people read and type them: quoted with escapes, the way Redis prints a string. Text here is latin1, one
// character per byte, so that nothing is lost.
import { splitInline } from '../../server/formats/resp/inline.ts';

/** `"..."` with \n \r \t \a \b \\ \" and \xHH for everything that is no printable ASCII. */
export function quote(bytes: Buffer): string {
  return `"${escapeBytes(bytes)}"`;
}

/** The inside of `quote`. */
export function escapeBytes(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (/^[ !#-[\]-~]*$/.test(text)) return text;
  return text.replace(/[^ !#-[\]-~]/g, escapeByte);
}

function escapeByte(char: string): string {
  return ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

const ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};

/** The words of a line as the prompt and --quoted-input read them; undefined when its quotes are wrong. */
export function splitArguments(line: Buffer): Buffer[] | undefined {
  return splitInline(line, 0, line.length) ?? undefined;
}
