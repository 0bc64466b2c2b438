// No service manager: the toolkit itself leaves the server in the background (daemon), or a container's own process 1
// is the server (foreground). Nothing starts it again, and nothing starts it at boot.

import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { readProcess } from '../host/process.ts';
import { spawnDetached } from '../host/spawn.ts';
import { findUser } from '../host/users.ts';
import { type Instance, outputFile, serverCommand } from './instance.ts';
import { readRecordedPid, writeStamp } from './liveness.ts';
import { type ServiceManager, tailCommand } from './manager.ts';

export const daemon: ServiceManager = {
  name: 'daemon',
  unusable: () => undefined,
  files: () => [],
  enable: () => [],
  disable: () => [],
  forget: () => [],
  startCommands: (instance) => [toCommand(serverCommand(instance, 'no'))],
  start: startDaemon,
  stop: stopByPid,
  logs: (instance, lines, follow) => tailCommand(instance.logFile, lines, follow),
  mainPid: readRecordedPid,
};

export const foreground: ServiceManager = {
  ...daemon,
  name: 'foreground',
  start: async (_host, instance) => {
    const command = serverCommand(instance, 'no').join(' ');
    throw new OpsError('no-manager', {
      service: instance.service,
      reason: `run it in the foreground with: ${command}`,
    });
  },
};

async function startDaemon(host: Host, instance: Instance): Promise<void> {
  const user = await runAs(host, instance);
  const [file = '', ...args] = serverCommand(instance, 'no');
  const pid = await spawnDetached(file, args, {
    cwd: '/',
    userId: user?.userId,
    groupId: user?.groupId,
    outputPath: outputFile(instance),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: instance.dataDirectory },
  });
  const started = await readProcess(host, pid);
  if (started) writeStamp(host, instance, started);
}

/** The user to change to, which only root can; undefined to stay who we are. */
async function runAs(host: Host, instance: Instance) {
  if (host.userId !== 0 || instance.user === undefined) return undefined;
  const user = await findUser(host, instance.user);
  if (!user) throw new OpsError('user-missing', { user: instance.user });
  return user;
}

async function stopByPid(host: Host, instance: Instance): Promise<void> {
  const pid = await readRecordedPid(host, instance);
  if (pid !== undefined) host.signal(pid, 'SIGTERM');
}

function toCommand(words: readonly string[]): { file: string; args: string[] } {
  const [file = '', ...args] = words;
  return { file, args };
}
