// INFO: sections of `name:value` lines, each made when it is asked for.

import type { InfoService } from '../commands/services.ts';

/** A section: its title and what makes its lines. */
export interface InfoSection {
  name: string;
  title: string;
  /** Part of plain INFO. */
  isDefault: boolean;
  lines: () => readonly (readonly [name: string, value: string | number])[];
}

export class Info implements InfoService {
  /** In the order in which INFO prints them. */
  readonly sections: InfoSection[] = [];
  private readonly reset: () => void;

  constructor(reset: () => void) {
    this.reset = reset;
  }

  text(names: readonly string[]): string {
    const wanted = new Set(names);
    const all = wanted.has('all') || wanted.has('everything');
    const plain = names.length === 0 || wanted.has('default');
    const parts: string[] = [];
    for (const section of this.sections) {
      if (!all && !(plain && section.isDefault) && !wanted.has(section.name)) continue;
      const lines = section.lines().map(([name, value]) => `${name}:${value}\r\n`);
      parts.push(`# ${section.title}\r\n${lines.join('')}`);
    }
    return parts.join('\r\n');
  }

  resetStatistics(): void {
    this.reset();
  }
}
