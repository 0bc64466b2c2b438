// Sets an instance up: answers -> model -> plan -> (shown) -> applied -> started -> proved -> receipt; on a failure
// everything is put back.
import { OpsError } from '../errors.ts';
import { gatherFacts, type HostFacts } from '../host/facts.ts';
import { instancePaths, type Scope } from '../host/paths.ts';
import { type Command, findUser, removeUserCommands } from '../host/users.ts';
import { readPayload } from '../install/payload.ts';
import { restartInstance, runtimeFiles, startInstance, stopInstance } from '../service/control.ts';
import type { Instance } from '../service/instance.ts';
import { findInstanceProcess } from '../service/liveness.ts';
import { type ManagerContext, runCommands, type ServiceManager } from '../service/manager.ts';
import { detectManager, findManager } from '../service/managers.ts';
import { findRecord, type InstanceRecord } from '../service/registry.ts';
import { probeSandbox } from '../service/systemd.ts';
import { type CollectedAnswers, collectAnswers, type GivenAnswers } from '../setup/answers.ts';
import { applyChanges, Journal, receiptEntries } from '../setup/apply.ts';
import { type Assignment, maskSecret } from '../setup/conf.ts';
import { chooseProgram } from '../setup/executable.ts';
import { removeFile, writeWhole } from '../setup/files.ts';
import { type Change, isChange, planChanges } from '../setup/plan.ts';
import { preflight } from '../setup/preflight.ts';
import { type Receipt, readReceipt, receiptText } from '../setup/receipt.ts';
import { planDocument, planLines } from '../setup/show.ts';
import { instanceItems, isShared } from './instance-items.ts';
import {
  bundledPaths,
  type ConfResult,
  chooseUser,
  defaultAnswers,
  makeConf,
  modelInstance,
  ownersOf,
  placeProgram,
  type ServiceUser,
} from './instance-model.ts';
import type { ToolIo } from './io.ts';
import { proveInstance } from './prove.ts';

export interface SetupOptions {
  readonly given: GivenAnswers;
  /** Set up for the present user even as root. */
  readonly userScope: boolean;
  /** Undefined: as before, else loopback. */
  readonly bind: readonly string[] | undefined;
  readonly settings: readonly Assignment[];
  readonly manager: string | undefined;
  readonly minimal: boolean | undefined;
  readonly overwrite: boolean;
  readonly linkRedisNames: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Everything decided, nothing done. */
interface Prepared {
  readonly scope: Scope;
  readonly collected: CollectedAnswers;
  readonly instance: Instance;
  readonly manager: ServiceManager;
  readonly user: ServiceUser | undefined;
  readonly conf: ConfResult;
  readonly receipt: Receipt | undefined;
  readonly record: InstanceRecord | undefined;
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
  /** Pid of the instance as it runs now. */
  readonly runningPid: number | undefined;
  readonly version: string;
  readonly bind: readonly string[];
  readonly settings: readonly Assignment[];
  readonly minimal: boolean;
}

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

/** Loopback, IPv6 only where there is one. */
const loopback = ['127.0.0.1', '-::1'];

/** Resolves to what was done; undefined for a dry run. Throws OpsError with everything put back. */
export async function setUp(io: ToolIo, options: SetupOptions): Promise<SetupOutcome | undefined> {
  const prepared = await prepare(io, options);
  const commands = plannedCommands(io, prepared);
  const plan = {
    service: prepared.instance.service,
    changes: prepared.changes,
    commands,
    warnings: prepared.warnings,
    serviceUser: prepared.user?.name,
  };
  if (!options.json) for (const line of planLines(plan, options.dryRun)) io.print(line);
  if (options.dryRun) {
    if (options.json) io.print(JSON.stringify({ dryRun: true, ...planDocument(plan) }, null, 2));
    else io.print(commands.length === 0 && !hasChanges(prepared) ? 'nothing to do' : 'dry run: nothing was changed');
    return undefined;
  }
  const needsConsent = prepared.collected.asked && !options.yes && (hasChanges(prepared) || commands.length > 0);
  if (needsConsent && !(await io.asker?.confirm('Do this now?'))) throw new OpsError('cancelled', {});
  const outcome = await perform(io, prepared);
  if (options.json) io.print(JSON.stringify({ ...reportDocument(outcome), plan: planDocument(plan) }, null, 2));
  return outcome;
}

const hasChanges = (prepared: Prepared): boolean => prepared.changes.some(isChange);

async function prepare(io: ToolIo, options: SetupOptions): Promise<Prepared> {
  const { host } = io;
  const facts = await gatherFacts(host);
  const scope: Scope = facts.isRoot && !options.userScope ? 'system' : 'user';
  const receiptOf = (port: number) => readReceipt(host, instancePaths(host, scope, port).receiptFile);
  const collected = await collectAnswers({
    flags: options.given,
    env: host.env,
    asker: io.asker,
    acceptDefaults: options.yes,
    defaults: (port) => defaultAnswers(host, scope, port, receiptOf(port)),
  });
  const { answers, explicit } = collected;
  const receipt = receiptOf(answers.port);
  const record = recordOf(io, answers.port, scope);
  if (record !== undefined && options.manager !== undefined && options.manager !== record.manager) {
    throw new OpsError('instance-exists', {
      port: answers.port,
      conf: `${record.instance.confFile}, ${record.manager}`,
    });
  }
  const manager = chooseManager(facts, scope, options.manager ?? record?.manager);
  const program = await chooseProgram(host, answers.executable, bundledPaths(host, scope, io.packageRoot));
  const payload = program.kind === 'bundled' ? readPayload(io.packageRoot) : undefined;
  const user = scope === 'system' ? await chooseUser(host, record?.instance.user, answers.dataDirectory) : undefined;
  const placed = await placeProgram(host, facts, scope, program, payload, user);
  const bind = options.bind ?? receipt?.answers.bind ?? loopback;
  const settings = mergeSettings(receipt?.answers.settings ?? [], options.settings);
  const minimal = options.minimal ?? receipt?.answers.minimal ?? false;
  const conf = await makeConf(host, {
    scope,
    answers,
    explicit,
    receipt,
    bind,
    settings,
    minimal,
    overwrite: options.overwrite,
    program,
  });
  const instance = modelInstance(host, scope, answers, placed.executable, user, conf.settings);
  const changes = planChanges(
    instanceItems({
      host,
      scope,
      instance,
      manager,
      context: await managerContext(io, facts, manager, scope),
      confText: conf.text,
      payload,
      nodeToCopy: placed.copiesNode ? facts.nodePath : undefined,
      linkRedisNames: options.linkRedisNames || hasRedisLinks(receipt),
    }),
    {
      receipt,
      owners: ownersOf(user),
      overwrite: options.overwrite,
      timestamp: new Date(host.now()).toISOString().replace(/[-:]|\.\d+/g, ''),
      mask: maskSecret,
    },
  );
  const runningPid = await findRunning(io, record, instance, manager);
  const warnings = await preflight(host, {
    port: answers.port,
    confFile: instance.confFile,
    logFile: instance.logFile,
    dataDirectory: instance.dataDirectory,
    ownPid: runningPid,
    user: user?.ids,
    isSystem: scope === 'system',
    writes: changes.filter(isChange).map((change) => change.item.path),
    planned: changes.map((change) => change.item.path),
  });
  return {
    scope,
    collected,
    instance,
    manager,
    user,
    conf,
    receipt,
    record,
    changes,
    warnings: [...warnings, ...conf.warnings],
    runningPid,
    version: payload?.version ?? (program.kind === 'redis' ? program.version : ''),
    bind,
    settings,
    minimal,
  };
}

function recordOf(io: ToolIo, port: number, scope: Scope): InstanceRecord | undefined {
  try {
    const record = findRecord(io.host, port);
    return record.instance.scope === scope ? record : undefined;
  } catch (error) {
    if (error instanceof OpsError && error.code === 'instance-unknown') return undefined;
    throw error;
  }
}

function chooseManager(facts: HostFacts, scope: Scope, name: string | undefined): ServiceManager {
  if (name === undefined) return detectManager(facts, scope);
  const manager = findManager(name);
  const reason = manager.unusable(facts, scope);
  if (reason !== undefined) throw new OpsError('no-manager', { service: `an instance with ${name}`, reason });
  return manager;
}

async function managerContext(
  io: ToolIo,
  facts: HostFacts,
  manager: ServiceManager,
  scope: Scope,
): Promise<ManagerContext> {
  const isReal = manager.name === 'systemd' && scope === 'system';
  return { facts, sandbox: isReal ? await probeSandbox(io.host) : 'reduced' };
}

async function findRunning(
  io: ToolIo,
  record: InstanceRecord | undefined,
  instance: Instance,
  manager: ServiceManager,
): Promise<number | undefined> {
  if (record === undefined) return undefined;
  const known = await manager.mainPid(io.host, record.instance);
  const liveness = await findInstanceProcess(io.host, record.instance, known);
  return liveness.process?.pid ?? (await findInstanceProcess(io.host, instance, known)).process?.pid;
}

/** Later words win, by name. */
function mergeSettings(
  recorded: readonly (readonly [string, readonly string[]])[],
  given: readonly Assignment[],
): Assignment[] {
  const names = new Set(given.map(([name]) => name));
  return [...recorded.filter(([name]) => !names.has(name)), ...given];
}

const hasRedisLinks = (receipt: Receipt | undefined): boolean =>
  receipt?.entries.some(({ kind, path }) => kind === 'link' && /\/redis-[a-z-]+$/.test(path)) ?? false;

const serviceChanged = (prepared: Prepared): boolean =>
  prepared.changes.some((change) => isChange(change) && isServiceFile(prepared, change.item.path));

function isServiceFile(prepared: Prepared, path: string): boolean {
  const { changes } = prepared;
  return changes.some(
    ({ item }) => item.kind === 'file' && item.path === path && item.foreign === 'refuse' && item.restarts,
  );
}

/** Something a running server has already read. */
const needsRestart = (prepared: Prepared): boolean =>
  prepared.changes.some(
    (change) => isChange(change) && change.action !== 'adjust' && 'restarts' in change.item && change.item.restarts,
  );

function plannedCommands(io: ToolIo, prepared: Prepared): Command[] {
  const { instance, manager, user, runningPid } = prepared;
  const enable = serviceChanged(prepared) ? manager.enable(instance, io.host) : [];
  const start = manager.startCommands(instance, io.host);
  const again = needsRestart(prepared);
  if (runningPid === undefined) return [...(user?.commands ?? []), ...enable, ...start];
  const restart: Command[] = again ? [{ file: 'tsredis', args: ['service', 'restart', String(instance.port)] }] : [];
  return [...enable, ...restart];
}

async function perform(io: ToolIo, prepared: Prepared): Promise<SetupOutcome> {
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

function reportDocument(outcome: SetupOutcome): object {
  const { instance, manager, changed, started, pid, answer, generatedPassword } = outcome;
  return {
    service: instance.service,
    port: instance.port,
    manager,
    changed,
    started,
    pid,
    answer,
    confFile: instance.confFile,
    dataDirectory: instance.dataDirectory,
    logFile: instance.logFile,
    ...(generatedPassword === undefined ? {} : { generatedPassword }),
  };
}
