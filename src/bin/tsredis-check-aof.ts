// The program tsredis-check-aof.

import { runCheckAof } from '../check/aof-main.ts';
import { OutputClosed, processIo } from '../check/io.ts';

declare const __TSREDIS_VERSION__: string;

const version = typeof __TSREDIS_VERSION__ === 'string' ? __TSREDIS_VERSION__ : '0.0.0';
void runCheckAof(process.argv.slice(2), processIo(), version).then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    if (!(error instanceof OutputClosed)) throw error;
  },
);
