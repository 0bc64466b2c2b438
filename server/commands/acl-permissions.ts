// Which commands a selector allows: a bitmap over the catalog, and the shortest list of rules that leads to it.

import type { AclCatalog, AclCommand } from './acl-catalog.ts';
import { aclCategory } from './acl-catalog.ts';

/** Why a rule cannot be applied, as Redis words it. */
export const AclProblem = {
  unknownCommand: 'Unknown command or category name in ACL',
  syntax: 'Syntax error',
  keysAfterAll:
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
  channelsAfterAll:
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
  noSuchPassword: 'The password you are trying to remove from the user does not exist',
  badHash: 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
  duplicateUser: 'Duplicate user found. A user can only be defined once in config files',
  firstArgumentOfSubcommand: 'Allowing first-arg of a subcommand is not supported',
} as const;

export type AclProblem = (typeof AclProblem)[keyof typeof AclProblem];

export class CommandPermissions {
  /** Nothing was taken away since all was allowed. */
  everything = false;
  private readonly catalog: AclCatalog;
  private readonly bits: Uint32Array;
  /** Commands allowed only with one of these first arguments. */
  private readonly firstArguments = new Map<number, string[]>();
  /** Commands that a later version brings: allowed when the rules start from +@all. */
  private future = false;
  /** What was added to or taken from the start, in the order given. */
  private rules: string[] = [];

  constructor(catalog: AclCatalog) {
    this.catalog = catalog;
    this.bits = new Uint32Array((catalog.all.length + 31) >>> 5);
  }

  allowAll(): void {
    this.start(true);
  }

  denyAll(): void {
    this.start(false);
  }

  /** Takes a rule that starts with + or -. */
  apply(rule: string): AclProblem | null {
    const allow = rule[0] === '+';
    const name = rule.slice(1).toLowerCase();
    if (name === '@all') {
      this.start(allow);
      return null;
    }
    if (name[0] === '@') {
      const category = aclCategory(name.slice(1));
      if (category === undefined) return AclProblem.unknownCommand;
      for (const command of this.catalog.inCategory(category)) this.put(command, allow);
      this.note(`${rule[0]}${name}`);
      return null;
    }
    const command = this.catalog.find(name);
    if (command !== undefined) {
      this.put(command, allow);
      this.note(`${rule[0]}${command.name}`);
      return null;
    }
    return allow && name.includes('|') ? this.allowFirstArgument(rule.slice(1)) : AclProblem.unknownCommand;
  }

  /** Whether a command may run; `first` gives its first argument, or null without one. */
  allows(command: AclCommand, first: () => string | null): boolean {
    if (this.everything || command.open || this.has(command.index)) return true;
    const allowed = this.firstArguments.get(command.index);
    if (allowed === undefined) return false;
    const argument = first()?.toLowerCase();
    return argument !== undefined && allowed.some((word) => word.toLowerCase() === argument);
  }

  copyFrom(other: CommandPermissions): void {
    this.everything = other.everything;
    this.future = other.future;
    this.bits.set(other.bits);
    this.firstArguments.clear();
    for (const [index, words] of other.firstArguments) this.firstArguments.set(index, [...words]);
    this.rules = [...other.rules];
  }

  /** Drops rules without which the outcome is the same: what others overrule, and what changed nothing. */
  simplify(): void {
    for (let i = this.rules.length - 1; i >= 0; i--) {
      const shorter = new CommandPermissions(this.catalog);
      shorter.start(this.future);
      const rest = this.rules.filter((_, at) => at !== i);
      for (const rule of rest) shorter.apply(rule);
      if (this.equals(shorter)) this.rules = rest;
    }
  }

  describe(): string {
    return [this.future ? '+@all' : '-@all', ...this.rules].join(' ');
  }

  private start(allow: boolean): void {
    this.everything = allow;
    this.future = allow;
    this.bits.fill(allow ? 0xffffffff : 0);
    this.firstArguments.clear();
    this.rules = [];
  }

  private has(index: number): boolean {
    return (this.bits[index >>> 5] & (1 << (index & 31))) !== 0;
  }

  /** Allows or denies a command whole, with its subcommands and whatever its first argument. */
  private put(command: AclCommand, allow: boolean): void {
    const bit = 1 << (command.index & 31);
    if (allow) this.bits[command.index >>> 5] |= bit;
    else {
      this.bits[command.index >>> 5] &= ~bit;
      this.everything = false;
    }
    this.firstArguments.delete(command.index);
    for (const sub of command.subcommands) this.put(sub, allow);
  }

  /** `command|argument` for a command without subcommands. */
  private allowFirstArgument(rule: string): AclProblem | null {
    const bar = rule.lastIndexOf('|');
    const command = this.catalog.find(rule.slice(0, bar));
    const argument = rule.slice(bar + 1);
    if (command === undefined) return AclProblem.unknownCommand;
    if (command.parent !== null) return AclProblem.firstArgumentOfSubcommand;
    if (argument === '') return AclProblem.syntax;
    if (command.subcommands.length > 0) return AclProblem.unknownCommand;
    if (this.has(command.index)) return null;
    const words = this.firstArguments.get(command.index) ?? [];
    this.firstArguments.set(command.index, words);
    if (words.some((word) => word.toLowerCase() === argument.toLowerCase())) return null;
    words.push(argument);
    this.note(`+${command.name}|${argument}`);
    return null;
  }

  /** Appends a rule; older ones on the same thing or a part of it are overruled. */
  private note(rule: string): void {
    const name = rule.slice(1);
    this.rules = this.rules.filter((other) => {
      const older = other.slice(1);
      return older !== name && !older.startsWith(`${name}|`);
    });
    this.rules.push(rule);
  }

  private equals(other: CommandPermissions): boolean {
    for (let i = 0; i < this.bits.length; i++) if (this.bits[i] !== other.bits[i]) return false;
    if (this.firstArguments.size !== other.firstArguments.size) return false;
    for (const [index, words] of this.firstArguments) {
      const others = other.firstArguments.get(index);
      if (others === undefined || others.join(' ') !== words.join(' ')) return false;
    }
    return true;
  }
}
