// Pings a server again and again on a connection of its own and keeps every latency: what another client sees while a
// server works. The time that the kernel let the server or this process wait for a core is taken from each latency, as it
// says nothing about the server.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

export interface Latencies {
  /** As the client saw them, sorted, ms. */
  seen: Float64Array;
  /** The same without waiting for a core, sorted, ms. */
  net: Float64Array;
}

const PING = Buffer.from('PING\r\n');
/** Pause between a PONG and the next PING. */
const EVERY_MS = 1;
const NANOSECONDS_PER_MS = 1_000_000;

/** Starts pinging; `stop` ends it and gives the latencies. */
export async function startPinging(port: number, pid: number): Promise<{ stop(): Promise<Latencies> }> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
  });
  const seen: number[] = [];
  const net: number[] = [];
  let goesOn = true;
  const over = (async () => {
    while (goesOn) {
      const waitedBefore = waitedMs(pid);
      const sentMs = performance.now();
      await roundTrip(socket);
      const latencyMs = performance.now() - sentMs;
      seen.push(latencyMs);
      net.push(Math.max(0, latencyMs - (waitedMs(pid) - waitedBefore)));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    socket.destroy();
  })();
  return {
    async stop() {
      goesOn = false;
      await over;
      return { seen: Float64Array.from(seen).sort(), net: Float64Array.from(net).sort() };
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

/** How long the main threads of the server and of this process have waited for a core since they began. */
function waitedMs(pid: number): number {
  return queuedMs(`/proc/${pid}/task/${pid}/schedstat`) + queuedMs('/proc/self/schedstat');
}

/** schedstat is time on a core, time waiting for one (nanoseconds), and turns. */
function queuedMs(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').split(' ')[1]) / NANOSECONDS_PER_MS;
  } catch {
    return 0;
  }
}
