// Makes a prepared setup true: files, service, start, proof, receipt. When a step fails, everything is put back.
import { OpsError } from '../errors.ts';
import { instancePaths } from '../host/paths.ts';
import { findUser, removeUserCommands } from '../host/users.ts';
import { restartInstance, runtimeFiles, startInstance, stopInstance } from '../service/control.ts';
import type { Instance } from '../service/instance.ts';
import { runCommands } from '../service/manager.ts';
import { findManager } from '../service/managers.ts';
import { applyChanges, Journal, receiptEntries } from '../setup/apply.ts';
import { maskSecret } from '../setup/conf.ts';
import { removeFile, writeWhole } from '../setup/files.ts';
import { receiptText } from '../setup/receipt.ts';
import { isShared } from './instance-items.ts';
import { ownersOf } from './instance-model.ts';
import type { ToolIo } from './io.ts';
import { proveInstance } from './prove.ts';
import { hasChanges, needsRestart, type Prepared, serviceChanged } from './set-up-prepare.ts';

/** What was done, for the report. */
export interface SetupOutcome {
  readonly instance: Instance;
  readonly manager: string;
  readonly changed: boolean;
  readonly started: boolean;
  readonly pid: number | null;
  readonly answer: string | null;
  readonly generatedPassword: string | undefined;
}

/** Throws OpsError with everything put back. */
export async function perform(io: ToolIo, prepared: Prepared): Promise<SetupOutcome> {
  const journal = new Journal();
  const { instance, manager, runningPid } = prepared;
  const changed = hasChanges(prepared);
  let touchedService = false;
  try {
    await makeFiles(io, prepared, journal);
    const again = runningPid !== undefined && needsRestart(prepared);
    touchedService = runningPid === undefined || again;
    const started = again
      ? await restartInstance(io.host, instance, manager)
      : await startInstance(io.host, instance, manager);
    const answer = await proveInstance(instance, started.pid, prepared.conf.settings.string('requirepass'));
    if (changed || prepared.receipt === undefined) writeReceipt(io, prepared);
    return {
      instance,
      manager: manager.name,
      changed,
      started: touchedService,
      pid: started.pid,
      answer,
      generatedPassword: changed ? prepared.conf.generatedPassword : undefined,
    };
  } catch (error) {
    await putBack(io, prepared, journal, touchedService);
    throw error;
  }
}

const commandSeconds = 60;

async function makeFiles(io: ToolIo, prepared: Prepared, journal: Journal): Promise<void> {
  const { host } = io;
  const { instance, manager, user, changes } = prepared;
  let owners = ownersOf(user);
  if (user !== undefined && user.commands.length > 0) {
    journal.note(() => runCommands(host, removeUserCommands(host, user.name), commandSeconds));
    await runCommands(host, user.commands, commandSeconds);
    const entry = await findUser(host, user.name);
    if (entry === undefined) throw new OpsError('user-missing', { user: user.name });
    owners = { root: { userId: 0, groupId: 0 }, service: { userId: entry.userId, groupId: entry.groupId } };
  }
  const isNew = prepared.record === undefined;
  const registers = serviceChanged(prepared);
  // Undone last, when the files are as before.
  if (registers) {
    const after = isNew ? manager.forget(instance, host) : manager.enable(instance, host);
    journal.note(() => runCommands(host, after, commandSeconds));
  }
  applyChanges(changes, owners, journal);
  if (!registers) return;
  if (isNew) journal.note(() => runCommands(host, manager.disable(instance, host), commandSeconds));
  await runCommands(host, manager.enable(instance, host), commandSeconds);
}

/** Stops what was started, undoes every step, and starts the instance as it was before. */
async function putBack(io: ToolIo, prepared: Prepared, journal: Journal, touchedService: boolean): Promise<void> {
  const { host } = io;
  const { instance, manager, record, runningPid } = prepared;
  const failures: string[] = [];
  const attempt = async (action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  };
  if (touchedService) await attempt(() => stopInstance(host, instance, manager));
  if (record === undefined && touchedService) for (const path of runtimeFiles(instance)) removeFile(path);
  failures.push(...(await journal.undo()));
  if (touchedService && runningPid !== undefined && record !== undefined) {
    await attempt(() => startInstance(host, record.instance, findManager(record.manager)));
  }
  io.print(failures.length === 0 ? 'everything was put back as it was' : 'not everything could be put back:');
  for (const failure of failures) io.print(`  ${failure}`);
}

function writeReceipt(io: ToolIo, prepared: Prepared): void {
  const { host } = io;
  const { instance, scope, receipt, user, collected } = prepared;
  const { confFile, logFile, dataDirectory } = collected.answers;
  const executable = instance.executable.kind === 'redis' ? instance.executable.path : undefined;
  const createdUser = receipt?.createdUser ?? (user !== undefined && user.commands.length > 0 ? user.name : undefined);
  const text = receiptText({
    format: 1,
    port: instance.port,
    service: instance.service,
    version: prepared.version,
    createdAt: new Date(host.now()).toISOString(),
    answers: {
      confFile,
      logFile,
      dataDirectory,
      executable,
      bind: prepared.bind,
      // Secrets are in the configuration alone.
      settings: prepared.settings.filter((item) => maskSecret(`${item[0]} x`) === `${item[0]} x`),
      minimal: prepared.minimal,
    },
    entries: receiptEntries(prepared.changes, receipt?.entries ?? [], isShared(host, scope)),
    createdUser,
  });
  writeWhole(instancePaths(host, scope, instance.port).receiptFile, Buffer.from(text), 0o644, undefined);
}
