// A world for handlers without sockets: a keyspace, a clock that tests move, and a record of what handlers told the
// server. Commands run one by one; a reply comes back as its bytes in latin1 text.

import type { Handler } from '../../server/commands/command.ts';
import { Context } from '../../server/commands/context.ts';
import { CommandError } from '../../server/commands/errors.ts';
import type { Services } from '../../server/commands/services.ts';
import { Session, type Transport } from '../../server/commands/session.ts';
import { createCommandTable } from '../../server/commands/table.ts';
import { createSettings, type Settings } from '../../server/config/settings.ts';
import { ReplyWriter } from '../../server/formats/resp/writer.ts';
import { Keyspace } from '../../server/keyspace/keyspace.ts';

export class HandlerWorld {
  readonly keyspace = new Keyspace(16, { k0: 1, k1: 2 });
  readonly settings: Settings = createSettings({ currentDirectory: () => '/', changeDirectory: () => undefined });
  readonly services: Services;
  /** `event key`, in order. */
  readonly events: string[] = [];
  /** What went to the AOF: words joined by blanks, rewritten commands as such. */
  readonly propagated: string[] = [];
  nowMs = 1_800_000_000_000;
  private readonly context: Context;
  private readonly commands = createCommandTable();
  private randomState = 1;

  constructor() {
    this.services = this.makeServices();
    this.context = new Context(this.keyspace, new ReplyWriter(), this.services);
    const transport: Partial<Transport> = { send: () => undefined };
    const session = new Session(1, transport as Transport, this.keyspace.databases[0], true, this.nowMs);
    this.context.session = session;
  }

  /** Runs one command and returns its reply. */
  run(...words: string[]): string {
    const c = this.context;
    const args = words.map((word) => Buffer.from(word, 'latin1'));
    const found = this.commands.find(args[0], 0, args[0].length);
    const sub = words.length > 1 ? found?.subcommands?.find(args[1], 0, args[1].length) : null;
    const command = sub ?? found;
    if (command?.handler == null) throw new Error(`no handler for ${words[0]}`);
    c.argc = args.length;
    c.buf = Buffer.concat(args);
    c.len = Int32Array.from(args, (arg) => arg.length);
    c.pos = new Int32Array(args.length);
    for (let i = 1; i < args.length; i++) c.pos[i] = c.pos[i - 1] + c.len[i - 1];
    c.db = c.session.db;
    c.command = command;
    c.nowMs = this.nowMs;
    c.rewrites = null;
    c.reply.clear();
    const dirty = this.keyspace.dirty;
    try {
      (command.handler as Handler)(c);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      c.reply.clear();
      c.reply.error(error.text);
    }
    for (const rewrite of c.rewrites ?? (this.keyspace.dirty > dirty ? [args] : [])) this.propagate(rewrite);
    const text = c.reply.buf.toString('latin1', 0, c.reply.pos);
    c.reply.clear();
    return text;
  }

  private propagate(args: readonly Buffer[]): void {
    this.propagated.push(args.map((arg) => arg.toString('latin1')).join(' '));
  }

  private makeServices(): Services {
    const services: Partial<Services> = {
      settings: this.settings,
      commands: this.commands,
      events: {
        notifying: true,
        propagating: true,
        keyChanged: () => undefined,
        databaseChanged: () => undefined,
        swapped: () => undefined,
        notify: (_class, event, _db, buf, pos, len) => {
          this.events.push(`${event} ${Buffer.from(buf).toString('latin1', pos, pos + len)}`);
        },
        propagate: (_db, args) => this.propagate(args),
      },
      replication: { isReplica: false } as Services['replication'],
      clients: { pausing: false } as Services['clients'],
      random: (bound) => {
        this.randomState = (Math.imul(this.randomState, 1664525) + 1013904223) >>> 0;
        return Math.floor((this.randomState / 4294967296) * bound);
      },
      now: () => this.nowMs,
    };
    return services as Services;
  }
}
