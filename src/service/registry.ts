// The instances of this machine: one small record each, written when it is set up, readable without root.
import { join } from 'node:path';
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { instancePaths, type Scope } from '../host/paths.ts';
import type { Instance } from './instance.ts';
import type { ManagerName, ServiceFile } from './manager.ts';

export interface InstanceRecord {
  readonly format: 1;
  readonly manager: ManagerName;
  readonly instance: Instance;
}

/** The record as a file to write along with the service's own files. */
export function recordFile(host: Host, instance: Instance, manager: ManagerName): ServiceFile {
  const record: InstanceRecord = { format: 1, manager, instance };
  return {
    path: recordPath(host, instance.scope, instance.port),
    content: `${JSON.stringify(record, null, 2)}\n`,
    mode: 0o644,
  };
}

/** Every recorded instance, those of the system first, each by port. A record that cannot be read is left out. */
export function loadRecords(host: Host): InstanceRecord[] {
  return (['system', 'user'] as const).flatMap((scope) => {
    const directory = instancePaths(host, scope, 1).stateDirectory;
    const ports = host.list(directory).flatMap((name) => /^redis_(\d+)\.json$/.exec(name)?.[1] ?? []);
    return ports
      .map(Number)
      .sort((left, right) => left - right)
      .flatMap((port) => readRecord(host, scope, port) ?? []);
  });
}

/** The record for `port`. Throws instance-unknown. */
export function findRecord(host: Host, port: number): InstanceRecord {
  const found = readRecord(host, 'system', port) ?? readRecord(host, 'user', port);
  if (!found) throw new OpsError('instance-unknown', { port });
  return found;
}

function readRecord(host: Host, scope: Scope, port: number): InstanceRecord | undefined {
  const text = host.readText(recordPath(host, scope, port));
  if (text === undefined) return undefined;
  try {
    const { format, manager, instance } = JSON.parse(text) as Record<string, unknown>;
    if (format !== 1 || typeof manager !== 'string' || !isInstance(instance, port)) return undefined;
    // Undefined values are not in JSON: they come back as absent, which reads the same.
    return { format, manager: manager as ManagerName, instance };
  } catch {
    return undefined;
  }
}

function isInstance(value: unknown, port: number): value is Instance {
  if (typeof value !== 'object' || value === null) return false;
  const entries = value as Record<string, unknown>;
  const texts = ['service', 'scope', 'confFile', 'dataDirectory', 'logFile', 'pidFile'];
  return (
    entries['port'] === port &&
    texts.every((key) => typeof entries[key] === 'string') &&
    typeof entries['executable'] === 'object'
  );
}

function recordPath(host: Host, scope: Scope, port: number): string {
  return join(instancePaths(host, scope, port).stateDirectory, `redis_${port}.json`);
}
