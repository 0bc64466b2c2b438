// Users at run time: who may log in, what each connection may do, what was denied; the ACL file and the user lines of
// the configuration.

import { readFileSync } from 'node:fs';
import { AclCatalog } from '../commands/acl-catalog.ts';
import { AclLog, type AclLogReason } from '../commands/acl-log.ts';
import { AclProblem } from '../commands/acl-permissions.ts';
import { type AclReason, hasSpaces } from '../commands/acl-selector.ts';
import { type AclDefaults, AclUser, mergeSelectors } from '../commands/acl-user.ts';
import type { Context } from '../commands/context.ts';
import type { RequestView } from '../commands/key-positions.ts';
import type { Command } from '../commands/registry.ts';
import type { AccessService, AuthService, Services } from '../commands/services.ts';
import type { Session } from '../commands/session.ts';
import { parseUserFile } from './acl-file.ts';
import { replaceFile } from './replace-file.ts';

const DEFAULT = 'default';
const BOTH_SOURCES =
  'Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. This setup is very likely to lead to configuration errors and security holes, please define either an ACL file or declare users directly in your redis.conf, but not both.';
const NO_FILE =
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.';

/** What access control needs of the server. */
export type AclHost = Pick<Services, 'settings' | 'clients' | 'now' | 'randomBytes' | 'log'> & {
  /** The request being served. */
  readonly context: Context;
};

export class AccessControl implements AuthService, AccessService {
  readonly catalog = new AclCatalog();
  readonly log = new AclLog();
  /** How often each was denied. */
  readonly denied: Record<AclLogReason, number> = { auth: 0, command: 0, key: 0, channel: 0 };
  private readonly host: AclHost;
  private readonly defaults: AclDefaults;
  private readonly byName = new Map<string, AclUser>();
  /** Always there, and always this object. */
  private readonly defaultUser: AclUser;
  private readonly nobody: AclUser;

  constructor(host: AclHost) {
    this.host = host;
    this.defaults = {
      catalog: this.catalog,
      allChannels: () => host.settings.aclPubsubDefault === 'allchannels',
    };
    this.defaultUser = createDefaultUser(this.defaults);
    this.nobody = new AclUser('', this.defaults);
    this.byName.set(DEFAULT, this.defaultUser);
  }

  get access(): AccessService {
    return this;
  }

  // --- start and configuration ---

  /** Takes requirepass and the users of the configuration or of the ACL file; gives the reason when they are wrong. */
  start(): string | null {
    const { settings } = this.host;
    const password = settings.bytes('requirepass').toString('latin1');
    if (password !== '') this.setDefaultPassword(password);
    if (settings.aclfile !== '' && settings.users.length > 0) return BOTH_SOURCES;
    for (const [name, ...args] of settings.users) {
      const user = name === DEFAULT ? this.defaultUser : new AclUser(name as string, this.defaults);
      const problem = applyLine(user, name === DEFAULT ? ['reset', ...args] : args);
      if (problem !== null) return `Error in user declaration '${name}': ${problem}`;
      this.byName.set(user.name, user);
    }
    if (settings.aclfile === '') return null;
    const problem = this.loadFile();
    return problem === null ? null : `Aborting Redis startup because of ACL errors: ${problem}`;
  }

  /** requirepass: '' takes the password away. */
  setDefaultPassword(password: string): void {
    this.defaultUser.apply('resetpass');
    this.defaultUser.apply(password === '' ? 'nopass' : `>${password}`);
  }

  /** The users as rules for CONFIG REWRITE; undefined while they live in a file of their own. */
  ruleLines(): string[] | undefined {
    return this.host.settings.aclfile === '' ? this.users().map((user) => user.describe()) : undefined;
  }

  resetCounts(): void {
    Object.assign(this.denied, { auth: 0, command: 0, key: 0, channel: 0 });
  }

  // --- logging in ---

  get openToAll(): boolean {
    return this.defaultUser.enabled && this.defaultUser.noPassword;
  }

  get defaultHasNoPassword(): boolean {
    return this.defaultUser.noPassword;
  }

  authenticate(session: Session, name: string, password: Buffer): boolean {
    const user = this.byName.get(name);
    // A name that does not exist takes as long as a wrong password.
    const isRight = (user ?? this.nobody).accepts(password);
    if (user === undefined || !isRight) {
      this.note('auth', this.host.context.text(0), session, name);
      return false;
    }
    session.authenticated = true;
    admit(session, user);
    return true;
  }

  logout(session: Session): void {
    session.authenticated = this.openToAll;
    admit(session, this.defaultUser);
  }

  userExists(name: string): boolean {
    return this.byName.has(name);
  }

  // --- what a client may do ---

  /** The error reply when the client may not run the request in the context, or null. */
  permissionRefusal(c: Context, command: Command): string | null {
    if (c.session.permissions === null) return null;
    const reason = this.denial(c, command);
    return reason === null ? null : refusalText(reason, command);
  }

  /** Why the client may not run the request in the context, or null; what is denied is noted in the log. */
  denial(c: Context, command: Command): AclReason | null {
    const user = c.session.permissions as AclUser | null;
    if (user === null) return null;
    const refusal = user.refusal(this.catalog.of(command), c);
    if (refusal === null) return null;
    this.note(refusal.reason, refusal.reason === 'command' ? command.name : c.text(refusal.at), c.session, user.name);
    return refusal.reason;
  }

  readsAllKeys(session: Session, command: Command, request: RequestView): boolean {
    const user = session.permissions as AclUser | null;
    return user === null || user.readsAllKeys(this.catalog.of(command), request);
  }

  // --- ACL ---

  users(): AclUser[] {
    return [...this.byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): AclUser | undefined {
    return this.byName.get(name);
  }

  setUser(name: string, args: readonly string[]): string | null {
    if (hasSpaces(name)) return "ERR Usernames can't contain spaces or null characters";
    const merged = mergeSelectors(args);
    if ('unmatched' in merged)
      return `ERR Unmatched parenthesis in acl selector starting at '${shown(merged.unmatched)}'.`;
    const changed = new AclUser(name, this.defaults);
    const user = this.byName.get(name);
    if (user !== undefined) changed.copyFrom(user);
    const wrong = changed.applyAll(merged.rules);
    if (wrong !== null) return `ERR Error in ACL SETUSER modifier '${shown(wrong.rule)}': ${wrong.problem}`;
    if (user === undefined) this.byName.set(name, changed);
    else {
      this.endSubscribers(user, changed);
      user.copyFrom(changed);
      for (const session of this.sessionsOf(user)) admit(session, user);
    }
    return null;
  }

  deleteUsers(names: readonly string[]): number {
    let deleted = 0;
    for (const name of names) {
      const user = this.byName.get(name);
      if (user === undefined || user === this.defaultUser) continue;
      this.byName.delete(name);
      this.dismiss(user);
      deleted++;
    }
    return deleted;
  }

  load(): string | null {
    if (this.host.settings.aclfile === '') return NO_FILE;
    const problem = this.loadFile();
    return problem === null ? null : `ERR ${problem}`;
  }

  save(): string | null {
    const { settings, randomBytes } = this.host;
    if (settings.aclfile === '') return NO_FILE;
    const text = this.users().map((user) => `user ${user.describe()}\n`);
    try {
      replaceFile(settings.string('aclfile'), text.join(''), randomBytes(8).toString('hex'));
      return null;
    } catch (error) {
      this.host.log('warning', `Saving the ACL file failed: ${(error as Error).message}`);
      return 'ERR There was an error trying to save the ACLs. Please check the server logs for more information';
    }
  }

  /** Takes the users of the file in place of all others, or none; gives the reason. */
  private loadFile(): string | null {
    const path = this.host.settings.string('aclfile');
    let text: string;
    try {
      text = readFileSync(path, 'latin1');
    } catch (error) {
      return `Error loading ACLs, opening file '${path}': ${systemReason(error)}`;
    }
    const loaded = parseUserFile(text, path, this.defaults);
    if (typeof loaded === 'string') return loaded;
    const gone = [...this.byName.values()].filter((user) => user !== this.defaultUser);
    this.byName.clear();
    for (const user of loaded) this.byName.set(user.name, user);
    // Connections of the default user live on, under its new rules.
    this.defaultUser.copyFrom(this.byName.get(DEFAULT) ?? createDefaultUser(this.defaults));
    this.byName.set(DEFAULT, this.defaultUser);
    for (const session of this.sessionsOf(this.defaultUser)) admit(session, this.defaultUser);
    for (const user of gone) this.dismiss(user);
    return null;
  }

  private *sessionsOf(user: AclUser): Iterable<Session> {
    for (const session of [...this.host.clients.all.values()]) if (session.user === user.name) yield session;
  }

  /** Closes the connections of a user that is no more. */
  private dismiss(user: AclUser): void {
    for (const session of this.sessionsOf(user)) {
      admit(session, this.defaultUser);
      session.authenticated = false;
      this.end(session);
    }
  }

  /** Closes the subscribers that the user's new rules would not let subscribe. */
  private endSubscribers(before: AclUser, after: AclUser): void {
    if (after.selectors.some((selector) => selector.allChannels)) return;
    const kept = new Set(after.selectors.flatMap((selector) => selector.channels.map(({ text }) => text)));
    const keepsAll = before.selectors.every(
      (selector) => !selector.allChannels && selector.channels.every(({ text }) => kept.has(text)),
    );
    if (keepsAll) return;
    const allows = (name: string, isPattern: boolean): boolean =>
      after.selectors.some((selector) => selector.allowsChannel(Buffer.from(name, 'latin1'), isPattern));
    for (const session of this.sessionsOf(before)) {
      const channels = [...session.channels, ...session.shardChannels];
      if (channels.some((name) => !allows(name, false)) || [...session.patterns].some((name) => !allows(name, true))) {
        this.end(session);
      }
    }
  }

  private end(session: Session): void {
    this.host.clients.kill(session, this.host.context.session);
  }

  private note(reason: AclLogReason, object: string, session: Session, user: string): void {
    this.denied[reason]++;
    const inTransaction = session.queued !== null || this.host.context.inTransaction;
    const context = inTransaction ? 'multi' : 'toplevel';
    const client = this.host.clients.describe(session);
    const entriesMax = Number(this.host.settings.acllogMaxLen);
    this.log.add({ reason, context, object, user, client }, this.host.now(), entriesMax);
  }
}

/** Why a request kept since MULTI is refused by EXEC. */
export const KEPT_REFUSALS: Readonly<Record<AclReason, string>> = {
  command: 'no permission to execute the command or subcommand',
  key: 'no permission to touch the specified keys',
  channel: 'no permission to access one of the channels used as arguments to the command',
};

export function refusalText(reason: AclReason, command: Command): string {
  if (reason === 'command') return `NOPERM this user has no permissions to run the '${command.name}' command`;
  return `NOPERM this user has no permissions to access one of the ${reason}s used as arguments`;
}

/** Checks a `user` line of the configuration; gives the reason when it is wrong. */
export function checkUserLine([name, ...args]: readonly string[]): string | undefined {
  if (name === undefined || hasSpaces(name)) return AclProblem.syntax;
  const user = new AclUser(name, { catalog: new AclCatalog(), allChannels: () => false });
  return applyLine(user, args) ?? undefined;
}

/** What of a rule is shown in errors: they end at a NUL, as in Redis. */
function shown(rule: string): string {
  return rule.split('\0', 1)[0] as string;
}

/** Makes the session one of the user's. */
function admit(session: Session, user: AclUser): void {
  session.user = user.name;
  session.permissions = user.unrestricted ? null : user;
}

/** The user of connections that have not said who they are: everything is allowed. */
function createDefaultUser(defaults: AclDefaults): AclUser {
  const user = new AclUser(DEFAULT, defaults);
  user.applyAll(['+@all', '~*', '&*', 'on', 'nopass']);
  return user;
}

function applyLine(user: AclUser, args: readonly string[]): string | null {
  const merged = mergeSelectors(args);
  if ('unmatched' in merged) return AclProblem.syntax;
  return user.applyAll(merged.rules)?.problem ?? null;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EISDIR: 'Is a directory',
};

function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code === undefined ? undefined : REASONS[code]) ?? message;
}
