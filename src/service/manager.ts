// What every service manager can do for an instance. Files and commands are data, so a plan can show them first.
import type { HostFacts } from '../host/facts.ts';
import type { Host } from '../host/host.ts';
import type { Scope } from '../host/paths.ts';
import { runChecked } from '../host/run.ts';
import type { Command } from '../host/users.ts';
import type { Instance } from './instance.ts';
import type { SandboxProfile } from './sandbox.ts';

export type ManagerName = 'systemd' | 'openrc' | 'launchd' | 'sysv' | 'daemon' | 'foreground';

/** A file to write, owned by root in the system scope and by the user in the user scope. */
export interface ServiceFile {
  readonly path: string;
  readonly content: string;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
}

export interface ManagerContext {
  readonly facts: HostFacts;
  readonly sandbox: SandboxProfile;
}

export interface ServiceManager {
  readonly name: ManagerName;
  /** Why it cannot be used here; undefined when it can. */
  unusable(facts: HostFacts, scope: Scope): string | undefined;
  /** Unit, script or property list. */
  files(instance: Instance, context: ManagerContext): ServiceFile[];
  /** To run once the files are written: makes it known and starts it at every boot. */
  enable(instance: Instance, host: Host): Command[];
  /** To run before the files are removed, with the instance stopped. */
  disable(instance: Instance, host: Host): Command[];
  /** To run after the files are removed. */
  forget(instance: Instance, host: Host): Command[];
  /** What starts it, for a plan to show; `start` does it. */
  startCommands(instance: Instance, host: Host): Command[];
  start(host: Host, instance: Instance): Promise<void>;
  /** Asks for an orderly stop and waits for it at most `stopTimeoutSeconds`. */
  stop(host: Host, instance: Instance): Promise<void>;
  /** The command that shows its log. */
  logs(instance: Instance, lines: number, follow: boolean): Command;
  /** The pid it knows of itself; undefined when it keeps none or the instance is down. */
  mainPid(host: Host, instance: Instance): Promise<number | undefined>;
}

/** Runs commands one after the other. `timeoutSeconds` is for each. Throws at the first that fails. */
export async function runCommands(host: Host, commands: readonly Command[], timeoutSeconds: number): Promise<void> {
  for (const { file, args } of commands) {
    await runChecked(host.run, file, args, { timeoutMs: timeoutSeconds * 1000 });
  }
}

/** The log file itself, for managers that keep none of their own. */
export function tailCommand(path: string, lines: number, follow: boolean): Command {
  return { file: 'tail', args: ['-n', String(lines), ...(follow ? ['-F'] : []), '--', path] };
}
