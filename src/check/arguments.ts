// The checkers' command line: the original's arguments, and ours beside them.

export type CheckArguments = {
  files: string[];
  help: boolean;
  version: boolean;
  json: boolean;
  strict: boolean;
  fix: boolean;
  yes: boolean;
  noBackup: boolean;
  /** The text after --truncate-to-timestamp, or null. */
  timestamp: string | null;
  /** An option that the program doesn't know, or null. */
  unknown: string | null;
};

type Flag = 'help' | 'version' | 'json' | 'strict' | 'fix' | 'yes' | 'noBackup';

const FLAGS: Readonly<Record<string, Flag>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
  '--json': 'json',
  '--strict': 'strict',
  '--fix': 'fix',
  '--yes': 'yes',
  '-y': 'yes',
  '--no-backup': 'noBackup',
};

/** `repairs`: whether the options that change files belong to this program. */
export function parseArguments(args: readonly string[], repairs: boolean): CheckArguments {
  const parsed: CheckArguments = {
    files: [],
    help: false,
    version: false,
    json: false,
    strict: false,
    fix: false,
    yes: false,
    noBackup: false,
    timestamp: null,
    unknown: null,
  };
  let literal = false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    const flag = literal ? undefined : FLAGS[arg];
    if (!literal && arg === '--') literal = true;
    else if (!literal && repairs && arg === '--truncate-to-timestamp') parsed.timestamp = args[++at] ?? '';
    else if (flag !== undefined && (repairs || !['fix', 'yes', 'noBackup'].includes(flag))) parsed[flag] = true;
    else if (!literal && arg.startsWith('-') && arg !== '-') parsed.unknown ??= arg;
    else parsed.files.push(arg);
  }
  return parsed;
}
