// One conversation with a server: connects, authenticates, selects the database, prints replies, and keeps the state
// that the prompt shows (server, database, transaction).
import type { CommandArgument } from '../../server/formats/resp/encode-command.ts';
import type { Reply } from '../../server/formats/resp/reply.ts';
import { Client, ClientConnectionError, type ClientOptions } from '../../server/net/client.ts';
import { formatPush, formatReply, textOf } from './format.ts';
import { CliExit, type CliHost } from './host.ts';
import type { CliOptions, OutputMode } from './options.ts';

export class Session {
  readonly options: CliOptions;
  readonly host: CliHost;
  readonly output: OutputMode;
  /** At the prompt a lost connection is reported and made again; in a script it ends the program. */
  interactive = false;
  client: Client | undefined;
  /** Where the server is; cluster redirections and `connect` change it. */
  serverHost: string;
  serverPort: number;
  user: string | undefined;
  password: string | undefined;
  /** The database the connection is in, and the one it is put in when it is made again. */
  database = 0;
  wantedDatabase: number;
  inTransaction = false;
  #databaseBefore = 0;
  readonly #showPushes: boolean;

  constructor(options: CliOptions, host: CliHost) {
    this.options = options;
    this.host = host;
    this.serverHost = options.host;
    this.serverPort = options.port;
    this.user = options.user || undefined;
    this.password = options.password;
    this.wantedDatabase = options.database;
    this.output = options.output ?? (host.stdoutIsTerminal ? 'standard' : 'raw');
    this.#showPushes = options.showPushes ?? host.stdoutIsTerminal;
  }

  get prompt(): string {
    if (this.client === undefined || this.client.closed) return 'not connected> ';
    const { socketPath } = this.options;
    const host = this.serverHost.includes(':') ? `[${this.serverHost}]` : this.serverHost;
    const place = socketPath === undefined ? `${host}:${this.serverPort}` : `redis ${socketPath}`;
    return `${place}${this.database === 0 ? '' : `[${this.database}]`}${this.inTransaction ? '(TX)' : ''}> `;
  }

  /** Connects anew and prepares the connection. False: not connected, which has been said. */
  async connect(): Promise<boolean> {
    this.disconnect();
    try {
      this.client = await this.#open();
    } catch (error) {
      const place = this.options.socketPath ?? `${this.serverHost}:${this.serverPort}`;
      this.host.writeError(`Could not connect to Redis at ${place}: ${(error as Error).message}\n`);
      return false;
    }
    this.catchPushes();
    try {
      if (await this.authenticate()) {
        await this.selectDatabase();
        await this.#switchProtocol();
      }
    } catch (error) {
      this.host.writeError(`Error: ${(error as Error).message}\n`);
      this.disconnect();
      return false;
    }
    return true;
  }

  async ensureConnected(): Promise<boolean> {
    return (this.client !== undefined && !this.client.closed) || (await this.connect());
  }

  /** Connects or ends the program, for what is nothing without a connection. */
  async connectOrExit(): Promise<Client> {
    if (!(await this.connect())) throw new CliExit(1);
    return this.client!;
  }

  disconnect(): void {
    this.client?.close();
    this.client = undefined;
    this.database = 0;
    this.inTransaction = false;
  }

  /** Sends AUTH when there is a password. False: refused, which is said and is not fatal. */
  async authenticate(): Promise<boolean> {
    if (this.password === undefined) return true;
    const reply = await this.client!.call(
      ...(this.user === undefined ? ['AUTH', this.password] : ['AUTH', this.user, this.password]),
    );
    if (reply.kind !== 'error') return true;
    this.host.writeError(`AUTH failed: ${textOf(reply)}\n`);
    return false;
  }

  /** Selects the wanted database when the connection is in another. */
  async selectDatabase(): Promise<void> {
    if (this.wantedDatabase === this.database) return;
    const reply = await this.client!.call('SELECT', this.wantedDatabase);
    if (reply.kind === 'error') this.host.writeError(`SELECT ${this.wantedDatabase} failed: ${textOf(reply)}\n`);
    else this.database = this.wantedDatabase;
  }

  /** SELECT succeeded (inside a transaction: was queued). */
  selected(database: number): void {
    this.database = database;
    this.wantedDatabase = database;
  }

  begin(): void {
    this.inTransaction = true;
    this.#databaseBefore = this.database;
  }

  /** The transaction ended; `undone`: with it any SELECT inside. */
  finish(undone: boolean): void {
    this.inTransaction = false;
    if (undone) this.selected(this.#databaseBefore);
  }

  /** RESET succeeded: the connection is as new, without user and in database 0. */
  wasReset(): void {
    this.inTransaction = false;
    this.selected(0);
    this.user = undefined;
    this.password = undefined;
  }

  /** Pushes are printed as they come, or dropped. */
  catchPushes(): void {
    if (this.client === undefined) return;
    this.client.onPush = this.#showPushes ? (push) => this.host.write(formatPush(push)) : () => {};
  }

  /** Sends one command and returns its reply. @throws CliExit, the reason said, when the connection is lost */
  async call(...args: readonly CommandArgument[]): Promise<Reply> {
    try {
      return await this.client!.call(...args);
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Says what went wrong with the connection and ends the program; other errors pass. */
  fail(error: unknown): never {
    const { name, message } = error as Error;
    if (!(error instanceof ClientConnectionError) && name !== 'ReplySyntaxError') throw error;
    this.host.writeError(`Error: ${message}\n`);
    throw new CliExit(1);
  }

  /** @param plain INFO and the like: text for people, printed as it is even at a terminal */
  print(reply: Reply, plain = false): void {
    const { bulkDelimiter, replyDelimiter } = this.options;
    const format = {
      mode: this.output,
      bulkDelimiter: bulkDelimiter.toString('latin1'),
      replyDelimiter: replyDelimiter.toString('latin1'),
    };
    this.host.write(formatReply(reply, format, plain));
  }

  async #open(): Promise<Client> {
    const { socketPath, useTls, tls, connectTimeoutMs } = this.options;
    const options: ClientOptions = connectTimeoutMs === undefined ? {} : { connectTimeoutMs };
    const target = { host: this.serverHost, port: this.serverPort };
    if (socketPath !== undefined) return await Client.connect({ ...target, path: socketPath }, options);
    if (!useTls) return await Client.connect(target, options);
    const { readTlsOptions } = await import('../host/server-tls.ts');
    return await Client.connect({ ...target, tls: readTlsOptions(tls) }, options);
  }

  async #switchProtocol(): Promise<void> {
    const { resp2, resp3 } = this.options;
    if (resp2 || resp3 === 'no') return;
    const reply = await this.client!.call('HELLO', 3);
    if (reply.kind === 'error' && resp3 === 'yes') this.host.writeError(`HELLO 3 failed: ${textOf(reply)}\n`);
  }
}
