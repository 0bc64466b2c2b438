// tsredis-server: command line to settings to server.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { RenamedCommands } from './commands/renames.ts';
import { createCommandTable } from './commands/table.ts';
import { parseCommandLine } from './config/argv.ts';
import { ConfigFault, fatalReport, loadSettings } from './config/load.ts';
import { createSettings, type Settings } from './config/settings.ts';
import { fromByteText, toByteText } from './formats/conf/quote.ts';
import { checkUserLine } from './runtime/acl.ts';
import { globSync } from './runtime/glob-files.ts';
import { processHost, REDIS_VERSION } from './runtime/host.ts';
import { Log } from './runtime/log.ts';
import { checkLogFile, daemonize, isDaemonChild } from './runtime/process-control.ts';
import { startServer } from './runtime/start.ts';

const USAGE = `Usage: tsredis-server [/path/to/redis.conf] [options] [-]
       tsredis-server - (read config from stdin)
       tsredis-server -v or --version
       tsredis-server -h or --help

Every directive of the configuration file is an option, too: --port 7777 --maxmemory 100mb

Examples:
       tsredis-server (run the server with default conf)
       tsredis-server /etc/redis/6379.conf
       tsredis-server --port 7777
       tsredis-server /etc/myredis.conf --loglevel verbose -
       echo 'maxmemory 128mb' | tsredis-server -
`;

/** Runs the server program. `argv` is without node and script, one string per argument. */
export async function main(argv: readonly string[]): Promise<void> {
  const host = processHost();
  const first = argv.length === 1 ? argv[0] : undefined;
  if (first === '-v' || first === '--version') {
    process.stdout.write(
      `Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=tsredis-arena bits=64 build=${host.tsredisVersion}\n`,
    );
    return;
  }
  if (first === '-h' || first === '--help') {
    process.stdout.write(USAGE);
    return;
  }
  const directory = process.cwd();
  const { settings, stdin } = loadOrExit(argv, directory);
  if (settings.daemonize && !isDaemonChild(process.env)) {
    daemonize(process.argv.slice(1), directory, stdin);
    return;
  }
  const log = new Log(host.now);
  log.setFile(settings.logfile === '' ? '' : resolve(directory, settings.string('logfile')));
  await startServer(settings, host, log, argv.length > 0);
}

interface Loaded {
  settings: Settings;
  stdin: Uint8Array | null;
}

/** Loads the configuration; prints Redis' report and exits with 1 when it cannot be used. */
function loadOrExit(argv: readonly string[], directory: string): Loaded {
  const settings = createSettings({
    currentDirectory: () => process.cwd(),
    changeDirectory: (path) => {
      try {
        process.chdir(path);
        return undefined;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ENOENT'
          ? 'No such file or directory'
          : (error as Error).message;
      }
    },
  });
  let stdin: Uint8Array | null = null;
  let renamed: RenamedCommands | null = null;
  try {
    const given = parseCommandLine(argv.map((argument) => Buffer.from(argument).toString('latin1')));
    const configFile = given.configFile === undefined ? undefined : resolve(directory, fromByteText(given.configFile));
    settings.configFile = configFile;
    const commandLine = { ...given, configFile: configFile === undefined ? undefined : toByteText(configFile) };
    loadSettings(settings, commandLine, {
      readFile: (path) => readFileSync(resolve(directory, path)),
      readStdin: () => {
        stdin = readFileSync(0);
        return stdin;
      },
      glob: (pattern) => globSync(resolve(directory, pattern)),
      checkLogFile,
      checkUser: checkUserLine,
      checkRename: (from, to) => {
        renamed ??= new RenamedCommands(createCommandTable());
        return renamed.rename(from, to);
      },
    });
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    process.stderr.write(fatalReport(error, REDIS_VERSION), () => process.exit(1));
    process.exit(1);
  }
  return { settings, stdin };
}
