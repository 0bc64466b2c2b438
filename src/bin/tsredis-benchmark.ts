// The program tsredis-benchmark.
import { readFileSync, writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { REDIS_VERSION } from '../../server/base/version.ts';
import { runBenchmark } from '../benchmark/main.ts';

if (isMainThread) {
  void runBenchmark(
    process.argv.slice(2),
    {
      write: (text) => writeSync(1, text),
      writeError: (text) => writeSync(2, text),
      readStdin: () => readFileSync(0),
      nowMs: () => performance.now(),
      random: Math.random,
      program: new URL(import.meta.url),
    },
    REDIS_VERSION,
  ).then((status) => process.exit(status));
} else {
  void import('../benchmark/threads.ts').then(({ runThread }) => runThread());
}
