// The table of everything a type byte of an RDB file can mean. Readers, writers and checkers take numbers, names and
// versions from here only.

/** How the bytes after the key are laid out; each family has one reader. */
export type RdbLayout =
  | 'string'
  | 'list'
  | 'set'
  | 'zset'
  | 'hash'
  | 'hash-expiry'
  | 'hash-template'
  | 'blob'
  | 'quicklist'
  | 'stream'
  | 'array'
  | 'path-hash'
  | 'module'
  | 'unsupported';

/** What a packed value is made of: the value of these types is one string that holds the whole collection. */
export type RdbBlobKind =
  | 'hash-zipmap'
  | 'list-ziplist'
  | 'set-intset'
  | 'zset-ziplist'
  | 'hash-ziplist'
  | 'hash-listpack'
  | 'zset-listpack'
  | 'set-listpack'
  | 'hash-listpack-expiry';

/** `since` is the RDB version that brought the type; `name` is what redis-check-rdb prints. */
export type RdbTypeInfo = {
  number: number;
  name: string;
  since: number;
  layout: RdbLayout;
  blob?: RdbBlobKind;
};

export const RDB_TYPE = {
  string: 0,
  list: 1,
  set: 2,
  zset: 3,
  hash: 4,
  zset2: 5,
  modulePreGa: 6,
  module2: 7,
  hashZipmap: 9,
  listZiplist: 10,
  setIntset: 11,
  zsetZiplist: 12,
  hashZiplist: 13,
  listQuicklist: 14,
  stream: 15,
  hashListpack: 16,
  zsetListpack: 17,
  listQuicklist2: 18,
  stream2: 19,
  setListpack: 20,
  stream3: 21,
  hashMetadataPreGa: 22,
  hashListpackExpiryPreGa: 23,
  /** Of Valkey, whose 23 this is. */
  pathHash: 23,
  hashMetadata: 24,
  hashListpackExpiry: 25,
  stream4: 26,
  stream5: 27,
  array: 28,
  hashTemplateListpack: 29,
  hashTemplateListpackRef: 30,
  hashTemplateArray: 31,
  hashTemplateArrayRef: 32,
} as const;

/** The first two mean different things to Redis and Valkey. */
export const RDB_OPCODE = {
  hashTemplate: 242,
  inlineCommand: 242,
  keyMetadata: 243,
  slotImport: 243,
  slotInfo: 244,
  function2: 245,
  functionPreGa: 246,
  moduleAux: 247,
  idle: 248,
  freq: 249,
  aux: 250,
  resizeDb: 251,
  expireTimeMs: 252,
  expireTime: 253,
  selectDb: 254,
  eof: 255,
} as const;

/** Opcodes inside a module's value. */
export const MODULE_OPCODE = { eof: 0, sint: 1, uint: 2, float: 3, double: 4, string: 5 } as const;

/** The first RDB version with the named thing in it, where writers and readers depend on it. */
export const RDB_VERSION = {
  checksum: 5,
  expireTimeMsLittleEndian: 9,
  dump: 10,
  keyMetadata: 13,
  hashTemplate: 15,
  newestRedis: 15,
  oldestValkey: 80,
  inlineCommand: 81,
  newestValkey: 81,
} as const;

const REDIS_TYPES: readonly RdbTypeInfo[] = [
  { number: 0, name: 'string', since: 1, layout: 'string' },
  { number: 1, name: 'list-linked', since: 1, layout: 'list' },
  { number: 2, name: 'set-hashtable', since: 1, layout: 'set' },
  { number: 3, name: 'zset-v1', since: 1, layout: 'zset' },
  { number: 4, name: 'hash-hashtable', since: 1, layout: 'hash' },
  { number: 5, name: 'zset-v2', since: 8, layout: 'zset' },
  { number: 6, name: 'module-value', since: 8, layout: 'unsupported' },
  { number: 7, name: '', since: 8, layout: 'module' },
  { number: 9, name: 'hash-zipmap', since: 2, layout: 'blob', blob: 'hash-zipmap' },
  { number: 10, name: 'list-ziplist', since: 2, layout: 'blob', blob: 'list-ziplist' },
  { number: 11, name: 'set-intset', since: 2, layout: 'blob', blob: 'set-intset' },
  { number: 12, name: 'zset-ziplist', since: 2, layout: 'blob', blob: 'zset-ziplist' },
  { number: 13, name: 'hash-ziplist', since: 3, layout: 'blob', blob: 'hash-ziplist' },
  { number: 14, name: 'quicklist', since: 7, layout: 'quicklist' },
  { number: 15, name: 'stream', since: 9, layout: 'stream' },
  { number: 16, name: 'hash-listpack', since: 10, layout: 'blob', blob: 'hash-listpack' },
  { number: 17, name: 'zset-listpack', since: 10, layout: 'blob', blob: 'zset-listpack' },
  { number: 18, name: 'quicklist-v2', since: 10, layout: 'quicklist' },
  { number: 19, name: 'stream-v2', since: 10, layout: 'stream' },
  { number: 20, name: 'set-listpack', since: 11, layout: 'blob', blob: 'set-listpack' },
  { number: 21, name: 'stream-v3', since: 11, layout: 'stream' },
  { number: 22, name: 'hash-hashtable-md-pre-release', since: 12, layout: 'hash-expiry' },
  { number: 23, name: 'hash-listpack-md-pre-release', since: 12, layout: 'blob', blob: 'hash-listpack-expiry' },
  { number: 24, name: 'hash-hashtable-md', since: 12, layout: 'hash-expiry' },
  { number: 25, name: 'hash-listpack-md', since: 12, layout: 'blob', blob: 'hash-listpack-expiry' },
  { number: 26, name: 'stream-v4', since: 13, layout: 'stream' },
  { number: 27, name: 'stream-v5', since: 14, layout: 'stream' },
  { number: 28, name: 'array', since: 14, layout: 'array' },
  { number: 29, name: 'hash-template-listpack', since: 15, layout: 'hash-template' },
  { number: 30, name: 'hash-template-listpack-ref', since: 15, layout: 'hash-template' },
  { number: 31, name: 'hash-template-array', since: 15, layout: 'hash-template' },
  { number: 32, name: 'hash-template-array-ref', since: 15, layout: 'hash-template' },
];

const VALKEY_TYPES: readonly RdbTypeInfo[] = [
  ...REDIS_TYPES.filter((type) => type.number <= 21),
  { number: 22, name: 'hash-hashtable-with-expiry', since: 80, layout: 'hash-expiry' },
  { number: 23, name: 'path-hash', since: 81, layout: 'path-hash' },
];

/** Who wrote the file: 242, 243, 22 and 23 mean different things to the two. */
export type RdbFlavour = 'redis' | 'valkey';

const byNumber: Partial<Record<RdbFlavour, (RdbTypeInfo | undefined)[]>> = {};

/** All types of that flavour; index is the type byte, undefined where it is an opcode or means nothing. */
export function rdbTypes(flavour: RdbFlavour): readonly (RdbTypeInfo | undefined)[] {
  let types = byNumber[flavour];
  if (types === undefined) {
    types = new Array<RdbTypeInfo | undefined>(256).fill(undefined);
    for (const type of flavour === 'valkey' ? VALKEY_TYPES : REDIS_TYPES) types[type.number] = type;
    byNumber[flavour] = types;
  }
  return types;
}
