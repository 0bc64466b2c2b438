// Every failure the toolkit reports: one row per code with its message, what to do about it, and the exit status.

interface ErrorRow {
  /** What went wrong and what was found; `{name}` is filled in by the place that throws. */
  readonly message: string;
  /** What to do next. */
  readonly hint: string;
  readonly exitStatus: number;
}

// Exit statuses follow the LSB list for init scripts where it has one: 1 general, 2 wrong arguments, 3 not running (or
// unimplemented), 4 not permitted, 5 not installed, 6 not configured, 7 not running.
const errorTable = {
  usage: { message: '{detail}', hint: 'Run it with --help to see what it takes.', exitStatus: 2 },
  internal: { message: '{detail}', hint: 'This is a defect of tsredis: please report it.', exitStatus: 1 },
  'port-range': {
    message: 'port {value} is not a whole number from 1 to 65535',
    hint: 'Choose a port such as 6379.',
    exitStatus: 2,
  },
  'port-in-use': {
    message: 'port {port} is already in use by {owner}',
    hint: 'Stop that process, or choose another port with --port.',
    exitStatus: 1,
  },
  'path-characters': {
    message: 'the {what} {path} {problem}',
    hint: 'Choose an absolute path without control characters.',
    exitStatus: 2,
  },
  'path-not-writable': {
    message: 'cannot write {path}: {reason}',
    hint: 'Check the owner and the mode of the directory, or choose another path.',
    exitStatus: 4,
  },
  'path-not-ours': {
    message: '{path} belongs to {owner}, not to {wanted}',
    hint: 'Choose another path, or hand it over with chown.',
    exitStatus: 4,
  },
  'file-not-readable': {
    message: 'cannot read {path}: {reason}',
    hint: 'Check that it exists and that you may read it.',
    exitStatus: 1,
  },
  'file-exists': {
    message: '{path} exists and was not made by tsredis',
    hint: 'Move it away first, or choose another path.',
    exitStatus: 1,
  },
  'file-modified': {
    message: '{path} was changed since tsredis wrote it',
    hint: 'It is kept as it is; move it away to have a fresh one.',
    exitStatus: 1,
  },
  'not-root': {
    message: '{what} needs root',
    hint: 'Run it with sudo, or set up an instance for your own user with --user.',
    exitStatus: 4,
  },
  'disk-space': {
    message: '{path} has {free} bytes free, {wanted} are needed',
    hint: 'Free some space, or choose a directory on another file system.',
    exitStatus: 1,
  },
  'command-missing': {
    message: 'the program {file} was not found',
    hint: 'Install it, or check PATH.',
    exitStatus: 5,
  },
  'command-failed': {
    message: '{command} failed with {outcome}: {output}',
    hint: 'Run the command by hand to see more.',
    exitStatus: 1,
  },
  'command-timeout': {
    message: '{command} did not finish in {timeoutMs} ms',
    hint: 'Run the command by hand to see where it stays.',
    exitStatus: 1,
  },
  'user-missing': {
    message: 'there is no user {user}',
    hint: 'Create it, or let the installer do so as root.',
    exitStatus: 6,
  },
  'conf-invalid': {
    message: '{path} line {line}: {reason}',
    hint: 'Correct the line and run the command again.',
    exitStatus: 6,
  },
  'template-missing': {
    message: 'the template {name} was not found (looked in {places})',
    hint: 'Reinstall the package: its templates folder is missing.',
    exitStatus: 5,
  },
  'executable-unusable': {
    message: 'the server program {path} cannot be used: {reason}',
    hint: 'Give the absolute path of a server program that the service user may run.',
    exitStatus: 5,
  },
  'instance-unknown': {
    message: 'there is no instance on port {port}',
    hint: 'See what there is with: tsredis service status',
    exitStatus: 5,
  },
  'instance-exists': {
    message: 'an instance on port {port} is already there ({conf})',
    hint: 'Choose another port, or remove it with: tsredis uninstall {port}',
    exitStatus: 1,
  },
  'no-manager': {
    message: 'no service manager here can run {service}: {reason}',
    hint: 'Use --manager daemon to run it without one.',
    exitStatus: 5,
  },
  'start-failed': {
    message: '{service} did not start: {reason}',
    hint: 'See its log with: tsredis service logs',
    exitStatus: 1,
  },
  'stop-timeout': {
    message: '{service} (pid {pid}) still runs {seconds} s after SIGTERM: {reason}',
    hint: 'Wait for its save to end, or correct what it logs. Only --kill ends it by force; unsaved changes are then lost.',
    exitStatus: 1,
  },
  'not-running': { message: '{service} is not running', hint: 'Start it with: tsredis service start', exitStatus: 7 },
  'health-check': {
    message: '{service} runs but does not answer: {reason}',
    hint: 'See its log with: tsredis service logs',
    exitStatus: 1,
  },
  'receipt-missing': {
    message: 'there is no receipt {path}, so nothing says what was installed',
    hint: 'Remove the files by hand, or set up the instance again first.',
    exitStatus: 6,
  },
  'answer-required': {
    message: '{question} needs an answer and there is no terminal to ask at',
    hint: 'Give it as a flag or environment variable, or take every default with --yes.',
    exitStatus: 2,
  },
  cancelled: { message: 'cancelled, nothing was changed', hint: 'Run it again when ready.', exitStatus: 130 },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
type PlaceholdersOf<Code extends ErrorCode> =
  | Placeholders<(typeof errorTable)[Code]['message']>
  | Placeholders<(typeof errorTable)[Code]['hint']>;

/** The values a code's message and hint need, by name. */
export type ErrorDetails<Code extends ErrorCode> = { readonly [Name in PlaceholdersOf<Code>]: string | number };

/** A failure with a code from the table: print `message`, then `hint`, exit with `exitStatus`. */
export class OpsError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  readonly hint: string;
  readonly exitStatus: number;
  readonly details: ErrorDetails<Code>;

  constructor(code: Code, details: ErrorDetails<Code>, options?: ErrorOptions) {
    const row: ErrorRow = errorTable[code];
    super(fill(row.message, details), options);
    this.name = 'OpsError';
    this.code = code;
    this.hint = fill(row.hint, details);
    this.exitStatus = row.exitStatus;
    this.details = details;
  }

  /** The shape of `--json` output. */
  toJSON(): { code: Code; message: string; hint: string; exitStatus: number; details: ErrorDetails<Code> } {
    const { code, message, hint, exitStatus, details } = this;
    return { code, message, hint, exitStatus, details };
  }
}

/** All codes, for documentation and whole-table tests. */
export const errorCodes = Object.keys(errorTable) as ErrorCode[];

function fill(text: string, details: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));
}
