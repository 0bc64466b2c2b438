// A Region outside the arena: where a small value is put together before its size is known. One serves all values.

import type { Region } from '../memory/region.ts';

const ROOM_MIN = 1024;
/** Memory kept between values. */
const ROOM_KEPT = 1 << 20;

export class ScratchRegion implements Region {
  buf: Buffer = Buffer.allocUnsafeSlow(ROOM_MIN);
  readonly pos = 0;
  len = 0;

  /** Starts over with `len` undefined bytes. */
  start(len: number): this {
    if (this.buf.length > ROOM_KEPT) this.buf = Buffer.allocUnsafeSlow(ROOM_MIN);
    this.len = 0;
    this.grow(len);
    this.len = len;
    return this;
  }

  splice(offset: number, removed: number, inserted: number): void {
    const length = this.len - removed + inserted;
    this.grow(length);
    this.buf.copyWithin(offset + inserted, offset + removed, this.len);
    this.len = length;
  }

  refresh(): void {}

  private grow(length: number): void {
    if (length <= this.buf.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(length, this.buf.length * 2));
    this.buf.copy(larger, 0, 0, this.len);
    this.buf = larger;
  }
}
