// launchd (macOS): a property list for the system domain, or for the domain of the user who is logged in.
// There is no launchd but on macOS: what these commands answer is known from its manual, not tried here.
import { join } from 'node:path';
import type { Host } from '../host/host.ts';
import type { Command } from '../host/users.ts';
import { escapeXml, render } from '../render/render.ts';
import { type Instance, serverCommand } from './instance.ts';
import { runCommands, type ServiceManager, tailCommand } from './manager.ts';

export function renderPlist(instance: Instance): string {
  // An XML comment is no problem: only the port, a number, stands in it.
  return render('launchd.plist', { ...instance, command: serverCommand(instance, 'no') }, escapeXml);
}

export const launchd: ServiceManager = {
  name: 'launchd',
  unusable: (facts, scope) => {
    if (facts.platform !== 'darwin') return 'launchd is for macOS';
    return scope === 'system' && !facts.isRoot ? 'daemons of the system domain need root' : undefined;
  },
  files: (instance, context) => [
    { path: plistPath(instance, context.facts.home), content: renderPlist(instance), mode: 0o644 },
  ],
  // Loading it starts it, too (RunAtLoad), so that is left to `start`.
  enable: (instance, host) => [{ file: 'launchctl', args: ['enable', target(instance, host)] }],
  disable: (instance, host) => [{ file: 'launchctl', args: ['bootout', target(instance, host)] }],
  forget: () => [],
  startCommands: (instance, host) => [bootstrap(instance, host)],
  start: async (host, instance) => {
    const isLoaded = (await host.run('launchctl', ['print', target(instance, host)])).exitCode === 0;
    const kickstart: Command = { file: 'launchctl', args: ['kickstart', target(instance, host)] };
    await runCommands(host, [isLoaded ? kickstart : bootstrap(instance, host)], instance.startTimeoutSeconds);
  },
  // After a clean exit launchd leaves it stopped (KeepAlive only after failures) and loaded for the next boot.
  stop: (host, instance) =>
    runCommands(host, [{ file: 'launchctl', args: ['kill', 'SIGTERM', target(instance, host)] }], 30),
  logs: (instance, lines, follow) => tailCommand(instance.logFile, lines, follow),
  mainPid: async (host, instance) => {
    const result = await host.run('launchctl', ['print', target(instance, host)], { timeoutMs: 10_000 });
    const pid = /^\s*pid = (\d+)$/m.exec(result.stdout)?.[1];
    return pid === undefined ? undefined : Number(pid);
  },
};

function plistPath(instance: Instance, home: string): string {
  const directory = instance.scope === 'system' ? '/Library/LaunchDaemons' : join(home, 'Library', 'LaunchAgents');
  return join(directory, `${instance.service}.plist`);
}

function domain(instance: Instance, host: Host): string {
  return instance.scope === 'system' ? 'system' : `gui/${host.userId}`;
}

function target(instance: Instance, host: Host): string {
  return `${domain(instance, host)}/${instance.service}`;
}

function bootstrap(instance: Instance, host: Host): Command {
  return { file: 'launchctl', args: ['bootstrap', domain(instance, host), plistPath(instance, host.home)] };
}
