// Directives that have an effect when they change: each row names them and puts the new value to work. The same rows run
// once at start. Directives that are only read when they are needed have no row.

import type { DirectiveName } from '../config/directives.ts';
import type { Apply } from '../config/settings.ts';
import type { AccessControl } from './acl.ts';
import type { Cron } from './cron.ts';
import type { Evictor } from './evict.ts';
import { OomScore } from './oom-score.ts';
import type { Server } from './server.ts';
import { showTitle } from './title.ts';

export interface ApplyParts {
  server: Server;
  cron: Cron;
  evictor: Evictor;
  auth: AccessControl;
}

interface Row {
  names: readonly DirectiveName[];
  apply: Apply;
  /** Not at start: the start does it in its own order. */
  onlyLater?: true;
}

/** Registers all effects with the settings and applies those that concern the start. */
export function applySettings(parts: ApplyParts): void {
  for (const row of rows(parts)) {
    parts.server.settings.onChange(row.names, row.apply);
    if (row.onlyLater !== true) row.apply();
  }
}

function rows({ server, cron, evictor, auth }: ApplyParts): Row[] {
  const { settings } = server;
  const oomScore = new OomScore(server);
  const effect = (action: () => void): Apply => {
    return () => {
      action();
      return undefined;
    };
  };
  return [
    {
      names: ['requirepass'],
      apply: effect(() => auth.setDefaultPassword(settings.bytes('requirepass').toString('latin1'))),
      onlyLater: true,
    },
    {
      names: ['maxmemory'],
      apply: effect(() => {
        const limit = Number(settings.maxmemory);
        server.memoryMax = limit;
        server.keyspace.mayGrow = limit === 0 ? null : (bytes) => server.usedMemory() + bytes <= limit;
        // In a transaction keys go after it, before the next command.
        if (server.memoryMax > 0 && !server.context.inTransaction) server.makeRoom();
      }),
    },
    {
      names: ['maxmemory-clients', 'maxmemory'],
      apply: effect(() => server.eviction.configure(Number(settings.maxmemoryClients), Number(settings.maxmemory))),
    },
    { names: ['oom-score-adj', 'oom-score-adj-values'], apply: () => oomScore.apply() },
    { names: ['proc-title-template'], apply: effect(() => showTitle(server)), onlyLater: true },
    { names: ['client-output-buffer-limit'], apply: effect(() => server.configureOutput()) },
    {
      names: ['maxmemory-policy', 'lfu-decay-time', 'lfu-log-factor'],
      apply: effect(() => evictor.configure()),
    },
    {
      names: ['notify-keyspace-events'],
      apply: effect(() => server.configureEvents(settings.notifyKeyspaceEvents)),
    },
    {
      names: ['loglevel'],
      apply: effect(() => server.logger.setLevel(settings.loglevel as Parameters<Server['logger']['setLevel']>[0])),
    },
    { names: ['proto-max-bulk-len'], apply: effect(() => server.setBulkLimit(Number(settings.protoMaxBulkLen))) },
    { names: ['tracking-table-max-keys'], apply: effect(() => server.tracking.limit()) },
    {
      names: ['min-replicas-to-write', 'min-replicas-max-lag'],
      apply: effect(() => {
        server.replicasDemanded = Number(settings.minReplicasToWrite) > 0 && Number(settings.minReplicasMaxLag) > 0;
      }),
    },
    { names: ['hz'], apply: effect(() => cron.start()), onlyLater: true },
  ];
}
