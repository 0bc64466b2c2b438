// The program tsredis-benchmark.
import { readFileSync, writeSync } from 'node:fs';
import { REDIS_VERSION } from '../../server/base/version.ts';
import { runBenchmark } from '../benchmark/main.ts';

void runBenchmark(
  process.argv.slice(2),
  {
    write: (text) => writeSync(1, text),
    writeError: (text) => writeSync(2, text),
    readStdin: () => readFileSync(0),
    nowMs: () => performance.now(),
    random: Math.random,
  },
  REDIS_VERSION,
).then((status) => process.exit(status));
