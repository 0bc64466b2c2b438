// Instances for tests of service managers: the stand-in server under this Node, or a real Redis.
import { fileURLToPath } from 'node:url';
import type { HostFacts } from '../../src/host/facts.ts';
import { localHost } from '../../src/host/host.ts';
import { createInstance, type Executable, type Instance, type InstanceOptions } from '../../src/service/instance.ts';
import type { ManagerContext } from '../../src/service/manager.ts';

export const fakeServer = fileURLToPath(new URL('../fixtures/fake-server/tsredis-server.js', import.meta.url));

export const bundledExecutable: Executable = {
  kind: 'bundled',
  nodePath: localHost().realPath(process.execPath),
  serverPath: fakeServer,
};

export const redisExecutable: Executable = { kind: 'redis', path: '/usr/bin/redis-server', notifies: true };

export function testInstance(port = 6379, options: InstanceOptions = {}, executable = bundledExecutable): Instance {
  return createInstance(localHost(), 'system', port, executable, { startTimeoutSeconds: 15, ...options });
}

export function testContext(facts: Partial<HostFacts> = {}): ManagerContext {
  return {
    facts: {
      platform: 'linux',
      isRoot: true,
      userId: 0,
      home: '/root',
      initSystem: 'systemd',
      systemdVersion: 252,
      isContainer: false,
      distribution: 'debian',
      distributionVersion: '12',
      distributionFamily: [],
      nodePath: process.execPath,
      perlPath: '/usr/bin/perl',
      ...facts,
    },
    sandbox: 'full',
  };
}

/** A configuration as the installer would write it, as short as it can be. */
export function confText(instance: Instance, ...lines: string[]): string {
  return [
    `port ${instance.port}`,
    'bind 127.0.0.1',
    'daemonize yes',
    `pidfile ${quote(instance.pidFile)}`,
    `logfile ${quote(instance.logFile)}`,
    `dir ${quote(instance.dataDirectory)}`,
    ...lines,
    '',
  ].join('\n');
}

function quote(path: string): string {
  return `"${path}"`;
}
