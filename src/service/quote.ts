// Writes a word so that the reader of a generated file gets exactly that word back: shell, systemd.

/** One word for sh. */
export function quoteShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * One word for a shell that splits it at blanks first and evaluates the pieces joined again, as OpenRC does: each
 * character is escaped by itself, so that no run of blanks is lost.
 */
export function quoteShellTwice(word: string): string {
  return word === '' ? "''" : word.replace(/[^\w@%+=:,./-]/g, '\\$&');
}

/** One word of an ExecStart= line (systemd.service(5), "Command lines"): `%` and `$` would be expanded. */
export function quoteExec(word: string): string {
  return quoteUnit(word).replaceAll('$', '$$$$');
}

/** One word of any other unit setting that takes words (systemd.syntax(7)): only `%` would be expanded. */
export function quoteUnit(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return /^[\w@%+=:,./-]+$/.test(word) ? escaped : `"${escaped}"`;
}

/** A setting that takes one whole path to the end of the line: no quotes there, only `%`. */
export function quoteUnitPath(path: string): string {
  return path.replaceAll('%', '%%');
}

/** One word of a logrotate configuration: quoted when it holds blanks. */
export function quoteLogrotate(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
