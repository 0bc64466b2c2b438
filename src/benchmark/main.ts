// tsredis-benchmark from its arguments to its exit status.
import { type CommandArgument, encodeCommand } from '../../server/formats/resp/encode-command.ts';
import type { Reply } from '../../server/formats/resp/reply.ts';
import { Client, type ClientTarget, type TlsTarget } from '../../server/net/client.ts';
import { type DriveResult, drive, Ledger, LoadError, type Progress } from './drive.ts';
import { type BenchmarkOptions, parseCommandLine } from './options.ts';
import { randomBelow } from './random.ts';
import { CSV_HEADER, csvRow, fullReport, progressLine, quietLine, type ServerSettings } from './report.ts';
import type { ThreadOptions } from './threads.ts';
import { defaultWorkloads, payload } from './workloads.ts';

export interface BenchmarkHost {
  write(text: string): void;
  writeError(text: string): void;
  readStdin(): Buffer;
  nowMs(): number;
  random(): number;
  /** The program's file, which threads run, too. */
  readonly program: URL;
}

const PROGRESS_EVERY_MS = 250;
const RETRY_IDLE_MS = 250;

/** Runs the program and returns its exit status. */
export async function runBenchmark(argv: readonly string[], host: BenchmarkHost, version: string): Promise<number> {
  const parsed = parseCommandLine(argv);
  if ('error' in parsed) {
    host.writeError(`${parsed.error}\n\n`);
    return parsed.exitStatus;
  }
  if ('show' in parsed) {
    host.write(parsed.show === 'version' ? `redis-benchmark ${version}\n` : (await import('./usage.ts')).usage());
    return parsed.exitStatus;
  }
  for (const warning of parsed.warnings) host.writeError(`${warning}\n`);
  try {
    await new Benchmark(parsed.options, parsed.command, host).run();
    return 0;
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    host.writeError(`${error.message}\n`);
    return 1;
  }
}

class Benchmark {
  readonly #options: BenchmarkOptions;
  readonly #command: string[];
  readonly #host: BenchmarkHost;
  #settings: ServerSettings | undefined;
  #tls: TlsTarget | undefined;

  constructor(options: BenchmarkOptions, command: string[], host: BenchmarkHost) {
    this.#options = options;
    this.#command = command;
    this.#host = host;
  }

  async run(): Promise<void> {
    const options = this.#options;
    if (options.useTls) {
      const { readTlsOptions } = await import('../host/server-tls.ts');
      this.#tls = readTlsOptions(options.tls);
    }
    if (!options.keepAlive) this.#host.writeError(KEEP_ALIVE_WARNING);
    if (options.idle) return await this.#idle();
    this.#settings = await this.#readSettings();
    if (this.#settings === undefined) this.#host.writeError('WARNING: Could not fetch server CONFIG\n');
    if (options.csv) this.#host.write(CSV_HEADER);
    do {
      if (this.#command.length > 0) await this.#runCommand();
      else await this.#runDefaults();
    } while (options.loop);
  }

  async #runCommand(): Promise<void> {
    const args: (string | Buffer)[] = [...this.#command];
    const title = this.#command.join(' ');
    if (this.#options.lastArgumentFromStdin) args.push(this.#host.readStdin());
    await this.#measure(title, encodeCommand(args));
  }

  async #runDefaults(): Promise<void> {
    const { tests, keyspace, dataBytes, csv } = this.#options;
    for (const { title, names, command } of defaultWorkloads(payload(dataBytes), keyspace !== undefined)) {
      if (tests !== undefined && !names.some((name) => tests.has(name))) continue;
      await this.#measure(title, 'inline' in command ? Buffer.from(command.inline) : encodeCommand(command));
    }
    if (!csv) this.#host.write('\n');
  }

  async #measure(title: string, command: Buffer): Promise<void> {
    const host = this.#host;
    let timer: NodeJS.Timeout | undefined;
    let shown = '';
    const show = (progress: Progress) => {
      let sinceMs = progress.startMs;
      timer = setInterval(() => {
        const nowMs = host.nowMs();
        const line = progressLine(title, progress, nowMs, sinceMs);
        host.write(`${blank(shown)}${line}\r`);
        shown = line;
        sinceMs = nowMs;
        progress.recent.reset();
      }, PROGRESS_EVERY_MS);
    };
    try {
      const result = await this.#drive(command, this.#options.csv ? () => {} : show);
      if (this.#options.csv) host.write(csvRow(title, result));
      else if (this.#options.quiet) host.write(`${blank(shown)}${quietLine(title, result)}`);
      else host.write(`${blank(shown)}${fullReport(title, result, this.#options, this.#settings)}`);
    } finally {
      clearInterval(timer);
    }
  }

  async #drive(command: Buffer, onStart: (progress: Progress) => void): Promise<DriveResult> {
    const { requests, threads, seed } = this.#options;
    const options = { ...this.#load(), nowMs: () => this.#host.nowMs() };
    if (threads > 0) {
      const { driveThreads } = await import('./threads.ts');
      return await driveThreads(command, requests, threads, options, this.#host.program, onStart);
    }
    const random = randomBelow(seed, () => this.#host.random());
    return await drive(command, { ...options, ledger: new Ledger(requests), random }, onStart);
  }

  #load(): ThreadOptions {
    const { clients, pipeline, keepAlive, keyspace, precision, seed } = this.#options;
    const greeting = this.#greeting();
    const { host, port, path } = this.#target();
    return {
      target: path === undefined ? { host, port } : { path },
      targetName: path ?? `${host}:${port}`,
      tls: this.#tls,
      greeting: Buffer.concat(greeting.map(encodeCommand)),
      greetingReplies: greeting.length,
      clients,
      pipeline,
      keepAlive,
      keyspace,
      precision,
      seed,
    };
  }

  #target(): ClientTarget {
    const { host, port, socketPath } = this.#options;
    const tls = this.#tls === undefined ? {} : { tls: this.#tls };
    return socketPath === undefined ? { host, port, ...tls } : { host, port, path: socketPath, ...tls };
  }

  /** What every connection sends before its load. */
  #greeting(): CommandArgument[][] {
    const { user, password, database, resp3, tracking } = this.#options;
    const commands: CommandArgument[][] = [];
    if (password !== undefined) commands.push(user ? ['AUTH', user, password] : ['AUTH', password]);
    if (tracking) commands.push(['CLIENT', 'TRACKING', 'on']);
    if (database !== 0) commands.push(['SELECT', database]);
    if (resp3) commands.push(['HELLO', 3]);
    return commands;
  }

  /** Settings for the report; also the proof that the server is there and lets us in. */
  async #readSettings(): Promise<ServerSettings | undefined> {
    const target = this.#target();
    let client: Client;
    try {
      client = await Client.connect(target);
    } catch (error) {
      const name = target.path ?? `${target.host}:${target.port}`;
      throw new LoadError(`Could not connect to Redis at ${name}: ${(error as Error).message}`);
    }
    try {
      for (const command of this.#greeting()) {
        const reply = await client.call(...command);
        if (reply.kind === 'error') throw new LoadError(`Error from server: ${reply.bytes.toString()}`);
      }
      const save = settingOf(await client.call('CONFIG', 'GET', 'save'));
      const appendonly = settingOf(await client.call('CONFIG', 'GET', 'appendonly'));
      return save === undefined || appendonly === undefined ? undefined : { save, appendonly };
    } catch (error) {
      if (error instanceof LoadError) throw error;
      return undefined;
    } finally {
      client.close();
    }
  }

  /** Opens connections, keeps them open, and ends only when the server ends one. */
  async #idle(): Promise<void> {
    const { clients } = this.#options;
    const host = this.#host;
    host.write(`Creating ${clients} idle connections and waiting forever (Ctrl+C when done)\n`);
    const open: Client[] = [];
    let failure: Error | undefined;
    const target = this.#target();
    for (let i = 0; i < clients && failure === undefined; i++) {
      const client = await Client.connect(target).catch((error: Error) => {
        throw new LoadError(
          `Could not connect to Redis at ${target.path ?? `${target.host}:${target.port}`}: ${error.message}`,
        );
      });
      open.push(client);
      client.read().then(
        (reply) => {
          failure ??= new LoadError(`Error from server: ${'bytes' in reply ? reply.bytes.toString() : reply.kind}`);
        },
        (error: Error) => {
          failure ??= new LoadError(`Error: ${error.message}`);
        },
      );
    }
    while (failure === undefined) {
      host.write(`clients: ${open.length}\r`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_IDLE_MS));
    }
    for (const client of open) client.close();
    throw failure;
  }
}

const KEEP_ALIVE_WARNING =
  "WARNING: Keepalive disabled. You probably need 'echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse' for Linux and " +
  "'sudo sysctl -w net.inet.tcp.msl=1000' for Mac OS X in order to use a lot of clients/requests\n";

/** The value in `CONFIG GET name`'s reply, an array or a map. */
function settingOf(reply: Reply): string | undefined {
  if (!('items' in reply)) return undefined;
  const value = reply.items[1];
  return value?.kind === 'bulk' ? value.bytes.toString() : undefined;
}

/** Overwrites a line shown before. */
function blank(shown: string): string {
  return shown === '' ? '' : `${' '.repeat(shown.length)}\r`;
}
