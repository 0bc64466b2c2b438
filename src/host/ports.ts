// Who listens on a TCP port: from /proc on Linux (no program needed), from lsof elsewhere.
import type { Host } from './host.ts';
import { readProcess } from './process.ts';

export interface PortOwner {
  /** Undefined when the process belongs to another user and this one is not root. */
  readonly pid: number | undefined;
  readonly name: string | undefined;
  readonly userId: number | undefined;
}

/** The processes that listen on `port`, on any address; empty when it is free. */
export async function findPortOwners(host: Host, port: number): Promise<PortOwner[]> {
  return host.platform === 'linux' ? findLinuxOwners(host, port) : findWithLsof(host, port);
}

/** For messages: `nginx (pid 12)`, or what little is known. */
export function describeOwner(owner: PortOwner): string {
  if (owner.pid === undefined) {
    return owner.userId === undefined ? 'another process' : `a process of user id ${owner.userId}`;
  }
  return `${owner.name ?? 'a process'} (pid ${owner.pid})`;
}

async function findLinuxOwners(host: Host, port: number): Promise<PortOwner[]> {
  const sockets = ['tcp', 'tcp6'].flatMap((table) =>
    parseListeners(host.readText(`/proc/net/${table}`) ?? '').filter((socket) => socket.port === port),
  );
  if (sockets.length === 0) return [];
  const pids = findSocketHolders(host, new Set(sockets.map((socket) => socket.inode)));
  if (pids.length === 0) return [{ pid: undefined, name: undefined, userId: sockets[0]!.userId }];
  const owners: PortOwner[] = [];
  for (const pid of pids) {
    const found = await readProcess(host, pid);
    owners.push({ pid, name: found?.name, userId: found?.userId });
  }
  return owners;
}

/** The listening rows of /proc/net/tcp and tcp6: `sl local_address rem_address st … uid timeout inode`. */
function parseListeners(text: string): { port: number; userId: number; inode: string }[] {
  const listening = '0A';
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [local, state, userId, inode] = [fields[1], fields[3], fields[7], fields[9]];
    if (state !== listening || local === undefined || userId === undefined || inode === undefined) return [];
    return [{ port: Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16), userId: Number(userId), inode }];
  });
}

function findSocketHolders(host: Host, inodes: ReadonlySet<string>): number[] {
  const holders: number[] = [];
  for (const pid of host.list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const holds = host.list(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(host.readLink(`/proc/${pid}/fd/${fd}`) ?? '')?.[1];
      return inode !== undefined && inodes.has(inode);
    });
    if (holds) holders.push(Number(pid));
  }
  return holders;
}

async function findWithLsof(host: Host, port: number): Promise<PortOwner[]> {
  const result = await host.run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpcu'], { timeoutMs: 10_000 });
  return parseLsof(result.stdout);
}

/** `lsof -Fpcu`: one field a line, its first letter the kind, `p` beginning a process. */
export function parseLsof(text: string): PortOwner[] {
  const owners: { pid: number; name: string | undefined; userId: number | undefined }[] = [];
  for (const line of text.split('\n')) {
    const value = line.slice(1);
    const owner = owners.at(-1);
    if (line.startsWith('p')) owners.push({ pid: Number(value), name: undefined, userId: undefined });
    else if (line.startsWith('c') && owner) owner.name = value;
    else if (line.startsWith('u') && owner) owner.userId = Number(value);
  }
  return owners;
}
