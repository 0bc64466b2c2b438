// Whether the process of an instance runs: a recorded pid counts only when it still is the process that was started.
// The generated init script judges by the same files and the same rules.
import { writeFileSync } from 'node:fs';
import type { Host } from '../host/host.ts';
import { listProcesses, type ProcessFacts, readProcess } from '../host/process.ts';
import { type Instance, programPath, stampFile } from './instance.ts';

export interface Liveness {
  /** `stale`: a pid file is left of a process that is gone. */
  readonly state: 'running' | 'stopped' | 'stale';
  readonly process: ProcessFacts | undefined;
  /** For `stale`: what the pid file names, and whether another process has that pid now. */
  readonly stalePid: number | undefined;
  readonly isReused: boolean;
}

/** Looks at `knownPid` (from the service manager), the pid file and the stamp, then at every process. */
export async function findInstanceProcess(host: Host, instance: Instance, knownPid?: number): Promise<Liveness> {
  const recorded = readPid(host, instance.pidFile);
  const stamp = readStamp(host, instance);
  for (const pid of [knownPid, recorded, stamp?.pid]) {
    if (pid === undefined) continue;
    const found = await readProcess(host, pid);
    // What the service manager says of its own child needs no proof.
    if (found && (pid === knownPid || isInstanceProcess(host, instance, found))) return running(found);
  }
  const scanned = (await listProcesses(host)).find((found) => servesConf(host, instance, found));
  if (scanned) return running(scanned);
  if (!host.exists(instance.pidFile)) {
    return { state: 'stopped', process: undefined, stalePid: undefined, isReused: false };
  }
  const isReused = recorded !== undefined && (await readProcess(host, recorded)) !== undefined;
  return { state: 'stale', process: undefined, stalePid: recorded, isReused };
}

/** The recorded pid if its process runs and is the one that was started. */
export async function readRecordedPid(host: Host, instance: Instance): Promise<number | undefined> {
  for (const pid of [readPid(host, instance.pidFile), readStamp(host, instance)?.pid]) {
    const found = pid === undefined ? undefined : await readProcess(host, pid);
    if (found && isInstanceProcess(host, instance, found)) return found.pid;
  }
  return undefined;
}

function isInstanceProcess(host: Host, instance: Instance, found: ProcessFacts): boolean {
  const stamp = readStamp(host, instance);
  if (stamp?.pid === found.pid) return stamp.startId === found.startId && stamp.bootId === bootId(host);
  return servesConf(host, instance, found);
}

/** Records the process that was started, beside its pid file. */
export function writeStamp(host: Host, instance: Instance, started: ProcessFacts): void {
  const startId = started.startId.replaceAll(' ', '_');
  writeFileSync(instance.pidFile, `${started.pid}\n`, { mode: 0o644 });
  writeFileSync(stampFile(instance), `${started.pid} ${startId} ${bootId(host)}\n`, { mode: 0o644 });
}

/**
 * Our program with our configuration among its words. Redis and we rewrite the words into a title: then it is the one
 * with our port that works in our data directory.
 */
function servesConf(host: Host, instance: Instance, found: ProcessFacts): boolean {
  const { executable, workingDirectory } = found;
  if (executable !== undefined && executable !== host.realPath(programPath(instance))) return false;
  const title = found.args.join(' ');
  // An editor or a tool may have the configuration among its words, too.
  if (!title.includes('redis-server')) return false;
  if (found.args.includes(instance.confFile)) return true;
  if (!new RegExp(`:${instance.port}(\\D|$)`).test(title)) return false;
  return workingDirectory === undefined || workingDirectory === host.realPath(instance.dataDirectory);
}

function readPid(host: Host, path: string): number | undefined {
  const text = host.readText(path)?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function readStamp(host: Host, instance: Instance): { pid: number; startId: string; bootId: string } | undefined {
  const [pid, startId, boot] = (host.readText(stampFile(instance)) ?? '').trim().split(' ');
  if (!pid || !startId || !boot) return undefined;
  return { pid: Number(pid), startId: startId.replaceAll('_', ' '), bootId: boot };
}

function bootId(host: Host): string {
  return host.readText('/proc/sys/kernel/random/boot_id')?.trim() || 'none';
}

function running(found: ProcessFacts): Liveness {
  return { state: 'running', process: found, stalePid: undefined, isReused: false };
}
