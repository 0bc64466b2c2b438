// Starts a program that goes on when this one ends: in its own session, as another user if asked, its output to a file.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface DetachOptions {
  readonly cwd: string;
  /** Numeric ids to run as; undefined for those of this process. Supplementary groups are dropped with them. */
  readonly userId: number | undefined;
  readonly groupId: number | undefined;
  /** File that standard output and error go to, emptied first. It is opened with the rights of this process. */
  readonly outputPath: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Resolves to the pid once the program has been executed. Rejects when it could not be. */
export function spawnDetached(file: string, args: readonly string[], options: DetachOptions): Promise<number> {
  const output = openSync(options.outputPath, 'w', 0o640);
  return new Promise<number>((resolve, reject) => {
    const child = spawn(file, [...args], {
      cwd: options.cwd,
      detached: true,
      env: { ...options.env },
      shell: false,
      stdio: ['ignore', output, output],
      ...(options.userId === undefined ? {} : { uid: options.userId }),
      ...(options.groupId === undefined ? {} : { gid: options.groupId }),
    });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid!);
    });
  }).finally(() => closeSync(output));
}
