// One set of permissions of a user: commands, keys and channels that go together.

import { globMatch, globMatchRange } from '../base/glob.ts';
import type { AclCatalog, AclCommand } from './acl-catalog.ts';
import { AclProblem, CommandPermissions } from './acl-permissions.ts';
import { KeyFlagBit, type KeyPositions, type RequestView } from './key-positions.ts';

interface KeyPattern {
  readonly text: string;
  readonly bytes: Buffer;
  read: boolean;
  write: boolean;
}

interface ChannelPattern {
  readonly text: string;
  readonly bytes: Buffer;
}

export type AclReason = 'command' | 'key' | 'channel';

const READS = KeyFlagBit.access;
const WRITES = KeyFlagBit.insert | KeyFlagBit.delete | KeyFlagBit.update;

export class Selector {
  allKeys = false;
  allChannels = false;
  readonly commands: CommandPermissions;
  channels: ChannelPattern[] = [];
  private keys: KeyPattern[] = [];
  private readonly catalog: AclCatalog;

  /** Nothing is allowed but, when acl-pubsub-default says so, all channels. */
  constructor(catalog: AclCatalog, allChannels: boolean) {
    this.catalog = catalog;
    this.commands = new CommandPermissions(catalog);
    this.allChannels = allChannels;
  }

  /** Whether nothing needs to be checked. */
  get unrestricted(): boolean {
    return this.allKeys && this.allChannels && this.commands.everything;
  }

  copy(): Selector {
    const copy = new Selector(this.catalog, this.allChannels);
    copy.allKeys = this.allKeys;
    copy.commands.copyFrom(this.commands);
    copy.keys = this.keys.map((key) => ({ ...key }));
    copy.channels = [...this.channels];
    return copy;
  }

  /** Applies one rule (byte text); gives the reason when it is wrong, and nothing has changed then. */
  apply(rule: string): AclProblem | null {
    switch (rule.toLowerCase()) {
      case 'allkeys':
      case '~*':
        this.allKeys = true;
        this.keys = [];
        return null;
      case 'resetkeys':
        this.allKeys = false;
        this.keys = [];
        return null;
      case 'allchannels':
      case '&*':
        this.allChannels = true;
        this.channels = [];
        return null;
      case 'resetchannels':
        this.allChannels = false;
        this.channels = [];
        return null;
      case 'allcommands':
        this.commands.allowAll();
        return null;
      case 'nocommands':
        this.commands.denyAll();
        return null;
    }
    if (rule[0] === '~' || rule[0] === '%') return this.addKeys(rule);
    if (rule[0] === '&') return this.addChannels(rule.slice(1));
    if (rule[0] === '+' || rule[0] === '-') return this.commands.apply(rule);
    return AclProblem.syntax;
  }

  /** What of a request is not allowed: the reason and the argument to blame, or null. */
  refusal(
    command: AclCommand,
    request: RequestView,
    base: number,
    keys: KeyPositions,
  ): { reason: AclReason; at: number } | null {
    const first = (): string | null => (request.argc > base + 1 ? argumentText(request, base + 1) : null);
    if (!this.commands.allows(command, first)) return { reason: 'command', at: base };
    if (!this.allKeys) {
      for (let i = 0; i < keys.count; i++) {
        const at = base + keys.indexes[i];
        if (!this.allowsKey(request, at, keys.flags[i])) return { reason: 'key', at };
      }
    }
    if (command.channels === null || this.allChannels) return null;
    const end = command.channels.all ? request.argc : Math.min(request.argc, base + 2);
    for (let at = base + 1; at < end; at++) {
      if (!this.allowsChannel(argumentBytes(request, at), command.channels.patterns)) return { reason: 'channel', at };
    }
    return null;
  }

  /** A pattern to subscribe to must stand among the rules as it is; a channel has to match one. */
  allowsChannel(name: Uint8Array, isPattern: boolean): boolean {
    if (this.allChannels) return true;
    return this.channels.some(({ bytes }) => (isPattern ? bytes.equals(name) : globMatch(bytes, name)));
  }

  /** Whether every key may be read, which SORT's patterns need. */
  get readsAllKeys(): boolean {
    return this.allKeys || this.keys.some((key) => key.text === '*' && key.read);
  }

  describeKeys(): string {
    if (this.allKeys) return '~*';
    return this.keys
      .map(({ text, read, write }) => (read && write ? `~${text}` : `%${read ? 'R' : ''}${write ? 'W' : ''}~${text}`))
      .join(' ');
  }

  describeChannels(): string {
    return this.allChannels ? '&*' : this.channels.map(({ text }) => `&${text}`).join(' ');
  }

  /** The rules that make this selector. */
  describe(): string {
    const keys = this.describeKeys();
    const channels = this.describeChannels();
    return [
      ...(keys === '' ? [] : [keys]),
      ...(this.allChannels ? [] : ['resetchannels']),
      ...(channels === '' ? [] : [channels]),
      this.commands.describe(),
    ].join(' ');
  }

  private allowsKey(request: RequestView, at: number, flags: number): boolean {
    const reads = (flags & READS) !== 0;
    const writes = (flags & WRITES) !== 0;
    for (const key of this.keys) {
      if ((reads && !key.read) || (writes && !key.write)) continue;
      if (globMatchRange(key.bytes, request.buf, request.pos[at]!, request.len[at]!)) return true;
    }
    return false;
  }

  /** ~pattern, %R~pattern, %W~pattern, %RW~pattern; as in Redis, without a tilde the pattern is empty. */
  private addKeys(rule: string): AclProblem | null {
    if (this.allKeys) return AclProblem.keysAfterAll;
    const match = /^(?:~|%(R|W|RW|WR)(?:~|$))(.*)$/is.exec(rule);
    if (match === null) return AclProblem.syntax;
    const access = match[1]?.toUpperCase() ?? 'RW';
    const text = match[2] as string;
    if (hasSpaces(text)) return AclProblem.syntax;
    const read = access.includes('R');
    const write = access.includes('W');
    const known = this.keys.find((key) => key.text === text);
    if (known === undefined) this.keys.push({ text, bytes: Buffer.from(text, 'latin1'), read, write });
    else {
      known.read ||= read;
      known.write ||= write;
    }
    return null;
  }

  private addChannels(text: string): AclProblem | null {
    if (this.allChannels) return AclProblem.channelsAfterAll;
    if (hasSpaces(text)) return AclProblem.syntax;
    if (!this.channels.some((channel) => channel.text === text)) {
      this.channels.push({ text, bytes: Buffer.from(text, 'latin1') });
    }
    return null;
  }
}

/** White space and NUL could not be read back from a file. */
export function hasSpaces(text: string): boolean {
  return /[\s\0]/.test(text);
}

function argumentBytes(request: RequestView, at: number): Uint8Array {
  const start = request.pos[at]!;
  return request.buf.subarray(start, start + request.len[at]!);
}

function argumentText(request: RequestView, at: number): string {
  return Buffer.from(argumentBytes(request, at)).toString('latin1');
}
