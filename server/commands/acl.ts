// ACL: users and what they may do. The rules themselves stand in the files named acl-*.

import { aclCategory } from './acl-catalog.ts';
import type { Selector } from './acl-selector.ts';
import type { Handlers } from './command.ts';
import type { Context } from './context.ts';
import { CommandError, wrongArity } from './errors.ts';
import { replyHelp } from './help.ts';
import { aclCategories } from './spec.ts';
import type { aclSpecs } from './specs/acl.ts';

const PASSWORD_BITS = 256;
const PASSWORD_BITS_MAX = 4096;
const PASSWORD_BITS_ERROR = `ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${PASSWORD_BITS_MAX}`;
const LOG_COUNT = 10;

export const aclHandlers: Handlers<typeof aclSpecs> = {
  acl: {
    cat,
    deluser,
    dryrun,
    genpass,
    getuser,
    help: (c) => replyHelp(c),
    list: (c) => replyTexts(c, c.server.auth.access.users(), (user) => `user ${user.describe()}`),
    load: (c) => answer(c, c.server.auth.access.load()),
    log,
    save: (c) => answer(c, c.server.auth.access.save()),
    setuser,
    users: (c) => replyTexts(c, c.server.auth.access.users(), (user) => user.name),
    whoami: (c) => c.reply.text(c.session.user),
  },
};

/** Answers OK, or the error that there is. */
function answer(c: Context, error: string | null): void {
  if (error !== null) throw new CommandError(error);
  c.reply.ok();
}

function replyTexts<T>(c: Context, list: readonly T[], text: (item: T) => string): void {
  c.reply.array(list.length);
  for (const item of list) c.reply.text(text(item));
}

function tooMany(c: Context): CommandError {
  return new CommandError(
    `ERR unknown subcommand or wrong number of arguments for '${c.shown(1, 128)}'. Try ACL HELP.`,
  );
}

/** Byte texts of the arguments from `from` on. */
function texts(c: Context, from: number): string[] {
  const list: string[] = [];
  for (let i = from; i < c.argc; i++) list.push(c.text(i));
  return list;
}

/** ACL CAT [category] */
function cat(c: Context): void {
  if (c.argc > 3) throw tooMany(c);
  if (c.argc === 2) {
    replyTexts(c, aclCategories, (category) => category);
    return;
  }
  const category = aclCategory(c.text(2));
  if (category === undefined) throw new CommandError(`ERR Unknown category '${c.shown(2)}'`);
  replyTexts(c, c.server.auth.access.catalog.inCategory(category), (command) => command.name);
}

/** ACL SETUSER name [rule ...] */
function setuser(c: Context): void {
  answer(c, c.server.auth.access.setUser(c.text(2), texts(c, 3)));
}

/** ACL DELUSER name [name ...] */
function deluser(c: Context): void {
  const names = texts(c, 2);
  if (names.includes('default')) throw new CommandError("ERR The 'default' user cannot be removed");
  c.reply.int(c.server.auth.access.deleteUsers(names));
}

/** ACL GETUSER name */
function getuser(c: Context): void {
  const user = c.server.auth.access.find(c.text(2));
  if (user === undefined) {
    c.reply.nil();
    return;
  }
  const { reply } = c;
  const flags = user.flags();
  reply.map(6);
  reply.text('flags');
  reply.set(flags.length);
  for (const flag of flags) reply.text(flag);
  reply.text('passwords');
  replyTexts(c, user.passwords, (hash) => hash);
  replySelector(c, user.root);
  reply.text('selectors');
  const extra = user.selectors.slice(1);
  reply.array(extra.length);
  for (const selector of extra) {
    reply.map(3);
    replySelector(c, selector);
  }
}

function replySelector(c: Context, selector: Selector): void {
  for (const [name, text] of [
    ['commands', selector.commands.describe()],
    ['keys', selector.describeKeys()],
    ['channels', selector.describeChannels()],
  ] as const) {
    c.reply.text(name);
    c.reply.text(text);
  }
}

/** ACL DRYRUN user command [arg ...] */
function dryrun(c: Context): void {
  const { access } = c.server.auth;
  const user = access.find(c.text(2));
  if (user === undefined) throw new CommandError(`ERR User '${c.shown(2)}' not found`);
  const command = access.catalog.resolve(c.text(3), c.argc > 4 ? c.text(4) : null);
  if (command === undefined) throw new CommandError(`ERR Command '${c.shown(3)}' not found`);
  const { arity } = command.spec;
  const argc = c.argc - 3;
  if (arity > 0 ? argc !== arity : argc < -arity) throw new CommandError(wrongArity(command.name));
  const refusal = user.refusal(command, c, 3);
  if (refusal === null) c.reply.ok();
  else if (refusal.reason === 'command') {
    c.reply.text(`This user has no permissions to run the '${command.name}' command`);
  } else c.reply.text(`This user has no permissions to access the '${c.text(refusal.at)}' ${refusal.reason}`);
}

/** ACL GENPASS [bits]: hexadecimal, four bits a digit. */
function genpass(c: Context): void {
  if (c.argc > 3) throw tooMany(c);
  const bits = c.argc === 3 ? c.integer(2) : PASSWORD_BITS;
  if (bits < 1 || bits > PASSWORD_BITS_MAX) throw new CommandError(PASSWORD_BITS_ERROR);
  const digits = Math.ceil(bits / 4);
  c.reply.text(
    c.server
      .randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
  );
}

/** ACL LOG [count | RESET] */
function log(c: Context): void {
  if (c.argc > 3) throw tooMany(c);
  const aclLog = c.server.auth.access.log;
  if (c.argc === 3 && c.is(2, 'reset')) {
    aclLog.clear();
    c.reply.ok();
    return;
  }
  const count = c.argc === 3 ? Math.max(0, c.integer(2)) : LOG_COUNT;
  const entries = aclLog.entries.slice(0, count);
  const nowMs = c.server.now();
  const { reply } = c;
  reply.array(entries.length);
  for (const entry of entries) {
    reply.map(10);
    reply.text('count');
    reply.int(entry.count);
    for (const [name, text] of [
      ['reason', entry.reason],
      ['context', entry.context],
      ['object', entry.object],
      ['username', entry.user],
    ] as const) {
      reply.text(name);
      reply.text(text);
    }
    reply.text('age-seconds');
    reply.double((nowMs - entry.updatedAtMs) / 1000);
    reply.text('client-info');
    reply.text(entry.client);
    reply.text('entry-id');
    reply.int(entry.id);
    reply.text('timestamp-created');
    reply.int(entry.createdAtMs);
    reply.text('timestamp-last-updated');
    reply.int(entry.updatedAtMs);
  }
}
