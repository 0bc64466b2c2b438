// The table of systemd settings that fence the server in, each with the version that brought it.

import { type Instance, programPath, writableDirectories } from './instance.ts';
import { quoteUnit } from './quote.ts';

export interface SandboxContext {
  readonly instance: Instance;
  /** Directories of the program that must stay visible and executable. */
  readonly perlPath: string | undefined;
  /** Whether the process connects to a unix socket: a launcher's notification, or the server's own socket. */
  readonly needsUnixSockets: boolean;
}

interface SandboxRow {
  readonly setting: string;
  /** Undefined leaves the line out. */
  readonly value: string | ((context: SandboxContext) => string | undefined);
  /** Major version of systemd; older ones would log a warning for it. */
  readonly since: number;
  /** Whether it works without the mount and user namespaces that containers and user managers may lack. */
  readonly light?: true;
}

const sandboxTable: readonly SandboxRow[] = [
  { setting: 'NoNewPrivileges', value: 'yes', since: 187, light: true },
  { setting: 'CapabilityBoundingSet', value: '', since: 21 },
  { setting: 'AmbientCapabilities', value: '', since: 229 },
  { setting: 'ProtectSystem', value: 'strict', since: 232 },
  { setting: 'ReadWritePaths', value: (context) => words(writableDirectories(context.instance)), since: 231 },
  { setting: 'ProtectHome', value: protectHome, since: 214 },
  {
    setting: 'PrivateTmp',
    value: (context) => (usesPath(context, '/tmp', '/var/tmp') ? undefined : 'yes'),
    since: 209,
  },
  { setting: 'PrivateDevices', value: 'yes', since: 209 },
  { setting: 'DevicePolicy', value: 'closed', since: 208 },
  { setting: 'PrivateUsers', value: 'yes', since: 232 },
  { setting: 'PrivateMounts', value: 'yes', since: 239 },
  { setting: 'PrivateIPC', value: 'yes', since: 248 },
  { setting: 'RemoveIPC', value: 'yes', since: 232 },
  { setting: 'ProtectHostname', value: 'yes', since: 242 },
  { setting: 'ProtectClock', value: 'yes', since: 245 },
  { setting: 'ProtectKernelTunables', value: 'yes', since: 232 },
  { setting: 'ProtectKernelModules', value: 'yes', since: 232 },
  { setting: 'ProtectKernelLogs', value: 'yes', since: 244 },
  { setting: 'ProtectControlGroups', value: 'yes', since: 232 },
  { setting: 'ProtectProc', value: 'invisible', since: 247 },
  { setting: 'ProcSubset', value: 'pid', since: 247 },
  { setting: 'KeyringMode', value: 'private', since: 235 },
  { setting: 'RestrictNamespaces', value: 'yes', since: 233, light: true },
  { setting: 'RestrictRealtime', value: 'yes', since: 231, light: true },
  { setting: 'RestrictSUIDSGID', value: 'yes', since: 242, light: true },
  { setting: 'LockPersonality', value: 'yes', since: 235, light: true },
  {
    setting: 'RestrictAddressFamilies',
    value: (context) => (context.needsUnixSockets ? 'AF_INET AF_INET6 AF_UNIX' : 'AF_INET AF_INET6'),
    since: 211,
    light: true,
  },
  // V8 writes the code it runs: with this setting it aborts at its start.
  {
    setting: 'MemoryDenyWriteExecute',
    value: (context) => (isNode(context) ? undefined : 'yes'),
    since: 231,
    light: true,
  },
  { setting: 'SystemCallArchitectures', value: 'native', since: 209, light: true },
  // @pkey: V8 asks for a memory protection key, which is in no group of @system-service.
  {
    setting: 'SystemCallFilter',
    value: (context) => (isNode(context) ? '@system-service @pkey' : '@system-service'),
    since: 231,
    light: true,
  },
  { setting: 'SystemCallFilter', value: '~@privileged @resources', since: 231, light: true },
  // A refused call fails instead of ending the server and its data with a signal.
  { setting: 'SystemCallErrorNumber', value: 'EPERM', since: 209, light: true },
  { setting: 'NoExecPaths', value: '/', since: 248 },
  { setting: 'ExecPaths', value: (context) => words(executablePaths(context)), since: 248 },
  { setting: 'IPAddressDeny', value: (context) => (context.instance.loopbackOnly ? 'any' : undefined), since: 235 },
  {
    setting: 'IPAddressAllow',
    value: (context) => (context.instance.loopbackOnly ? 'localhost' : undefined),
    since: 235,
  },
];

/** How much of the table the host can enforce; see `probeSandbox`. */
export type SandboxProfile = 'full' | 'reduced';

/** The `Setting=value` lines of the profile that systemd `version` knows. */
export function sandboxLines(context: SandboxContext, version: number, profile: SandboxProfile): string[] {
  return sandboxTable.flatMap((row) => {
    if (row.since > version || (profile === 'reduced' && !row.light)) return [];
    const value = typeof row.value === 'string' ? row.value : row.value(context);
    return value === undefined ? [] : [`${row.setting}=${value}`];
  });
}

function isNode(context: SandboxContext): boolean {
  return context.instance.executable.kind === 'bundled';
}

/** Everything the process needs that may lie below a directory the sandbox hides. */
function usesPath(context: SandboxContext, ...roots: string[]): boolean {
  const { instance } = context;
  const server = instance.executable.kind === 'bundled' ? [instance.executable.serverPath] : [];
  const used = [programPath(instance), ...server, instance.confFile, ...writableDirectories(instance)];
  return used.some((path) => roots.some((root) => path === root || path.startsWith(`${root}/`)));
}

function protectHome(context: SandboxContext): string | undefined {
  if (!usesPath(context, '/home', '/root', '/run/user')) return 'yes';
  // Something of the instance lies in a home directory: it stays visible, and writable only where ReadWritePaths says.
  return 'read-only';
}

/** The program, the loader and the libraries; `-` skips those that this machine does not have. */
function executablePaths(context: SandboxContext): string[] {
  const libraries = ['-/lib', '-/lib64', '-/usr/lib', '-/usr/lib64', '-/usr/local/lib'];
  return [programPath(context.instance), ...(context.perlPath ? [context.perlPath] : []), ...libraries];
}

function words(paths: readonly string[]): string {
  return paths.map(quoteUnit).join(' ');
}
