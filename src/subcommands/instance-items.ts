// Everything an instance needs on disk, in the order in which it is made.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from '../host/host.ts';
import { instancePaths, programPaths, type Scope } from '../host/paths.ts';
import { type Payload, programFile } from '../install/payload.ts';
import type { Instance } from '../service/instance.ts';
import { logrotateFile } from '../service/logrotate.ts';
import type { ManagerContext, ServiceFile, ServiceManager } from '../service/manager.ts';
import { recordFile } from '../service/registry.ts';
import type { FileItem, Item, OwnerRole } from '../setup/items.ts';

export interface ItemsRequest {
  readonly host: Host;
  readonly scope: Scope;
  readonly instance: Instance;
  readonly manager: ServiceManager;
  readonly context: ManagerContext;
  readonly confText: string;
  /** Undefined when another program serves and nothing is installed. */
  readonly payload: Payload | undefined;
  /** The Node to copy along; undefined when services reach the present one. */
  readonly nodeToCopy: string | undefined;
  /** Also link the programs under the names of Redis' own. */
  readonly linkRedisNames: boolean;
}

export function instanceItems(request: ItemsRequest): Item[] {
  const { host, scope, instance, manager, context } = request;
  const root: OwnerRole = scope === 'system' ? 'root' : undefined;
  const service: OwnerRole = scope === 'system' ? 'service' : undefined;
  const paths = instancePaths(host, scope, instance.port);
  const closed = scope === 'system' ? 0o755 : 0o700;
  const rotate = existsSync('/etc/logrotate.d') ? logrotateFile(instance) : undefined;
  const serviceFiles = [...manager.files(instance, context), ...(rotate === undefined ? [] : [rotate])];
  return [
    directory(paths.stateDirectory, closed, root),
    ...programItems(request, root),
    // CONFIG REWRITE makes a new file beside the old one, so the server must be able to write here.
    directory(dirname(instance.confFile), scope === 'system' ? 0o2770 : 0o700, service),
    directory(instance.dataDirectory, scope === 'system' ? 0o750 : 0o700, service, true),
    {
      kind: 'file',
      path: instance.confFile,
      content: Buffer.from(request.confText),
      mode: scope === 'system' ? 0o640 : 0o600,
      owner: service,
      foreign: 'keep',
      restarts: true,
      isProgram: false,
    },
    { kind: 'touch', path: instance.logFile, mode: scope === 'system' ? 0o640 : 0o600, owner: service },
    ...serviceFiles.map((file) => serviceItem(file, root, 'refuse', file !== rotate)),
    serviceItem(recordFile(host, instance, manager.name), root, 'replace', false),
  ];
}

/** Belongs to the program and not to one instance. */
export function isShared(host: Host, scope: Scope): (item: Item) => boolean {
  const { prefixRoot, binDirectory } = programPaths(host, scope, '0');
  const state = instancePaths(host, scope, 1).stateDirectory;
  return ({ path }) =>
    path === state || [prefixRoot, binDirectory].some((place) => path === place || path.startsWith(`${place}/`));
}

const redisNames = ['server', 'cli', 'benchmark', 'check-rdb', 'check-aof'];

function programItems(request: ItemsRequest, owner: OwnerRole): Item[] {
  const { host, scope, payload, nodeToCopy } = request;
  if (payload === undefined) return [];
  const { prefixRoot, prefix, current, binDirectory } = programPaths(host, scope, payload.version);
  const file = (to: string, from: string, mode: number, restarts: boolean): FileItem => ({
    kind: 'file',
    path: join(prefix, to),
    content: readFileSync(from),
    mode,
    owner,
    foreign: 'replace',
    restarts,
    isProgram: true,
  });
  const files = payload.files.map(({ to, from, mode }) => file(to, from, mode, to === programFile('tsredis-server')));
  if (nodeToCopy !== undefined) files.push(file('bin/node', nodeToCopy, 0o755, true));
  const link = (name: string, program: string): Item => ({
    kind: 'link',
    path: join(binDirectory, name),
    target: join(current, programFile(program)),
    restarts: false,
    optional: true,
  });
  const names = request.linkRedisNames ? redisNames.filter((name) => payload.programs.includes(`tsredis-${name}`)) : [];
  return [
    directory(prefixRoot, 0o755, owner),
    ...[...new Set(files.map(({ path }) => dirname(path)))]
      .flatMap((path) => ancestorsBelow(path, prefixRoot))
      .filter((path, index, all) => all.indexOf(path) === index)
      .map((path) => directory(path, 0o755, owner)),
    ...files,
    { kind: 'link', path: current, target: payload.version, restarts: true, optional: false },
    ...payload.programs.map((name) => link(name, name)),
    ...names.map((name) => link(`redis-${name}`, `tsredis-${name}`)),
  ];
}

function ancestorsBelow(path: string, root: string): string[] {
  return path === root || !path.startsWith(root) ? [] : [...ancestorsBelow(dirname(path), root), path];
}

function directory(path: string, mode: number, owner: OwnerRole, exclusive = false): Item {
  return { kind: 'directory', path, mode, owner, exclusive };
}

function serviceItem(file: ServiceFile, owner: OwnerRole, foreign: FileItem['foreign'], restarts: boolean): FileItem {
  const { path, content, mode } = file;
  return { kind: 'file', path, content: Buffer.from(content), mode, owner, foreign, restarts, isProgram: false };
}
