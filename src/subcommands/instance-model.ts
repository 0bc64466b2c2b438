// From answers to the one model of an instance: its program, its user, its configuration and the files it needs.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Directive } from '../../server/config/directive.ts';
import { type DirectiveName, directives } from '../../server/config/directives.ts';
import type { Settings } from '../../server/config/settings.ts';
import { OpsError } from '../errors.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Host } from '../host/host.ts';
import { instancePaths, programPaths, type Scope } from '../host/paths.ts';
import { type Command, createUserCommands, findUser, groupName } from '../host/users.ts';
import { type Payload, packageRoot, programFile } from '../install/payload.ts';
import { createInstance, type Executable, type Instance, speaksToSystemd } from '../service/instance.ts';
import type { AnswerName, Answers } from '../setup/answers.ts';
import { type Assignment, parseConf, renderConf } from '../setup/conf.ts';
import { type ChosenProgram, checkReachable, unknownToBinary, unreachable } from '../setup/executable.ts';
import { type Ids, readBytes, sha256 } from '../setup/files.ts';
import type { Owners } from '../setup/plan.ts';
import { type Receipt, recordedHash } from '../setup/receipt.ts';

/** The user a service of the system runs as. */
export interface ServiceUser {
  readonly name: string;
  readonly group: string;
  /** Undefined when it is yet to be created by `commands`. */
  readonly ids: Ids | undefined;
  readonly commands: readonly Command[];
}

/** An existing `redis`, else `tsredis`, which is created when it is not there. */
export async function chooseUser(host: Host, recorded: string | undefined, home: string): Promise<ServiceUser> {
  for (const name of new Set([recorded ?? 'redis', 'tsredis'])) {
    const entry = await findUser(host, name);
    if (entry === undefined) continue;
    const ids = { userId: entry.userId, groupId: entry.groupId };
    return { name, group: await groupName(host, entry.groupId), ids, commands: [] };
  }
  const commands = await createUserCommands(host, 'tsredis', home);
  return { name: 'tsredis', group: 'tsredis', ids: undefined, commands };
}

export function ownersOf(user: ServiceUser | undefined): Owners | undefined {
  return user === undefined ? undefined : { root: { userId: 0, groupId: 0 }, service: user.ids };
}

/** The program that the service runs, and the Node to copy along when services could not reach the present one. */
export interface PlacedProgram {
  readonly executable: Executable;
  readonly copiesNode: boolean;
}

export async function placeProgram(
  host: Host,
  facts: HostFacts,
  scope: Scope,
  program: ChosenProgram,
  payload: Payload | undefined,
  user: ServiceUser | undefined,
): Promise<PlacedProgram> {
  if (program.kind === 'redis' || payload === undefined) {
    const path = program.kind === 'redis' ? program.path : '';
    checkReachable(host.realPath(path), user?.ids, scope === 'system');
    return { executable: { kind: 'redis', path, notifies: await speaksToSystemd(host, path) }, copiesNode: false };
  }
  const { current } = programPaths(host, scope, payload.version);
  const copiesNode = scope === 'system' && unreachable(facts.nodePath, user?.ids) !== undefined;
  const nodePath = copiesNode ? join(current, 'bin/node') : facts.nodePath;
  const serverPath = join(current, programFile('tsredis-server'));
  return { executable: { kind: 'bundled', nodePath, serverPath }, copiesNode };
}

export interface ConfRequest {
  readonly scope: Scope;
  readonly answers: Answers;
  readonly explicit: ReadonlySet<AnswerName>;
  readonly receipt: Receipt | undefined;
  readonly bind: readonly string[];
  readonly settings: readonly Assignment[];
  readonly minimal: boolean;
  readonly overwrite: boolean;
  readonly program: ChosenProgram;
}

export interface ConfResult {
  /** What tsredis would write. */
  readonly text: string;
  /** The configuration as it will be: the new text, or the file that is kept. */
  readonly settings: Settings;
  readonly generatedPassword: string | undefined;
  readonly warnings: readonly string[];
}

/** Writes the configuration and has it read by the table, and by the very binary when it is another one. */
export async function makeConf(host: Host, request: ConfRequest): Promise<ConfResult> {
  const { answers } = request;
  const old = readBytes(answers.confFile)?.toString('utf8');
  const secrets = old === undefined ? [] : secretsOf(parseConf(answers.confFile, old, host));
  const password = choosePassword(host, request, secrets);
  const assignments = assignmentsOf(host, request, password.text, secrets);
  const options = {
    title: `The Redis-compatible server on port ${answers.port}. Written by tsredis-setup.`,
    notes: ['Lines that begin with # are not in force: they show the default.', 'CONFIG REWRITE may change this file.'],
    minimal: request.minimal,
  };
  let text = renderConf(assignments, options);
  const isOurs = old === undefined || recordedHash(request.receipt, answers.confFile) === sha256(old);
  if (old !== undefined && !isOurs && !request.overwrite && old !== text) {
    const settings = parseConf(answers.confFile, old, host);
    checkKept(request, settings);
    return { text, settings, generatedPassword: undefined, warnings: [] };
  }
  const settings = parseConf(answers.confFile, text, host);
  const warnings: string[] = [];
  if (request.program.kind === 'redis') {
    const { path, version } = request.program;
    const unknown = await unknownToBinary(host, path, answers.confFile, text);
    for (const line of unknown) warnings.push(`${path} (${version}) does not know "${line}": left out`);
    text = dropLines(text, unknown);
  }
  return { text, settings, generatedPassword: password.generated ? password.text : undefined, warnings };
}

/** The instance as every service manager needs it. */
export function modelInstance(
  host: Host,
  scope: Scope,
  answers: Answers,
  executable: Executable,
  user: ServiceUser | undefined,
  settings: Settings,
): Instance {
  const absolute = (path: string, otherwise: string) => (isAbsolute(path) ? path : otherwise);
  return createInstance(host, scope, answers.port, executable, {
    confFile: answers.confFile,
    dataDirectory: absolute(settings.string('dir'), answers.dataDirectory),
    logFile: absolute(settings.string('logfile'), answers.logFile),
    user: user?.name,
    group: user?.group,
    openFilesMax: settings.maxclients + 32,
    socketPath: settings.unixsocket === '' ? undefined : settings.string('unixsocket'),
    loopbackOnly: isLoopback(settings.bind),
  });
}

const isLoopback = (addresses: readonly string[]): boolean =>
  addresses.length > 0 && addresses.every((address) => /^-?(127\.|::1$|localhost$)/.test(address));

/** `name=value words` as --set takes it. */
export function parseAssignment(text: string): Assignment {
  const match = /^([\w-]+)=(.*)$/s.exec(text);
  if (!match) throw new OpsError('usage', { detail: `--set takes name=value, not ${text}` });
  const value = match[2] as string;
  return [match[1] as string, value === '' ? [''] : value.split(' ')];
}

export const defaultAnswers = (host: Host, scope: Scope, port: number, receipt: Receipt | undefined) => {
  const paths = instancePaths(host, scope, port);
  return {
    port: String(port),
    confFile: receipt?.answers.confFile ?? paths.confFile,
    logFile: receipt?.answers.logFile ?? paths.logFile,
    dataDirectory: receipt?.answers.dataDirectory ?? paths.dataDirectory,
    executable: receipt?.answers.executable ?? 'bundled',
  };
};

/** Paths under which the bundled server goes: in this package, and where it was placed before. */
export function bundledPaths(host: Host, scope: Scope, root = packageRoot()): string[] {
  const file = programFile('tsredis-server');
  return [join(root, file), join(programPaths(host, scope, '0').current, file)];
}

function assignmentsOf(
  host: Host,
  request: ConfRequest,
  password: string,
  secrets: readonly Assignment[],
): Assignment[] {
  const { answers } = request;
  const given = new Set(request.settings.map(([name]) => name));
  // Receipts hold no secrets: the file itself remembers them.
  const settings = [...request.settings, ...secrets.filter(([name]) => name !== 'requirepass' && !given.has(name))];
  const own: Assignment[] = [
    ['bind', request.bind],
    ['protected-mode', ['yes']],
    ['port', [String(answers.port)]],
    ['daemonize', ['yes']],
    ['pidfile', [instancePaths(host, request.scope, answers.port).pidFile]],
    ['logfile', [answers.logFile]],
    ['dir', [answers.dataDirectory]],
    ...(password === '' ? [] : ([['requirepass', [password]]] as Assignment[])),
  ];
  const further = new Set(settings.map(([name]) => name));
  const fixed = ['port', 'dir', 'logfile', 'pidfile', 'bind', 'requirepass'].find((name) => further.has(name));
  if (fixed !== undefined) {
    throw new OpsError('usage', { detail: `--set ${fixed} has a flag or variable of its own: see --help` });
  }
  return [...own.filter(([name]) => !further.has(name)), ...settings];
}

/** A server that others can reach has a password: the given one, the one it has, or a new one. */
function choosePassword(host: Host, request: ConfRequest, secrets: readonly Assignment[]) {
  const file = host.env['REDIS_PASSWORD_FILE'];
  const given = file === undefined ? host.env['REDIS_PASSWORD'] : readPassword(file);
  if (given !== undefined && given !== '') return { text: given, generated: false };
  const old = secrets.find(([name]) => name === 'requirepass')?.[1][0] ?? '';
  if (old !== '' || isLoopback(request.bind)) return { text: old, generated: false };
  return { text: randomBytes(24).toString('base64url'), generated: true };
}

function readPassword(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new OpsError('file-not-readable', { path, reason: (error as NodeJS.ErrnoException).code ?? 'unknown' });
  }
}

/** The directives of a configuration that hold secrets. */
function secretsOf(settings: Settings): Assignment[] {
  return (directives as readonly Directive[]).flatMap((directive): Assignment[] => {
    const isSet = directive.sensitive && !directive.kind.equal(settings.value(directive), directive.initial);
    return isSet ? [[directive.name, [settings.string(directive.name as DirectiveName)]]] : [];
  });
}

/** A configuration that is kept has to be the one for this instance. */
function checkKept({ answers, explicit }: ConfRequest, settings: Settings): void {
  const refuse = (reason: string) => new OpsError('conf-invalid', { path: answers.confFile, line: '-', reason });
  if (settings.port !== answers.port) {
    throw refuse(`it is for port ${settings.port}, not ${answers.port}; choose another with --config-file`);
  }
  for (const [name, directive, path] of [
    ['dataDirectory', 'dir', answers.dataDirectory],
    ['logFile', 'logfile', answers.logFile],
  ] as const) {
    const kept = settings.string(directive);
    if (!explicit.has(name) || kept === path || !isAbsolute(kept)) continue;
    throw refuse(`it sets ${directive} ${kept}, not ${path}; --overwrite replaces it after a backup`);
  }
}

function dropLines(text: string, unknown: readonly string[]): string {
  const gone = new Set(unknown);
  return text
    .split('\n')
    .filter((line) => !gone.has(line.trim()))
    .join('\n');
}
