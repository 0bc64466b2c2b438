// The command line of tsredis-cli: one table of options, read into one record. The options end at the first word that
// does not begin with a dash; the rest is the command.
import { splitInline } from '../../server/formats/resp/inline.ts';
import { parseServerUri } from '../../server/formats/server-uri.ts';
import type { TlsOptions } from '../host/server-tls.ts';

export type OutputMode = 'raw' | 'standard' | 'csv' | 'json' | 'quoted-json';

/** What the program does instead of sending a command or opening the prompt. */
export type Mode =
  | 'latency'
  | 'latency-history'
  | 'latency-dist'
  | 'lru-test'
  | 'replica'
  | 'stat'
  | 'scan'
  | 'bigkeys'
  | 'memkeys'
  | 'hotkeys'
  | 'pipe'
  | 'rdb'
  | 'functions-rdb'
  | 'intrinsic-latency'
  | 'eval';

export interface CliOptions {
  host: string;
  port: number;
  socketPath: string | undefined;
  user: string | undefined;
  password: string | undefined;
  askPassword: boolean;
  authWarning: boolean;
  database: number;
  useTls: boolean;
  tls: TlsOptions;
  /** How often the command is sent; -1: for ever. */
  repeat: number;
  /** Seconds between repeats, cycles or samples; 0: the mode's own default. */
  intervalSeconds: number;
  resp2: boolean;
  /** `implied` by --json: a server that knows only RESP2 is no error. */
  resp3: 'no' | 'implied' | 'yes';
  lastArgumentFromStdin: boolean;
  stdinTag: Buffer | undefined;
  bulkDelimiter: Buffer;
  replyDelimiter: Buffer;
  cluster: boolean;
  errorExitStatus: boolean;
  output: OutputMode | undefined;
  showPushes: boolean | undefined;
  quotedInput: boolean;
  verbose: boolean;
  mode: Mode | undefined;
  /** The value that came with the mode's option: a file name, a number. */
  modeValue: string;
  pattern: Buffer | undefined;
  scanCount: number;
  pipeTimeoutSeconds: number;
  memorySamples: number | undefined;
  connectTimeoutMs: number | undefined;
}

/** The parsed command line, or what to print and how to exit at once. */
export type ParsedCommandLine =
  | { options: CliOptions; command: Buffer[] }
  | { exitStatus: number; show: 'help' | 'version' }
  | { exitStatus: number; error: string };

export function parseCommandLine(argv: readonly Buffer[]): ParsedCommandLine {
  const options = defaultOptions();
  let index = 0;
  try {
    for (; index < argv.length; index++) {
      const word = argv[index]!.toString('utf8');
      const value = argv[index + 1];
      if (word === '--help' || (word === '-h' && value === undefined)) return { exitStatus: 0, show: 'help' };
      if (word === '-v' || word === '--version') return { exitStatus: 0, show: 'version' };
      if (!word.startsWith('-')) break;
      if (setFlag(options, word)) continue;
      if (value === undefined || !setValue(options, word, value)) {
        throw new CommandLineError(`Unrecognized option or bad number of args for: '${word}'`);
      }
      index++;
    }
    checkConflicts(options);
  } catch (error) {
    if (error instanceof CommandLineError) return { exitStatus: 1, error: error.message };
    throw error;
  }
  return { options, command: argv.slice(index) };
}

function setFlag(options: CliOptions, word: string): boolean {
  if (word === '--tls') options.useTls = true;
  else if (word === '--insecure') options.tls.insecure = true;
  else if (FLAGS[word] === undefined) return false;
  Object.assign(options, FLAGS[word]);
  if (word.endsWith('json') && options.resp3 === 'no') options.resp3 = 'implied';
  return true;
}

function setValue(options: CliOptions, word: string, value: Buffer): boolean {
  const tlsField = TLS_VALUED[word];
  const setter = VALUED[word];
  if (tlsField !== undefined) Object.assign(options.tls, { [tlsField]: value.toString('utf8') });
  else if (setter !== undefined) Object.assign(options, setter(value.toString('utf8'), value, options));
  else return false;
  return true;
}

function defaultOptions(): CliOptions {
  return {
    host: '127.0.0.1',
    port: 6379,
    socketPath: undefined,
    user: undefined,
    password: undefined,
    askPassword: false,
    authWarning: true,
    database: 0,
    useTls: false,
    tls: {},
    repeat: 1,
    intervalSeconds: 0,
    resp2: false,
    resp3: 'no',
    lastArgumentFromStdin: false,
    stdinTag: undefined,
    bulkDelimiter: Buffer.from('\n'),
    replyDelimiter: Buffer.from('\n'),
    cluster: false,
    errorExitStatus: false,
    output: undefined,
    showPushes: undefined,
    quotedInput: false,
    verbose: false,
    mode: undefined,
    modeValue: '',
    pattern: undefined,
    scanCount: 10,
    pipeTimeoutSeconds: 30,
    memorySamples: undefined,
    connectTimeoutMs: undefined,
  };
}

function checkConflicts(options: CliOptions): void {
  const conflicts: [boolean, string, string][] = [
    [options.cluster && options.socketPath !== undefined, '-c', '-s'],
    [options.resp2 && options.resp3 === 'yes', '-2', '-3'],
    [options.lastArgumentFromStdin && options.stdinTag !== undefined, '-x', '-X'],
  ];
  const found = conflicts.find(([isConflict]) => isConflict);
  if (found !== undefined) throw new CommandLineError(`Options ${found[1]} and ${found[2]} are mutually exclusive.`);
}

/** Options without a value: what each sets. */
const FLAGS: Record<string, Partial<CliOptions>> = {
  '-x': { lastArgumentFromStdin: true },
  '-2': { resp2: true },
  '-3': { resp3: 'yes' },
  '-c': { cluster: true },
  '-e': { errorExitStatus: true },
  '--raw': { output: 'raw' },
  '--no-raw': { output: 'standard' },
  '--csv': { output: 'csv' },
  '--json': { output: 'json' },
  '--quoted-json': { output: 'quoted-json' },
  '--quoted-input': { quotedInput: true },
  '--verbose': { verbose: true },
  '--askpass': { askPassword: true },
  '--no-auth-warning': { authWarning: false },
  '--latency': { mode: 'latency' },
  '--latency-dist': { mode: 'latency-dist' },
  '--latency-history': { mode: 'latency-history' },
  '--replica': { mode: 'replica' },
  '--slave': { mode: 'replica' },
  '--stat': { mode: 'stat' },
  '--scan': { mode: 'scan' },
  '--bigkeys': { mode: 'bigkeys' },
  '--memkeys': { mode: 'memkeys' },
  '--hotkeys': { mode: 'hotkeys' },
  '--pipe': { mode: 'pipe' },
};

type Setter = (value: string, bytes: Buffer, options: CliOptions) => Partial<CliOptions>;

/** Options with a value: what it sets. A setter throws CommandLineError for a value that cannot be. */
const VALUED: Record<string, Setter> = {
  '-h': (host) => ({ host }),
  '-p': (value) => ({ port: portNumber(value) }),
  '-s': (socketPath) => ({ socketPath }),
  '-t': (value) => ({ connectTimeoutMs: decimal(value) * 1000 }),
  '-r': (value) => ({ repeat: integer(value) }),
  '-i': (value) => ({ intervalSeconds: decimal(value) }),
  '-n': (value) => ({ database: integer(value) }),
  '-a': (password) => ({ password }),
  '--pass': (password) => ({ password }),
  '--user': (user) => ({ user }),
  '-u': fromUri,
  '-X': (_, stdinTag) => ({ stdinTag }),
  '-d': (_, bulkDelimiter) => ({ bulkDelimiter }),
  '-D': (_, replyDelimiter) => ({ replyDelimiter }),
  '--show-pushes': (value) => ({ showPushes: yesOrNo(value) }),
  '--pattern': (_, pattern) => ({ pattern }),
  '--quoted-pattern': (_, bytes) => ({ pattern: unquoted(bytes) }),
  '--count': (value) => ({ scanCount: integer(value) }),
  '--lru-test': (modeValue) => ({ mode: 'lru-test', modeValue }),
  '--intrinsic-latency': (modeValue) => ({ mode: 'intrinsic-latency', modeValue }),
  '--rdb': (modeValue) => ({ mode: 'rdb', modeValue }),
  '--functions-rdb': (modeValue) => ({ mode: 'functions-rdb', modeValue }),
  '--eval': (modeValue) => ({ mode: 'eval', modeValue }),
  '--pipe-timeout': (value) => ({ pipeTimeoutSeconds: integer(value) }),
  '--memkeys-samples': (value) => ({ mode: 'memkeys', memorySamples: integer(value) }),
};

/** TLS options: flags set `true`, the others their value; each implies nothing without --tls. */
const TLS_VALUED: Record<string, keyof TlsOptions> = {
  '--sni': 'serverName',
  '--cacert': 'caFile',
  '--cacertdir': 'caDirectory',
  '--cert': 'certFile',
  '--key': 'keyFile',
  '--tls-ciphers': 'ciphers',
  '--tls-ciphersuites': 'cipherSuites',
};

class CommandLineError extends Error {}

function fromUri(uri: string, _: Buffer, options: CliOptions): Partial<CliOptions> {
  const parsed = parseServerUri(uri);
  if (parsed === undefined) throw new CommandLineError('Invalid URI scheme');
  const { tls, ...rest } = parsed;
  return { ...rest, useTls: tls || options.useTls };
}

/** A whole number as C's atoi reads it: what is no number is 0. */
function integer(value: string): number {
  return Number.parseInt(value, 10) || 0;
}

function decimal(value: string): number {
  return Math.max(0, Number.parseFloat(value) || 0);
}

function portNumber(value: string): number {
  const port = integer(value);
  if (port < 0 || port > 65535) throw new CommandLineError('Invalid server port.');
  return port;
}

function yesOrNo(value: string): boolean {
  if (!/^[yn]/i.test(value)) {
    throw new CommandLineError(`Unknown --show-pushes value '${value}' (valid: '[y]es', '[n]o')`);
  }
  return /^y/i.test(value);
}

function unquoted(bytes: Buffer): Buffer {
  const [word, ...more] = splitInline(bytes, 0, bytes.length) ?? [];
  if (word === undefined || more.length > 0) {
    throw new CommandLineError('Invalid quoted string specified for --quoted-pattern.');
  }
  return word;
}
