// The table of service managers, in the order in which they are tried.
import { OpsError } from '../errors.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Scope } from '../host/paths.ts';
import { daemon, foreground } from './daemon.ts';
import { launchd } from './launchd.ts';
import type { ManagerName, ServiceManager } from './manager.ts';
import { openrc } from './openrc.ts';
import { systemd } from './systemd.ts';
import { sysv } from './sysv.ts';

export const managers: readonly ServiceManager[] = [systemd, openrc, launchd, sysv, daemon, foreground];

/** The first manager that can be used here. */
export function detectManager(facts: HostFacts, scope: Scope): ServiceManager {
  return managers.find((manager) => manager.unusable(facts, scope) === undefined) ?? daemon;
}

/** The manager of that name. Throws usage when there is none. */
export function findManager(name: string): ServiceManager {
  const found = managers.find((manager) => manager.name === name);
  if (found) return found;
  const names: ManagerName[] = managers.map((manager) => manager.name);
  throw new OpsError('usage', { detail: `there is no service manager ${name}; there are ${names.join(', ')}` });
}
