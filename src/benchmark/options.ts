// The command line of tsredis-benchmark. The options end at the first word without a dash; the rest is a command to
// measure instead of the default tests.
import { parseServerUri } from '../../server/formats/server-uri.ts';
import type { TlsOptions } from '../host/server-tls.ts';

export interface BenchmarkOptions {
  host: string;
  port: number;
  socketPath: string | undefined;
  user: string | undefined;
  password: string | undefined;
  database: number;
  resp3: boolean;
  useTls: boolean;
  tls: TlsOptions;
  clients: number;
  requests: number;
  dataBytes: number;
  keepAlive: boolean;
  /** Random numbers are below this; undefined: nothing is random, the same key every time. */
  keyspace: number | undefined;
  pipeline: number;
  /** 0: one thread, not asked for. */
  threads: number;
  tracking: boolean;
  quiet: boolean;
  csv: boolean;
  /** Significant digits of latencies. */
  precision: number;
  loop: boolean;
  idle: boolean;
  /** Lower-case names; undefined: all. */
  tests: Set<string> | undefined;
  lastArgumentFromStdin: boolean;
  seed: number | undefined;
}

export type ParsedCommandLine =
  /** Warnings are for the standard error output. */
  | { options: BenchmarkOptions; command: string[]; warnings: string[] }
  | { exitStatus: number; show: 'help' | 'version' }
  | { exitStatus: number; error: string };

export function parseCommandLine(argv: readonly string[]): ParsedCommandLine {
  const options = defaultOptions();
  const warnings: string[] = [];
  let index = 0;
  for (; index < argv.length; index++) {
    const word = argv[index]!;
    const value = argv[index + 1];
    if (word === '--help') return { exitStatus: 0, show: 'help' };
    if (word === '-v' || word === '--version') return { exitStatus: 0, show: 'version' };
    if (!word.startsWith('-')) break;
    if (word === '-e') {
      warnings.push('WARNING: -e option has no effect. We now immediately exit on error to avoid false results.');
      continue;
    }
    const flag = FLAGS[word];
    if (flag !== undefined) {
      Object.assign(options, typeof flag === 'function' ? flag(options) : flag);
      continue;
    }
    const setter = VALUED[word];
    if (setter === undefined || value === undefined) {
      return { exitStatus: 1, error: `Invalid option "${word}" or option argument missing` };
    }
    const change = setter(value, options);
    if (typeof change === 'string') return { exitStatus: 1, error: change };
    Object.assign(options, change);
    if (options.threads > THREADS_MAX) {
      warnings.push(`WARNING: Too many threads, limiting threads to ${THREADS_MAX}.`);
      options.threads = THREADS_MAX;
    }
    index++;
  }
  return { options, command: argv.slice(index), warnings };
}

function defaultOptions(): BenchmarkOptions {
  return {
    host: '127.0.0.1',
    port: 6379,
    socketPath: undefined,
    user: undefined,
    password: undefined,
    database: 0,
    resp3: false,
    useTls: false,
    tls: {},
    clients: 50,
    requests: 100_000,
    dataBytes: 3,
    keepAlive: true,
    keyspace: undefined,
    pipeline: 1,
    threads: 0,
    tracking: false,
    quiet: false,
    csv: false,
    precision: 3,
    loop: false,
    idle: false,
    tests: undefined,
    lastArgumentFromStdin: false,
    seed: undefined,
  };
}

type Change = Partial<BenchmarkOptions>;

const FLAGS: Record<string, Change | ((options: BenchmarkOptions) => Change)> = {
  '-3': { resp3: true },
  '-q': { quiet: true },
  '--csv': { csv: true },
  '-l': { loop: true },
  '-I': { idle: true },
  '-x': { lastArgumentFromStdin: true },
  '--enable-tracking': { tracking: true },
  '--tls': { useTls: true },
  '--insecure': ({ tls }) => ({ tls: { ...tls, insecure: true } }),
};

const THREADS_MAX = 500;
const DATA_BYTES_MAX = 1024 * 1024 * 1024;

/** A returned string is the error to exit with. */
const VALUED: Record<string, (value: string, options: BenchmarkOptions) => Change | string> = {
  '-h': (host) => ({ host }),
  '-p': (value) => {
    const port = integer(value);
    return port < 0 || port > 65535 ? 'Invalid server port.' : { port };
  },
  '-s': (socketPath) => ({ socketPath }),
  '-a': (password) => ({ password }),
  '--user': (user) => ({ user }),
  '-u': fromUri,
  '-c': (value) => ({ clients: Math.max(1, integer(value)) }),
  '-n': (value) => ({ requests: Math.max(0, integer(value)) }),
  '-d': (value) => ({ dataBytes: Math.min(Math.max(1, integer(value)), DATA_BYTES_MAX) }),
  '--dbnum': (value) => ({ database: integer(value) }),
  '-k': (value) => ({ keepAlive: integer(value) !== 0 }),
  '-r': (value) => ({ keyspace: Math.max(0, integer(value)) }),
  '-P': (value) => ({ pipeline: Math.max(1, integer(value)) }),
  '--threads': (value) => ({ threads: Math.max(0, integer(value)) }),
  // Redis' own ends by a crash with 0 digits.
  '--precision': (value) => ({ precision: integer(value) < 0 ? 3 : Math.min(Math.max(1, integer(value)), 4) }),
  '-t': (value) => ({ tests: new Set(value.toLowerCase().split(',')) }),
  '--seed': (value) => ({ seed: integer(value) }),
  '--sni': (serverName, { tls }) => ({ tls: { ...tls, serverName } }),
  '--cacert': (caFile, { tls }) => ({ tls: { ...tls, caFile } }),
  '--cacertdir': (caDirectory, { tls }) => ({ tls: { ...tls, caDirectory } }),
  '--cert': (certFile, { tls }) => ({ tls: { ...tls, certFile } }),
  '--key': (keyFile, { tls }) => ({ tls: { ...tls, keyFile } }),
  '--tls-ciphers': (ciphers, { tls }) => ({ tls: { ...tls, ciphers } }),
  '--tls-ciphersuites': (cipherSuites, { tls }) => ({ tls: { ...tls, cipherSuites } }),
};

function fromUri(uri: string, options: BenchmarkOptions): Change | string {
  const parsed = parseServerUri(uri);
  if (parsed === undefined) return 'Invalid URI scheme';
  const { tls, ...rest } = parsed;
  return { ...rest, useTls: tls || options.useTls };
}

/** A whole number as C's atoi reads it: what is no number is 0. */
function integer(value: string): number {
  return Number.parseInt(value, 10) || 0;
}
