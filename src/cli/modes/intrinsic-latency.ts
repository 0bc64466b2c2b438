// --intrinsic-latency: how long this machine keeps a busy process from running, without any server.
import type { Session } from '../session.ts';

/** Loop turns between two looks at whether the time is over. */
const BATCH = 10_000;

export async function intrinsicLatencyMode(session: Session): Promise<number> {
  const { host, options } = session;
  const seconds = Number.parseFloat(options.modeValue) || 1;
  const endMs = host.nowMs() + seconds * 1000;
  let runs = 0;
  let worst = 0;
  const startMs = host.nowMs();
  let before = startMs;
  while (before < endMs) {
    for (let i = 0; i < BATCH; i++) {
      const now = host.nowMs();
      const microseconds = (now - before) * 1000;
      before = now;
      runs++;
      if (microseconds > worst + 1) {
        worst = microseconds;
        host.write(`Max latency so far: ${Math.floor(worst)} microseconds.\n`);
      }
    }
  }
  const average = ((before - startMs) * 1000) / runs;
  host.write(
    `\n${runs} total runs (avg latency: ${average.toFixed(4)} microseconds / ${(average * 1000).toFixed(2)} nanoseconds per run).\n`,
  );
  host.write(`Worst run took ${(worst / average).toFixed(0)}x longer than the average latency.\n`);
  return 0;
}
