// Starting and stopping an instance through its manager, and proving that it happened.
import { rmSync } from 'node:fs';
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { describeOwner, findPortOwners } from '../host/ports.ts';
import { type ProcessFacts, readProcess } from '../host/process.ts';
import { type Instance, outputFile, stampFile } from './instance.ts';
import { findInstanceProcess } from './liveness.ts';
import type { ServiceManager } from './manager.ts';
import { pingInstance } from './status.ts';

export interface StartOutcome {
  readonly pid: number;
  /** It ran before: nothing was done. */
  readonly already: boolean;
  /** `PONG`, or what it answered instead (NOAUTH, LOADING). */
  readonly answer: string;
}

export interface StopOutcome {
  /** The process that ended; null when none ran. */
  readonly pid: number | null;
  /** Whether it took SIGKILL, which only `kill` allows. */
  readonly killed: boolean;
}

const pollMs = 50;

/**
 * Starts it and waits until the very process that was started listens on the port and answers. Throws start-failed with
 * what the server said, port-in-use, or health-check.
 */
export async function startInstance(host: Host, instance: Instance, manager: ServiceManager): Promise<StartOutcome> {
  const before = await findProcess(host, instance, manager);
  if (before) return { pid: before.pid, already: true, answer: await waitForAnswer(host, instance, before) };
  await refuseForeignPort(host, instance);
  try {
    await manager.start(host, instance);
  } catch (error) {
    throw await startFailure(host, instance, error);
  }
  const started = await findProcess(host, instance, manager);
  if (!started) throw await startFailure(host, instance, undefined);
  return { pid: started.pid, already: false, answer: await waitForAnswer(host, instance, started) };
}

/**
 * Stops it with SIGTERM, which saves, and waits. Throws stop-timeout when it still runs after `stopTimeoutSeconds`;
 * with `kill` it then gets SIGKILL instead, and unsaved changes are lost.
 */
export async function stopInstance(
  host: Host,
  instance: Instance,
  manager: ServiceManager,
  options: { kill?: boolean } = {},
): Promise<StopOutcome> {
  const known = await manager.mainPid(host, instance);
  const running = (await findInstanceProcess(host, instance, known)).process;
  if (!running) return { pid: null, killed: false };
  const deadline = host.now() + instance.stopTimeoutSeconds * 1000;
  let failure: unknown;
  if (running.pid === known) {
    failure = await manager.stop(host, instance).catch((error: unknown) => error);
  } else {
    // The manager knows nothing of this process: it was started by hand.
    signalOnce(host, running.pid, 'SIGTERM');
  }
  while (await isAlive(host, running)) {
    if (host.now() >= deadline) {
      if (options.kill) return kill(host, instance, running);
      throw stopTimeout(host, instance, running, failure);
    }
    if (failure !== undefined) throw failure;
    await host.sleep(pollMs);
  }
  forgetProcess(host, instance, running.pid);
  return { pid: running.pid, killed: false };
}

export async function restartInstance(
  host: Host,
  instance: Instance,
  manager: ServiceManager,
  options: { kill?: boolean } = {},
): Promise<StartOutcome> {
  await stopInstance(host, instance, manager, options);
  return startInstance(host, instance, manager);
}

/** The last lines of its log, or of what it printed before it had one. */
function lastWords(host: Host, instance: Instance): string {
  for (const path of [outputFile(instance), instance.logFile]) {
    const lines = (host.readText(path) ?? '').split('\n').filter((line) => line.trim() !== '');
    // `#` marks warnings in Redis' log; a fatal error from before the log is plain text.
    const telling = lines.slice(-20).filter((line) => / # |FATAL|>>>|[Ee]rror|failed/.test(line));
    const chosen = telling.length > 0 ? telling.slice(-4) : lines.slice(-2);
    if (chosen.length > 0) return chosen.join(' | ');
  }
  return 'its log says nothing';
}

async function findProcess(host: Host, instance: Instance, manager: ServiceManager): Promise<ProcessFacts | undefined> {
  const known = await manager.mainPid(host, instance);
  return (await findInstanceProcess(host, instance, known)).process;
}

async function refuseForeignPort(host: Host, instance: Instance): Promise<void> {
  const owner = (await findPortOwners(host, instance.port))[0];
  if (owner) throw new OpsError('port-in-use', { port: instance.port, owner: describeOwner(owner) });
}

/** Polls until the process answers on a port that it holds itself. */
async function waitForAnswer(host: Host, instance: Instance, started: ProcessFacts): Promise<string> {
  const deadline = host.now() + instance.startTimeoutSeconds * 1000;
  for (;;) {
    const owners = await findPortOwners(host, instance.port);
    // Another user's sockets cannot be told apart: then any owner has to do.
    const isOurs = owners.some((owner) => owner.pid === started.pid || owner.pid === undefined);
    const answer = isOurs || instance.socketPath !== undefined ? await pingInstance(instance) : undefined;
    if (answer !== undefined) return answer;
    if (!(await isAlive(host, started))) throw await startFailure(host, instance, undefined);
    if (host.now() >= deadline) {
      const reason = `no answer on port ${instance.port} in ${instance.startTimeoutSeconds} s`;
      throw new OpsError('health-check', { service: instance.service, reason });
    }
    await host.sleep(pollMs);
  }
}

async function startFailure(host: Host, instance: Instance, cause: unknown): Promise<OpsError> {
  if (cause instanceof OpsError && cause.code !== 'command-failed' && cause.code !== 'command-timeout') return cause;
  const owner = (await findPortOwners(host, instance.port))[0];
  if (owner) return new OpsError('port-in-use', { port: instance.port, owner: describeOwner(owner) }, { cause });
  const said = cause instanceof OpsError ? `${cause.message} | ` : '';
  const reason = `${said}${lastWords(host, instance)}`;
  return new OpsError('start-failed', { service: instance.service, reason }, { cause });
}

function stopTimeout(host: Host, instance: Instance, running: ProcessFacts, cause: unknown): OpsError {
  const { service, stopTimeoutSeconds: seconds } = instance;
  return new OpsError(
    'stop-timeout',
    { service, pid: running.pid, seconds, reason: lastWords(host, instance) },
    { cause },
  );
}

async function isAlive(host: Host, known: ProcessFacts): Promise<boolean> {
  return (await readProcess(host, known.pid))?.startId === known.startId;
}

async function kill(host: Host, instance: Instance, running: ProcessFacts): Promise<StopOutcome> {
  signalOnce(host, running.pid, 'SIGKILL');
  while (await isAlive(host, running)) await host.sleep(pollMs);
  forgetProcess(host, instance, running.pid);
  return { pid: running.pid, killed: true };
}

/** Removes what is recorded of a process that is known to be gone; a server in its place has written its own pid. */
function forgetProcess(host: Host, instance: Instance, pid: number): void {
  for (const path of [instance.pidFile, stampFile(instance)]) {
    if (Number.parseInt(host.readText(path) ?? '', 10) !== pid) continue;
    try {
      rmSync(path, { force: true });
    } catch {
      // Not ours to remove: it is then told as stale, which is true.
    }
  }
}

function signalOnce(host: Host, pid: number, name: NodeJS.Signals): void {
  try {
    host.signal(pid, name);
  } catch (error) {
    throw new OpsError('not-root', { what: `stopping pid ${pid}, which belongs to another user,` }, { cause: error });
  }
}

/** What has to go once an instance is removed for good, besides what the receipt names. */
export function runtimeFiles(instance: Instance): string[] {
  return [instance.pidFile, stampFile(instance), outputFile(instance)];
}
