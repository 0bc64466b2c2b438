// ACL LOG: what was denied, newest first. Repetitions within a minute count up instead of filling the log.

export type AclLogReason = 'auth' | 'command' | 'key' | 'channel';
export type AclLogContext = 'toplevel' | 'multi' | 'lua' | 'module';

export interface AclEvent {
  readonly reason: AclLogReason;
  readonly context: AclLogContext;
  /** The command, key or channel, as byte text. */
  readonly object: string;
  readonly user: string;
  /** The client's line of CLIENT LIST. */
  readonly client: string;
}

export interface AclLogEntry extends AclEvent {
  readonly id: number;
  readonly count: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

const REPEATED_WITHIN_MS = 60_000;
/** How many of the newest entries an event may be a repetition of. */
const COMPARED = 10;

export class AclLog {
  entries: AclLogEntry[] = [];
  private nextId = 0;

  /** Adds an event; `entriesMax` is acllog-max-len. */
  add(event: AclEvent, nowMs: number, entriesMax: number): void {
    const at = this.entries
      .slice(0, COMPARED)
      .findIndex((entry) => isSame(entry, event) && nowMs - entry.updatedAtMs <= REPEATED_WITHIN_MS);
    const repeated = at < 0 ? undefined : this.entries.splice(at, 1)[0];
    this.entries.unshift({
      ...event,
      id: repeated?.id ?? this.nextId++,
      count: (repeated?.count ?? 0) + 1,
      createdAtMs: repeated?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
    });
    if (this.entries.length > entriesMax) this.entries.length = entriesMax;
  }

  clear(): void {
    this.entries = [];
  }
}

function isSame(a: AclEvent, b: AclEvent): boolean {
  return a.reason === b.reason && a.context === b.context && a.object === b.object && a.user === b.user;
}
