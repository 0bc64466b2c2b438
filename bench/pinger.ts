// Pings a server again and again on a connection of its own and keeps every latency: what another client sees while a
// server works.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const PING = Buffer.from('PING\r\n');
/** Pause between a PONG and the next PING. */
const EVERY_MS = 1;

/** Starts pinging; `stop` ends it and gives the latencies, sorted, ms. */
export async function startPinging(port: number): Promise<{ stop(): Promise<Float64Array> }> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
  });
  const latenciesMs: number[] = [];
  let goesOn = true;
  const over = (async () => {
    while (goesOn) {
      const sentMs = performance.now();
      await roundTrip(socket);
      latenciesMs.push(performance.now() - sentMs);
      await sleep(EVERY_MS);
    }
    socket.destroy();
  })();
  return {
    async stop() {
      goesOn = false;
      await over;
      return Float64Array.from(latenciesMs).sort();
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
