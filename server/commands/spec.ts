// What the table says about a command, handlers aside: the types of its entries, and the views that follow from them.

/** Flags of a command, in the order in which COMMAND INFO lists them. */
const publicFlags = [
  'write',
  'readonly',
  'denyoom',
  'module',
  'admin',
  'pubsub',
  'noscript',
  'blocking',
  'loading',
  'stale',
  'skip_monitor',
  'skip_slowlog',
  'asking',
  'fast',
  'no_auth',
  'no_async_loading',
  'no_multi',
  'no_mandatory_keys',
  'allow_busy',
  'movablekeys',
] as const;

type PublicFlag = (typeof publicFlags)[number];

/**
 * A flag of an entry. `movablekeys` follows from the key specs and is never written down. Four are for dispatch alone
 * and stay out of COMMAND INFO: `may_replicate` (has effects that replicas must see without being a write), `sentinel`
 * (served in sentinel mode, too), `only_sentinel` (served there alone), `protected` (needs a directive to be enabled).
 */
type CommandFlag = Exclude<PublicFlag, 'movablekeys'> | 'may_replicate' | 'sentinel' | 'only_sentinel' | 'protected';

/** ACL categories without the `@`, in the order in which ACL CAT and COMMAND INFO list them. */
export const aclCategories = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const;

export type AclCategory = (typeof aclCategories)[number];

/** What a command does with a key, in the order in which COMMAND INFO and GETKEYSANDFLAGS list it. */
export const keyFlags = [
  'RO',
  'RW',
  'OW',
  'RM',
  'access',
  'update',
  'insert',
  'delete',
  'not_key',
  'incomplete',
  'variable_flags',
] as const;

export type KeyFlag = (typeof keyFlags)[number];

/** Where the search for keys begins: at an argument's index, after a keyword, or nowhere a rule could name. */
export type KeySearchBegin =
  | { readonly index: number }
  /** `startFrom` is the first index looked at; negative ones count from the end and search backwards. */
  | { readonly keyword: string; readonly startFrom: number }
  | 'unknown';

/** Which arguments from there on are keys. */
export type KeySearchFind =
  /**
   * `lastKey` counts from the first key, or from the last argument (-1) when negative. A `limit` above 1 takes that
   * fraction of the arguments (2: the first half) and goes with a `lastKey` of -1.
   */
  | { readonly lastKey: number; readonly step: number; readonly limit: number }
  /** All three count from the begin, the step from key to key; the argument at `countIndex` is the number of keys. */
  | { readonly countIndex: number; readonly firstKey: number; readonly step: number }
  | 'unknown';

export type KeySpec = {
  readonly flags: readonly KeyFlag[];
  readonly begin: KeySearchBegin;
  /** Left out when the begin itself is the one key. */
  readonly find?: KeySearchFind;
  readonly notes?: string;
};

/** Rules that key specs cannot express; key-positions.ts has the function for each. */
export type KeyRule = 'set' | 'bitfield' | 'sort' | 'sort_ro' | 'migrate';

type ArgumentType =
  | 'string'
  | 'integer'
  | 'double'
  | 'key'
  | 'pattern'
  | 'unix-time'
  | 'pure-token'
  | 'oneof'
  | 'block';

export type ArgumentSpec = {
  readonly name: string;
  readonly type: ArgumentType;
  /** Index into the command's `keySpecs`, for arguments of type `key`. */
  readonly keySpec?: number;
  /** The word that stands before the value, or is the whole argument of a `pure-token`. */
  readonly token?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly optional?: true;
  readonly multiple?: true;
  /** The token is repeated with every value. */
  readonly multipleToken?: true;
  /** The alternatives of a `oneof`, the parts of a `block`. */
  readonly arguments?: readonly ArgumentSpec[];
};

export type CommandGroup =
  | 'string'
  | 'bitmap'
  | 'list'
  | 'set'
  | 'hash'
  | 'sorted-set'
  | 'geo'
  | 'hyperloglog'
  | 'stream'
  | 'generic'
  | 'transactions'
  | 'pubsub'
  | 'connection'
  | 'server'
  | 'scripting'
  | 'cluster'
  | 'sentinel';

export type CommandSpec = {
  /** One sentence of ours. */
  readonly summary: string;
  readonly complexity: string;
  readonly group: CommandGroup;
  /** The Redis version that brought the command. */
  readonly since: string;
  /** Number of arguments, the command's own name (and subcommand) included; negative: at least that many. */
  readonly arity: number;
  readonly flags?: readonly CommandFlag[];
  /** The categories that do not follow from the flags. */
  readonly categories?: readonly AclCategory[];
  readonly keySpecs?: readonly KeySpec[];
  readonly keyRule?: KeyRule;
  readonly arguments?: readonly ArgumentSpec[];
  /** Hints for clients and proxies, in Redis' notation. */
  readonly tips?: readonly string[];
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  /** An internal command, not meant to be typed. */
  readonly system?: true;
  /** Version and what it changed. */
  readonly history?: readonly (readonly [since: string, change: string])[];
  /** Entries by the subcommand's name; their arity counts the container's name. */
  readonly subcommands?: Readonly<Record<string, CommandSpec>>;
};

/** First and last key and the step between them as COMMAND INFO tells, all 0 without such a range. */
export type LegacyKeyRange = {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** The range is not the whole truth: some keys are found in another way. */
  readonly movable: boolean;
};

/**
 * The one range that clients from before key specs understand. A lone range is taken as it is; of several the
 * consecutive ones of step 1 are joined; everything else makes the command's keys "movable".
 */
export function legacyKeyRange(spec: CommandSpec): LegacyKeyRange {
  const keySpecs = spec.keySpecs ?? [];
  const only = keySpecs.length === 1 ? plainRange(keySpecs[0]!) : undefined;
  if (only) return { ...only, movable: false };
  let first = 0;
  let last = 0;
  let movable = false;
  for (const keySpec of keySpecs) {
    const range = plainRange(keySpec);
    if (range?.step !== 1 || (last !== 0 && last !== range.first - 1)) {
      movable = true;
      continue;
    }
    if (keySpec.flags.includes('incomplete')) movable = true;
    if (first === 0) first = range.first;
    // A negative last counts from the end of the arguments and so lies behind every other.
    if (last >= 0) last = range.last < 0 ? range.last : Math.max(last, range.last);
  }
  return first === 0 ? { first: 0, last: 0, step: 0, movable } : { first, last, step: 1, movable };
}

/** The range with `last` as legacy clients count it: from the arguments' begin, or from the end when negative. */
function plainRange(keySpec: KeySpec): { first: number; last: number; step: number } | undefined {
  const { begin, find = oneKey } = keySpec;
  if (begin === 'unknown' || !('index' in begin) || find === 'unknown' || !('lastKey' in find)) return undefined;
  const last = find.lastKey < 0 ? find.lastKey : begin.index + find.lastKey;
  return { first: begin.index, last, step: find.step };
}

/** What a key spec without `find` means. */
export const oneKey = { lastKey: 0, step: 1, limit: 0 } as const;

/** The flags that COMMAND INFO shows, in its order. */
export function listedFlags(spec: CommandSpec): PublicFlag[] {
  const flags: ReadonlySet<string> = new Set(spec.flags);
  const movable = legacyKeyRange(spec).movable;
  return publicFlags.filter((flag) => (flag === 'movablekeys' ? movable : flags.has(flag)));
}

/**
 * All ACL categories of a command, in Redis' order: the explicit ones and those its flags imply. Scripts with only
 * reads stay out of `read`, as what they run is checked by itself; what is not `fast` is `slow`.
 */
export function resolveCategories(spec: CommandSpec): AclCategory[] {
  const flags = new Set(spec.flags);
  const found = new Set<AclCategory>(spec.categories);
  if (flags.has('write')) found.add('write');
  if (flags.has('readonly') && !found.has('scripting')) found.add('read');
  if (flags.has('admin')) found.add('admin').add('dangerous');
  if (flags.has('pubsub')) found.add('pubsub');
  if (flags.has('fast')) found.add('fast');
  if (flags.has('blocking')) found.add('blocking');
  if (!found.has('fast')) found.add('slow');
  return aclCategories.filter((category) => found.has(category));
}
