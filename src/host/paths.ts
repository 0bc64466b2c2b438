// Where the files of an instance belong, for the whole system or for one user: the contract of install_server.sh.
import { join } from 'node:path';
import type { Host } from './host.ts';

export type Scope = 'system' | 'user';

/** Absolute paths of one instance. */
export interface InstancePaths {
  /** `redis_PORT`: the name of the service everywhere. */
  readonly service: string;
  readonly configDirectory: string;
  readonly confFile: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** Receipts of what was installed. */
  readonly stateDirectory: string;
  readonly receiptFile: string;
}

/** Absolute paths that the instances of one scope share. */
export interface ProgramPaths {
  /** Versions below it, one directory each, and the link `current`. */
  readonly prefixRoot: string;
  readonly prefix: string;
  readonly current: string;
  /** Where the commands are linked. */
  readonly binDirectory: string;
}

export function serviceName(port: number): string {
  return `redis_${port}`;
}

export function instancePaths(host: Host, scope: Scope, port: number): InstancePaths {
  const service = serviceName(port);
  if (scope === 'system') {
    const state = '/var/lib/tsredis';
    return {
      service,
      configDirectory: '/etc/redis',
      confFile: `/etc/redis/${port}.conf`,
      dataDirectory: `/var/lib/redis/${port}`,
      logFile: `/var/log/${service}.log`,
      pidFile: `/var/run/${service}.pid`,
      stateDirectory: state,
      receiptFile: `${state}/${service}.receipt.json`,
    };
  }
  const { config, data, state } = userDirectories(host);
  return {
    service,
    configDirectory: config,
    confFile: join(config, `${port}.conf`),
    dataDirectory: join(data, String(port)),
    logFile: join(state, `${service}.log`),
    pidFile: join(state, `${service}.pid`),
    stateDirectory: state,
    receiptFile: join(state, `${service}.receipt.json`),
  };
}

export function programPaths(host: Host, scope: Scope, version: string): ProgramPaths {
  const prefixRoot = scope === 'system' ? '/usr/local/lib/tsredis' : join(userDirectories(host).data, 'versions');
  return {
    prefixRoot,
    prefix: join(prefixRoot, version),
    current: join(prefixRoot, 'current'),
    binDirectory: scope === 'system' ? '/usr/local/bin' : join(host.home, '.local', 'bin'),
  };
}

function userDirectories(host: Host): { config: string; data: string; state: string } {
  const xdg = (name: string, ...fallback: string[]) => {
    const value = host.env[name];
    // The XDG specification says to ignore relative values.
    return join(value?.startsWith('/') ? value : join(host.home, ...fallback), 'tsredis');
  };
  return {
    config: xdg('XDG_CONFIG_HOME', '.config'),
    data: xdg('XDG_DATA_HOME', '.local', 'share'),
    state: xdg('XDG_STATE_HOME', '.local', 'state'),
  };
}
