// Makes a plan true, keeping a journal from which everything can be put back.
import {
  type Ids,
  linkTarget,
  lookAt,
  makeDirectory,
  makeLink,
  readBytes,
  removeEmptyDirectory,
  removeFile,
  setOwnerAndMode,
  sha256,
  writeWhole,
} from './files.ts';
import type { Item } from './items.ts';
import { type Change, idsOf, isChange, type Owners } from './plan.ts';
import type { ReceiptEntry } from './receipt.ts';

/** Steps that undo what was done, last first. */
export class Journal {
  readonly #steps: (() => void | Promise<void>)[] = [];

  note(undo: () => void | Promise<void>): void {
    this.#steps.push(undo);
  }

  /** Undoes everything, going on past steps that fail; gives the reasons of those. */
  async undo(): Promise<string[]> {
    const failures: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    return failures;
  }
}

/** Applies the changes in order. Throws OpsError at the first that fails; the journal then holds what was done. */
export function applyChanges(changes: readonly Change[], owners: Owners | undefined, journal: Journal): void {
  for (const change of changes) if (isChange(change)) applyChange(change, owners, journal);
}

/** What a receipt says of the items that are now in place. `shared` decides by item. */
export function receiptEntries(
  changes: readonly Change[],
  previous: readonly ReceiptEntry[],
  shared: (item: Item) => boolean,
): ReceiptEntry[] {
  // What an earlier version placed elsewhere stays ours to remove.
  const entries = previous.filter(({ path }) => !changes.some(({ item }) => item.path === path));
  for (const { item, action } of changes) {
    const before = previous.find((entry) => entry.path === item.path);
    // What was there before the first run is not ours to remove.
    const wasForeign = before === undefined && action !== 'create' && action !== 'replace';
    if (action === 'keep' || (wasForeign && item.kind !== 'file')) {
      if (before !== undefined) entries.push(before);
      continue;
    }
    entries.push({ path: item.path, kind: item.kind, sha256: hashOf(item), shared: shared(item) });
  }
  return entries;
}

function hashOf(item: Item): string {
  if (item.kind === 'file') return sha256(item.content);
  return item.kind === 'link' ? sha256(item.target) : '';
}

function applyChange({ item, action, backupPath }: Change, owners: Owners | undefined, journal: Journal): void {
  const ids = item.kind === 'link' ? undefined : idsOf(item.owner, owners);
  if (action === 'adjust' && item.kind !== 'link') {
    adjust(item.path, item.mode, ids, journal);
    return;
  }
  switch (item.kind) {
    case 'directory':
      makeDirectory(item.path, item.mode, ids);
      journal.note(() => void removeEmptyDirectory(item.path));
      break;
    case 'touch':
      writeWhole(item.path, Buffer.alloc(0), item.mode, ids);
      journal.note(() => removeFile(item.path));
      break;
    case 'link':
      journal.note(restoreLink(item.path));
      makeLink(item.path, item.target);
      break;
    case 'file':
      if (backupPath !== undefined) backUp(item.path, backupPath, journal);
      journal.note(restoreFile(item.path));
      writeWhole(item.path, item.content, item.mode, ids);
      break;
  }
}

function adjust(path: string, mode: number, ids: Ids | undefined, journal: Journal): void {
  const before = lookAt(path);
  if (before === undefined) return;
  journal.note(() => setOwnerAndMode(path, before.mode & 0o7777, { userId: before.uid, groupId: before.gid }));
  setOwnerAndMode(path, mode, ids);
}

function backUp(path: string, backupPath: string, journal: Journal): void {
  const stats = lookAt(path);
  const content = readBytes(path);
  if (stats === undefined || content === undefined) return;
  writeWhole(backupPath, content, stats.mode & 0o7777, { userId: stats.uid, groupId: stats.gid });
  journal.note(() => removeFile(backupPath));
}

/** An undo step that brings the present file back, or removes what comes where nothing is. */
function restoreFile(path: string): () => void {
  const stats = lookAt(path);
  const content = readBytes(path);
  if (stats === undefined || content === undefined) return () => removeFile(path);
  return () => writeWhole(path, content, stats.mode & 0o7777, { userId: stats.uid, groupId: stats.gid });
}

function restoreLink(path: string): () => void {
  const target = linkTarget(path);
  return () => (target === undefined ? removeFile(path) : makeLink(path, target));
}
