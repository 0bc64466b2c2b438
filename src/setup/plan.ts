// Compares what an instance needs with what is there. Nothing is changed here.
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { OpsError } from '../errors.ts';
import { unifiedDiff } from './diff.ts';
import { type Ids, linkTarget, lookAt, readBytes, sha256 } from './files.ts';
import type { DirectoryItem, FileItem, Item, LinkItem, OwnerRole, TouchItem } from './items.ts';
import { type Receipt, recordedHash } from './receipt.ts';

export interface Change {
  readonly item: Item;
  /** `adjust`: owner or mode only. `keep`: it differs, and is left as it is. */
  readonly action: 'create' | 'replace' | 'adjust' | 'keep' | 'same';
  /** Unified diff for text files that are created or replaced. */
  readonly diff: string;
  /** Why a file is kept, or where the old one goes. */
  readonly note: string | undefined;
  /** Where the old content is put before it is replaced. */
  readonly backupPath: string | undefined;
}

/** Who the roles are; `service` undefined: the user is yet to be created. */
export interface Owners {
  readonly root: Ids;
  readonly service: Ids | undefined;
}

export interface PlanContext {
  readonly receipt: Receipt | undefined;
  /** Undefined in the user scope: nothing changes owner. */
  readonly owners: Owners | undefined;
  /** Replace files that were changed by hand, after a backup. */
  readonly overwrite: boolean;
  /** For names of backups, such as 20261123T134000Z. */
  readonly timestamp: string;
  /** Hides secrets in a line that is shown. */
  readonly mask: (line: string) => string;
}

/** A change for each item, and for every directory on the way that is not there yet. */
export function planChanges(items: readonly Item[], context: PlanContext): Change[] {
  const planned = new Set<string>();
  return items.flatMap((item) => {
    const parents = missingParents(item.path).filter((path) => !planned.has(path));
    for (const path of [...parents, item.path]) planned.add(path);
    return [...parents.map((path) => change(parentDirectory(path, context), 'create')), planItem(item, context)];
  });
}

/** The directories above `path` that are not there, outermost first. */
function missingParents(path: string): string[] {
  const parent = dirname(path);
  return parent === path || lookAt(parent) !== undefined ? [] : [...missingParents(parent), parent];
}

/** Open to all and root's, or the user's own. */
function parentDirectory(path: string, context: PlanContext): DirectoryItem {
  const isSystem = context.owners !== undefined;
  return {
    kind: 'directory',
    path,
    mode: isSystem ? 0o755 : 0o700,
    owner: isSystem ? 'root' : undefined,
    exclusive: false,
  };
}

export const isChange = (change: Change): boolean => change.action !== 'same' && change.action !== 'keep';

/** The ids of a role; undefined leaves the owner alone. */
export function idsOf(role: OwnerRole, owners: Owners | undefined): Ids | undefined {
  return role === undefined ? undefined : owners?.[role];
}

function planItem(item: Item, context: PlanContext): Change {
  switch (item.kind) {
    case 'directory':
      return planDirectory(item, context);
    case 'file':
      return planFile(item, context);
    case 'touch':
      return planTouch(item);
    case 'link':
      return planLink(item, context);
  }
}

function planDirectory(item: DirectoryItem, context: PlanContext): Change {
  const there = lookAt(item.path);
  if (there === undefined) return change(item, 'create');
  const isDirectory = there.isDirectory() || (there.isSymbolicLink() && !item.exclusive);
  if (!isDirectory) throw new OpsError('file-exists', { path: item.path });
  const ids = idsOf(item.owner, context.owners);
  if (!item.exclusive || context.owners === undefined) return change(item, 'same');
  if (ids !== undefined && there.uid === ids.userId) return change(item, 'same');
  // An empty directory of root's may be handed over; any other is somebody's.
  if (there.uid === 0 && readdirSync(item.path).length === 0) return change(item, 'adjust');
  throw new OpsError('path-not-ours', {
    path: item.path,
    owner: `user id ${there.uid}`,
    wanted: ids === undefined ? 'the service user' : `user id ${ids.userId}`,
  });
}

function planFile(item: FileItem, context: PlanContext): Change {
  const there = lookAt(item.path);
  if (there === undefined) return change(item, 'create', { diff: shownDiff(item, undefined, context) });
  if (!there.isFile()) throw new OpsError('file-exists', { path: item.path });
  const before = readBytes(item.path) as Buffer;
  const ids = idsOf(item.owner, context.owners);
  if (before.equals(item.content)) {
    const fits = (there.mode & 0o7777) === item.mode && (ids === undefined || there.uid === ids.userId);
    return change(item, fits ? 'same' : 'adjust');
  }
  const recorded = recordedHash(context.receipt, item.path);
  const isOurs = item.foreign === 'replace' || recorded === sha256(before);
  const diff = shownDiff(item, before, context);
  if (isOurs) return change(item, 'replace', { diff });
  if (context.overwrite) {
    const backupPath = `${item.path}.${context.timestamp}.bak`;
    return change(item, 'replace', { diff, backupPath, note: `the old one is kept as ${backupPath}` });
  }
  if (item.foreign === 'refuse' && recorded === undefined) throw new OpsError('file-exists', { path: item.path });
  const note =
    recorded === undefined
      ? 'it was there before tsredis; --overwrite replaces it after a backup'
      : 'it was changed since tsredis wrote it; --overwrite replaces it after a backup';
  return change(item, 'keep', { note });
}

function planTouch(item: TouchItem): Change {
  const there = lookAt(item.path);
  if (there === undefined) return change(item, 'create');
  if (there.isDirectory()) throw new OpsError('file-exists', { path: item.path });
  return change(item, 'same');
}

function planLink(item: LinkItem, context: PlanContext): Change {
  const there = lookAt(item.path);
  if (there === undefined) return change(item, 'create');
  const target = linkTarget(item.path);
  if (target === item.target) return change(item, 'same');
  const isOurs = context.receipt?.entries.some((entry) => entry.path === item.path && entry.kind === 'link');
  if (target !== undefined && (isOurs || !item.optional)) return change(item, 'replace');
  if (item.optional) return change(item, 'keep', { note: 'something else has this name' });
  throw new OpsError('file-exists', { path: item.path });
}

function shownDiff(item: FileItem, before: Buffer | undefined, context: PlanContext): string {
  if (item.isProgram) return '';
  const text = (content: Buffer) => content.toString('utf8').split('\n').map(context.mask).join('\n');
  return unifiedDiff(item.path, before === undefined ? undefined : text(before), text(item.content));
}

function change(item: Item, action: Change['action'], rest: Partial<Change> = {}): Change {
  return { item, action, diff: '', note: undefined, backupPath: undefined, ...rest };
}
