// The program tsredis-cli.
import { REDIS_VERSION } from '../../server/base/version.ts';
import { argumentBytes, processHost } from '../cli/host.ts';
import { runCli } from '../cli/main.ts';

void runCli(argumentBytes(process.argv.slice(2)), processHost(), REDIS_VERSION).then((status) => process.exit(status));
