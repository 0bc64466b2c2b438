// A load from several threads: each has its part of the connections and draws its requests from the common ledger.
import { parentPort, Worker, workerData } from 'node:worker_threads';
import {
  type DriveOptions,
  type DriveResult,
  drive,
  Ledger,
  LoadError,
  latencyHistogram,
  type Progress,
} from './drive.ts';
import { randomBelow } from './random.ts';

/** What a load is, as it can be told to another thread. */
export type ThreadOptions = Omit<DriveOptions, 'random' | 'nowMs' | 'ledger'> & { seed: number | undefined };

interface Task {
  options: ThreadOptions;
  command: Uint8Array;
  requests: number;
  ledger: SharedArrayBuffer;
}

/** Pairs of histograms; an error ends the load. */
type Message = { ready: true } | { recent: Float64Array } | { latency: Float64Array } | { error: string };

const REPORT_EVERY_MS = 100;

/**
 * Drives the load from `threads` threads that run the program `file`.
 * @throws {LoadError} the first one that a thread reports
 */
export async function driveThreads(
  command: Buffer,
  requests: number,
  threads: number,
  options: ThreadOptions & Pick<DriveOptions, 'nowMs'>,
  file: URL,
  onStart: (progress: Progress) => void,
): Promise<DriveResult> {
  const { nowMs, ...told } = options;
  const ledger = new Ledger(requests);
  const progress = {
    latency: latencyHistogram(options.precision),
    recent: latencyHistogram(options.precision),
    startMs: 0,
    get finished() {
      return ledger.finished;
    },
  };
  const latency = latencyHistogram(options.precision);
  const workers: Worker[] = [];
  const listen = (worker: Worker, ready: () => void, fail: (error: Error) => void) => {
    worker.on('error', fail);
    worker.on('message', (message: Message) => {
      if ('ready' in message) ready();
      else if ('error' in message) fail(new LoadError(message.error));
      else if ('latency' in message) latency.addPairs(message.latency);
      else for (const histogram of [progress.latency, progress.recent]) histogram.addPairs(message.recent);
    });
  };
  try {
    const parts = shareOut(options.clients, threads);
    let failed: (error: Error) => void = () => {};
    const failure = new Promise<never>((_, reject) => {
      failed = reject;
    });
    const ready = parts.map((clients, index) => {
      const seed = options.seed === undefined ? undefined : options.seed + index;
      const task: Task = { options: { ...told, clients, seed }, command, requests, ledger: ledger.memory };
      const worker = new Worker(file, { workerData: task });
      workers.push(worker);
      return new Promise<void>((resolve) => listen(worker, resolve, failed));
    });
    await Promise.race([Promise.all(ready), failure]);
    progress.startMs = nowMs();
    onStart(progress);
    const ends = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of workers) worker.postMessage('go');
    await Promise.race([Promise.all(ends), failure]);
    return { finished: ledger.finished, elapsedMs: nowMs() - progress.startMs, latency };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** A thread's whole life: waits for the start, drives its part, tells what it measured. */
export async function runThread(): Promise<void> {
  const port = parentPort!;
  const { options, command, requests, ledger } = workerData as Task;
  const send = (message: Message) => port.postMessage(message);
  const started = new Promise((resolve) => port.once('message', resolve));
  send({ ready: true });
  await started;
  let timer: NodeJS.Timeout | undefined;
  try {
    const driven: DriveOptions = {
      ...options,
      greeting: Buffer.from(options.greeting),
      ledger: new Ledger(requests, ledger),
      random: randomBelow(options.seed, Math.random),
      nowMs: () => performance.now(),
    };
    const { latency } = await drive(Buffer.from(command), driven, ({ recent }) => {
      timer = setInterval(() => {
        send({ recent: recent.toPairs() });
        recent.reset();
      }, REPORT_EVERY_MS);
    });
    send({ latency: latency.toPairs() });
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    send({ error: error.message });
  } finally {
    clearInterval(timer);
    port.close();
  }
}

/** So many connections for each thread; no thread without one. */
function shareOut(clients: number, threads: number): number[] {
  const count = Math.min(clients, threads);
  return Array.from({ length: count }, (_, index) => Math.floor((clients + index) / count));
}
