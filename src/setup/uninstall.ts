// Removes what a receipt says, and only what is still as it was written.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { linkTarget, lookAt, readBytes, removeEmptyDirectory, removeFile, sha256 } from './files.ts';
import type { Receipt, ReceiptEntry } from './receipt.ts';

/** Where a server keeps its append-only file. */
const APPEND_DIRECTORY = 'appendonlydir';

export interface Removal {
  readonly path: string;
  readonly action: 'remove' | 'keep' | 'gone';
  readonly kind: ReceiptEntry['kind'];
  /** Why it is kept. */
  readonly note: string | undefined;
}

export interface RemovalOptions {
  /** Whether another instance still uses the shared program files. */
  readonly keepShared: boolean;
  /** Remove the data and the log, too. */
  readonly purgeData: boolean;
}

/** What removing would do, without doing it; files first, then directories from the inside out. */
export function planRemoval(receipt: Receipt, options: RemovalOptions): Removal[] {
  const files = receipt.entries.filter(({ kind }) => kind !== 'directory');
  const directories = receipt.entries.filter(({ kind }) => kind === 'directory');
  const data = options.purgeData ? planData(receipt.answers.dataDirectory) : [];
  return [
    ...files.map((entry) => planEntry(entry, options)),
    ...data,
    ...directories
      .toSorted((left, right) => right.path.length - left.path.length)
      .map((entry) => planEntry(entry, options)),
  ];
}

/** Removes; directories only when nothing is left in them. The removals as they turned out. */
export function removePlanned(removals: readonly Removal[]): Removal[] {
  return removals.map((removal) => {
    if (removal.action !== 'remove') return removal;
    if (removal.kind !== 'directory') {
      removeFile(removal.path);
      return removal;
    }
    if (removeEmptyDirectory(removal.path)) return removal;
    return { ...removal, action: 'keep', note: 'it is not empty' };
  });
}

function planEntry(entry: ReceiptEntry, options: RemovalOptions): Removal {
  const { path, kind } = entry;
  const result = (action: Removal['action'], note?: string): Removal => ({ path, kind, action, note });
  if (lookAt(path) === undefined) return result('gone');
  if (entry.shared && options.keepShared) return result('keep', 'another instance uses it');
  if (kind === 'directory') return result('remove');
  if (kind === 'touch') {
    return options.purgeData ? result('remove') : result('keep', 'it is the log; --purge-data removes it');
  }
  const content = kind === 'link' ? linkTarget(path) : readBytes(path);
  if (content !== undefined && sha256(content) === entry.sha256) return result('remove');
  return result('keep', 'it was changed since tsredis wrote it');
}

/** What a server writes in its data directory, by name: a wrong directory in a receipt must not cost strangers. */
function planData(directory: string): Removal[] {
  const planned = (path: string, kind: Removal['kind']): Removal => ({ path, kind, action: 'remove', note: undefined });
  return entriesOf(directory).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && entry.name === APPEND_DIRECTORY) {
      const files = entriesOf(path).filter((file) => /\.(aof|rdb|manifest)$/.test(file.name));
      return [...files.map((file) => planned(join(path, file.name), 'file')), planned(path, 'directory')];
    }
    return entry.isFile() && /(\.rdb|\.aof|^nodes\.conf|\.manifest)$/.test(entry.name) ? [planned(path, 'file')] : [];
  });
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
