// What an instance needs on disk, as data: a plan compares it with what is there, apply makes it so.

/** Who owns an item: root, the service user, or (undefined) whoever runs the setup, in the user scope. */
export type OwnerRole = 'root' | 'service' | undefined;

/** What to do with a file that is there but not as tsredis wrote it last. */
type ForeignPolicy =
  /** Leave it, say so. */
  | 'keep'
  /** Leave it when tsredis wrote it once; refuse to go on when it never did. */
  | 'refuse'
  /** It is ours by its place. */
  | 'replace';

export interface DirectoryItem {
  readonly kind: 'directory';
  readonly path: string;
  readonly mode: number;
  readonly owner: OwnerRole;
  /** The server's own: it must belong to the service user even if it was there before. */
  readonly exclusive: boolean;
}

export interface FileItem {
  readonly kind: 'file';
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
  readonly owner: OwnerRole;
  readonly foreign: ForeignPolicy;
  /** A running instance has to be started again to see a change. */
  readonly restarts: boolean;
  /** Part of the program: shown by size, without its text. */
  readonly isProgram: boolean;
}

/** A file that belongs to the server once it exists (its log): made empty, never changed. */
export interface TouchItem {
  readonly kind: 'touch';
  readonly path: string;
  readonly mode: number;
  readonly owner: OwnerRole;
}

export interface LinkItem {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
  readonly restarts: boolean;
  /** Skip it, rather than refuse, when something else is there. */
  readonly optional: boolean;
}

export type Item = DirectoryItem | FileItem | TouchItem | LinkItem;
