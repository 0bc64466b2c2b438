// The commands that access rules speak of: all that this version knows, also those it does not serve yet, so that the
// users of a Redis can be taken over as they are.

import { commandSpecs } from './docs.ts';
import { type KeyPlan, keyPlanOf } from './key-positions.ts';
import type { Command } from './registry.ts';
import { type AclCategory, aclCategories, type CommandSpec, resolveCategories } from './spec.ts';

export interface AclCommand {
  /** Lower case; `config|set` for a subcommand. */
  readonly name: string;
  /** Position in permission bitmaps. */
  readonly index: number;
  readonly spec: CommandSpec;
  readonly categories: ReadonlySet<AclCategory>;
  readonly keys: KeyPlan | null;
  readonly channels: ChannelRule | null;
  readonly parent: AclCommand | null;
  readonly subcommands: readonly AclCommand[];
  /** Usable before authentication, and so by everyone. */
  readonly open: boolean;
}

/** Which arguments are channels: from the first on, or the first alone. */
export interface ChannelRule {
  readonly all: boolean;
  /** They are patterns: a rule has to name exactly the same one. */
  readonly patterns: boolean;
}

const CHANNELS: Readonly<Record<string, ChannelRule>> = {
  subscribe: { all: true, patterns: false },
  ssubscribe: { all: true, patterns: false },
  psubscribe: { all: true, patterns: true },
  publish: { all: false, patterns: false },
  spublish: { all: false, patterns: false },
};

export class AclCatalog {
  /** Containers come before their subcommands. */
  readonly all: readonly AclCommand[];
  private readonly byName = new Map<string, AclCommand>();
  private readonly bySpec = new Map<CommandSpec, AclCommand>();

  constructor() {
    for (const [name, spec] of Object.entries(commandSpecs)) {
      if (!(spec.flags ?? []).includes('only_sentinel')) this.add(name, spec, null);
    }
    this.all = [...this.byName.values()];
  }

  /** The command of a name in any case, `container|subcommand` included. */
  find(name: string): AclCommand | undefined {
    return this.byName.get(name.toLowerCase());
  }

  /** What a request of these words would run: a container's subcommand, or the command itself. */
  resolve(name: string, first: string | null): AclCommand | undefined {
    const command = this.find(name);
    if (command === undefined || command.parent !== null) return undefined;
    if (command.subcommands.length === 0 || first === null) return command;
    return this.find(`${name}|${first}`);
  }

  /** The entry of a command of the table. */
  of(command: Command): AclCommand {
    const found = this.bySpec.get(command.spec);
    if (found === undefined) throw new Error(`access rules: '${command.name}' is not in the list of commands`);
    return found;
  }

  inCategory(category: AclCategory): AclCommand[] {
    return this.all.filter((command) => command.categories.has(category));
  }

  private add(name: string, spec: CommandSpec, parent: AclCommand | null): AclCommand {
    const subcommands: AclCommand[] = [];
    let categories: ReadonlySet<AclCategory> | undefined;
    const command: AclCommand = {
      name,
      index: this.byName.size,
      spec,
      // Few of hundreds are asked for, and not at the start.
      get categories() {
        categories ??= new Set(resolveCategories(spec));
        return categories;
      },
      get keys() {
        return keyPlanOf(spec);
      },
      channels: CHANNELS[name] ?? null,
      parent,
      subcommands,
      open: (spec.flags ?? []).includes('no_auth'),
    };
    this.byName.set(name, command);
    this.bySpec.set(spec, command);
    for (const [sub, subSpec] of Object.entries(spec.subcommands ?? {})) {
      subcommands.push(this.add(`${name}|${sub}`, subSpec, command));
    }
    return command;
  }
}

/** The category of a name in any case, without its `@`. */
export function aclCategory(name: string): AclCategory | undefined {
  const lower = name.toLowerCase();
  return aclCategories.find((category) => category === lower);
}
