// The one model of an instance, which every service manager's files and commands are made from.
import { dirname } from 'node:path';
import type { Host } from '../host/host.ts';
import { SERVER_NODE_ARGUMENTS } from '../host/node-arguments.ts';
import { instancePaths, type Scope, serviceName } from '../host/paths.ts';

/** The program that serves: our bundle under a Node, or a Redis binary. Absolute paths. */
export type Executable =
  | { readonly kind: 'bundled'; readonly nodePath: string; readonly serverPath: string }
  | {
      readonly kind: 'redis';
      readonly path: string;
      /** Whether it was built to tell systemd when it is ready; see `speaksToSystemd`. */
      readonly notifies: boolean;
    };

export interface Instance {
  readonly port: number;
  /** `redis_PORT`. */
  readonly service: string;
  readonly scope: Scope;
  readonly confFile: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** Undefined: whoever starts it (always so in the user scope). */
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly executable: Executable;
  /** Limit on open files: maxclients and 32 more. */
  readonly openFilesMax: number;
  /** Hard limit on memory; undefined for none. */
  readonly memoryBytesMax: number | undefined;
  /** A unix socket the server listens on as well. */
  readonly socketPath: string | undefined;
  /** Whether only this machine may connect: the service manager then refuses all other addresses. */
  readonly loopbackOnly: boolean;
  readonly startTimeoutSeconds: number;
  /** How long a stop waits for the last save. Nothing is killed after it. */
  readonly stopTimeoutSeconds: number;
}

export type InstanceOptions = Partial<Omit<Instance, 'port' | 'service' | 'scope' | 'executable'>>;

/** An instance with the default paths and limits of its scope, where `options` does not say otherwise. */
export function createInstance(
  host: Host,
  scope: Scope,
  port: number,
  executable: Executable,
  options: InstanceOptions = {},
): Instance {
  const paths = instancePaths(host, scope, port);
  const user = scope === 'system' ? 'redis' : undefined;
  return {
    port,
    service: serviceName(port),
    scope,
    confFile: paths.confFile,
    dataDirectory: paths.dataDirectory,
    logFile: paths.logFile,
    pidFile: paths.pidFile,
    user,
    group: user,
    executable,
    openFilesMax: 10_032,
    memoryBytesMax: undefined,
    socketPath: undefined,
    loopbackOnly: true,
    startTimeoutSeconds: 60,
    stopTimeoutSeconds: 120,
    ...options,
  };
}

/** The file that runs as the process: what /proc/PID/exe points to. */
export function programPath(instance: Instance): string {
  return instance.executable.kind === 'bundled' ? instance.executable.nodePath : instance.executable.path;
}

/**
 * The words that run the server in the foreground under a service manager. Whoever starts it keeps the pid file, which
 * the service user could not write in /var/run, so the configuration's own `daemonize` and `pidfile` are overridden.
 */
export function serverCommand(instance: Instance, supervised: 'systemd' | 'no', pidFile = ''): string[] {
  return [
    ...programWords(instance),
    instance.confFile,
    '--daemonize',
    'no',
    '--supervised',
    supervised,
    '--pidfile',
    pidFile,
  ];
}

/** The words that run the server as its configuration says. */
function programWords(instance: Instance): string[] {
  const { executable } = instance;
  return executable.kind === 'bundled'
    ? [executable.nodePath, ...SERVER_NODE_ARGUMENTS, executable.serverPath]
    : [executable.path];
}

/** Written by whoever starts the process: `PID START_TICKS BOOT_ID`, which no other process can ever match. */
export function stampFile(instance: Instance): string {
  return instance.pidFile.replace(/(\.pid)?$/, '.start');
}

/** What the server prints besides its log, of its last start only: the errors from before it opens its log. */
export function outputFile(instance: Instance): string {
  return instance.pidFile.replace(/(\.pid)?$/, '.out');
}

/** The directories the server writes to: its data, its log, its configuration (CONFIG REWRITE), its socket. */
export function writableDirectories(instance: Instance): string[] {
  const files = [instance.confFile, instance.logFile, instance.socketPath];
  const directories = files.flatMap((file) => (file ? [dirname(file)] : []));
  return [...new Set([instance.dataDirectory, ...directories])].filter((path) => path.startsWith('/'));
}

/** Whether a Redis binary is linked with libsystemd; without it, it ignores `supervised systemd`. */
export async function speaksToSystemd(host: Host, path: string): Promise<boolean> {
  const result = await host.run('ldd', [host.realPath(path)], { timeoutMs: 10_000 });
  return result.stdout.includes('libsystemd.so');
}
