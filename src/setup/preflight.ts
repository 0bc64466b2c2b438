// Everything that would make an installation fail, looked for before anything is changed.
import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { describeOwner, findPortOwners } from '../host/ports.ts';
import { closedDirectory, mayAccess } from './access.ts';
import type { Ids } from './files.ts';

export interface PreflightTarget {
  readonly port: number;
  readonly confFile: string;
  readonly logFile: string;
  readonly dataDirectory: string;
  /** Pid of this very instance when it runs: it may hold the port. */
  readonly ownPid: number | undefined;
  /** The service user; undefined when it is yet to be created or whoever runs this. */
  readonly user: Ids | undefined;
  readonly isSystem: boolean;
  /** Paths that the plan changes. */
  readonly writes: readonly string[];
  /** All paths of the plan, changed or not. */
  readonly planned: readonly string[];
}

/** Throws the first blocking problem; resolves to warnings. */
export async function preflight(host: Host, target: PreflightTarget): Promise<string[]> {
  await checkPortFree(host, target);
  for (const path of new Set([target.confFile, target.logFile, target.dataDirectory, ...target.writes])) {
    checkWritable(path);
  }
  checkDiskSpace(target.dataDirectory);
  if (!target.isSystem) return [];
  checkWayOfService(target);
  checkNameClash(target);
  return [...rewriteWarnings(target), ...(await distributionWarnings(host, target))];
}

async function checkPortFree(host: Host, target: PreflightTarget): Promise<void> {
  const owners = await findPortOwners(host, target.port);
  const foreign = owners.find((owner) => owner.pid === undefined || owner.pid !== target.ownPid);
  if (foreign !== undefined) throw new OpsError('port-in-use', { port: target.port, owner: describeOwner(foreign) });
}

/** The nearest directory that is there must take new files. */
function checkWritable(path: string): void {
  let at = dirname(path);
  for (;;) {
    const stats = statOf(at);
    if (stats !== undefined) {
      if (!stats.isDirectory()) throw new OpsError('path-not-writable', { path, reason: `${at} is not a directory` });
      try {
        accessSync(at, constants.W_OK | constants.X_OK);
        return;
      } catch {
        throw new OpsError('path-not-writable', { path, reason: `no permission to write in ${at}` });
      }
    }
    at = dirname(at);
  }
}

/** Room for a first dump and log: 64 MB. */
const freeBytesMin = 64 * 1024 * 1024;

function checkDiskSpace(path: string): void {
  let at = path;
  while (statOf(at) === undefined) at = dirname(at);
  const { bavail, bsize } = statfsSync(at);
  const free = bavail * bsize;
  if (free < freeBytesMin) throw new OpsError('disk-space', { path: at, free, wanted: freeBytesMin });
}

/** The service user has to get to its files. */
function checkWayOfService(target: PreflightTarget): void {
  for (const path of [target.confFile, target.dataDirectory]) {
    const closed = closedDirectory(path, target.user);
    if (closed === undefined) continue;
    throw new OpsError('path-not-ours', {
      path: closed,
      owner: 'others',
      wanted: 'the service user, which must enter it',
    });
  }
}

/** Name and state, a line for each; the braces are dpkg's. */
const packageFormat = ['$', '{Package} $', '{db:Status-Status}\n'].join('');

/** Another manager's service of the same name would start a second server, or hide ours. */
function checkNameClash(target: PreflightTarget): void {
  const name = `redis_${target.port}`;
  const places = [`/etc/init.d/${name}`, `/etc/systemd/system/${name}.service`, `/lib/systemd/system/${name}.service`];
  const clash = places.find((path) => !target.planned.includes(path) && statOf(path) !== undefined);
  if (clash !== undefined) throw new OpsError('file-exists', { path: clash });
}

function rewriteWarnings(target: PreflightTarget): string[] {
  const directory = dirname(target.confFile);
  const isThere = statOf(directory) !== undefined;
  if (!isThere || target.user === undefined || mayAccess(directory, target.user, 3)) return [];
  return [`the service user may not write in ${directory}, so CONFIG REWRITE will not work there`];
}

const packages = ['redis-server', 'redis-tools', 'redis', 'valkey'];

/** A distribution's own Redis shares its directories with us, and purging it takes them along. */
async function distributionWarnings(host: Host, target: PreflightTarget): Promise<string[]> {
  if (host.find('dpkg-query') === undefined) return [];
  const result = await host.run('dpkg-query', ['-W', '-f', packageFormat, ...packages]);
  const installed = result.stdout.split('\n').flatMap((line) => /^(\S+) installed$/.exec(line)?.[1] ?? []);
  const shared = [target.confFile, target.logFile, target.dataDirectory].filter((path) =>
    /^\/(etc|var\/lib|var\/log)\/redis\//.test(path),
  );
  if (installed.length === 0 || shared.length === 0) return [];
  return [
    `${installed.join(', ')} is installed as a package. Purging it deletes /etc/redis, /var/lib/redis and /var/log/redis ` +
      `with everything in them, so also ${shared.join(' and ')}. To keep apart, give other directories: ` +
      `--config-file /etc/tsredis/${target.port}.conf --data-dir /var/lib/tsredis-data/${target.port}`,
  ];
}

function statOf(path: string) {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
