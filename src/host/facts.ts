// What kind of machine this is: platform, rights, the init system that runs, container or not, distribution.
import type { Host } from './host.ts';

/** The service manager that runs as process 1 (or could be used), as found by its footprint. */
export type InitSystem = 'systemd' | 'sysv' | 'openrc' | 'launchd' | 'none';

export interface HostFacts {
  readonly platform: string;
  readonly isRoot: boolean;
  /** Effective user id. */
  readonly userId: number;
  /** The home directory of whoever runs this. */
  readonly home: string;
  readonly initSystem: InitSystem;
  /** Major version, such as 252; undefined where systemd is not installed. */
  readonly systemdVersion: number | undefined;
  /** Whether systemd runs a manager for this very user that can be reached from here. */
  readonly hasUserManager: boolean;
  readonly isContainer: boolean;
  /** `ID` of os-release, such as debian; `macos` on macOS; empty when unknown. */
  readonly distribution: string;
  readonly distributionVersion: string;
  /** `ID_LIKE`, split: the families the distribution belongs to. */
  readonly distributionFamily: readonly string[];
  readonly nodePath: string;
  readonly perlPath: string | undefined;
}

export async function gatherFacts(host: Host): Promise<HostFacts> {
  const osRelease = parseOsRelease(host.readText('/etc/os-release') ?? host.readText('/usr/lib/os-release') ?? '');
  const isMac = host.platform === 'darwin';
  return {
    platform: host.platform,
    isRoot: host.userId === 0,
    userId: host.userId,
    home: host.home,
    initSystem: findInitSystem(host),
    systemdVersion: isMac ? undefined : await findSystemdVersion(host),
    hasUserManager: findUserManager(host),
    isContainer: findContainer(host),
    distribution: isMac ? 'macos' : (osRelease['ID'] ?? ''),
    distributionVersion: osRelease['VERSION_ID'] ?? '',
    distributionFamily: (osRelease['ID_LIKE'] ?? '').split(' ').filter(Boolean),
    nodePath: host.realPath(host.nodePath),
    perlPath: ['/usr/bin/perl', '/bin/perl'].find((path) => host.exists(path)),
  };
}

/** Tells the running init by what it leaves in /run, as its own tools do: an installed systemctl proves nothing. */
export function findInitSystem(host: Host): InitSystem {
  if (host.platform === 'darwin') return 'launchd';
  if (host.platform !== 'linux') return 'none';
  if (host.exists('/run/systemd/system')) return 'systemd';
  if (host.exists('/run/openrc/softlevel')) return 'openrc';
  // sysvinit names itself init; other process 1s in containers (tini, a shell, node) have other names or no inittab.
  const init = (host.readText('/proc/1/comm') ?? '').trim();
  if (init === 'init' && (host.exists('/run/initctl') || host.exists('/etc/inittab'))) return 'sysv';
  return 'none';
}

/** `KEY=value` lines of os-release(5), quotes removed. */
export function parseOsRelease(text: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z_0-9]+)=(.*)$/.exec(line.trim());
    if (match) entries[match[1]!] = match[2]!.replace(/^(['"])(.*)\1$/, '$2');
  }
  return entries;
}

async function findSystemdVersion(host: Host): Promise<number | undefined> {
  const result = await host.run('systemctl', ['--version'], { timeoutMs: 5_000 });
  const match = /^systemd (\d+)/.exec(result.stdout);
  return match ? Number(match[1]) : undefined;
}

/** Without a session (su, a cron job, a container) there is none, or systemctl --user does not find it. */
function findUserManager(host: Host): boolean {
  const directory = host.env['XDG_RUNTIME_DIR'];
  return directory?.startsWith('/') === true && host.exists(`${directory}/systemd/private`);
}

function findContainer(host: Host): boolean {
  if (host.exists('/.dockerenv') || host.exists('/run/.containerenv') || host.exists('/run/systemd/container')) {
    return true;
  }
  if (host.env['container'] || host.env['KUBERNETES_SERVICE_HOST']) return true;
  return /(^|\0)container=/.test(host.readText('/proc/1/environ') ?? '');
}
