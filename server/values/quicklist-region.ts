// The bytes of a quicklist node in its block, with room before them: what is pushed or popped at the head moves the
// listpack's header and not its elements.
//
//   | slack | listpack |        the block was allocated for both

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { moveWithin, type Region } from '../memory/region.ts';

/** Room made before the bytes when the head needs some: an eighth of them, within these limits. */
const ROOM_MIN = 8;
const ROOM_MAX = 512;
/** More room than this, and than half of the bytes, is given back. */
const SLACK_KEPT = 256;

/** Shared: a buffer for each value would be most of what a small one costs. */
const NOTHING = Buffer.alloc(0);

export class NodeRegion implements Region {
  buf: Buffer = NOTHING;
  pos = 0;
  len = 0;
  slack = 0;
  address = 0;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Allocates a block of `len` undefined bytes, without slack. */
  create(len: number): this {
    return this.bind(this.arena.alloc(len), len, 0);
  }

  /** Works on an existing block. */
  bind(address: number, len: number, slack: number): this {
    this.address = address;
    this.len = len;
    this.slack = slack;
    this.refresh();
    return this;
  }

  refresh(): void {
    this.buf = this.arena.bytes[this.address >>> SEGMENT_SHIFT];
    this.pos = ((this.address & OFFSET_MASK) << 3) + this.slack;
  }

  splice(offset: number, removed: number, inserted: number): void {
    const { arena, len, slack } = this;
    const delta = inserted - removed;
    const tail = offset + removed;
    if (offset < len - tail && delta <= slack) {
      moveWithin(this.buf, this.pos - delta, this.pos, offset);
      this.pos -= delta;
      this.slack = slack - delta;
      this.len = len + delta;
      if (this.slack > SLACK_KEPT && this.slack * 2 > this.len) this.move(0, 0, 0, 0);
    } else if (offset < len - tail) {
      const room = Math.max(ROOM_MIN, Math.min(ROOM_MAX, len >>> 3));
      this.move(offset, tail, inserted, room);
    } else if (arena.fits(this.address, slack + len, slack + len + delta)) {
      moveWithin(this.buf, this.pos + offset + inserted, this.pos + tail, len - tail);
      this.len = len + delta;
    } else {
      this.move(offset, tail, inserted, 0);
    }
  }

  /** Goes to a new block: `slack` bytes of room, the bytes before `offset`, a gap, the bytes from `tail` on. */
  private move(offset: number, tail: number, gap: number, slack: number): void {
    const { arena, address, len, buf, pos } = this;
    const before = this.slack + len;
    this.len = offset + gap + len - tail;
    this.slack = slack;
    this.address = arena.allocGrowing(slack + this.len);
    this.refresh();
    buf.copy(this.buf, this.pos, pos, pos + offset);
    buf.copy(this.buf, this.pos + offset + gap, pos + tail, pos + len);
    arena.free(address, before);
  }
}
