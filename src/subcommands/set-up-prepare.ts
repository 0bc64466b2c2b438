// Decides everything about a setup and compares it with the machine. Nothing is changed here.
import { OpsError } from '../errors.ts';
import { gatherFacts, type HostFacts } from '../host/facts.ts';
import { instancePaths, type Scope } from '../host/paths.ts';
import type { Command } from '../host/users.ts';
import { readPayload } from '../install/payload.ts';
import type { Instance } from '../service/instance.ts';
import { findInstanceProcess } from '../service/liveness.ts';
import type { ManagerContext, ServiceManager } from '../service/manager.ts';
import { detectManager, findManager } from '../service/managers.ts';
import { findRecord, type InstanceRecord } from '../service/registry.ts';
import { probeSandbox } from '../service/systemd.ts';
import { type CollectedAnswers, collectAnswers, type GivenAnswers } from '../setup/answers.ts';
import { type Assignment, maskSecret } from '../setup/conf.ts';
import { chooseProgram } from '../setup/executable.ts';
import { type Change, isChange, planChanges } from '../setup/plan.ts';
import { type PreflightTarget, preflight } from '../setup/preflight.ts';
import { type Receipt, readReceipt } from '../setup/receipt.ts';
import { instanceItems } from './instance-items.ts';
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
export interface Prepared {
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

/** Loopback, IPv6 only where there is one. */
const loopback = ['127.0.0.1', '-::1'];

export async function prepare(io: ToolIo, options: SetupOptions): Promise<Prepared> {
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
  const manager = chooseManager(facts, scope, options.manager, record);
  const program = await chooseProgram(host, answers.executable, bundledPaths(host, scope, io.packageRoot));
  const payload = program.kind === 'bundled' ? readPayload(io.packageRoot) : undefined;
  const user = scope === 'system' ? await chooseUser(host, record?.instance.user, answers.dataDirectory) : undefined;
  const placed = await placeProgram(host, facts, scope, program, payload, user);
  const wishes = {
    bind: options.bind ?? receipt?.answers.bind ?? loopback,
    settings: mergeSettings(receipt?.answers.settings ?? [], options.settings),
    minimal: options.minimal ?? receipt?.answers.minimal ?? false,
  };
  const { overwrite } = options;
  const conf = await makeConf(host, { scope, answers, explicit, receipt, ...wishes, overwrite, program });
  const instance = modelInstance(host, scope, answers, placed.executable, user, conf.settings);
  const items = instanceItems({
    host,
    scope,
    instance,
    manager,
    context: await managerContext(io, facts, manager, scope),
    confText: conf.text,
    payload,
    nodeToCopy: placed.copiesNode ? facts.nodePath : undefined,
    linkRedisNames: options.linkRedisNames || hasRedisLinks(receipt),
  });
  const timestamp = new Date(host.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const changes = planChanges(items, { receipt, owners: ownersOf(user), overwrite, timestamp, mask: maskSecret });
  const runningPid = await findRunning(io, record, instance, manager);
  const found = await preflight(host, preflightTarget(scope, instance, changes, runningPid, user));
  const warnings = [...found, ...conf.warnings];
  const version = payload?.version ?? (program.kind === 'redis' ? program.version : '');
  const decided = { scope, collected, instance, manager, user, conf, receipt, record, changes, warnings };
  return { ...decided, ...wishes, runningPid, version };
}

function preflightTarget(
  scope: Scope,
  instance: Instance,
  changes: readonly Change[],
  ownPid: number | undefined,
  user: ServiceUser | undefined,
): PreflightTarget {
  const { port, confFile, logFile, dataDirectory } = instance;
  const paths = (list: readonly Change[]) => list.map((change) => change.item.path);
  const isSystem = scope === 'system';
  const writes = paths(changes.filter(isChange));
  return { port, confFile, logFile, dataDirectory, ownPid, user: user?.ids, isSystem, writes, planned: paths(changes) };
}

export const hasChanges = (prepared: Prepared): boolean => prepared.changes.some(isChange);

function recordOf(io: ToolIo, port: number, scope: Scope): InstanceRecord | undefined {
  try {
    const record = findRecord(io.host, port);
    return record.instance.scope === scope ? record : undefined;
  } catch (error) {
    if (error instanceof OpsError && error.code === 'instance-unknown') return undefined;
    throw error;
  }
}

/** The manager asked for, else the one it has, else what runs here. */
function chooseManager(
  facts: HostFacts,
  scope: Scope,
  asked: string | undefined,
  record: InstanceRecord | undefined,
): ServiceManager {
  if (record !== undefined && asked !== undefined && asked !== record.manager) {
    const { port, confFile } = record.instance;
    throw new OpsError('instance-exists', { port, conf: `${confFile}, ${record.manager}` });
  }
  const name = asked ?? record?.manager;
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

export const serviceChanged = (prepared: Prepared): boolean =>
  prepared.changes.some((change) => isChange(change) && isServiceFile(prepared, change.item.path));

function isServiceFile(prepared: Prepared, path: string): boolean {
  const { changes } = prepared;
  return changes.some(
    ({ item }) => item.kind === 'file' && item.path === path && item.foreign === 'refuse' && item.restarts,
  );
}

/** Something a running server has already read. */
export const needsRestart = (prepared: Prepared): boolean =>
  prepared.changes.some(
    (change) => isChange(change) && change.action !== 'adjust' && 'restarts' in change.item && change.item.restarts,
  );

export function plannedCommands(io: ToolIo, prepared: Prepared): Command[] {
  const { instance, manager, user, runningPid } = prepared;
  const enable = serviceChanged(prepared) ? manager.enable(instance, io.host) : [];
  const start = manager.startCommands(instance, io.host);
  const again = needsRestart(prepared);
  if (runningPid === undefined) return [...(user?.commands ?? []), ...enable, ...start];
  const restart: Command[] = again ? [{ file: 'tsredis', args: ['service', 'restart', String(instance.port)] }] : [];
  return [...enable, ...restart];
}
