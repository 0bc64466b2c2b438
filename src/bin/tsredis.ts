// The program tsredis.
import { runTool } from '../main.ts';

declare const __TSREDIS_VERSION__: string;

void runTool(
  'tsredis',
  process.argv.slice(2),
  typeof __TSREDIS_VERSION__ === 'string' ? __TSREDIS_VERSION__ : '0.0.0',
  {
    isInteractive: Boolean(process.stdin.isTTY && process.stdout.isTTY),
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
  },
).then((status) => {
  process.exitCode = status;
});
