// tsredis-check-aof: redis-check-aof's arguments, output and exit status; several files, --strict, --json and backups
// beyond it.

import { dirname } from 'node:path';
import { type AofManifest, AofManifestError, parseManifest } from '../../server/formats/aof/manifest.ts';
import { type AofVerdict, checkAof } from './aof-check.ts';
import { backUp, shorten } from './aof-repair.ts';
import { type CheckArguments, parseArguments } from './arguments.ts';
import { type Finding, findingLine } from './findings.ts';
import { Input, reasonOf } from './input.ts';
import type { CheckIo } from './io.ts';
import { printable } from './printable.ts';

const USAGE = 'Usage: tsredis-check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n';

const HELP = `Checks append-only files: an old single one, or a multi-part one by its manifest.

Usage: tsredis-check-aof [--fix | --truncate-to-timestamp SECONDS] [--strict] [--json] FILE...

  FILE         a .manifest, or a single AOF, or - for standard input
  --fix        shorten the last file to what is sound, after asking; the whole file is kept beside it as .bak
  --truncate-to-timestamp SECONDS
               shorten it to what was written up to that time (seconds since 1970; needs aof-timestamp-enabled)
  --yes        don't ask
  --no-backup  don't keep a copy of what is shortened
  --strict     look for more than framing; exit status 0 sound, 1 damaged, 2 unreadable
  --json       the same, printed as one JSON document
  --version    print the version

Without --strict and --json, output and exit status (0 or 1) are those of redis-check-aof. A check needs no permission
to write.

Examples:
  tsredis-check-aof /var/lib/redis/appendonlydir/appendonly.aof.manifest
  tsredis-check-aof --fix appendonlydir/appendonly.aof.manifest
  tsredis-check-aof --truncate-to-timestamp "$(date -d '10 minutes ago' +%s)" appendonly.aof
`;

/** A manifest is small; what is larger is none. */
const MANIFEST_BYTES_MAX = 1 << 20;

type PartReport = { file: string; verdict: AofVerdict };
type FileReport = {
  file: string;
  kind: 'aof' | 'multi-part';
  readable: boolean;
  sound: boolean;
  findings: Finding[];
  parts: PartReport[];
};

/** Ends the check of one file; everything was said. */
class Stop extends Error {
  readonly unreadable: boolean;

  constructor(unreadable = false) {
    super('stop');
    this.unreadable = unreadable;
  }
}

/** Resolves to the exit status. Throws OutputClosed when nobody reads the output any more. */
export async function runCheckAof(args: readonly string[], io: CheckIo, version: string): Promise<number> {
  const options = parseArguments(args, true);
  if (options.help) return print(io, HELP, 0);
  if (options.version) return print(io, `tsredis-check-aof ${version}\n`, 0);
  const thorough = options.strict || options.json;
  if (options.unknown !== null) io.writeError(`tsredis-check-aof: there is no option ${options.unknown}\n`);
  const confused = options.fix && options.timestamp !== null;
  if (options.unknown !== null || options.files.length === 0 || confused) return print(io, USAGE, thorough ? 2 : 1);
  if (options.timestamp !== null && !/^\s*[+-]?\d+$/.test(options.timestamp)) {
    return print(io, 'Invalid timestamp, aborting...\n', thorough ? 2 : 1);
  }
  const check = new AofChecker(options, io);
  const reports: FileReport[] = [];
  for (const file of options.files) reports.push(await check.run(file));
  if (options.json) {
    const sound = reports.every((report) => report.sound);
    const files = reports.map(plainReport);
    const text = JSON.stringify({ tool: 'tsredis-check-aof', version, sound, files }, null, 2);
    io.write(`${Buffer.from(text, 'utf8').toString('latin1')}\n`);
  }
  if (thorough && reports.some((report) => !report.readable)) return 2;
  return reports.every((report) => report.sound) ? 0 : 1;
}

function print(io: CheckIo, text: string, status: number): number {
  io.write(text);
  return status;
}

function plainReport(report: FileReport) {
  const parts = report.parts.map(({ file, verdict }) => ({ file, ...verdict, findings: verdict.findings.list }));
  return { ...report, parts };
}

class AofChecker {
  readonly #options: CheckArguments;
  readonly #io: CheckIo;
  readonly #thorough: boolean;
  readonly #untilTimestamp: number;
  #line = 1;
  #report: FileReport = { file: '', kind: 'aof', readable: true, sound: true, findings: [], parts: [] };

  constructor(options: CheckArguments, io: CheckIo) {
    this.#options = options;
    this.#io = io;
    this.#thorough = options.strict || options.json;
    this.#untilTimestamp = options.timestamp === null ? 0 : Number.parseInt(options.timestamp, 10);
  }

  async run(file: string): Promise<FileReport> {
    const report: FileReport = { file, kind: 'aof', readable: true, sound: true, findings: [], parts: [] };
    this.#report = report;
    this.#line = 1;
    try {
      const manifest = this.#readManifest(file);
      if (manifest === null) await this.#single(file);
      else await this.#multiPart(file, manifest);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      report.sound = false;
      if (error.unreadable) report.readable = false;
    }
    if (report.parts.some((part) => part.verdict.findings.errors > 0) && this.#thorough) report.sound = false;
    if (this.#options.strict && !this.#options.json) this.#sayFindings();
    return report;
  }

  #say(text: string): void {
    if (!this.#options.json) this.#io.write(`${text}\n`);
  }

  #sayFindings(): void {
    const findings = this.#report.parts.flatMap((part) => part.verdict.findings.list);
    for (const finding of [...this.#report.findings, ...findings]) this.#say(byteText(findingLine(finding)));
  }

  #open(name: string, path: string, ending: string): Input {
    try {
      return new Input(name, path);
    } catch (error) {
      const isDirectory = (error as NodeJS.ErrnoException).code === 'EISDIR';
      const reason = reasonOf(error);
      this.#report.findings.push({ severity: 'error', code: 'unreadable', message: `cannot read ${path}: ${reason}` });
      this.#say(
        isDirectory ? `Cannot read file: ${byteText(path)}` : `Cannot open file ${byteText(path)}: ${reason}${ending}`,
      );
      throw new Stop(true);
    }
  }

  /** Null when the file is no manifest. */
  #readManifest(file: string): string | null {
    if (file === '-') return null;
    const input = this.#open(file, file, '');
    try {
      const head = Buffer.from(input.peek(Math.min(input.size ?? 0, MANIFEST_BYTES_MAX))).toString('latin1');
      return looksLikeManifest(head) ? head : null;
    } finally {
      input.close();
    }
  }

  async #single(file: string): Promise<void> {
    this.#say('Start checking Old-Style AOF');
    const state = await this.#checkPart(file, file, true);
    this.#sayState(state, '', file);
  }

  async #multiPart(file: string, text: string): Promise<void> {
    this.#report.kind = 'multi-part';
    this.#say('Start checking Multi Part AOF');
    const manifest = this.#parse(text);
    const folder = dirname(file);
    const total = (manifest.base === null ? 0 : 1) + manifest.incr.length;
    let number = 0;
    if (manifest.base !== null) {
      const { name } = manifest.base;
      const path = cPath(folder, asPath(name));
      const input = this.#open(name, path, '');
      const head = Buffer.from(input.peek(8)).toString('latin1');
      input.close();
      this.#say(`Start to check BASE AOF (${/^(REDIS|VALKEY)/.test(head) ? 'RDB' : 'RESP'} format).`);
      this.#sayState(await this.#checkPart(asPath(name), path, ++number === total), 'BASE ', name);
    }
    if (manifest.incr.length > 0) this.#say('Start to check INCR files.');
    for (const { name } of manifest.incr) {
      const state = await this.#checkPart(asPath(name), cPath(folder, asPath(name)), ++number === total);
      this.#sayState(state, 'INCR ', name);
    }
    this.#say('All AOF files and manifest are valid');
  }

  #parse(text: string): AofManifest {
    try {
      return parseManifest(text);
    } catch (error) {
      if (!(error instanceof AofManifestError)) throw error;
      this.#say('\n*** FATAL AOF MANIFEST FILE ERROR ***\n');
      if (error.line !== null) {
        this.#say(`Reading the manifest file, at line ${error.line}\n`);
        this.#say(`>>> '${printable(Buffer.from(error.text, 'latin1'))}'\n`);
      }
      this.#say(`${error.message}\n`);
      const place = error.line === null ? '' : ` (line ${error.line})`;
      this.#report.findings.push({ severity: 'error', code: 'manifest', message: `${error.message}${place}` });
      throw new Stop();
    }
  }

  /** Checks and, if asked, shortens one file; throws Stop when that is where the original exits. */
  async #checkPart(name: string, path: string, last: boolean): Promise<AofVerdict['state'] | 'truncated'> {
    const input = this.#open(name, path, ', aborting...');
    let verdict: AofVerdict;
    try {
      const say = (line: string) => this.#say(line);
      const untilTimestamp = this.#untilTimestamp;
      verdict = await checkAof(input, this.#io, {
        thorough: this.#thorough,
        say,
        name,
        untilTimestamp,
        line: this.#line,
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      this.#say(`Failed to read from AOF ${byteText(name)}, aborting...`);
      throw new Stop(true);
    } finally {
      input.close();
    }
    this.#report.parts.push({ file: name, verdict });
    this.#line = verdict.line;
    if (verdict.state === 'preamble-damaged' || verdict.state === 'aborted') throw new Stop();
    if (verdict.state === 'empty') return 'empty';
    if (verdict.state === 'cut') return this.#cut(name, path, verdict, last);
    return this.#analyze(name, path, verdict, last);
  }

  #cut(name: string, path: string, verdict: AofVerdict, last: boolean): 'cut' {
    const at = verdict.okUpTo;
    const what = `AOF ${byteText(name)} to timestamp ${this.#untilTimestamp}`;
    if (!last) {
      this.#say(`Failed to truncate ${what} to offset ${at} because it is not the last file.`);
      this.#say(
        'If you insist, please delete all files after this file according to the manifest ' +
          'file and delete the corresponding records in manifest file manually. Then re-run redis-check-aof.',
      );
      throw new Stop();
    }
    this.#shorten(name, path, at, `Failed to truncate ${what}`);
    return 'cut';
  }

  #analyze(name: string, path: string, verdict: AofVerdict, last: boolean): 'sound' | 'truncated' {
    const { size, okUpTo, line } = verdict;
    const shown = byteText(name);
    const surplus = size - okUpTo;
    if (surplus === 0 && this.#untilTimestamp !== 0) {
      this.#say(`Truncate nothing in AOF ${shown} to timestamp ${this.#untilTimestamp}`);
      return 'sound';
    }
    this.#say(
      `AOF analyzed: filename=${shown}, size=${size}, ok_up_to=${okUpTo}, ok_up_to_line=${line}, diff=${surplus}`,
    );
    if (surplus <= 0) return 'sound';
    if (!this.#options.fix) {
      this.#say(`AOF ${shown} is not valid. Use the --fix option to try fixing it.`);
      throw new Stop();
    }
    if (!last) {
      this.#say(`Failed to truncate AOF ${shown} because it is not the last file`);
      throw new Stop();
    }
    this.#say(`This will shrink the AOF ${shown} from ${size} bytes, with ${surplus} bytes, to ${okUpTo} bytes`);
    if (!this.#options.yes && !this.#confirmed()) {
      this.#say('Aborting...');
      throw new Stop();
    }
    this.#shorten(name, path, okUpTo, `Failed to truncate AOF ${shown}`);
    // What was damage is gone.
    verdict.findings.errors = 0;
    return 'truncated';
  }

  #confirmed(): boolean {
    if (!this.#options.json) this.#io.write('Continue? [y/N]: ');
    return /^y/i.test(this.#io.readLine() ?? '');
  }

  #shorten(name: string, path: string, bytes: number, failure: string): void {
    try {
      if (!this.#options.noBackup)
        this.#io.writeError(`tsredis-check-aof: the whole ${name} is kept as ${backUp(path)}\n`);
      shorten(path, bytes);
    } catch (error) {
      this.#say(failure);
      this.#io.writeError(`tsredis-check-aof: cannot shorten ${path}: ${reasonOf(error)}\n`);
      throw new Stop(true);
    }
  }

  #sayState(state: AofVerdict['state'] | 'truncated', kind: string, name: string): void {
    const shown = kind === '' ? byteText(name) : name;
    if (state === 'sound') this.#say(`${kind}AOF ${shown} is valid`);
    else if (state === 'empty') this.#say(`${kind}AOF ${shown} is empty`);
    else if (state === 'cut') this.#say(`Successfully truncated AOF ${shown} to timestamp ${this.#untilTimestamp}`);
    else if (state === 'truncated') this.#say(`Successfully truncated AOF ${shown}`);
  }
}

/** Whether this is the text of a manifest: a line that begins with "file", and no command or RDB before it. */
function looksLikeManifest(text: string): boolean {
  if (/^(REDIS|VALKEY)/.test(text)) return false;
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  if (/^[*$]/.test(lines[0] ?? '')) return false;
  return lines.some((line) => line.startsWith('file'));
}

function byteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A name in the manifest (byte text) as a path for node. */
function asPath(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

/** As redis-check-aof joins folder and name, "./" included. */
function cPath(folder: string, name: string): string {
  return `${folder}/${name}`;
}
