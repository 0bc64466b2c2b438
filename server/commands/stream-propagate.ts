// What AOF and replicas see of consumer groups: not the command that read or claimed, whose result depends on time and
// place, but what it did to each entry.

import type { StreamGroup } from '../values/stream-group.ts';
import type { StreamId } from '../values/stream-id.ts';
import type { Context } from './context.ts';

type Words = (string | Buffer)[];

/** The commands of one request, collected while it runs. */
export class GroupChanges {
  private readonly c: Context;
  private readonly wanted: boolean;
  private readonly commands: Words[] = [];

  constructor(c: Context) {
    this.c = c;
    this.wanted = c.server.events.propagating;
  }

  /** The pending entry under the group's cursor, whose id is `id`, as it is now. */
  claimed(key: number, groupAt: number, group: StreamGroup, id: StreamId): void {
    if (!this.wanted) return;
    this.commands.push([
      'XCLAIM',
      this.c.copy(key),
      this.c.copy(groupAt),
      group.owner?.name ?? '',
      '0',
      id.toString(),
      'TIME',
      String(group.deliveredAtMs),
      'RETRYCOUNT',
      String(group.deliveries),
      'FORCE',
      'JUSTID',
      'LASTID',
      group.lastId.toString(),
    ]);
  }

  /** The group has read further. */
  readUpTo(key: number, groupAt: number, group: StreamGroup): void {
    if (!this.wanted) return;
    this.commands.push([
      'XGROUP',
      'SETID',
      this.c.copy(key),
      this.c.copy(groupAt),
      group.lastId.toString(),
      'ENTRIESREAD',
      String(group.entriesRead),
    ]);
  }

  consumerCreated(key: number, groupAt: number, name: Buffer): void {
    if (!this.wanted) return;
    this.commands.push(['XGROUP', 'CREATECONSUMER', this.c.copy(key), this.c.copy(groupAt), name]);
  }

  /** Hands the collected commands over in place of the request. */
  propagate(): void {
    this.c.rewrite(...this.commands);
  }
}
