// OpenRC (Alpine, Gentoo): a service script whose supervisor starts the server again when it dies.
import { render } from '../render/render.ts';
import { type Instance, serverCommand } from './instance.ts';
import { readRecordedPid } from './liveness.ts';
import { runCommands, type ServiceManager, tailCommand } from './manager.ts';
import { quoteShell, quoteShellTwice } from './quote.ts';

export function renderOpenrc(instance: Instance): string {
  // Most variables are evaluated by OpenRC's own scripts once more.
  const twice = (...words: string[]) => quoteShell(words.map(quoteShellTwice).join(' '));
  const [program = '', ...words] = serverCommand(instance, 'no');
  return render('openrc', {
    ...instance,
    program: twice(program),
    commandArguments: twice(...words),
    user: instance.user === undefined ? undefined : twice(`${instance.user}:${instance.group}`),
    dataDirectory: twice(instance.dataDirectory),
    logFile: twice(instance.logFile),
    confFile: quoteShell(instance.confFile),
    confMissing: quoteShell(`cannot read ${instance.confFile}`),
    // The supervisor's own: the server's pid file is another.
    supervisorPidFile: `/run/${instance.service}.supervisor.pid`,
  });
}

export const openrc: ServiceManager = {
  name: 'openrc',
  unusable: (facts, scope) => {
    if (facts.initSystem !== 'openrc') return 'OpenRC is not running';
    if (scope === 'user') return 'OpenRC services are for the whole system';
    return facts.isRoot ? undefined : 'OpenRC services need root';
  },
  files: (instance) => [{ path: `/etc/init.d/${instance.service}`, content: renderOpenrc(instance), mode: 0o755 }],
  enable: (instance) => [{ file: 'rc-update', args: ['add', instance.service, 'default'] }],
  disable: (instance) => [{ file: 'rc-update', args: ['delete', instance.service, 'default'] }],
  forget: () => [],
  startCommands: (instance) => [{ file: 'rc-service', args: [instance.service, 'start'] }],
  start: (host, instance) => runCommands(host, openrc.startCommands(instance, host), instance.startTimeoutSeconds + 15),
  stop: (host, instance) =>
    runCommands(host, [{ file: 'rc-service', args: [instance.service, 'stop'] }], instance.stopTimeoutSeconds + 15),
  logs: (instance, lines, follow) => tailCommand(instance.logFile, lines, follow),
  mainPid: readRecordedPid,
};
