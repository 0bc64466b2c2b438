// How an instance is: runs or not, since when, and whether it answers.
import type { Host } from '../host/host.ts';
import { findPortOwners } from '../host/ports.ts';
import type { Instance } from './instance.ts';
import { findInstanceProcess } from './liveness.ts';
import type { ManagerName, ServiceManager } from './manager.ts';
import { ping } from './ping.ts';

export interface InstanceStatus {
  readonly service: string;
  readonly port: number;
  readonly manager: ManagerName;
  /** `unknown`: something answers on the port, but this user may not see whose it is. */
  readonly state: 'running' | 'stale' | 'stopped' | 'unknown';
  readonly pid: number | null;
  readonly uptimeSeconds: number | null;
  /** `PONG`, or what it said instead (NOAUTH, LOADING, …); null when it does not answer. */
  readonly answer: string | null;
  readonly conf: string;
  /** One sentence for a person. */
  readonly detail: string;
}

/** LSB: 0 running, 1 dead but its pid file exists, 3 not running, 4 unknown. */
export const statusExitCodes = { running: 0, stale: 1, stopped: 3, unknown: 4 } as const;

const pingTimeoutMs = 2_000;

export async function readStatus(host: Host, instance: Instance, manager: ServiceManager): Promise<InstanceStatus> {
  const known = await manager.mainPid(host, instance);
  const liveness = await findInstanceProcess(host, instance, known);
  const base = { service: instance.service, port: instance.port, manager: manager.name, conf: instance.confFile };
  if (liveness.process) {
    const { pid, uptimeSeconds } = liveness.process;
    const answer = (await pingInstance(instance)) ?? null;
    const detail = answer === null ? `pid ${pid} runs but does not answer` : `pid ${pid} runs and answers ${answer}`;
    return { ...base, state: 'running', pid, uptimeSeconds, answer, detail };
  }
  const down = { ...base, pid: null, uptimeSeconds: null, answer: null };
  if (liveness.state === 'stale') {
    const pid = liveness.stalePid ?? 'without a pid';
    const detail = liveness.isReused
      ? `dead; its pid ${pid} belongs to another process now`
      : `dead, but its pid file is still there (${pid})`;
    return { ...down, state: 'stale', detail };
  }
  const hidden = (await findPortOwners(host, instance.port)).find((owner) => owner.pid === undefined);
  if (hidden) return { ...down, state: 'unknown', detail: 'another user runs something on the port: ask as root' };
  return { ...down, state: 'stopped', detail: 'not running' };
}

/** Asks over its unix socket if it has one, else over loopback. */
export async function pingInstance(instance: Instance): Promise<string | undefined> {
  const addresses = [...(instance.socketPath ? [instance.socketPath] : []), '127.0.0.1', '::1'];
  for (const address of addresses) {
    const answer = await ping({ address, port: instance.port, timeoutMs: pingTimeoutMs });
    if (answer !== undefined) return answer;
  }
  return undefined;
}
