// Commands at run time: what the dispatcher needs of a spec in a form that costs nothing per request, and the index that
// finds a command by the bytes of its name.

import type { CommandSpec } from './spec.ts';

/** Command flags as bits, for the dispatcher's guards. The names are those of the spec. */
export const Flag = {
  write: 1 << 0,
  readonly: 1 << 1,
  denyoom: 1 << 2,
  admin: 1 << 3,
  pubsub: 1 << 4,
  noscript: 1 << 5,
  blocking: 1 << 6,
  loading: 1 << 7,
  stale: 1 << 8,
  skip_monitor: 1 << 9,
  skip_slowlog: 1 << 10,
  fast: 1 << 11,
  no_auth: 1 << 12,
  may_replicate: 1 << 13,
  no_multi: 1 << 14,
  no_async_loading: 1 << 15,
  allow_busy: 1 << 16,
  movablekeys: 1 << 17,
  protected: 1 << 18,
  asking: 1 << 19,
  /** Not in the spec: MULTI runs it instead of queueing it. */
  immediate: 1 << 20,
  /** Not in the spec: a subscribed RESP2 client may use it. */
  whileSubscribed: 1 << 21,
  /** Not in the spec: it comes across keys that nobody named; each it finds expired is propagated by itself. */
  anyKeys: 1 << 22,
} as const;

export interface CommandStats {
  calls: number;
  microseconds: number;
  rejectedCalls: number;
  failedCalls: number;
}

export interface Command {
  /** Lower case; `config|set` for a subcommand. */
  readonly name: string;
  readonly spec: CommandSpec;
  readonly flags: number;
  /** As in COMMAND: exact when positive, at least -arity when negative; the command's name counts. */
  readonly arity: number;
  /** A Handler of command.ts (its context is not known here); null for a bare container. */
  readonly handler: ((context: never) => void) | null;
  readonly subcommands: CommandIndex | null;
  readonly parent: Command | null;
  /** Takes constant or logarithmic time, unless request or reply is long: a pipeline of them is timed as a whole. */
  readonly quick: boolean;
  /** Position in the table, for ACL bitmaps. */
  readonly id: number;
  readonly stats: CommandStats;
}

/** Finds commands by the bytes of their names, in any case, without making a string. */
export class CommandIndex {
  private readonly commands: readonly Command[];
  private readonly names: readonly Uint8Array[];
  private readonly slots: Int16Array;
  private readonly mask: number;
  /** What was found last: pipelines are mostly of one command. No command has an empty name. */
  private lastName: Uint8Array = new Uint8Array(0);
  private last: Command | null = null;

  /** `names[i]` is what clients send for `commands[i]`, lower case. */
  constructor(commands: readonly Command[], names: readonly string[]) {
    this.commands = commands;
    this.names = names.map((name) => Buffer.from(name, 'latin1'));
    let size = 8;
    while (size < commands.length * 4) size *= 2;
    this.mask = size - 1;
    this.slots = new Int16Array(size).fill(-1);
    for (let i = 0; i < this.names.length; i++) {
      let slot = foldedHash(this.names[i], 0, this.names[i].length) & this.mask;
      while (this.slots[slot] >= 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = i;
    }
  }

  /** The command named by `len` bytes of `buf` at `pos`, or null. */
  find(buf: Uint8Array, pos: number, len: number): Command | null {
    if (equalsFolded(buf, pos, len, this.lastName)) return this.last;
    let slot = foldedHash(buf, pos, len) & this.mask;
    for (;;) {
      const at = this.slots[slot];
      if (at < 0) return null;
      if (equalsFolded(buf, pos, len, this.names[at])) {
        this.lastName = this.names[at];
        this.last = this.commands[at];
        return this.last;
      }
      slot = (slot + 1) & this.mask;
    }
  }

  all(): readonly Command[] {
    return this.commands;
  }
}

/** Whether bytes equal a lower-case ASCII word, in any case. */
export function equalsFolded(buf: Uint8Array, pos: number, len: number, word: Uint8Array): boolean {
  if (word.length !== len) return false;
  for (let i = 0; i < len; i++) {
    const byte = buf[pos + i];
    const wanted = word[i];
    if (byte !== wanted && (byte < 65 || byte > 90 || (byte | 32) !== wanted)) return false;
  }
  return true;
}

/** Of the length and three letters, case aside: tells the commands apart well enough, whatever a name's length. */
function foldedHash(buf: Uint8Array, pos: number, len: number): number {
  if (len === 0) return 0;
  const letters = (buf[pos] & 31) | ((buf[pos + (len >> 1)] & 31) << 5) | ((buf[pos + len - 1] & 31) << 10);
  const hash = Math.imul(letters ^ (len << 15), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
