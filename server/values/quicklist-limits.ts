// How many elements and bytes a quicklist's node may hold. The rules are Redis' own, so that lists have the same nodes
// and DUMP the same bytes.
//
// `fill` is the directive list-max-listpack-size: -1 to -5 limit a node to 4, 8, 16, 32, 64 KiB; positive numbers limit
// its elements (and its bytes to 8 KiB).

const BYTES_BY_LEVEL = [4096, 8192, 16384, 32768, 65536] as const;
const LEVEL_MAX = BYTES_BY_LEVEL.length;
const FILL_MAX = 32767;
/** No node limited by its number of elements grows beyond this. */
const SAFETY_BYTES = 8192;
/** What an element takes beside its bytes, estimated. */
export const ENTRY_OVERHEAD_BYTES = 8;

/** What joining two nodes is taken to save: header and end of a ziplist, as Redis reckons to this day. */
const JOIN_GAIN_BYTES = 11;

const PLAIN_FROM_BYTES = 2 ** 30;
const PLAIN_FROM_BYTES_MAX = 2 ** 32 - 2 ** 20;

/** Elements of at least this size get a node of their own. */
export const quicklistLimits = { plainFromBytes: PLAIN_FROM_BYTES };

/** `DEBUG QUICKLIST-PACKED-THRESHOLD`, for tests: 0 brings the ordinary limit back. False when out of range. */
export function setPlainThreshold(bytes: number): boolean {
  if (!(bytes >= 0 && bytes <= PLAIN_FROM_BYTES_MAX)) return false;
  quicklistLimits.plainFromBytes = bytes === 0 ? PLAIN_FROM_BYTES : bytes;
  return true;
}

/** The directive's value within its bounds. */
export function clampFill(fill: number): number {
  return Math.max(-LEVEL_MAX, Math.min(FILL_MAX, fill));
}

export function isPlainSize(bytes: number): boolean {
  return bytes >= quicklistLimits.plainFromBytes;
}

/** Whether a node of `count` elements in `length` bytes takes one more of `bytes`. */
export function allowsInsert(fill: number, length: number, count: number, bytes: number): boolean {
  return !isPlainSize(bytes) && allows(fill, length + bytes + ENTRY_OVERHEAD_BYTES, count < fill);
}

/** Whether two nodes may become one. */
export function allowsMerge(fill: number, lengths: number, counts: number): boolean {
  return allows(fill, lengths - JOIN_GAIN_BYTES, counts <= fill);
}

function allows(fill: number, bytes: number, countFits: boolean): boolean {
  return bytes <= nodeBytesMax(fill) && (fill < 0 || countFits);
}

/** Bytes of a node that takes no more elements, as allowsInsert() reckons them. */
export function nodeBytesMax(fill: number): number {
  return fill < 0 ? BYTES_BY_LEVEL[~fill] : SAFETY_BYTES;
}

/** Elements of such a node. */
export function nodeCountMax(fill: number): number {
  return fill < 0 ? Number.MAX_SAFE_INTEGER : fill;
}
