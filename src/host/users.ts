// System users: looking one up, and the commands that create or remove the one a service runs as.
import { OpsError } from '../errors.ts';
import type { Host } from './host.ts';

export interface UserEntry {
  readonly name: string;
  readonly userId: number;
  readonly groupId: number;
  readonly home: string;
  readonly shell: string;
}

/** A program and its arguments, shown in the plan and run as they are. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** The entry of passwd (getent, so directory services count too), or undefined when there is no such user. */
export async function findUser(host: Host, name: string): Promise<UserEntry | undefined> {
  if (host.platform === 'darwin') return findMacUser(host, name);
  const result = await host.run('getent', ['passwd', name], { timeoutMs: 10_000 });
  // Alpine has no getent.
  const text = result.missing ? (host.readText('/etc/passwd') ?? '') : result.stdout;
  return parsePasswd(text).find((user) => user.name === name || String(user.userId) === name);
}

/** The name of the group with this id, or the number as text. */
export async function groupName(host: Host, groupId: number): Promise<string> {
  if (host.platform === 'linux') {
    const result = await host.run('getent', ['group', String(groupId)], { timeoutMs: 10_000 });
    const text = result.missing ? (host.readText('/etc/group') ?? '') : result.stdout;
    for (const line of text.split('\n')) {
      const [name, , id] = line.split(':');
      if (name && Number(id) === groupId) return name;
    }
  }
  return String(groupId);
}

/** The commands that create a system user without login and password, with a group of the same name. */
export async function createUserCommands(host: Host, name: string, home: string): Promise<Command[]> {
  if (host.platform === 'darwin') return createMacUserCommands(await findFreeMacId(host), name, home);
  const useradd = host.find('useradd');
  if (useradd) {
    const args = ['--system', '--user-group', '--home-dir', home, '--no-create-home', '--shell', nologin(host), name];
    return [{ file: useradd, args }];
  }
  // BusyBox: its adduser does not make the group.
  return [
    { file: host.find('addgroup') ?? 'addgroup', args: ['-S', name] },
    {
      file: host.find('adduser') ?? 'adduser',
      args: ['-S', '-D', '-H', '-h', home, '-s', nologin(host), '-G', name, name],
    },
  ];
}

/** The commands that remove a user made by `createUserCommands`; its files stay. */
export function removeUserCommands(host: Host, name: string): Command[] {
  if (host.platform === 'darwin') {
    return ['Users', 'Groups'].map((kind) => ({ file: '/usr/bin/dscl', args: ['.', '-delete', `/${kind}/${name}`] }));
  }
  const userdel = host.find('userdel');
  return [userdel ? { file: userdel, args: [name] } : { file: host.find('deluser') ?? 'deluser', args: [name] }];
}

function parsePasswd(text: string): UserEntry[] {
  const users: UserEntry[] = [];
  for (const line of text.split('\n')) {
    const [name, , userId, groupId, , home, shell] = line.split(':');
    if (!name || !/^\d+$/.test(userId ?? '') || !/^\d+$/.test(groupId ?? '')) continue;
    users.push({ name, userId: Number(userId), groupId: Number(groupId), home: home ?? '', shell: shell ?? '' });
  }
  return users;
}

function nologin(host: Host): string {
  return ['/usr/sbin/nologin', '/sbin/nologin'].find((path) => host.exists(path)) ?? '/bin/false';
}

async function findMacUser(host: Host, name: string): Promise<UserEntry | undefined> {
  const keys = ['UniqueID', 'PrimaryGroupID', 'NFSHomeDirectory', 'UserShell'];
  const result = await host.run('/usr/bin/dscl', ['.', '-read', `/Users/${name}`, ...keys], { timeoutMs: 10_000 });
  if (result.exitCode !== 0) return undefined;
  const value = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(result.stdout)?.[1] ?? '';
  return {
    name,
    userId: Number(value('UniqueID')),
    groupId: Number(value('PrimaryGroupID')),
    home: value('NFSHomeDirectory'),
    shell: value('UserShell'),
  };
}

/** macOS gives no free id by itself; those from 200 to 400 are meant for services. */
async function findFreeMacId(host: Host): Promise<string> {
  const taken = new Set<string>();
  for (const [kind, key] of [
    ['/Users', 'UniqueID'],
    ['/Groups', 'PrimaryGroupID'],
  ] as const) {
    const result = await host.run('/usr/bin/dscl', ['.', '-list', kind, key], { timeoutMs: 10_000 });
    for (const line of result.stdout.split('\n')) taken.add(/(\d+)$/.exec(line.trim())?.[1] ?? '');
  }
  for (let id = 279; id < 400; id++) if (!taken.has(String(id))) return String(id);
  throw new OpsError('internal', { detail: 'no user id from 279 to 399 is free' });
}

function createMacUserCommands(id: string, name: string, home: string): Command[] {
  const dscl = (...args: string[]): Command => ({ file: '/usr/bin/dscl', args: ['.', ...args] });
  return [
    dscl('-create', `/Groups/${name}`, 'PrimaryGroupID', id),
    dscl('-create', `/Users/${name}`, 'UniqueID', id),
    dscl('-create', `/Users/${name}`, 'PrimaryGroupID', id),
    dscl('-create', `/Users/${name}`, 'UserShell', '/usr/bin/false'),
    dscl('-create', `/Users/${name}`, 'NFSHomeDirectory', home),
    dscl('-create', `/Users/${name}`, 'IsHidden', '1'),
  ];
}
