// tsredis uninstall PORT: removes exactly what the receipt says, and only what is still as it was written.
import { Command } from 'commander';
import { OpsError } from '../errors.ts';
import type { Host } from '../host/host.ts';
import { instancePaths, type Scope } from '../host/paths.ts';
import { removeUserCommands } from '../host/users.ts';
import { runtimeFiles, stopInstance } from '../service/control.ts';
import type { Instance } from '../service/instance.ts';
import { runCommands } from '../service/manager.ts';
import { findManager } from '../service/managers.ts';
import { findRecord, loadRecords } from '../service/registry.ts';
import { checkPort } from '../setup/answers.ts';
import { removeFile, writeWhole } from '../setup/files.ts';
import { inherit, type Receipt, readReceipt, receiptText } from '../setup/receipt.ts';
import { planRemoval, type Removal, removePlanned } from '../setup/uninstall.ts';
import type { ToolIo } from './io.ts';

interface Flags {
  readonly yes?: boolean;
  readonly purgeData?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  sudo tsredis uninstall 6379                      show what goes, ask, then remove it
  sudo tsredis uninstall 6379 --yes --purge-data   the data and the log, too

Files that were changed since setup wrote them are kept and named. Data stays unless --purge-data is given.
Exit status: 0 removed, 2 wrong arguments, 4 not permitted, 5 no such instance, 6 no receipt, 130 cancelled.`;

export function uninstallCommand(io: ToolIo): Command {
  return new Command('uninstall')
    .argument('<port>', 'port of the instance')
    .description('stop an instance and remove what setup made for it')
    .option('-y, --yes', 'ask nothing')
    .option('--purge-data', 'remove the data and the log, too')
    .option('--dry-run', 'show what would be removed and stop')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action((port: string, flags: Flags) => uninstall(io, Number(checkPort(port)), flags));
}

async function uninstall(io: ToolIo, port: number, flags: Flags): Promise<void> {
  const { host } = io;
  const { instance, manager: managerName } = findRecord(host, port);
  if (instance.scope === 'system' && host.userId !== 0) throw new OpsError('not-root', { what: 'removing a service' });
  const manager = findManager(managerName);
  const paths = instancePaths(host, instance.scope, port);
  const receipt = readReceipt(host, paths.receiptFile);
  if (receipt === undefined) throw new OpsError('receipt-missing', { path: paths.receiptFile });
  const others = otherReceipts(host, instance.scope, port);
  const options = { keepShared: others.length > 0, purgeData: flags.purgeData ?? false };
  const planned = planRemoval(receipt, options);
  if (!flags.json) for (const removal of planned) show(io, removal);
  if (flags.dryRun) {
    io.print(
      flags.json ? JSON.stringify({ dryRun: true, removals: planned }, null, 2) : 'dry run: nothing was removed',
    );
    return;
  }
  await askConsent(io, instance, flags);
  const stopped = await stopInstance(host, instance, manager);
  await runCommands(host, manager.disable(instance, host), commandSeconds);
  // Stopping may have written a dump. The receipt goes once all it names is gone, but before its directory.
  const removals = planRemoval(receipt, options);
  const files = removePlanned(removals.filter(({ kind }) => kind !== 'directory'));
  for (const path of [...runtimeFiles(instance), paths.receiptFile]) removeFile(path);
  const [heir] = others;
  if (heir !== undefined) {
    const path = instancePaths(host, instance.scope, heir.port).receiptFile;
    writeWhole(path, Buffer.from(receiptText(inherit(heir, receipt))), 0o644, undefined);
  }
  const directories = removePlanned(removals.filter(({ kind }) => kind === 'directory'));
  await runCommands(host, manager.forget(instance, host), commandSeconds);
  await removeUser(host, receipt, others);
  report(io, instance, [...files, ...directories], { ...flags, stoppedPid: stopped.pid });
}

const commandSeconds = 60;

function show(io: ToolIo, { action, path, note }: Removal): void {
  if (action !== 'gone') io.print(`${action.padEnd(8)} ${path}${note === undefined ? '' : ` (${note})`}`);
}

async function askConsent(io: ToolIo, instance: Instance, flags: Flags): Promise<void> {
  if (flags.yes) return;
  if (io.asker === undefined) throw new OpsError('answer-required', { question: 'Removing an instance' });
  const data = flags.purgeData ? ' and its data' : '';
  if (!(await io.asker.confirm(`Stop and remove ${instance.service}${data}?`))) throw new OpsError('cancelled', {});
}

function otherReceipts(host: Host, scope: Scope, port: number): Receipt[] {
  return loadRecords(host)
    .filter(({ instance }) => instance.scope === scope && instance.port !== port)
    .flatMap(({ instance }) => readReceipt(host, instancePaths(host, scope, instance.port).receiptFile) ?? []);
}

/** The user goes with the last instance, if setup created it. */
async function removeUser(host: Host, receipt: Receipt, others: readonly Receipt[]): Promise<void> {
  if (receipt.createdUser === undefined || others.length > 0) return;
  await runCommands(host, removeUserCommands(host, receipt.createdUser), commandSeconds);
}

function report(
  io: ToolIo,
  instance: Instance,
  removals: readonly Removal[],
  flags: Flags & { readonly stoppedPid: number | null },
): void {
  if (flags.json) {
    io.print(JSON.stringify({ service: instance.service, stoppedPid: flags.stoppedPid, removals }, null, 2));
    return;
  }
  const kept = removals.filter(({ action, kind }) => action === 'keep' && kind !== 'directory');
  io.print(
    `${instance.service} is removed${flags.purgeData ? ' with its data' : `; its data stays in ${instance.dataDirectory}`}`,
  );
  for (const { path, note } of kept) io.print(`kept ${path}: ${note}`);
}
