// The program tsredis-check-rdb.
import { OutputClosed, processIo } from '../check/io.ts';
import { runCheckRdb } from '../check/rdb-main.ts';

declare const __TSREDIS_VERSION__: string;

const version = typeof __TSREDIS_VERSION__ === 'string' ? __TSREDIS_VERSION__ : '0.0.0';
void runCheckRdb(process.argv.slice(2), processIo(), version).then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    if (!(error instanceof OutputClosed)) throw error;
  },
);
