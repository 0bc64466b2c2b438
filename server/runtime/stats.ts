// Counters behind INFO's statistics.

/** Different error codes that are counted by themselves; a client that makes codes up must not fill the memory. */
const ERROR_CODES_MAX = 128;
const SAMPLES = 16;

export class ServerStats {
  startedAtMs = 0;
  connectionsReceived = 0;
  rejectedConnections = 0;
  commandsProcessed = 0;
  inputBytes = 0;
  outputBytes = 0;
  /** Of links to other servers. */
  replicationInputBytes = 0;
  replicationOutputBytes = 0;
  readsProcessed = 0;
  writesProcessed = 0;
  errorReplies = 0;
  /** Background saves and rewrites: what takes a fork in Redis. */
  backgroundJobs = 0;
  activeExpireMs = 0;
  expiredStalePercent = 0;
  expiredTimeCapReached = 0;
  peakUsedBytes = 0;
  readonly errorsByCode = new Map<string, number>();
  readonly commandRate = new Rate();
  readonly inputRate = new Rate();
  readonly outputRate = new Rate();

  countError(text: string): void {
    this.errorReplies++;
    const space = text.indexOf(' ');
    const code = space < 0 ? text : text.slice(0, space);
    const count = this.errorsByCode.get(code);
    if (count === undefined && this.errorsByCode.size >= ERROR_CODES_MAX) return;
    this.errorsByCode.set(code, (count ?? 0) + 1);
  }

  reset(): void {
    this.connectionsReceived = 0;
    this.rejectedConnections = 0;
    this.commandsProcessed = 0;
    this.inputBytes = 0;
    this.outputBytes = 0;
    this.replicationInputBytes = 0;
    this.replicationOutputBytes = 0;
    this.errorReplies = 0;
    this.activeExpireMs = 0;
    this.expiredTimeCapReached = 0;
    this.errorsByCode.clear();
    this.commandRate.clear();
    this.inputRate.clear();
    this.outputRate.clear();
  }
}

/** A per-second rate: the mean of the last samples, taken ten times a second. */
class Rate {
  private readonly samples = new Float64Array(SAMPLES);
  private index = 0;
  private lastValue = 0;
  private lastMs = 0;

  sample(value: number, nowMs: number): void {
    const elapsed = nowMs - this.lastMs;
    if (elapsed <= 0) return;
    this.samples[this.index] = (Math.max(0, value - this.lastValue) * 1000) / elapsed;
    this.index = (this.index + 1) % SAMPLES;
    this.lastValue = value;
    this.lastMs = nowMs;
  }

  get perSecond(): number {
    let sum = 0;
    for (const sample of this.samples) sum += sample;
    return sum / SAMPLES;
  }

  clear(): void {
    this.samples.fill(0);
    this.lastValue = 0;
  }
}
