// Instances for tests of service managers: the stand-in server under this Node, or a real Redis.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { HostFacts } from '../../src/host/facts.ts';
import { localHost } from '../../src/host/host.ts';
import { createInstance, type Executable, type Instance, type InstanceOptions } from '../../src/service/instance.ts';
import type { ManagerContext } from '../../src/service/manager.ts';

const fakeServer = fileURLToPath(new URL('../fixtures/fake-server/tsredis-server.js', import.meta.url));

export const bundledExecutable: Extract<Executable, { kind: 'bundled' }> = {
  kind: 'bundled',
  nodePath: localHost().realPath(process.execPath),
  serverPath: fakeServer,
};

/**
 * A program of this package, bundled for the occasion as the build does it, but apart from dist; undefined, with the
 * reason on the console, when that fails.
 */
export async function bundleProgram(name: string): Promise<string | undefined> {
  // As deep below the package as dist/bin is, so that it finds its templates.
  const path = fileURLToPath(new URL(`../../.cache/system/${name}.js`, import.meta.url));
  try {
    await build({
      entryPoints: [fileURLToPath(new URL(`../../src/bin/${name}.ts`, import.meta.url))],
      outfile: path,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.17',
      define: { __TSREDIS_VERSION__: '"0.0.0"' },
      banner: {
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
      logLevel: 'silent',
    });
    return path;
  } catch (error) {
    console.warn(`skipped: ${name} could not be bundled: ${String(error)}`);
    return undefined;
  }
}

/** The server of this package. */
export async function builtExecutable(): Promise<Executable | undefined> {
  const serverPath = await bundleProgram('tsredis-server');
  return serverPath === undefined ? undefined : { ...bundledExecutable, serverPath };
}

export const redisExecutable: Executable = { kind: 'redis', path: '/usr/bin/redis-server', notifies: true };

export function testInstance(
  port = 6379,
  options: InstanceOptions = {},
  executable: Executable = bundledExecutable,
): Instance {
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
      hasUserManager: true,
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
