// What a checker found: the same shape for RDB and AOF, printed by --strict and --json.

/** `error`: a server would refuse or lose something. `warning`: worth knowing, loads all the same. */
export type Severity = 'error' | 'warning';

export type Finding = {
  severity: Severity;
  /** A stable word for programs, for example `duplicate-key`. */
  code: string;
  message: string;
  /** Bytes from the start of the file. */
  offset?: number;
  /** The database. */
  db?: number;
  /** The key, printable. */
  key?: string;
};

/** Kept per file; more are counted, not kept. */
const FINDINGS_MAX = 1000;

export class Findings {
  readonly list: Finding[] = [];
  /** Findings beyond the limit. */
  dropped = 0;
  errors = 0;

  add(finding: Finding): void {
    if (finding.severity === 'error') this.errors++;
    if (this.list.length < FINDINGS_MAX) this.list.push(finding);
    else this.dropped++;
  }
}

/** `[error] duplicate-key: … (offset 12, db 0, key 'x')` */
export function findingLine(finding: Finding): string {
  const where = [];
  if (finding.offset !== undefined) where.push(`offset ${finding.offset}`);
  if (finding.db !== undefined) where.push(`db ${finding.db}`);
  if (finding.key !== undefined) where.push(`key '${finding.key}'`);
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`;
  return `[${finding.severity}] ${finding.code}: ${finding.message}${place}`;
}
