// tsredis check FILE...: looks thoroughly at RDB files, AOFs and manifests, whichever each file is.

import { Command } from 'commander';
import { runCheckAof } from '../check/aof-main.ts';
import { type CheckIo, OutputClosed, processIo } from '../check/io.ts';
import { kindOfFile } from '../check/kind.ts';
import { runCheckRdb } from '../check/rdb-main.ts';

declare const __TSREDIS_VERSION__: string;

/** `setExitStatus` gets 0 sound, 1 damaged, 2 unreadable. */
export function checkCommand(io: { readonly setExitStatus: (status: number) => void }): Command {
  const version = typeof __TSREDIS_VERSION__ === 'string' ? __TSREDIS_VERSION__ : '0.0.0';
  return new Command('check')
    .description('look thoroughly at RDB files, AOFs and manifests; exit status 0 sound, 1 damaged, 2 unreadable')
    .argument('<file...>', 'files of any of these kinds')
    .option('--json', 'print one JSON document per kind of file')
    .addHelpText(
      'after',
      '\nExample:\n  tsredis check /var/lib/redis/dump.rdb /var/lib/redis/appendonlydir/*.manifest\n',
    )
    .action(async (files: string[], options: { json?: boolean }) => {
      try {
        io.setExitStatus(await checkFiles(files, options.json === true, processIo(), version));
      } catch (error) {
        if (!(error instanceof OutputClosed)) throw error;
      }
    });
}

/** Resolves to the worst exit status of the files. Throws OutputClosed when nobody reads the output any more. */
export async function checkFiles(
  files: readonly string[],
  json: boolean,
  io: CheckIo,
  version: string,
): Promise<number> {
  const mode = json ? '--json' : '--strict';
  const rdb = files.filter((file) => kindOfFile(file) === 'rdb');
  const aof = files.filter((file) => !rdb.includes(file));
  let status = 0;
  if (rdb.length > 0) status = await runCheckRdb([mode, '--', ...rdb], io, version);
  if (aof.length > 0) status = Math.max(status, await runCheckAof([mode, '--', ...aof], io, version));
  return status;
}
