// Sends a command of the user's and deals with its replies: repeats, endless modes (MONITOR, SUBSCRIBE), cluster
// redirections, and what a reply changes in the session.
import type { Reply } from '../../server/formats/resp/reply.ts';
import { ClientConnectionError } from '../../server/net/client.ts';
import { textOf } from './format.ts';
import { CliExit } from './host.ts';
import type { Session } from './session.ts';

/** Redirections followed for one command before its error is shown. */
const REDIRECTIONS_MAX = 16;

/**
 * Sends the command `repeat` times (-1: for ever) and prints each reply. False: the connection is lost or not to be
 * had, which has been said.
 */
export async function runCommand(session: Session, args: readonly Buffer[], repeat = 1): Promise<boolean> {
  const name = args[0]!.toString('latin1').toLowerCase();
  if (name === 'help' || name === '?') {
    const { printHelp } = await import('./help.ts');
    await printHelp(session.host, args.slice(1));
    return true;
  }
  if (!(await session.ensureConnected())) return false;
  try {
    for (let left = repeat; left !== 0; left -= left > 0 ? 1 : 0) {
      await runOnce(session, name, args);
      if (session.options.intervalSeconds > 0) await session.host.waitMs(session.options.intervalSeconds * 1000);
    }
    return true;
  } catch (error) {
    if (name === 'shutdown' && error instanceof ClientConnectionError) {
      session.disconnect();
      return true;
    }
    if (!session.interactive || !(error instanceof ClientConnectionError)) session.fail(error);
    session.host.writeError(`Error: ${error.message}\n`);
    session.disconnect();
    return false;
  }
}

async function runOnce(session: Session, name: string, args: readonly Buffer[]): Promise<void> {
  const plain = isPlainText(name, args);
  session.client!.send(...args);
  if (name === 'monitor') return await monitor(session);
  if (SUBSCRIBES.has(name)) return await subscribe(session);
  if (UNSUBSCRIBES.has(name)) return await unsubscribe(session, args.length - 1);
  if (name === 'sync' || name === 'psync') return await followReplication(session);
  const reply = await read(session, args);
  if (session.options.errorExitStatus && !session.interactive && reply.kind === 'error') {
    session.host.writeError(`${textOf(reply)}\n`);
    throw new CliExit(1);
  }
  session.print(reply, plain);
  await applyToSession(session, name, args, reply);
}

/** The command's reply; in cluster mode the one of the node that it was redirected to. */
async function read(session: Session, args: readonly Buffer[]): Promise<Reply> {
  let reply = await session.client!.read();
  for (let count = 0; session.options.cluster && reply.kind === 'error' && count < REDIRECTIONS_MAX; count++) {
    const match = /^(MOVED|ASK) (\d+) (.*):(\d+)/.exec(textOf(reply));
    if (match === null) break;
    const [, kind, slot, host, port] = match;
    session.serverHost = host || session.serverHost;
    session.serverPort = Number(port);
    if (session.output === 'standard') {
      session.host.write(`-> Redirected to slot [${slot}] located at ${session.serverHost}:${port}\n`);
    }
    if (!(await session.connect())) throw new CliExit(1);
    if (kind === 'ASK') await session.client!.call('ASKING');
    reply = await session.client!.call(...args);
  }
  return reply;
}

/** MONITOR: prints until the connection ends or the program is interrupted. */
async function monitor(session: Session): Promise<void> {
  for (;;) {
    const reply = await session.client!.read().catch((error) => session.fail(error));
    session.print(reply);
    if (reply.kind === 'error') return;
  }
}

const SUBSCRIBES = new Set(['subscribe', 'psubscribe', 'ssubscribe']);
const UNSUBSCRIBES = new Set(['unsubscribe', 'punsubscribe', 'sunsubscribe']);

async function subscribe(session: Session): Promise<void> {
  if (session.output !== 'raw') session.host.write('Reading messages... (press Ctrl-C to quit)\n');
  // In RESP3 messages are pushes: hand them to the reader like RESP2's arrays.
  session.client!.onPush = undefined;
  for (;;) {
    const reply = await session.client!.read().catch((error) => session.fail(error));
    session.print(reply);
  }
}

/** One confirmation for each channel, at least one; in RESP3 they are pushes. */
async function unsubscribe(session: Session, channels: number): Promise<void> {
  session.client!.onPush = undefined;
  for (let left = Math.max(1, channels); left > 0; left--) {
    const reply = await session.client!.read();
    session.print(reply);
    if (reply.kind === 'error') break;
  }
  session.catchPushes();
}

async function followReplication(session: Session): Promise<void> {
  session.host.write('Entering replica output mode...  (press Ctrl-C to quit)\n');
  const { replicaMode } = await import('./modes/replica.ts');
  await replicaMode(session, true);
}

/** Commands whose reply is text for people: printed raw at a terminal too. The second word, where it matters. */
const PLAIN_TEXT: Record<string, readonly string[] | 'always'> = {
  info: 'always',
  lolwut: 'always',
  debug: ['htstats', 'htstats-key', 'client-eviction'],
  memory: ['malloc-stats', 'doctor'],
  cluster: ['nodes', 'info'],
  client: ['list', 'info'],
  latency: ['graph', 'doctor'],
  proxy: ['info'],
};

function isPlainText(name: string, args: readonly Buffer[]): boolean {
  const rule = PLAIN_TEXT[name];
  if (rule === undefined) return false;
  return rule === 'always' || rule.includes(args[1]?.toString('latin1').toLowerCase() ?? '');
}

/** What a successful reply changes: the database, the transaction, the user. */
async function applyToSession(session: Session, name: string, args: readonly Buffer[], reply: Reply): Promise<void> {
  const failed = reply.kind === 'error';
  switch (`${name} ${args.length - 1}`) {
    case 'select 1':
      if (!failed) session.selected(Number.parseInt(args[1]!.toString('latin1'), 10) || 0);
      break;
    case 'auth 1':
    case 'auth 2':
      if (!failed) await session.selectDatabase();
      break;
    case 'multi 0':
      if (!failed) session.begin();
      break;
    case 'exec 0':
      if (session.inTransaction) session.finish(failed || reply.kind === 'nil');
      break;
    case 'discard 0':
      if (!failed && session.inTransaction) session.finish(true);
      break;
    case 'reset 0':
      if (!failed) session.wasReset();
      break;
    default:
  }
}
