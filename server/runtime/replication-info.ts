// INFO replication, and the lines about replicas in other sections.

import type { InfoLines } from './persistence-info.ts';
import type { Replication } from './replication.ts';
import type { Server } from './server.ts';

export function replicationLines(server: Server, replication: Replication): InfoLines {
  const { stream, history, primary } = replication;
  const { settings } = server;
  const lines: [string, string | number][] = [
    ['role', 'master'],
    ['connected_slaves', primary.count],
  ];
  if (Number(settings.minReplicasToWrite) > 0 && Number(settings.minReplicasMaxLag) > 0) {
    lines.push(['min_slaves_good_slaves', primary.countGood()]);
  }
  const nowMs = server.now();
  let index = 0;
  for (const link of primary.replicas()) {
    const lag = link.state === 'online' ? Math.floor((nowMs - link.seenMs) / 1000) : 0;
    lines.push([
      `slave${index++}`,
      `ip=${link.address},port=${link.port},state=${link.stateWord},offset=${link.ackOffset},lag=${lag}`,
    ]);
  }
  lines.push(
    ['master_failover_state', 'no-failover'],
    ['master_replid', history.id],
    ['master_replid2', history.previousId],
    ['master_repl_offset', stream.offset],
    ['second_repl_offset', history.previousUntil],
    ['repl_backlog_active', stream.recording ? 1 : 0],
    ['repl_backlog_size', stream.backlogBytesMax],
    ['repl_backlog_first_byte_offset', stream.recording ? stream.firstOffset + 1 : 0],
    ['repl_backlog_histlen', stream.recording ? stream.historyBytes : 0],
  );
  return lines;
}

/** What the stream takes: all of it, and shared out to the backlog and to replicas. */
export function bufferBytes({ stream, primary }: Replication): { total: number; backlog: number; replicas: number } {
  const total = stream.memoryBytes;
  // What exceeds the backlog's size is there because of replicas.
  const replicas = primary.count > 0 ? Math.max(0, total - stream.backlogBytesMax) : 0;
  return { total, backlog: total - replicas, replicas };
}
