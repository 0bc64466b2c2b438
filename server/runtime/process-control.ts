// The server as a process: going to the background, pid file, name in the process list, readiness for the service manager.

import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { systemReason } from '../config/load.ts';

/** Set for the child that daemonize starts, so that it does not start another. */
const DAEMON_MARK = 'TSREDIS_DAEMON_CHILD';
/** First descriptor that a service manager passes. */
const FIRST_PASSED_FD = 3;

/** Whether this process is the background child of a `daemonize yes` start. */
export function isDaemonChild(env: NodeJS.ProcessEnv): boolean {
  return env[DAEMON_MARK] === '1';
}

/** Starts this program again as a background process in a session of its own. `stdin` is what the parent read of `-`. */
export function daemonize(argv: readonly string[], directory: string, stdin: Uint8Array | null): void {
  // Few starts need it, so it is loaded here and not with the program.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(process.execPath, [...process.execArgv, ...argv], {
    cwd: directory,
    detached: true,
    env: { ...process.env, [DAEMON_MARK]: '1' },
    stdio: [stdin === null ? 'ignore' : 'pipe', 'ignore', 'ignore'],
  });
  if (stdin !== null) child.stdin?.end(stdin);
  child.unref();
}

/** Writes the pid file; returns the reason when that fails. The file is an aid, so the server goes on without it. */
export function writePidFile(path: string): string | null {
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
    return null;
  } catch (error) {
    return `Failed to write PID file: ${(error as Error).message}`;
  }
}

/** Removes the pid file if it still names this process. */
export function removePidFile(path: string): void {
  try {
    if (readFileSync(path, 'latin1').trim() === String(process.pid)) unlinkSync(path);
  } catch {
    // Already gone, or not ours to remove.
  }
}

/**
 * Shows the server as `tsredis-server *:6379` to ps and, by the thread's name, to pgrep (which finds it as redis-server,
 * too: pgrep matches parts). The kernel keeps 15 bytes of that name.
 */
export function setTitle(template: string, values: Readonly<Record<string, string>>): void {
  process.title = template.replaceAll(/\{([a-z-]*)\}/g, (_, name: string) => values[name] ?? '').trim();
}

/** Tells systemd through the socket that the unit passed as the descriptor named `notify`. Returns whether there is one. */
export function notifyManager(env: NodeJS.ProcessEnv, message: string): boolean {
  if (env['LISTEN_PID'] !== String(process.pid)) return false;
  const at = (env['LISTEN_FDNAMES'] ?? '').split(':').indexOf('notify');
  if (at < 0) return false;
  try {
    writeSync(FIRST_PASSED_FD + at, message);
    return true;
  } catch {
    return false;
  }
}

/** Whether a log file can be opened for appending; gives the reason when not. */
export function checkLogFile(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'a', 0o640));
    return undefined;
  } catch (error) {
    return systemReason(error);
  }
}
