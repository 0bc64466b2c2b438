// The manifest of a multi-part AOF: a line per file, "file <name> seq <number> type <b|i|h>"; '#' begins a comment.
// Text is byte text (Latin-1), as in configuration files.

import { quoteArgument } from '../conf/quote.ts';
import { splitArguments } from '../conf/split.ts';

/** The longest line, its end included. */
const LINE_BYTES_MAX = 1024;

/** `base`: the snapshot, RDB or RESP. `incr`: commands since. `history`: no longer needed, to be deleted. */
export type AofFileType = 'base' | 'incr' | 'history';

export type AofFileInfo = { name: string; sequence: number; type: AofFileType };

/** `incr` in ascending order of sequence numbers. */
export type AofManifest = { base: AofFileInfo | null; incr: AofFileInfo[]; history: AofFileInfo[] };

const LETTERS: Record<AofFileType, string> = { base: 'b', incr: 'i', history: 'h' };

/** The message is the server's; `line` counts from 1 and is null when the file as a whole is wrong. */
export class AofManifestError extends Error {
  readonly line: number | null;
  readonly text: string;

  constructor(message: string, line: number | null = null, text = '') {
    super(message);
    this.name = 'AofManifestError';
    this.line = line;
    this.text = text;
  }
}

/** Throws AofManifestError. */
export function parseManifest(text: string): AofManifest {
  const manifest: AofManifest = { base: null, incr: [], history: [] };
  if (text === '') throw new AofManifestError('Found an empty AOF manifest');
  let from = 0;
  for (let line = 1; from < text.length; line++) {
    const end = text.indexOf('\n', from);
    if (end < 0 || end - from >= LINE_BYTES_MAX) {
      throw new AofManifestError('The AOF manifest file contains too long line');
    }
    if (text[from] !== '#') addLine(manifest, text.slice(from, end).replace(/^[ \t\r]+|[ \t\r]+$/g, ''), line);
    from = end + 1;
  }
  return manifest;
}

/** The text of the manifest file. */
export function formatManifest(manifest: AofManifest): string {
  const files = [...(manifest.base === null ? [] : [manifest.base]), ...manifest.history, ...manifest.incr];
  return files.map((file) => `${formatLine(file)}\n`).join('');
}

function addLine(manifest: AofManifest, text: string, line: number): void {
  const fail = (message: string) => new AofManifestError(message, line, text);
  const file = parseLine(text, fail);
  if (file.type === 'base') {
    if (manifest.base !== null) throw fail('Found duplicate base file information');
    manifest.base = file;
  } else if (file.type === 'history') {
    manifest.history.push(file);
  } else {
    const last = manifest.incr.at(-1);
    if (last !== undefined && file.sequence <= last.sequence) throw fail('Found a non-monotonic sequence number');
    manifest.incr.push(file);
  }
}

function parseLine(text: string, fail: (message: string) => AofManifestError): AofFileInfo {
  const words = splitArguments(text) ?? [];
  if (words.length < 6 || words.length % 2 !== 0) throw fail('Invalid AOF manifest file format');
  let name = '';
  let sequence = 0;
  let type: AofFileType | undefined;
  for (let at = 0; at < words.length; at += 2) {
    const key = words[at].toLowerCase();
    const value = words[at + 1];
    if (key === 'file') {
      if (value.includes('/')) throw fail("File can't be a path, just a filename");
      name = value;
    } else if (key === 'seq') {
      sequence = Number.parseInt(value, 10) || 0;
    } else if (key === 'type') {
      type = (Object.keys(LETTERS) as AofFileType[]).find((known) => LETTERS[known] === value[0]);
      if (type === undefined) throw fail('Unknown AOF file type');
    }
  }
  if (name === '' || sequence <= 0 || type === undefined) throw fail('Invalid AOF manifest file format');
  return { name, sequence, type };
}

function formatLine(file: AofFileInfo): string {
  const plain = /^[^\s"'\\\x00-\x1f\x7f-\xff]+$/.test(file.name);
  return `file ${plain ? file.name : quoteArgument(file.name)} seq ${file.sequence} type ${LETTERS[file.type]}`;
}
