// The program tsredis-cli.
import { argumentBytes, processHost } from '../cli/host.ts';
import { runCli } from '../cli/main.ts';

declare const __TSREDIS_VERSION__: string;

const version = typeof __TSREDIS_VERSION__ === 'string' ? __TSREDIS_VERSION__ : '0.0.0';
process.exit(await runCli(argumentBytes(process.argv.slice(2)), processHost(), version));
