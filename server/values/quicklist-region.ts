// The bytes of a quicklist node in its block, with room before and behind them: what is pushed or popped at the head
// moves the listpack's header and not its elements.
//
//   | slack | listpack | rest of the block's capacity |

import { type Arena, OFFSET_MASK, SEGMENT_SHIFT } from '../memory/arena.ts';
import { moveWithin, type Region } from '../memory/region.ts';

/** Room made before the bytes when an insert needs some: an eighth of them, within these limits. */
const ROOM_MIN = 8;
const ROOM_MAX = 512;
/** A block may have this many unused bytes more than used ones. */
const UNUSED_KEPT = 256;

/** Shared: a buffer for each value would be most of what a small one costs. */
const NOTHING = Buffer.alloc(0);

/** Whether a block is so empty that the bytes should go to a smaller one. */
export function isRoomy(capacity: number, len: number): boolean {
  return capacity - len > len + UNUSED_KEPT;
}

export class NodeRegion implements Region {
  buf: Buffer = NOTHING;
  pos = 0;
  len = 0;
  slack = 0;
  address = 0;
  /** Bytes of the block: what gives it back. */
  capacity = 0;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
  }

  /** Allocates a block of `len` undefined bytes, without slack. */
  create(len: number): this {
    return this.bind(this.arena.alloc(len), len, 0, this.arena.capacity(len));
  }

  /** Works on an existing block. */
  bind(address: number, len: number, slack: number, capacity: number): this {
    this.address = address;
    this.len = len;
    this.slack = slack;
    this.capacity = capacity;
    this.refresh();
    return this;
  }

  refresh(): void {
    this.buf = this.arena.bytes[this.address >>> SEGMENT_SHIFT];
    this.pos = ((this.address & OFFSET_MASK) << 3) + this.slack;
  }

  splice(offset: number, removed: number, inserted: number): void {
    const { len, slack } = this;
    const delta = inserted - removed;
    const tail = offset + removed;
    const nearHead = offset < len - tail;
    if (nearHead && delta <= slack) {
      moveWithin(this.buf, this.pos - delta, this.pos, offset);
      this.pos -= delta;
      this.slack = slack - delta;
      this.len = len + delta;
    } else if (!nearHead && slack + len + delta <= this.capacity) {
      moveWithin(this.buf, this.pos + offset + inserted, this.pos + tail, len - tail);
      this.len = len + delta;
    } else {
      const room = Math.max(ROOM_MIN, Math.min(ROOM_MAX, len >>> 3));
      this.move(offset, tail, inserted, nearHead ? room : 0, nearHead ? 0 : room);
      return;
    }
    if (isRoomy(this.capacity, this.len)) this.move(0, 0, 0, 0, 0);
  }

  /** Goes to a block with that much room before and behind the bytes. */
  resize(slack: number, rest: number): void {
    this.move(0, 0, 0, slack, rest);
  }

  /** Goes to a new block: room, the bytes before `offset`, a gap, the bytes from `tail` on, room. */
  private move(offset: number, tail: number, gap: number, slack: number, rest: number): void {
    const { arena, address, capacity, len, buf, pos } = this;
    this.len = offset + gap + len - tail;
    this.slack = slack;
    const bytes = slack + this.len + rest;
    this.address = arena.alloc(bytes);
    this.capacity = arena.capacity(bytes);
    this.refresh();
    buf.copy(this.buf, this.pos, pos, pos + offset);
    buf.copy(this.buf, this.pos + offset + gap, pos + tail, pos + len);
    arena.free(address, capacity);
  }
}
