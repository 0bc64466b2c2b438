// Looks at one command of an AOF as the server will when it loads the file: known, of the right length, in range.

import { commandSpecs } from '../../server/commands/docs.ts';
import type { AofReader } from '../../server/formats/aof/reader.ts';
import type { Findings } from './findings.ts';
import { printable } from './printable.ts';

/** Databases of a server that is configured as it comes. */
const DATABASES_BY_DEFAULT = 16;
/** No command has a longer name. */
const NAME_BYTES_MAX = 64;

/** Adds to `findings` what a server would refuse; returns the command's name in lower case. */
export function inspectCommand(reader: AofReader, findings: Findings): string {
  const find = (code: string, message: string) =>
    findings.add({ severity: 'error', code, message, offset: reader.itemOffset });
  const length = reader.argumentCount;
  if (length === 0) {
    find('empty-command', 'a command without arguments: servers refuse the file');
    return '';
  }
  // An argument too long to be held leaves no name to look at.
  if (reader.end(0) === reader.start(0) && length > 1) return '';
  const bytes = reader.argument(0).subarray(0, NAME_BYTES_MAX);
  const name = Buffer.from(bytes).toString('latin1').toLowerCase();
  const spec = Object.hasOwn(commandSpecs, name) ? commandSpecs[name] : undefined;
  if (spec === undefined) {
    find(
      'unknown-command',
      `the command '${text(bytes)}' is not known to Redis 7.2: servers without it refuse the file`,
    );
  } else if (spec.arity > 0 ? length !== spec.arity : length < -spec.arity) {
    find('wrong-arity', `the command '${name}' has ${length - 1} arguments, which is no number it takes`);
  } else if (name === 'select') {
    const db = Number(Buffer.from(reader.argument(1)).toString('latin1'));
    if (!(db >= 0 && db < DATABASES_BY_DEFAULT)) find('db-range', `SELECT ${db} needs more databases than 16`);
  }
  return name;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(printable(bytes), 'latin1').toString('utf8');
}
