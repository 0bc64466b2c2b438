// The sections of INFO that the server itself knows. Persistence and others add their own.

import { arch, release, type } from 'node:os';
import type { Info, InfoSection } from './info.ts';
import type { Replication } from './replication.ts';
import { bufferBytes, replicationLines } from './replication-info.ts';
import type { Server } from './server.ts';

type Lines = (readonly [name: string, value: string | number])[];

/** What other parts tell. */
interface Extra {
  persistence: () => Lines;
  replication: Replication;
  configFile: string;
}

/** Adds the server's sections in Redis' order; `persistence` and `replication` lines come from their owners. */
export function addSections(info: Info, server: Server, extra: Extra): void {
  const add = (name: string, title: string, lines: () => Lines, isDefault = true): void => {
    const section: InfoSection = { name, title, isDefault, lines };
    info.sections.push(section);
  };
  add('server', 'Server', () => serverLines(server, extra.configFile));
  add('clients', 'Clients', () => clientLines(server, extra.replication));
  add('memory', 'Memory', () => memoryLines(server, extra.replication));
  add('persistence', 'Persistence', extra.persistence);
  add('stats', 'Stats', () => statLines(server, extra.replication));
  add('replication', 'Replication', () => replicationLines(server, extra.replication));
  add('cpu', 'CPU', cpuLines);
  add('modules', 'Modules', () => []);
  add('commandstats', 'Commandstats', () => commandLines(server), false);
  add('errorstats', 'Errorstats', () => errorLines(server));
  add('latencystats', 'Latencystats', () => latencyLines(server), false);
  add('cluster', 'Cluster', () => [['cluster_enabled', 0]]);
  add('keyspace', 'Keyspace', () => keyspaceLines(server));
}

function serverLines(server: Server, configFile: string): Lines {
  const nowMs = server.now();
  const { remainingMs } = server.ending;
  const uptime = Math.floor((nowMs - server.stats.startedAtMs) / 1000);
  return [
    ['redis_version', server.identity.redisVersion],
    ['tsredis_version', server.host.tsredisVersion],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', server.host.tsredisVersion],
    ['redis_mode', 'standalone'],
    ['os', `${type()} ${release()} ${arch() === 'x64' ? 'x86_64' : arch()}`],
    ['arch_bits', 64],
    ['monotonic_clock', 'node performance.now'],
    ['multiplexing_api', process.platform === 'darwin' ? 'kqueue' : 'epoll'],
    ['node_version', process.versions.node],
    ['process_id', process.pid],
    ['process_supervised', server.settings.supervised],
    ['run_id', server.identity.runId],
    ['tcp_port', Number(server.settings.port)],
    ['server_time_usec', server.nowMicroseconds()],
    ['uptime_in_seconds', uptime],
    ['uptime_in_days', Math.floor(uptime / 86400)],
    ['hz', Number(server.settings.hz)],
    ['configured_hz', Number(server.settings.hz)],
    ['lru_clock', Math.floor(nowMs / 1000) & 0xffffff],
    ['executable', process.argv[1] ?? process.execPath],
    ['config_file', configFile],
    ['io_threads_active', 0],
    ...(remainingMs === null ? [] : [['shutdown_in_milliseconds', remainingMs] as const]),
  ];
}

function clientLines(server: Server, replication: Replication): Lines {
  let input = 0;
  let output = 0;
  let pubsub = 0;
  let tracking = 0;
  let watching = 0;
  for (const session of server.clients.all.values()) {
    input = Math.max(input, session.inputBytes);
    output = Math.max(output, session.transport.queuedBytes);
    if (session.subscriptions > 0) pubsub++;
    if (session.tracking !== null) tracking++;
    if (session.watched.length > 0) watching++;
  }
  return [
    ['connected_clients', server.clients.all.size - replication.primary.count],
    ['cluster_connections', 0],
    ['maxclients', Number(server.settings.maxclients)],
    ['client_recent_max_input_buffer', input],
    ['client_recent_max_output_buffer', output],
    ['blocked_clients', server.waitingClients],
    ['tracking_clients', tracking],
    ['pubsub_clients', pubsub],
    ['watching_clients', watching],
    ['clients_in_timeout_table', server.blocking.blockedClients],
    ['total_blocking_keys', server.blocking.blockedKeys],
  ];
}

function memoryLines(server: Server, replication: Replication): Lines {
  const buffers = bufferBytes(replication);
  const used = server.usedMemory();
  const peak = Math.max(used, server.stats.peakUsedBytes);
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  const arena = server.keyspace.arena;
  const max = server.memoryMax;
  const ratio = used === 0 ? 0 : rss / used;
  return [
    ['used_memory', used],
    ['used_memory_human', human(used)],
    ['used_memory_rss', rss],
    ['used_memory_rss_human', human(rss)],
    ['used_memory_peak', peak],
    ['used_memory_peak_human', human(peak)],
    ['used_memory_peak_perc', `${peak === 0 ? '0.00' : ((used / peak) * 100).toFixed(2)}%`],
    ['used_memory_overhead', server.keyspace.usedBytes - arena.usedBytes],
    ['used_memory_startup', server.baseMemory],
    ['used_memory_dataset', server.keyspace.usedBytes],
    ['used_memory_dataset_perc', `${used === 0 ? '0.00' : ((server.keyspace.usedBytes / used) * 100).toFixed(2)}%`],
    ['allocator_allocated', arena.usedBytes],
    ['allocator_active', arena.segmentBytes],
    ['allocator_resident', arena.segmentBytes],
    ['total_system_memory', server.systemMemory],
    ['total_system_memory_human', human(server.systemMemory)],
    ['used_memory_lua', 0],
    ['used_memory_vm_eval', 0],
    ['used_memory_lua_human', '0B'],
    ['used_memory_scripts_eval', 0],
    ['number_of_cached_scripts', 0],
    ['number_of_functions', 0],
    ['number_of_libraries', 0],
    ['used_memory_vm_functions', 0],
    ['used_memory_vm_total', 0],
    ['used_memory_functions', 0],
    ['used_memory_scripts', 0],
    ['maxmemory', max],
    ['maxmemory_human', human(max)],
    ['maxmemory_policy', server.settings.maxmemoryPolicy],
    ['allocator_frag_ratio', (arena.segmentBytes / Math.max(1, arena.usedBytes)).toFixed(2)],
    ['allocator_frag_bytes', arena.segmentBytes - arena.usedBytes],
    ['allocator_rss_ratio', '1.00'],
    ['allocator_rss_bytes', 0],
    ['rss_overhead_ratio', (rss / Math.max(1, arena.segmentBytes)).toFixed(2)],
    ['rss_overhead_bytes', rss - arena.segmentBytes],
    ['mem_fragmentation_ratio', ratio.toFixed(2)],
    ['mem_fragmentation_bytes', rss - used],
    ['mem_not_counted_for_evict', replication.uncountedBytes],
    ['mem_replication_backlog', buffers.backlog],
    ['mem_total_replication_buffers', buffers.total],
    ['mem_clients_slaves', buffers.replicas],
    ['mem_clients_normal', server.clientMemory()],
    ['mem_cluster_links', 0],
    ['mem_aof_buffer', 0],
    ['mem_allocator', 'tsredis-arena'],
    ['mem_js_heap_total', heapTotal],
    ['mem_js_heap_used', heapUsed],
    ['mem_js_external', external - arena.reservedBytes],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', server.lazyFree.pending],
    ['lazyfreed_objects', server.lazyFree.freed],
  ];
}

function statLines(server: Server, replication: Replication): Lines {
  const { full, partialOk, partialError } = replication.primary.stats;
  const { stats, keyspace } = server;
  return [
    ['total_connections_received', stats.connectionsReceived],
    ['total_commands_processed', stats.commandsProcessed],
    ['instantaneous_ops_per_sec', Math.round(stats.commandRate.perSecond)],
    ['total_net_input_bytes', stats.inputBytes],
    ['total_net_output_bytes', stats.outputBytes],
    ['total_net_repl_input_bytes', stats.replicationInputBytes],
    ['total_net_repl_output_bytes', stats.replicationOutputBytes],
    ['instantaneous_input_kbps', (stats.inputRate.perSecond / 1024).toFixed(2)],
    ['instantaneous_output_kbps', (stats.outputRate.perSecond / 1024).toFixed(2)],
    ['instantaneous_input_repl_kbps', '0.00'],
    ['instantaneous_output_repl_kbps', '0.00'],
    ['rejected_connections', stats.rejectedConnections],
    ['sync_full', full],
    ['sync_partial_ok', partialOk],
    ['sync_partial_err', partialError],
    ['expired_keys', keyspace.stats.expiredKeys],
    ['expired_stale_perc', stats.expiredStalePercent.toFixed(2)],
    ['expired_time_cap_reached_count', stats.expiredTimeCapReached],
    ['expire_cycle_cpu_milliseconds', Math.round(stats.activeExpireMs)],
    ['evicted_keys', keyspace.stats.evictedKeys],
    ['evicted_clients', server.eviction.evicted],
    ['total_eviction_exceeded_time', 0],
    ['current_eviction_exceeded_time', 0],
    ['keyspace_hits', keyspace.stats.hits],
    ['keyspace_misses', keyspace.stats.misses],
    ['pubsub_channels', [...server.pubsub.names('channel')].length],
    ['pubsub_patterns', server.pubsub.patternCount],
    ['pubsubshard_channels', [...server.pubsub.names('shard')].length],
    ['latest_fork_usec', 0],
    ['total_forks', stats.backgroundJobs],
    ['migrate_cached_sockets', 0],
    ['slave_expires_tracked_keys', replication.ownExpiry.size],
    ['active_defrag_hits', 0],
    ['active_defrag_misses', 0],
    ['active_defrag_key_hits', 0],
    ['active_defrag_key_misses', 0],
    ['total_active_defrag_time', 0],
    ['current_active_defrag_time', 0],
    ['tracking_total_keys', server.tracking.totals().keys],
    ['tracking_total_items', server.tracking.totals().items],
    ['tracking_total_prefixes', server.tracking.totals().prefixes],
    ['unexpected_error_replies', 0],
    ['total_error_replies', stats.errorReplies],
    ['dump_payload_sanitizations', 0],
    ['total_reads_processed', stats.readsProcessed],
    ['total_writes_processed', stats.writesProcessed],
    ['io_threaded_reads_processed', 0],
    ['io_threaded_writes_processed', 0],
    ['reply_buffer_shrinks', 0],
    ['reply_buffer_expands', 0],
    ['acl_access_denied_auth', server.auth.denied.auth],
    ['acl_access_denied_cmd', server.auth.denied.command],
    ['acl_access_denied_key', server.auth.denied.key],
    ['acl_access_denied_channel', server.auth.denied.channel],
  ];
}

function cpuLines(): Lines {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const seconds = (microseconds: number) => (microseconds / 1e6).toFixed(6);
  return [
    ['used_cpu_sys', seconds(systemCPUTime)],
    ['used_cpu_user', seconds(userCPUTime)],
    ['used_cpu_sys_children', '0.000000'],
    ['used_cpu_user_children', '0.000000'],
    ['used_cpu_sys_main_thread', seconds(systemCPUTime)],
    ['used_cpu_user_main_thread', seconds(userCPUTime)],
  ];
}

function commandLines(server: Server): Lines {
  const lines: Lines = [];
  for (const command of server.allCommands()) {
    const { calls, microseconds, rejectedCalls, failedCalls } = command.stats;
    if (calls === 0 && rejectedCalls === 0) continue;
    const mean = calls === 0 ? 0 : microseconds / calls;
    lines.push([
      `cmdstat_${command.name}`,
      `calls=${calls},usec=${Math.round(microseconds)},usec_per_call=${mean.toFixed(2)},rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`,
    ]);
  }
  return lines;
}

function latencyLines(server: Server): Lines {
  const percents = server.settings.latencyTrackingInfoPercentiles as readonly string[];
  const lines: Lines = [];
  for (const command of server.allCommands()) {
    if (command.stats.calls === 0 || !server.settings.latencyTracking) continue;
    const values = percents.map((percent) => {
      const value = server.latency.percentile(command, Number(percent));
      return `p${Number(percent)}=${value.toFixed(3)}`;
    });
    lines.push([`latency_percentiles_usec_${command.name}`, values.join(',')]);
  }
  return lines;
}

function errorLines(server: Server): Lines {
  return [...server.stats.errorsByCode].sort().map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

function keyspaceLines(server: Server): Lines {
  const lines: Lines = [];
  const nowMs = server.now();
  for (const db of server.keyspace.databases) {
    if (db.size === 0) continue;
    lines.push([`db${db.index}`, `keys=${db.size},expires=${db.volatileSize},avg_ttl=${db.averageTtl(nowMs)}`]);
  }
  return lines;
}

/** Bytes as Redis abbreviates them: 1.50M. */
export function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes / 1024;
  for (const unit of ['K', 'M', 'G', 'T']) {
    if (value < 1024 || unit === 'T') return `${value.toFixed(2)}${unit}`;
    value /= 1024;
  }
  return `${bytes}B`;
}
