// The files of the append-only log: a directory with a base file, increments and a manifest that names them. The manifest
// is replaced as a whole, so at every moment it names a set of files that together are the data.

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AofFileInfo,
  type AofManifest,
  AofManifestError,
  formatManifest,
  parseManifest,
} from '../formats/aof/manifest.ts';
import { accessReport } from './access-report.ts';
import { type Disk, realDisk } from './disk.ts';
import { type Environment, reason } from './environment.ts';
import { removeInBackground, syncDirectory, writeFully } from './output-file.ts';

const DIRECTORY_MODE = 0o755;
const FILE_MODE = 0o640;

/** The log's files are not what they should be; `message` is for the log, several lines. */
export class AppendFilesError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AppendFilesError';
  }
}

export class AppendFiles {
  manifest: AofManifest = { base: null, incr: [], history: [] };
  private readonly environment: Environment;
  private readonly disk: Disk;

  constructor(environment: Environment) {
    this.environment = environment;
    this.disk = environment.disk ?? realDisk;
  }

  /** Name that all files of the log begin with. */
  get name(): string {
    return this.environment.settings.string('appendfilename');
  }

  get directory(): string {
    const { settings } = this.environment;
    return join(settings.string('dir'), settings.string('appenddirname'));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Reads the manifest; without one the log is empty. Throws AppendFilesError. */
  read(): void {
    this.manifest = { base: null, incr: [], history: [] };
    const { log } = this.environment;
    if (!existsSync(this.directory)) {
      log('debug', `The AOF directory ${this.environment.settings.string('appenddirname')} doesn't exist`);
      return;
    }
    const path = this.path(`${this.name}.manifest`);
    let text: string;
    try {
      text = readFileSync(path, 'latin1');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        log('debug', `The AOF manifest file ${this.name}.manifest doesn't exist`);
        return;
      }
      throw new AppendFilesError(
        `${accessReport(path)}\nFatal error: can't open the AOF manifest file ${this.name}.manifest for reading: ${reason(error)}`,
      );
    }
    try {
      this.manifest = parseManifest(text);
    } catch (error) {
      if (!(error instanceof AofManifestError)) throw error;
      throw new AppendFilesError(manifestFault(error, path));
    }
  }

  /** Takes over a log of one file from before Redis 7, if that is what there is. Throws AppendFilesError. */
  upgrade(): void {
    const { settings, log } = this.environment;
    const oldPath = join(settings.string('dir'), this.name);
    const { base, incr } = this.manifest;
    if (!existsSync(oldPath)) return;
    const interrupted =
      base !== null && incr.length === 0 && base.name === this.name && !existsSync(this.path(base.name));
    const nothing = base === null && incr.length === 0;
    if (!interrupted && !nothing) return;
    try {
      this.makeDirectory();
      if (nothing) {
        this.replaceManifest({ base: { name: this.name, sequence: 1, type: 'base' }, incr: [], history: [] });
      }
      this.disk.renameSync(oldPath, this.path(this.name));
      syncDirectory(settings.string('dir'), this.disk);
      syncDirectory(this.directory, this.disk);
    } catch (error) {
      throw new AppendFilesError(
        `Error trying to move the old AOF file ${this.name} into dir ${settings.string('appenddirname')}: ${reason(error)}`,
      );
    }
    log(
      'notice',
      `Successfully migrated an old-style AOF file (${this.name}) into the AOF directory (${settings.string('appenddirname')}).`,
    );
  }

  /** Bytes of the files that are the data. Throws what the system says of a missing one. */
  sizes(): { base: number; total: number } {
    const { base, incr } = this.manifest;
    const baseBytes = base === null ? 0 : statSync(this.path(base.name)).size;
    let total = baseBytes;
    for (const file of incr) total += statSync(this.path(file.name)).size;
    return { base: baseBytes, total };
  }

  /**
   * Only the directory of the log: where `dir` itself is gone, a disk is missing, and what was written in its place would
   * be hidden when it comes back. Throws AppendFilesError.
   */
  makeDirectory(): void {
    try {
      mkdirSync(this.directory, { mode: DIRECTORY_MODE });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      throw new AppendFilesError(
        `Can't open or create append-only dir ${this.environment.settings.string('appenddirname')}: ${reason(error)}`,
      );
    }
  }

  nextIncrement(): AofFileInfo {
    const sequence = (this.manifest.incr.at(-1)?.sequence ?? this.lastIncrementSequence) + 1;
    return { name: `${this.name}.${sequence}.incr.aof`, sequence, type: 'incr' };
  }

  /** Increments that went into history have used up their numbers. */
  private get lastIncrementSequence(): number {
    let last = 0;
    for (const file of this.manifest.history) {
      if (file.name.endsWith('.incr.aof')) last = Math.max(last, file.sequence);
    }
    return last;
  }

  nextBase(isDump: boolean): AofFileInfo {
    let last = this.manifest.base?.sequence ?? 0;
    for (const file of this.manifest.history) {
      if (!file.name.endsWith('.incr.aof')) last = Math.max(last, file.sequence);
    }
    const sequence = last + 1;
    return { name: `${this.name}.${sequence}.base.${isDump ? 'rdb' : 'aof'}`, sequence, type: 'base' };
  }

  /** Makes another manifest the log's: written beside, flushed, renamed, flushed. Throws what the system says. */
  replaceManifest(manifest: AofManifest): void {
    const path = this.path(`${this.name}.manifest`);
    const temporary = this.path(`temp-${this.name}.manifest`);
    const fd = this.disk.openSync(temporary, 'w', FILE_MODE);
    try {
      // A full disk may take a part only, and say nothing of it.
      writeFully(fd, Buffer.from(formatManifest(manifest), 'latin1'), null, this.disk);
      this.disk.fsyncSync(fd);
    } finally {
      this.disk.closeSync(fd);
    }
    this.disk.renameSync(temporary, path);
    syncDirectory(this.directory, this.disk);
    this.manifest = manifest;
  }

  /** Removes the files that are history and forgets them. */
  dropHistory(): void {
    const { manifest } = this;
    if (manifest.history.length === 0 || this.environment.settings.aofDisableAutoGc) return;
    for (const file of manifest.history) {
      this.environment.log('notice', `Removing the history file ${file.name} in the background`);
      removeInBackground(this.path(file.name), this.disk);
    }
    try {
      this.replaceManifest({ ...manifest, history: [] });
    } catch (error) {
      this.environment.log(
        'warning',
        `Error trying to write the temporary AOF manifest file temp-${this.name}.manifest: ${reason(error)}`,
      );
    }
  }
}

function manifestFault(error: AofManifestError, path: string): string {
  const lines = ['*** FATAL AOF MANIFEST FILE ERROR ***'];
  if (error.line !== null) lines.push(`Reading the manifest file, at line ${error.line}`, `>>> '${error.text}'`);
  lines.push(error.message, `The file is ${path}. Run 'tsredis-check-aof ${path}' to see what is wrong with the log.`);
  return lines.join('\n');
}
