// CONFIG's service: the settings' texts, and the file they came from.

import { readFileSync } from 'node:fs';
import type { ConfigurationService } from '../commands/services.ts';
import { rewriteConfig } from '../config/rewrite.ts';
import type { SetContext, Settings } from '../config/settings.ts';
import { replaceFile } from './replace-file.ts';

/** Directives that take effect by listening anew, which takes a turn of the event loop. */
const ADDRESS_DIRECTIVES = new Set(['port', 'bind']);

export class Configuration implements ConfigurationService {
  private readonly settings: Settings;
  private readonly context: () => SetContext;
  private readonly randomName: () => string;
  /** ACL users as rule lines, for REWRITE; undefined while they live in an ACL file. */
  users: () => readonly string[] | undefined = () => undefined;
  private readonly listen: (directive: string) => Promise<string | null>;

  constructor(
    settings: Settings,
    context: () => SetContext,
    randomName: () => string,
    listen: (directive: string) => Promise<string | null>,
  ) {
    this.listen = listen;
    this.settings = settings;
    this.context = context;
    this.randomName = randomName;
  }

  get(patterns: readonly string[]): [name: string, value: string][] {
    return this.settings.list(patterns);
  }

  set(pairs: readonly (readonly [name: string, value: string])[]): string | null | Promise<string | null> {
    const before = pairs.map(([name]): [string, string] => [name, this.settings.text(name) ?? '']);
    const error = this.settings.set(pairs, this.context());
    if (error !== null) return error;
    const address = before.find(([name]) => ADDRESS_DIRECTIVES.has(name.toLowerCase()));
    return address === undefined ? null : this.moveTo(before, address[0]);
  }

  /** Listens on the new addresses; goes back to the old values when that fails. */
  private async moveTo(before: readonly [string, string][], name: string): Promise<string | null> {
    const reason = await this.listen(name.toLowerCase());
    if (reason === null) return null;
    this.settings.set(before, this.context());
    await this.listen(name.toLowerCase());
    return `ERR CONFIG SET failed (possibly related to argument '${name.toLowerCase()}') - ${reason}`;
  }

  rewrite(all = false): string | null {
    const path = this.settings.configFile;
    if (path === undefined) return 'ERR The server is running without a config file';
    try {
      replaceFile(path, rewriteConfig(readText(path), this.settings, { ...this.extras(), all }), this.randomName());
      return null;
    } catch (error) {
      return `ERR Rewriting config file: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  private extras(): { users?: readonly string[] } {
    const users = this.users();
    return users === undefined ? {} : { users };
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
