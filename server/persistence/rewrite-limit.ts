// After several failed rewrites in a row the next ones wait: a minute, then twice as long each time, an hour at most.

const FAILURES_BEFORE = 3;
const MINUTES_MAX = 60;
const MINUTE_MS = 60_000;

export class RewriteLimit {
  failures = 0;
  private minutes = 0;
  private nextMs = 0;

  failed(nowMs: number): void {
    this.failures++;
    if (this.failures < FAILURES_BEFORE || nowMs < this.nextMs) return;
    this.minutes = Math.min(MINUTES_MAX, this.minutes === 0 ? 1 : this.minutes * 2);
    this.nextMs = nowMs + this.minutes * MINUTE_MS;
  }

  succeeded(): void {
    this.failures = 0;
    this.minutes = 0;
    this.nextMs = 0;
  }

  /** Whether a rewrite that nobody asked for has to wait. */
  waits(nowMs: number): boolean {
    return nowMs < this.nextMs;
  }

  get waitMinutes(): number {
    return this.minutes;
  }
}
