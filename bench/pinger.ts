// Pings a server again and again on a connection of its own and keeps every latency: what another client sees while a
// server works. How much of it the server's main thread computed is kept beside it: what the latency would be if nobody
// else wanted the cores.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

export interface Latencies {
  /** As the client saw them, sorted, ms. */
  seen: Float64Array;
  /** What the server's main thread computed between PING and PONG, sorted, ms; exact to a tick of the kernel. */
  busy: Float64Array;
}

const PING = Buffer.from('PING\r\n');
/** Pause between a PONG and the next PING. */
const EVERY_MS = 1;
/** Longer waits of this process make a measurement of the server's time useless. */
const WAITED_MS_MAX = 0.5;
const NANOSECONDS_PER_MS = 1_000_000;

/** Starts pinging; `stop` ends it and gives the latencies. */
export async function startPinging(port: number, pid: number): Promise<{ stop(): Promise<Latencies> }> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
  });
  const seen: number[] = [];
  const busy: number[] = [];
  let goesOn = true;
  const over = (async () => {
    while (goesOn) {
      const before = computedMs(pid);
      const waitedBefore = schedule('/proc/self/schedstat').waitedMs;
      const sentMs = performance.now();
      await roundTrip(socket);
      seen.push(performance.now() - sentMs);
      // A PONG that lay there while this process waited for a core tells nothing about the server.
      if (schedule('/proc/self/schedstat').waitedMs - waitedBefore < WAITED_MS_MAX) busy.push(computedMs(pid) - before);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    socket.destroy();
  })();
  return {
    async stop() {
      goesOn = false;
      await over;
      return { seen: Float64Array.from(seen).sort(), busy: Float64Array.from(busy).sort() };
    },
  };
}

/** The value that `percent` of the sorted values do not exceed. */
export function percentile(sorted: Float64Array, percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

function roundTrip(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', () => {
      socket.off('error', reject);
      resolve();
    });
    socket.once('error', reject);
    socket.write(PING);
  });
}

/** How long the server's main thread has run. */
function computedMs(pid: number): number {
  return schedule(`/proc/${pid}/task/${pid}/schedstat`).ranMs;
}

/** schedstat begins with the time on a core and the time waiting for one, in nanoseconds. */
function schedule(path: string): { ranMs: number; waitedMs: number } {
  try {
    const [ran, waited] = readFileSync(path, 'latin1').split(' ');
    return { ranMs: Number(ran) / NANOSECONDS_PER_MS, waitedMs: Number(waited) / NANOSECONDS_PER_MS };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}
