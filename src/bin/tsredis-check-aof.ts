// The program tsredis-check-aof.

import { runCheckAof } from '../check/aof-main.ts';
import { OutputClosed, processIo } from '../check/io.ts';

declare const __TSREDIS_VERSION__: string;

const version = typeof __TSREDIS_VERSION__ === 'string' ? __TSREDIS_VERSION__ : '0.0.0';
try {
  process.exitCode = await runCheckAof(process.argv.slice(2), processIo(), version);
} catch (error) {
  if (!(error instanceof OutputClosed)) throw error;
}
