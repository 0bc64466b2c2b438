// What the log gets when the server has to end in the middle of its work: where it was and what it knew of itself, between
// the lines that people look for in a Redis log. Arguments of commands are left out: they are users' data.

import type { Server } from './server.ts';

/** Why the server ends. */
export type CrashCause =
  | { readonly kind: 'signal'; readonly signal: 'SIGSEGV' | 'SIGABRT' }
  | { readonly kind: 'exception'; readonly error: unknown }
  | { readonly kind: 'panic'; readonly message: string }
  | { readonly kind: 'assertion'; readonly condition: string };

const SIGNAL_NUMBER = { SIGSEGV: 11, SIGABRT: 6 } as const;
const CLIENTS_MAX = 100;

/**
 * Reports signals that leave JavaScript able to run, and exceptions that nobody has caught, and ends the process then.
 * A fault inside of node itself ends it without a report.
 */
export function catchCrashes(server: Server): void {
  const end = (cause: CrashCause) => {
    reportCrash(server, cause, new Error().stack ?? '');
    endProcess(server, cause);
  };
  process.on('SIGABRT', () => end({ kind: 'signal', signal: 'SIGABRT' }));
  // Promises that nobody waits for come here, too.
  process.on('uncaughtException', (error) => end({ kind: 'exception', error }));
}

/** Writes the report, unless crash-log-enabled is off: then one line. `stack`: where the server was. */
export function reportCrash(server: Server, cause: CrashCause, stack: string): void {
  const { log, logger, settings, identity } = server;
  const version = identity.redisVersion;
  if (settings.crashLogEnabled) logger.report('\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===\n');
  switch (cause.kind) {
    case 'signal':
      log('warning', `Redis ${version} crashed by signal: ${SIGNAL_NUMBER[cause.signal]}, si_code: 0`);
      break;
    case 'exception':
      log('warning', `Redis ${version} crashed by an exception: ${messageOf(cause.error)}`);
      break;
    case 'panic':
      log('warning', '!!! Software Failure.');
      log('warning', `Guru Meditation: ${cause.message}`);
      break;
    case 'assertion':
      log('warning', '=== ASSERTION FAILED ===');
      log('warning', `==> '${cause.condition}' is not true`);
  }
  if (!settings.crashLogEnabled) return;
  const trace = cause.kind === 'exception' && cause.error instanceof Error ? (cause.error.stack ?? stack) : stack;
  logger.report(`\n------ STACK TRACE ------\n${trace}\n`);
  for (const [title, text] of facts(server)) logger.report(`\n------ ${title} ------\n${text()}\n`);
  logger.report(
    '\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n\n       Please report this with the text above; it holds no keys and no values, but names and addresses of clients.\n\n',
  );
}

/** Ends the process the way the cause does: by its signal, so that a service manager and a core dump tell the same. */
export function endProcess(server: Server, cause: CrashCause): never {
  if (cause.kind === 'signal') {
    process.removeAllListeners(cause.signal);
    process.kill(process.pid, cause.signal);
  } else if (!server.settings.useExitOnPanic && cause.kind !== 'exception') process.abort();
  process.exit(1);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Parts of the report; one that fails, since something is broken, must not cost the others. */
function facts(server: Server): [title: string, text: () => string][] {
  const guarded = (text: () => string) => () => {
    try {
      return text();
    } catch (error) {
      return `not available: ${messageOf(error)}`;
    }
  };
  return [
    ['INFO OUTPUT', guarded(() => server.info.text(['everything']).replaceAll('\r\n', '\n'))],
    ['CLIENT LIST OUTPUT', guarded(() => clientList(server))],
    ['CURRENT CLIENT INFO', guarded(() => currentClient(server))],
  ];
}

function clientList(server: Server): string {
  const sessions = [...server.clients.all.values()];
  const lines = sessions.slice(0, CLIENTS_MAX).map((session) => server.clients.describe(session));
  if (sessions.length > CLIENTS_MAX) lines.push(`and ${sessions.length - CLIENTS_MAX} more`);
  return lines.join('\n');
}

function currentClient(server: Server): string {
  const { current } = server.turns;
  if (current === null) return 'none: no request was being served';
  const { command, argc } = server.context;
  return `${server.clients.describe(current)}\ncommand: ${command?.name ?? '?'}, ${argc} arguments`;
}
