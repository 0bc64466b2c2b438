// INFO persistence.

import type { AppendLog } from '../persistence/append-log.ts';
import type { Dumper } from '../persistence/dumper.ts';
import type { LoadProgress } from '../persistence/load.ts';
import type { Saver } from '../persistence/save.ts';

export type InfoLines = (readonly [name: string, value: string | number])[];

export interface PersistenceFacts {
  readonly dumper: Dumper;
  readonly saver: Saver;
  readonly appendLog: AppendLog;
  /** Set while the data is being loaded. */
  readonly progress: LoadProgress | null;
  /** The old data is served meanwhile. */
  readonly isAside: boolean;
  readonly lastLoad: { readonly expired: number; readonly loaded: number };
  readonly dirty: number;
  readonly nowMs: number;
}

export function persistenceLines(facts: PersistenceFacts): InfoLines {
  const { dumper, saver, progress, lastLoad } = facts;
  const { job } = dumper;
  const lines: InfoLines = [
    ['loading', progress === null || facts.isAside ? 0 : 1],
    ['async_loading', facts.isAside ? 1 : 0],
    ['current_cow_peak', dumper.aheadBytes],
    ['current_cow_size', dumper.aheadBytes],
    ['current_cow_size_age', 0],
    ['current_fork_perc', job === null ? '0.00' : percent(dumper.keysWritten, job.snapshot.total)],
    ['current_save_keys_processed', job === null ? 0 : dumper.keysWritten],
    ['current_save_keys_total', job === null ? 0 : job.snapshot.total],
    ['rdb_changes_since_last_save', facts.dirty],
    ['rdb_bgsave_in_progress', job !== null && job.kind !== 'aof' ? 1 : 0],
    ['rdb_last_save_time', saver.lastSaveSeconds],
    ['rdb_last_bgsave_status', saver.lastOk ? 'ok' : 'err'],
    ['rdb_last_bgsave_time_sec', saver.lastDurationSeconds],
    ['rdb_current_bgsave_time_sec', saver.currentSeconds()],
    ['rdb_saves', saver.saves],
    ['rdb_last_cow_size', Math.max(dumper.lastAheadBytes.rdb, dumper.lastAheadBytes.sync)],
    ['rdb_last_load_keys_expired', lastLoad.expired],
    ['rdb_last_load_keys_loaded', lastLoad.loaded],
    ...appendLines(facts.appendLog, facts.nowMs, dumper.lastAheadBytes.aof),
    ['module_fork_in_progress', 0],
    ['module_fork_last_cow_size', 0],
  ];
  if (facts.appendLog.state !== 'off') lines.push(...openLogLines(facts.appendLog));
  if (progress !== null) lines.push(...loadingLines(progress, facts.nowMs));
  return lines;
}

function appendLines(log: AppendLog, nowMs: number, aheadBytes: number): InfoLines {
  return [
    ['aof_enabled', log.state === 'off' ? 0 : 1],
    ['aof_rewrite_in_progress', log.rewriting ? 1 : 0],
    ['aof_rewrite_scheduled', log.rewriteScheduled ? 1 : 0],
    ['aof_last_rewrite_time_sec', log.lastRewriteSeconds],
    ['aof_current_rewrite_time_sec', log.currentRewriteSeconds(nowMs)],
    ['aof_last_bgrewrite_status', log.lastRewriteOk ? 'ok' : 'err'],
    ['aof_rewrites', log.rewrites],
    ['aof_rewrites_consecutive_failures', log.limit.failures],
    ['aof_last_write_status', log.writer.failure === null ? 'ok' : 'err'],
    ['aof_last_cow_size', aheadBytes],
  ];
}

function openLogLines(log: AppendLog): InfoLines {
  return [
    ['aof_current_size', log.currentBytes],
    ['aof_base_size', log.rewriteBaseBytes],
    ['aof_pending_rewrite', 0],
    ['aof_buffer_length', log.writer.encoder.length],
    ['aof_pending_bio_fsync', log.writer.syncInProgress ? 1 : 0],
    ['aof_delayed_fsync', log.writer.delayedSyncs],
  ];
}

function loadingLines(progress: LoadProgress, nowMs: number): InfoLines {
  const { startedMs, totalBytes, loadedBytes, memoryBytes } = progress;
  const seconds = (nowMs - startedMs) / 1000;
  const eta = loadedBytes === 0 ? 1 : Math.floor((seconds * (totalBytes - loadedBytes)) / loadedBytes);
  return [
    ['loading_start_time', Math.floor(startedMs / 1000)],
    ['loading_total_bytes', totalBytes],
    ['loading_rdb_used_mem', memoryBytes],
    ['loading_loaded_bytes', loadedBytes],
    ['loading_loaded_perc', percent(loadedBytes, totalBytes)],
    ['loading_eta_seconds', eta],
  ];
}

function percent(part: number, whole: number): string {
  return (whole === 0 ? 0 : (part / whole) * 100).toFixed(2);
}
