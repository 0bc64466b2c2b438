// --latency and --latency-history: how long PING takes, minimum, maximum and average, again and again.
import { CliExit } from '../host.ts';
import type { Session } from '../session.ts';

/** Pause between two samples. */
const SAMPLE_EVERY_MS = 10;
const HISTORY_SECONDS = 15;
const SCRIPT_SECONDS = 1;
const CLEAR_LINE = '\x1b[0G\x1b[2K';

export async function latencyMode(session: Session): Promise<number> {
  return await sampleLatency(session, false);
}

export async function latencyHistoryMode(session: Session): Promise<number> {
  return await sampleLatency(session, true);
}

async function sampleLatency(session: Session, history: boolean): Promise<number> {
  await session.connectOrExit();
  const { host, options } = session;
  const forPeople = session.output === 'standard';
  const periodMs = (options.intervalSeconds || (history ? HISTORY_SECONDS : SCRIPT_SECONDS)) * 1000;
  let samples = new Samples();
  for (let startMs = host.nowMs(); ; ) {
    samples.add(await pingMilliseconds(session));
    if (forPeople) host.write(`${CLEAR_LINE}${samples.sentence()}`);
    if (host.nowMs() - startMs > periodMs) {
      if (!forPeople) {
        host.write(samples.report(session.output));
        return 0;
      }
      if (history) {
        host.write(` -- ${((host.nowMs() - startMs) / 1000).toFixed(2)} seconds range\n`);
        startMs = host.nowMs();
        samples = new Samples();
      }
    }
    await host.waitMs(SAMPLE_EVERY_MS);
  }
}

/** One PING's round trip, in whole milliseconds as the reports have it. */
async function pingMilliseconds(session: Session): Promise<number> {
  if (!(await session.ensureConnected())) throw new CliExit(1);
  const startMs = session.host.nowMs();
  await session.call('PING');
  return Math.floor(session.host.nowMs() - startMs);
}

class Samples {
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #total = 0;

  add(milliseconds: number): void {
    this.#count++;
    this.#total += milliseconds;
    this.#min = Math.min(this.#min, milliseconds);
    this.#max = Math.max(this.#max, milliseconds);
  }

  sentence(): string {
    return `min: ${this.#min}, max: ${this.#max}, avg: ${this.#average()} (${this.#count} samples)`;
  }

  report(output: string): string {
    if (output.endsWith('json')) {
      return `{"min": ${this.#min}, "max": ${this.#max}, "avg": ${this.#average()}, "count": ${this.#count}}\n`;
    }
    const separator = output === 'csv' ? ',' : ' ';
    return `${[this.#min, this.#max, this.#average(), this.#count].join(separator)}\n`;
  }

  #average(): string {
    return (this.#total / this.#count).toFixed(2);
  }
}
