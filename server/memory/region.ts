// A run of bytes in the arena that can grow and shrink in the middle: what listpacks, packed runs and intsets work on,
// wherever the bytes stand (in a keyspace entry, in a block of its own).

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from './arena.ts';

export interface Region {
  /** The segment the bytes stand in, from `pos` for `len` bytes. Valid until the next allocation in the arena. */
  buf: Buffer;
  pos: number;
  len: number;
  /** Replaces `removed` bytes at `offset` by a gap of `inserted` undefined bytes; buf, pos and len follow. */
  splice(offset: number, removed: number, inserted: number): void;
  /** Looks buf and pos up again, after something else was allocated. */
  refresh(): void;
}

/** A region in an arena block of its own. */
export class BlockRegion implements Region {
  buf: Buffer = Buffer.alloc(0);
  pos = 0;
  len = 0;
  address = 0;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Allocates a block of `len` undefined bytes. */
  create(len: number): this {
    this.address = this.arena.alloc(len);
    this.len = len;
    this.refresh();
    return this;
  }

  /** Works on an existing block that holds `len` bytes. */
  bind(address: number, len: number): this {
    this.address = address;
    this.len = len;
    this.refresh();
    return this;
  }

  refresh(): void {
    this.buf = this.arena.bytes[this.address >>> SEGMENT_SHIFT];
    this.pos = (this.address & OFFSET_MASK) << 3;
  }

  splice(offset: number, removed: number, inserted: number): void {
    const newLen = this.len - removed + inserted;
    const tail = offset + removed;
    if (this.arena.fits(this.address, this.len, newLen)) {
      this.refresh();
      moveWithin(this.buf, this.pos + offset + inserted, this.pos + tail, this.len - tail);
      this.len = newLen;
      return;
    }
    const from = this.address;
    this.address = this.arena.allocGrowing(newLen);
    const source = this.arena.bytes[from >>> SEGMENT_SHIFT];
    const start = (from & OFFSET_MASK) << 3;
    this.refresh();
    source.copy(this.buf, this.pos, start, start + offset);
    source.copy(this.buf, this.pos + offset + inserted, start + tail, start + this.len);
    this.arena.free(from, this.len);
    this.len = newLen;
  }

  /** Gives the block back. */
  free(): void {
    this.arena.free(this.address, this.len);
  }
}

/** Calls into the runtime cost more than moving this many bytes one by one. */
const LOOP_BYTES_MAX = 24;

/** Moves bytes inside a buffer; the ranges may overlap. */
export function moveWithin(buf: Buffer, to: number, from: number, len: number): void {
  if (len > LOOP_BYTES_MAX) {
    buf.copyWithin(to, from, from + len);
  } else if (to > from) {
    for (let i = len - 1; i >= 0; i--) buf[to + i] = buf[from + i];
  } else {
    for (let i = 0; i < len; i++) buf[to + i] = buf[from + i];
  }
}
