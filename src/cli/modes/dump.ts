// --rdb and --functions-rdb: take the server's dataset as a dump file, the way a replica does.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { describeSystemError } from '../../../server/net/client.ts';
import { CliExit } from '../host.ts';
import type { Session } from '../session.ts';
import { announce, receiveDump } from './replication-stream.ts';

export async function dumpMode(session: Session): Promise<number> {
  return await transferDump(session, false);
}

export async function functionsDumpMode(session: Session): Promise<number> {
  return await transferDump(session, true);
}

async function transferDump(session: Session, functionsOnly: boolean): Promise<number> {
  const client = await session.connectOrExit();
  const { host, options } = session;
  const path = options.modeValue;
  await announce(session, 'capa', 'eof');
  await announce(session, 'rdb-only', '1');
  if (functionsOnly) await announce(session, 'rdb-filter-only', 'functions', true);
  let file = -1;
  let written = 0;
  await receiveDump(session, client, {
    begin: (length) => {
      const what = length === undefined ? 'bytes of bulk transfer until EOF marker' : `${length} bytes`;
      host.writeError(`SYNC sent to master, writing ${what} to '${path}'\n`);
      file = openTarget(session, path);
    },
    data: (chunk) => {
      writeFully(session, file, chunk);
      written += chunk.length;
    },
  });
  client.close();
  host.writeError(`Transfer finished with success after ${written} bytes\n`);
  if (path !== '-') {
    fsyncSync(file);
    closeSync(file);
  }
  return 0;
}

function openTarget(session: Session, path: string): number {
  if (path === '-') return 1;
  try {
    return openSync(path, 'w', 0o644);
  } catch (error) {
    const reason = describeSystemError(error as NodeJS.ErrnoException);
    session.host.writeError(`Error opening '${path}': ${reason}\n`);
    throw new CliExit(1);
  }
}

function writeFully(session: Session, file: number, chunk: Buffer): void {
  if (file === 1) {
    session.host.writeBytes(chunk);
    return;
  }
  try {
    for (let from = 0; from < chunk.length; ) from += writeSync(file, chunk, from);
  } catch (error) {
    session.host.writeError(`Error writing data to file: ${describeSystemError(error as NodeJS.ErrnoException)}\n`);
    throw new CliExit(1);
  }
}
