// How far the log is known to be on the disk, told in offsets of the replication stream: that is what WAITAOF asks for,
// here and at replicas.

/** A flush under way. */
export interface Flush {
  readonly offset: number;
  readonly epoch: number;
}

export class FlushProgress {
  /** Everything up to this offset is on the disk; -1: nothing is known. */
  confirmed = -1;
  /** Flushes that failed since the start. */
  failures = 0;
  /** The files may lack what a flush failed on: nothing counts as flushed before they have been replaced. */
  doubtful = false;
  /** What flushes that have ended stand for. */
  private flushed = -1;
  private running = 0;
  /** Goes up when offsets begin anew: flushes from before say nothing about those that come. */
  private epoch = 0;

  /** A flush begins; `offset` stands for what is in the files, -1 when that is not known. */
  begin(offset: number): Flush {
    this.running++;
    return { offset, epoch: this.epoch };
  }

  end(flush: Flush, isDone: boolean): void {
    if (flush.epoch !== this.epoch) return;
    this.running--;
    if (isDone) this.flushed = Math.max(this.flushed, flush.offset);
    else this.fail();
    // Of two files the older one may take longer, and offsets of the newer one stand for both.
    if (!this.doubtful && this.running === 0) this.confirmed = Math.max(this.confirmed, this.flushed);
  }

  fail(): void {
    this.doubtful = true;
    this.failures++;
  }

  /** Files that are on the disk hold everything up to `offset`; `isSound`: they replace all that a flush failed on. */
  trust(offset: number, isSound: boolean): void {
    if (isSound) this.doubtful = false;
    this.confirmed = Math.max(this.confirmed, offset);
  }

  /** Nothing is known any more. */
  restart(): void {
    this.epoch++;
    this.running = 0;
    this.doubtful = false;
    this.flushed = this.confirmed = -1;
  }
}
