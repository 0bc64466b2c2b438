// What the builders of sets, hashes and sorted sets have in common.

import type { LargeValue } from '../keyspace/layout.ts';

/** The directives that decide about encodings. */
export interface EncodingLimits {
  readonly hashMaxListpackEntries: number;
  readonly hashMaxListpackValue: number;
  readonly listMaxListpackSize: number;
  readonly listCompressDepth: number;
  readonly setMaxIntsetEntries: number;
  readonly setMaxListpackEntries: number;
  readonly setMaxListpackValue: number;
  readonly zsetMaxListpackEntries: number;
  readonly zsetMaxListpackValue: number;
  /** Lists are never kept in their entry. Default: small ones are. */
  readonly largeLists?: boolean;
}

/** Puts the members of one kind of collection together. */
export interface CollectionBuilder {
  /** Gives back what was allocated. */
  abandon(): void;
  /** The value, either large or as bytes in the scratch region. */
  readonly large: LargeValue | null;
  readonly encoding: number;
  /** Members taken. */
  readonly count: number;
}
