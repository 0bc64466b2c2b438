// systemd: a hardened unit that systemd knows to be ready, for the whole system or for one user.
//
// How the server tells that it is ready, best way first. Node cannot open a unix datagram socket, so it is handed one:
//   open-file  OpenFile= (systemd 253): no other program, and the server needs no unix sockets at all
//   launcher   four lines of perl, essential on Debian, connect the socket and become the server, same pid
//   pid-file   Type=exec, and starting waits until the server has written its pid file, which it does once it listens
// A Redis linked with libsystemd does it by itself (native); another Redis gets pid-file. In the first two ways the
// server finds the socket by systemd's own protocol for passed descriptors: LISTEN_PID is its pid, and the descriptor is
// 3 + the position of `notify` in LISTEN_FDNAMES. It writes one message a time: READY=1, STATUS=…, STOPPING=1.
// Type=forking was ruled out: it needs a pid file from before exec and says ready when the parent leaves, not the child.
import { join } from 'node:path';
import type { HostFacts } from '../host/facts.ts';
import type { Host } from '../host/host.ts';
import type { Command } from '../host/users.ts';
import { render } from '../render/render.ts';
import { type Instance, serverCommand } from './instance.ts';
import { type ManagerContext, runCommands, type ServiceManager } from './manager.ts';
import { quoteExec, quoteUnitPath } from './quote.ts';
import { sandboxLines } from './sandbox.ts';

export type ReadyWay = 'native' | 'open-file' | 'launcher' | 'pid-file';

/** Assumed where none is installed (a unit rendered elsewhere): the oldest in a supported Debian. */
const versionAssumed = 252;

const typeExecSince = 240;
const openFileSince = 253;

const userUnits = '.config/systemd/user';

export function readyWay(instance: Instance, facts: HostFacts): ReadyWay {
  if (instance.executable.kind === 'redis') return instance.executable.notifies ? 'native' : 'pid-file';
  if ((facts.systemdVersion ?? versionAssumed) >= openFileSince) return 'open-file';
  return facts.perlPath === undefined ? 'pid-file' : 'launcher';
}

/** The unit as text. */
export function renderUnit(instance: Instance, context: ManagerContext): string {
  const { facts } = context;
  const version = facts.systemdVersion ?? versionAssumed;
  const way = readyWay(instance, facts);
  const perlPath = way === 'launcher' ? facts.perlPath : undefined;
  // %t: /run, or the user's run-time directory. systemd makes and removes the directory of the pid file.
  const pidFile = way === 'pid-file' ? `%t/${instance.service}/redis.pid` : '';
  const command = serverCommand(instance, way === 'pid-file' ? 'no' : 'systemd').map(quoteExec);
  if (pidFile) command[command.length - 1] = pidFile;
  const launcher = perlPath ? [perlPath, '-MSocket', '-e', launcherProgram].map(quoteExec) : [];
  const needsUnixSockets = way === 'native' || way === 'launcher' || instance.socketPath !== undefined;
  const profile = instance.scope === 'user' ? 'reduced' : context.sandbox;
  return render('systemd.service', {
    instance,
    type: way === 'pid-file' ? (version >= typeExecSince ? 'exec' : 'simple') : 'notify',
    notifies: way !== 'pid-file',
    // This setting is one of the few that take no specifiers such as %t.
    openFile:
      way === 'open-file'
        ? `${instance.scope === 'user' ? `/run/user/${facts.userId}` : '/run'}/systemd/notify`
        : undefined,
    pidFile,
    command: [...launcher, ...command].join(' '),
    confFile: quoteUnitPath(instance.confFile),
    workingDirectory: quoteUnitPath(instance.dataDirectory),
    wantsNetwork: !instance.loopbackOnly && instance.scope === 'system',
    isUser: instance.scope === 'user',
    sandbox: sandboxLines({ instance, perlPath, needsUnixSockets }, version, profile),
  });
}

export const systemd: ServiceManager = {
  name: 'systemd',
  unusable: (facts, scope) => {
    if (facts.initSystem !== 'systemd') return 'systemd is not running';
    if (scope === 'user') return facts.hasUserManager ? undefined : 'no manager of this user can be reached';
    return facts.isRoot ? undefined : 'units for the whole system need root';
  },
  files: (instance, context) => {
    const directory = instance.scope === 'system' ? '/etc/systemd/system' : join(context.facts.home, userUnits);
    return [{ path: join(directory, unitName(instance)), content: renderUnit(instance, context), mode: 0o644 }];
  },
  enable: (instance) => [systemctl(instance, 'daemon-reload'), systemctl(instance, 'enable', unitName(instance))],
  disable: (instance) => [systemctl(instance, 'disable', unitName(instance))],
  forget: (instance) => [systemctl(instance, 'daemon-reload')],
  startCommands: (instance) => [systemctl(instance, 'start', unitName(instance))],
  // A unit that failed too often in a row refuses to start until it is told to forget that.
  start: async (host, instance) => {
    await host.run('systemctl', systemctl(instance, 'reset-failed', unitName(instance)).args);
    await runCommands(host, [systemctl(instance, 'start', unitName(instance))], instance.startTimeoutSeconds + 15);
  },
  stop: (host, instance) =>
    runCommands(host, [systemctl(instance, 'stop', unitName(instance))], instance.stopTimeoutSeconds + 15),
  logs: (instance, lines, follow) => ({
    file: 'journalctl',
    args: [
      ...(instance.scope === 'user' ? ['--user'] : []),
      '--no-pager',
      '-u',
      unitName(instance),
      '-n',
      String(lines),
      ...(follow ? ['-f'] : []),
    ],
  }),
  mainPid: async (host, instance) => {
    const command = systemctl(instance, 'show', '--property=MainPID', '--value', unitName(instance));
    const result = await host.run(command.file, command.args, { timeoutMs: 10_000 });
    const pid = Number(result.stdout.trim());
    return result.exitCode === 0 && pid > 0 ? pid : undefined;
  },
};

/**
 * Finds out whether this machine lets units be fenced in: containers often forbid the namespaces that takes. Runs a
 * transient unit that does nothing, with the heaviest settings.
 */
export async function probeSandbox(host: Host): Promise<'full' | 'reduced'> {
  const properties = ['ProtectSystem=strict', 'PrivateDevices=yes', 'PrivateUsers=yes', 'ProtectProc=invisible'];
  const args = ['--quiet', '--wait', '--collect', ...properties.flatMap((property) => ['-p', property]), '/bin/true'];
  const result = await host.run('systemd-run', args, { timeoutMs: 20_000 });
  return result.exitCode === 0 ? 'full' : 'reduced';
}

// $^F = 3 keeps descriptor 3 open over exec; it must be the first one opened. A name with @ is an abstract socket.
const launcherProgram = [
  'my $name = $ENV{NOTIFY_SOCKET} or die "NOTIFY_SOCKET is not set\\n"; $name =~ s/^@/\\0/; $^F = 3; my $socket;',
  'socket($socket, PF_UNIX, SOCK_DGRAM, 0) && connect($socket, pack_sockaddr_un($name)) or die "notify: $!\\n";',
  'fileno($socket) == 3 or die "descriptor 3 is taken\\n";',
  '@ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, 1, "notify"); exec { $ARGV[0] } @ARGV or die "exec: $!\\n"',
].join(' ');

function unitName(instance: Instance): string {
  return `${instance.service}.service`;
}

function systemctl(instance: Instance, ...words: string[]): Command {
  return { file: 'systemctl', args: [...(instance.scope === 'user' ? ['--user'] : []), '--no-ask-password', ...words] };
}
