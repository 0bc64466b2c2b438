// INFO replication, and the lines about replicas in other sections.

import type { InfoLines } from './persistence-info.ts';
import type { Replication } from './replication.ts';
import type { Server } from './server.ts';

type Line = [name: string, value: string | number];

export function replicationLines(server: Server, replication: Replication): InfoLines {
  const { stream, history, primary } = replication;
  const { settings } = server;
  const lines: Line[] = [['role', replication.isReplica ? 'slave' : 'master']];
  lines.push(...linkLines(server, replication), ['connected_slaves', primary.count]);
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
    ['master_failover_state', replication.handover.state],
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

/** About the link to the primary. */
function linkLines(server: Server, replication: Replication): Line[] {
  const { upstream, stream, applier } = replication;
  if (upstream === null) return [];
  const { settings } = server;
  const nowMs = server.now();
  const isUp = upstream.state === 'connected';
  const lines: Line[] = [
    ['master_host', upstream.target.host],
    ['master_port', upstream.target.port],
    ['master_link_status', isUp ? 'up' : 'down'],
    ['master_last_io_seconds_ago', upstream.idleSeconds(nowMs)],
    ['master_sync_in_progress', upstream.payload === null ? 0 : 1],
    ['slave_read_repl_offset', stream.offset + (applier?.waitingBytes ?? 0)],
    ['slave_repl_offset', stream.offset],
  ];
  if (upstream.payload !== null) {
    const { totalBytes, bytes } = upstream.payload;
    const total = Math.max(0, totalBytes);
    lines.push(
      ['master_sync_total_bytes', total],
      ['master_sync_read_bytes', bytes],
      ['master_sync_left_bytes', total - bytes],
      ['master_sync_perc', (total === 0 ? 0 : (bytes / total) * 100).toFixed(2)],
      ['master_sync_last_io_seconds_ago', Math.floor((nowMs - upstream.lastInputMs) / 1000)],
    );
  }
  if (!isUp) lines.push(['master_link_down_since_seconds', Math.floor((nowMs - upstream.downSinceMs) / 1000)]);
  lines.push(
    ['slave_priority', Number(settings.replicaPriority)],
    ['slave_read_only', settings.replicaReadOnly ? 1 : 0],
    ['replica_announced', settings.replicaAnnounced ? 1 : 0],
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
