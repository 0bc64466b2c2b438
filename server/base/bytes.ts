// Several bytes at once. A typed array of bytes reads and writes one at a time, a DataView four of them at any place; for
// a few dozen bytes that is two to four times as fast as a loop, and needs no object as set() with a part of a buffer does.

/** Beyond this a block copy is faster than four bytes at a time. */
const WORDWISE_BYTES_MAX = 200;
/** Views of larger buffers are made anew each time: keeping one would keep the buffer. */
const KEPT_BYTES_MAX = 4 << 20;

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

/** The two buffers asked for last: most requests read from one buffer, or from one and another in turn. */
let first: Uint8Array = NO_BYTES;
let firstView: DataView = NO_VIEW;
let second: Uint8Array = NO_BYTES;
let secondView: DataView = NO_VIEW;

/** A buffer's bytes for reading several at once, at the same positions. */
export function viewOf(bytes: Uint8Array): DataView {
  return bytes === first ? firstView : otherView(bytes);
}

function otherView(bytes: Uint8Array): DataView {
  const isKnown = bytes === second;
  const view = isKnown ? secondView : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isKnown && bytes.byteLength > KEPT_BYTES_MAX) return view;
  second = first;
  secondView = firstView;
  first = bytes;
  firstView = view;
  return view;
}

/**
 * Copies `len` bytes of `from` at `start` to position `at` of `to`; the views show the same buffers (see viewOf). The
 * ranges may not overlap.
 */
export function copyInto(
  to: Uint8Array,
  toView: DataView,
  at: number,
  from: Uint8Array,
  fromView: DataView,
  start: number,
  len: number,
): void {
  if (len > WORDWISE_BYTES_MAX) {
    // Not from.buffer: that of a typed array is a call into the runtime, that of a view is not.
    to.set(new Uint8Array(fromView.buffer, fromView.byteOffset + start, len), at);
    return;
  }
  let p = start;
  let q = at;
  for (const whole = start + len - 3; p < whole; p += 4, q += 4) toView.setInt32(q, fromView.getInt32(p, true), true);
  for (const end = start + len; p < end; ) to[q++] = from[p++];
}

/** How far copyOver() may go too far. */
export const COPY_OVER_BYTES = 7;

/**
 * copyInto() that may read and write up to COPY_OVER_BYTES bytes too many, for pieces in a row: the next one goes over them.
 * Two words are read before any is written, as V8 looks a buffer's place up again after each write through a DataView.
 */
export function copyOver(
  to: Uint8Array,
  toView: DataView,
  at: number,
  from: Uint8Array,
  fromView: DataView,
  start: number,
  len: number,
): void {
  if (len > WORDWISE_BYTES_MAX) {
    copyInto(to, toView, at, from, fromView, start, len);
    return;
  }
  let q = at;
  for (let p = start, end = start + len; p < end; p += 8, q += 8) {
    const word = fromView.getInt32(p, true);
    const next = fromView.getInt32(p + 4, true);
    toView.setInt32(q, word, true);
    toView.setInt32(q + 4, next, true);
  }
}

/** Copies bytes between buffers of which there are no views at hand. A loop beats the call into the runtime up to about 48. */
export function copyRange(from: Uint8Array, start: number, len: number, to: Uint8Array, at: number): void {
  if (len > 48) to.set(new Uint8Array(from.buffer, from.byteOffset + start, len), at);
  else for (let i = 0; i < len; i++) to[at + i] = from[start + i];
}

/** Whether `len` bytes of two buffers are the same. Where they are not, it mostly shows at their end. */
export function equalBytes(one: DataView, p: number, other: DataView, q: number, len: number): boolean {
  const last = len - 4;
  if (last < 0) {
    for (let i = 0; i < len; i++) if (one.getUint8(p + i) !== other.getUint8(q + i)) return false;
    return true;
  }
  // The last four may overlap the four before.
  if (one.getInt32(p + last, true) !== other.getInt32(q + last, true)) return false;
  for (let i = 0; i < last; i += 4) if (one.getInt32(p + i, true) !== other.getInt32(q + i, true)) return false;
  return true;
}
