// A section of the report: what is measured beyond the load of one command.

/** What every section gets. */
export interface BenchContext {
  /** Command lines of the two servers, ours first. */
  commands: Readonly<Record<ServerName, readonly string[]>>;
  loadProgram: string;
  rounds: number;
  /** Part of the work that is done: 1, or 0.1 for a quick look. */
  scale: number;
  progress(text: string): void;
}

export type ServerName = 'ours' | 'redis';

/** A target and how it came out. */
export interface Verdict {
  what: string;
  measured: number;
  bound: string;
  met: boolean;
}

export interface Outcome {
  /** For the JSON file. */
  data: unknown;
  /** For people. */
  lines: string[];
  verdicts: Verdict[];
}

export interface Section {
  name: string;
  /** For --help. */
  about: string;
  measure(context: BenchContext): Promise<Outcome>;
}

export function atMost(what: string, measured: number, bound: number): Verdict {
  return { what, measured, bound: `at most ${bound}`, met: measured <= bound };
}

/** The order of the servers in a round: each goes first in turn. */
export function orderOf(round: number): readonly ServerName[] {
  return round % 2 === 0 ? ['ours', 'redis'] : ['redis', 'ours'];
}
