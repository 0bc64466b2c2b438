// rename-command: commands under other names, or under none.

import { type Command, CommandIndex } from './registry.ts';

export class RenamedCommands {
  private readonly byName: Map<string, Command>;

  constructor(commands: CommandIndex) {
    this.byName = new Map(commands.all().map((command) => [command.name, command]));
  }

  /** Gives a command another name, '' for none (byte texts, in any case); gives the reason when that cannot be. */
  rename(from: string, to: string): string | undefined {
    const name = from.toLowerCase();
    const target = to.toLowerCase();
    const command = this.byName.get(name);
    if (command === undefined) return 'No such command in rename-command';
    this.byName.delete(name);
    if (target === '') return undefined;
    if (this.byName.has(target)) return 'Target command name already exists';
    this.byName.set(target, command);
    return undefined;
  }

  index(): CommandIndex {
    return new CommandIndex([...this.byName.values()], [...this.byName.keys()]);
  }
}
