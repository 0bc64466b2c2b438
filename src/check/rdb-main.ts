// tsredis-check-rdb: redis-check-rdb's output and exit status for one file; several files, --strict and --json beyond it.

import { parseArguments } from './arguments.ts';
import { findingLine } from './findings.ts';
import { Input, reasonOf } from './input.ts';
import type { CheckIo } from './io.ts';
import { checkRdb, type RdbVerdict } from './rdb-check.ts';

const USAGE = 'Usage: tsredis-check-rdb <rdb-file-name>\n';

const HELP = `Checks RDB files: headers, every value, lengths, checksum. Changes nothing.

Usage: tsredis-check-rdb [--strict] [--json] FILE...

  FILE       an RDB file, or - for standard input
  --strict   look for more: keys that come twice, databases out of range, wrong counts, bytes after the end;
             go on after damage where that is possible; exit status 0 sound, 1 damaged, 2 unreadable
  --json     the same, printed as one JSON document
  --version  print the version

Without --strict and --json, output and exit status (0 or 1) are those of redis-check-rdb.

Examples:
  tsredis-check-rdb /var/lib/redis/dump.rdb
  tsredis-check-rdb --json backups/*.rdb > report.json
  ssh host cat /var/lib/redis/dump.rdb | tsredis-check-rdb -
`;

type FileReport = { file: string; verdict: RdbVerdict | null; unreadable: string | null };

/** Resolves to the exit status. Throws OutputClosed when nobody reads the output any more. */
export async function runCheckRdb(args: readonly string[], io: CheckIo, version: string): Promise<number> {
  const options = parseArguments(args, false);
  if (options.help) return print(io, HELP);
  if (options.version) return print(io, `tsredis-check-rdb ${version}\n`);
  const thorough = options.strict || options.json;
  if (options.unknown !== null) io.writeError(`tsredis-check-rdb: there is no option ${options.unknown}\n`);
  if (options.unknown !== null || options.files.length === 0) {
    io.writeError(USAGE);
    return thorough ? 2 : 1;
  }
  const reports: FileReport[] = [];
  for (const file of options.files) {
    const say = options.json ? () => {} : (line: string) => io.write(`${line}\n`);
    const report = await checkFile(file, io, thorough, say);
    if (report.unreadable !== null) io.writeError(`tsredis-check-rdb: cannot read ${file}: ${report.unreadable}\n`);
    else if (options.strict && !options.json) sayFindings(report, say);
    reports.push(report);
  }
  if (options.json) io.write(Buffer.from(jsonReport(reports, version), 'utf8').toString('latin1'));
  const unreadable = reports.some((report) => report.unreadable !== null);
  const damaged = reports.some((report) => report.verdict?.sound === false);
  if (thorough && unreadable) return 2;
  return unreadable || damaged ? 1 : 0;
}

function print(io: CheckIo, text: string): number {
  io.write(text);
  return 0;
}

async function checkFile(
  file: string,
  io: CheckIo,
  thorough: boolean,
  say: (line: string) => void,
): Promise<FileReport> {
  let input: Input;
  try {
    input = new Input(file);
  } catch (error) {
    say(`[offset 0] Checking RDB file ${Buffer.from(file, 'utf8').toString('latin1')}`);
    return { file, verdict: null, unreadable: reasonOf(error) };
  }
  try {
    const verdict = await checkRdb(input, io, { thorough, say, name: file });
    if (thorough && verdict.findings.errors === 0) findSurplus(verdict, input);
    return { file, verdict, unreadable: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return { file, verdict: null, unreadable: reasonOf(error) };
  } finally {
    input.close();
  }
}

/** Bytes after the checksum: commands of an AOF, or nothing that belongs there. */
function findSurplus(verdict: RdbVerdict, input: Input): void {
  let first = verdict.rest[0];
  if (first === undefined) {
    const next = new Uint8Array(1);
    if (input.read(next) > 0) first = next[0];
  }
  if (first === undefined) return;
  const isAof = first === 42 || first === 35;
  verdict.findings.add({
    severity: 'warning',
    code: 'bytes-after-checksum',
    message: isAof
      ? 'commands of an AOF follow: tsredis-check-aof checks them'
      : 'bytes follow that do not belong to the RDB: servers ignore them',
    offset: verdict.bytes,
  });
}

function sayFindings(report: FileReport, say: (line: string) => void): void {
  const findings = report.verdict?.findings;
  if (findings === undefined) return;
  for (const finding of findings.list) say(Buffer.from(findingLine(finding), 'utf8').toString('latin1'));
  if (findings.dropped > 0) say(`[warning] ${findings.dropped} more findings are not shown`);
}

function jsonReport(reports: readonly FileReport[], version: string): string {
  const files = reports.map(({ file, verdict, unreadable }) => {
    if (verdict === null) return { file, kind: 'rdb', readable: false, sound: false, reason: unreadable };
    const { findings, rest: _rest, version: rdbVersion, databases, ...facts } = verdict;
    return {
      file,
      kind: 'rdb',
      readable: true,
      ...facts,
      rdbVersion,
      databases: databases.map(({ db, keys, expires }) => ({ db, keys, expires })),
      findings: findings.list,
      findingsDropped: findings.dropped,
    };
  });
  const sound = files.every((file) => file.sound);
  return `${JSON.stringify({ tool: 'tsredis-check-rdb', version, sound, files }, null, 2)}\n`;
}
