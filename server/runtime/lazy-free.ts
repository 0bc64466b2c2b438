// Frees large values after the command that let go of them has been answered: UNLINK, and DEL where it works as UNLINK.

import type { LazyFreeService } from '../commands/services.ts';
import type { LargeValue } from '../keyspace/layout.ts';

export class LazyFree implements LazyFreeService {
  /** Values freed since the start or the last reset of the statistics. */
  freed = 0;
  private readonly waiting: LargeValue[] = [];
  private scheduled = false;

  get pending(): number {
    return this.waiting.length;
  }

  add(value: LargeValue): void {
    this.waiting.push(value);
    this.schedule();
  }

  /** One value a turn of the event loop, so that clients get theirs in between. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.waiting.shift()?.free();
      this.freed++;
      if (this.waiting.length > 0) this.schedule();
    });
  }
}
