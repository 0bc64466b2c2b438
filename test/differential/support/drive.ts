// Drives two servers with the same generated commands, transactions among them, and collects what differs. After a
// difference both are emptied, so that one cause does not hide the next.

import type { Generator } from './generate.ts';
import { type Command, type Comparison, describeDifference, type Pair, sameReply, usualComparison } from './pair.ts';
import { members, type RawConnection } from './raw-connection.ts';
import { SpecCommands } from './spec-commands.ts';

/** Databases that the generated commands use. */
const DATABASES = ['0', '1', '2'];
const BATCH = 200;
const DIFFERENCES_MAX = 25;
/** Commands between two comparisons of all data. */
const ROUND = 10_000;
/** Times and times to live may differ by what passes between the two servers' clocks. */
const CLOCK_SLACK_MS = 5_000;
const REPLY_TIMEOUT_MS = 20_000;
const QUEUED = '+QUEUED\r\n';

/** Near: times. Collated: texts in order, but those with a zero byte are shorter texts to strcoll, and may be equal. */
type How = Comparison | 'near' | 'collated';

/** Runs `count` commands; returns the differences as texts, at most DIFFERENCES_MAX. */
export async function drive(pair: Pair, g: Generator, count: number): Promise<string[]> {
  const differences: string[] = [];
  const commands = new SpecCommands(g);
  for (let done = 0; done < count && differences.length < DIFFERENCES_MAX; ) {
    const history: Command[] = [];
    const before = differences.length;
    await quiet(pair, [['flushall'], ['select', '0'], ['hello', g.pick(['2', '3'])]]);
    const until = Math.min(count, done + ROUND);
    while (done < until && differences.length === before) {
      const part = batch(commands, g);
      differences.push(...(await compare(pair, part, history)));
      done += part.length;
    }
    if (differences.length === before) differences.push(...(await compareData(pair, history)));
  }
  return differences;
}

/** Commands, some of them in transactions that are complete within the batch. */
function batch(commands: SpecCommands, g: Generator): Command[] {
  const part: Command[] = [];
  while (part.length < BATCH) {
    if (!g.once(50)) {
      part.push(commands.next());
      continue;
    }
    if (g.once(3)) part.push(['watch', g.pick(['k0', 'l1', 'z2'])]);
    part.push(['multi'], ...g.several(1, 8, () => commands.next(true)), [g.once(8) ? 'discard' : 'exec']);
  }
  return part;
}

async function compare(pair: Pair, part: readonly Command[], history: Command[]): Promise<string[]> {
  const [ours, real] = await Promise.all([
    answers(pair.ours, 'ours', part),
    answers(pair.real, 'the real server', part),
  ]);
  let queued: How[] = [];
  for (let i = 0; i < part.length; i++) {
    history.push(part[i]);
    const how = comparison(part[i]);
    if (String(part[i][0]) === 'multi') queued = [];
    const isSame = String(part[i][0]) === 'exec' ? sameExec(ours[i], real[i], queued) : same(ours[i], real[i], how);
    if (real[i].toString('latin1') === QUEUED) queued.push(how);
    if (!isSame) return [describeDifference(history, history.length - 1, ours[i], real[i])];
  }
  return [];
}

/** The replies; throws an Error that names the command when one does not come. */
async function answers(connection: RawConnection, name: string, part: readonly Command[]): Promise<Buffer[]> {
  let answered = 0;
  const replies = part.map((command) => connection.call(command));
  const count = (): number => answered++;
  for (const reply of replies) reply.then(count, count);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const context = part.slice(Math.max(0, answered - 5), answered + 1);
      reject(new Error(`no reply from ${name}: ${JSON.stringify(context)}`));
    }, REPLY_TIMEOUT_MS);
  });
  try {
    return await Promise.race([Promise.all(replies), late]);
  } finally {
    clearTimeout(timer);
  }
}

function sameExec(ours: Buffer, real: Buffer, queued: readonly How[]): boolean {
  if (ours.equals(real)) return true;
  const [a, b] = [members(ours), members(real)];
  if (real[0] !== ours[0] || a.length !== b.length || b.length !== queued.length) return false;
  return b.every((reply, i) => same(a[i], reply, queued[i]));
}

function same(ours: Buffer, real: Buffer, how: How): boolean {
  if (how === 'collated') return sameReply(ours, real, real.includes(0) ? 'unordered' : 'exact');
  if (how !== 'near') return sameReply(ours, real, how);
  if (ours.equals(real)) return true;
  const [a, b] = [Number(ours.toString('latin1', 1)), Number(real.toString('latin1', 1))];
  return ours[0] === real[0] && a > 0 && b > 0 && Math.abs(a - b) <= CLOCK_SLACK_MS;
}

function comparison(command: Command): How {
  const words = command.map((word) => String(word).toLowerCase());
  const [name, sub] = words;
  if (/^p?(ttl|expiretime)$/.test(name)) return 'near';
  if (name === 'sort' || name === 'sort_ro')
    return !orderedSort(words) ? 'shape' : collates(words) ? 'collated' : 'exact';
  if (name === 'xpending' && words.length > 3) return 'shape';
  if (name === 'xinfo' && (sub === 'consumers' || sub === 'stream')) return 'none';
  if (name === 'object' && (sub === 'idletime' || sub === 'refcount')) return 'shape';
  if (name === 'dump') return 'none';
  // Keys whose time is over count until someone finds them.
  if (name === 'dbsize') return 'shape';
  if (name === 'spop') return 'unordered';
  return usualComparison(command);
}

/** Sorted by something that puts elements of a set in one order only. */
function orderedSort(words: readonly string[]): boolean {
  return !words.some((word, i) => word === 'by' && (!words[i + 1]?.includes('*') || words.includes('alpha')));
}

function collates(words: readonly string[]): boolean {
  return words.includes('alpha') && !words.includes('store');
}

/** All keys of all databases: type, encoding, expiry and value. */
async function compareData(pair: Pair, history: Command[]): Promise<string[]> {
  for (const database of DATABASES) {
    await quiet(pair, [['select', database]]);
    const names = await compare(pair, [['keys', '*']], history);
    if (names.length > 0) return names;
    const keys = members(await pair.real.call(['keys', '*'])).map(bulkContent);
    const found: string[] = [];
    for (const key of keys) {
      const encoding = (await pair.real.call(['object', 'encoding', key])).toString('latin1');
      const checks: Command[] = [
        ['type', key],
        ['object', 'encoding', key],
        ['pexpiretime', key],
        ...reads(key, encoding),
      ];
      found.push(...(await compare(pair, checks, history)));
      if (reads(key, encoding).length > 0) continue;
      const dumps = await Promise.all([pair.ours.call(['dump', key]), pair.real.call(['dump', key])]);
      history.push(['dump', key]);
      if (!dumps[0].equals(dumps[1])) found.push(describeDifference(history, history.length - 1, dumps[0], dumps[1]));
    }
    if (found.length > 0) return found;
  }
  return [];
}

/** How a value is read whose dump has the order of a hash table or tells the time; the others are dumped. */
function reads(key: Buffer, encoding: string): Command[] {
  if (key.toString() === 'w0') return [['lrange', key, '0', '-1']];
  if (!/hashtable|stream/.test(encoding)) return [];
  return [
    ['hgetall', key],
    ['smembers', key],
    ['xrange', key, '-', '+'],
    ['xinfo', 'groups', key],
  ];
}

async function quiet(pair: Pair, commands: readonly Command[]): Promise<void> {
  await Promise.all([pair.ours.callAll(commands), pair.real.callAll(commands)]);
}

function bulkContent(reply: Buffer): Buffer {
  return reply.subarray(reply.indexOf('\r\n') + 2, reply.length - 2);
}
