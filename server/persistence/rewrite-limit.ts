// After several failed rewrites in a row the next automatic ones wait: a minute, then twice as long each time, an hour at
// most.

const FAILURES_BEFORE = 3;
const MINUTES_MAX = 60;
const MINUTE_MS = 60_000;

export class RewriteLimit {
  failures = 0;
  /** How long the present wait is; 0 without one. */
  waitMinutes = 0;
  private untilMs = 0;
  /** Failures when the present wait began. */
  private tried = 0;

  failed(): void {
    this.failures++;
  }

  succeeded(): void {
    this.failures = 0;
    this.waitMinutes = 0;
    this.untilMs = 0;
  }

  /** Whether a wait begins just now, for the log. */
  shouldTell(nowMs: number): boolean {
    if (this.failures < FAILURES_BEFORE || nowMs < this.untilMs) return false;
    // The wait is over: one try is allowed, unless this is the first time.
    if (this.untilMs !== 0 && this.tried < this.failures) this.untilMs = 0;
    if (this.untilMs !== 0) return false;
    this.waitMinutes = Math.min(MINUTES_MAX, this.waitMinutes === 0 ? 1 : this.waitMinutes * 2);
    this.untilMs = nowMs + this.waitMinutes * MINUTE_MS;
    this.tried = this.failures;
    return true;
  }

  waits(nowMs: number): boolean {
    return nowMs < this.untilMs;
  }
}
