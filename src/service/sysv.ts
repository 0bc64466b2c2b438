// SysV init: one script for /etc/init.d that works by itself, so it serves where no init runs, too.
import type { Host } from '../host/host.ts';
import type { Command } from '../host/users.ts';
import { render } from '../render/render.ts';
import { type Instance, programPath, serverCommand, stampFile } from './instance.ts';
import { readRecordedPid } from './liveness.ts';
import { runCommands, type ServiceManager, tailCommand } from './manager.ts';
import { quoteShell } from './quote.ts';

/** The script as text. Needs only what a POSIX system on Linux has: sh, awk, readlink, /proc. */
export function renderScript(instance: Instance): string {
  const word = (value: string | undefined) => quoteShell(value ?? '');
  return render('sysv.sh', {
    service: instance.service,
    port: instance.port,
    program: word(programPath(instance)),
    confFile: word(instance.confFile),
    dataDirectory: word(instance.dataDirectory),
    logFile: word(instance.logFile),
    socketPath: word(instance.socketPath),
    user: word(instance.user),
    group: word(instance.group),
    openFilesMax: instance.openFilesMax,
    startTimeoutSeconds: instance.startTimeoutSeconds,
    stopTimeoutSeconds: instance.stopTimeoutSeconds,
    pidFile: word(instance.pidFile),
    pidFileComment: instance.pidFile,
    stampFile: word(stampFile(instance)),
    command: serverCommand(instance, 'no').map(quoteShell).join(' '),
  });
}

export const sysv: ServiceManager = {
  name: 'sysv',
  unusable: (facts, scope) => {
    if (facts.platform !== 'linux') return 'init scripts are for Linux';
    if (scope === 'user') return 'init scripts are for the whole system';
    if (!facts.isRoot) return 'init scripts need root';
    // Without any init the script still starts and stops the instance.
    return facts.initSystem === 'sysv' || facts.initSystem === 'none' ? undefined : `${facts.initSystem} is running`;
  },
  files: (instance) => [{ path: scriptPath(instance), content: renderScript(instance), mode: 0o755 }],
  enable: (instance, host) => registration(instance, host, 'add'),
  disable: (instance, host) => registration(instance, host, 'remove'),
  forget: () => [],
  startCommands: (instance) => [call(instance, 'start')],
  start: (host, instance) => runCommands(host, [call(instance, 'start')], instance.startTimeoutSeconds + 15),
  stop: (host, instance) => runCommands(host, [call(instance, 'stop')], instance.stopTimeoutSeconds + 15),
  logs: (instance, lines, follow) => tailCommand(instance.logFile, lines, follow),
  mainPid: async (host, instance) => readRecordedPid(host, instance),
};

function scriptPath(instance: Instance): string {
  return `/etc/init.d/${instance.service}`;
}

function call(instance: Instance, verb: string): Command {
  return { file: scriptPath(instance), args: [verb] };
}

/** Red Hat's tool, else Debian's, else nothing: a system without both starts the script as its administrator says. */
function registration(instance: Instance, host: Host, change: 'add' | 'remove'): Command[] {
  const { service } = instance;
  const chkconfig = host.find('chkconfig');
  if (chkconfig) {
    if (change === 'remove') return [{ file: chkconfig, args: ['--del', service] }];
    return [
      { file: chkconfig, args: ['--add', service] },
      { file: chkconfig, args: ['--level', '345', service, 'on'] },
    ];
  }
  const updateRc = host.find('update-rc.d');
  if (!updateRc) return [];
  return [{ file: updateRc, args: change === 'add' ? [service, 'defaults'] : ['-f', service, 'remove'] }];
}
