// --bigkeys and --memkeys: walk the keyspace, tell the largest key of each type as they are found, and sum up.
import type { CommandArgument } from '../../../server/formats/resp/encode-command.ts';
import type { Reply } from '../../../server/formats/resp/reply.ts';
import { textOf } from '../format.ts';
import { CliExit } from '../host.ts';
import { quote } from '../quote.ts';
import type { Session } from '../session.ts';
import { databaseSize, percent, restBetweenPages, scanPages } from './scan.ts';

interface TypeTotals {
  name: string;
  /** Command that tells a key's size; undefined: a type nobody told us about. */
  sizeCommand: string | undefined;
  unit: string;
  count: number;
  totalSize: number;
  biggest: number;
  biggestKey: string | undefined;
}

export async function bigKeysMode(session: Session): Promise<number> {
  return await findBigKeys(session, undefined);
}

export async function memoryKeysMode(session: Session): Promise<number> {
  const samples = session.options.memorySamples;
  return await findBigKeys(session, samples === undefined ? [] : ['SAMPLES', samples]);
}

/** @param memoryArguments undefined: count elements; else ask MEMORY USAGE with these */
async function findBigKeys(session: Session, memoryArguments: CommandArgument[] | undefined): Promise<number> {
  await session.connectOrExit();
  const { host } = session;
  const total = await databaseSize(session);
  const types = knownTypes(memoryArguments !== undefined);
  host.write(INTRODUCTION);
  let sampled = 0;
  let keyBytes = 0;
  let pages = 0;
  for await (const keys of scanPages(session)) {
    const done = percent(sampled, total);
    const typeOf = await typesOf(session, keys, types, memoryArguments !== undefined);
    const sizes = await sizesOf(session, keys, typeOf, memoryArguments);
    for (const [i, key] of keys.entries()) {
      sampled++;
      if (sampled % 1_000_000 === 0) host.write(`[${done}%] Sampled ${sampled} keys so far\n`);
      const type = typeOf[i];
      if (type === undefined) continue;
      const size = sizes[i]!;
      type.count++;
      type.totalSize += size;
      keyBytes += key.length;
      if (size <= type.biggest) continue;
      type.biggest = size;
      type.biggestKey = quote(key);
      host.write(
        `[${done}%] Biggest ${type.name.padEnd(6)} found so far '${type.biggestKey}' with ${size} ${type.unit}\n`,
      );
    }
    await restBetweenPages(session, ++pages);
  }
  summarize(session, [...types.values()], sampled, keyBytes);
  return 0;
}

const INTRODUCTION = `
# Scanning the entire keyspace to find biggest keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).

`;

function knownTypes(byMemory: boolean): Map<string, TypeTotals> {
  const rows: [string, string, string][] = [
    ['list', 'LLEN', 'items'],
    ['hash', 'HLEN', 'fields'],
    ['string', 'STRLEN', 'bytes'],
    ['stream', 'XLEN', 'entries'],
    ['set', 'SCARD', 'members'],
    ['zset', 'ZCARD', 'members'],
  ];
  return new Map(rows.map(([name, command, unit]) => [name, newTotals(name, command, byMemory ? 'bytes' : unit)]));
}

function newTotals(name: string, sizeCommand: string | undefined, unit: string): TypeTotals {
  return { name, sizeCommand, unit, count: 0, totalSize: 0, biggest: 0, biggestKey: undefined };
}

/** Asks for all types in one go; a key that is gone by now has none. */
async function typesOf(
  session: Session,
  keys: Buffer[],
  types: Map<string, TypeTotals>,
  byMemory: boolean,
): Promise<(TypeTotals | undefined)[]> {
  const replies = await Promise.all(keys.map((key) => session.call('TYPE', key)));
  return replies.map((reply, i) => {
    if (reply.kind === 'error') {
      session.host.writeError(`TYPE returned an error: ${textOf(reply)}\n`);
      throw new CliExit(1);
    }
    const name = textOf(reply);
    if (reply.kind !== 'status') {
      session.host.writeError(`Invalid reply type for TYPE on key '${quote(keys[i]!)}'!\n`);
      throw new CliExit(1);
    }
    if (name === 'none') return undefined;
    let type = types.get(name);
    if (type === undefined) {
      type = newTotals(name, undefined, byMemory ? 'bytes' : '?');
      types.set(name, type);
    }
    return type;
  });
}

async function sizesOf(
  session: Session,
  keys: Buffer[],
  types: (TypeTotals | undefined)[],
  memoryArguments: CommandArgument[] | undefined,
): Promise<number[]> {
  const pending = keys.map((key, i): Promise<Reply> | undefined => {
    if (types[i] === undefined) return undefined;
    if (memoryArguments !== undefined) return session.call('MEMORY', 'USAGE', key, ...memoryArguments);
    const command = types[i].sizeCommand;
    return command === undefined ? undefined : session.call(command, key);
  });
  const replies = await Promise.all(pending);
  return replies.map((reply, i) => {
    if (reply === undefined) return 0;
    if (reply.kind === 'integer') return Number(reply.value);
    const command = memoryArguments === undefined ? types[i]!.sizeCommand : 'MEMORY USAGE';
    session.host.writeError(`Warning:  ${command} on '${quote(keys[i]!)}' failed (may have changed type)\n`);
    return 0;
  });
}

function summarize(session: Session, types: TypeTotals[], sampled: number, keyBytes: number): void {
  const lines = [
    '',
    '-------- summary -------',
    '',
    `Sampled ${sampled} keys in the keyspace!`,
    `Total key length in bytes is ${keyBytes} (avg len ${average(keyBytes, sampled)})`,
    '',
  ];
  for (const type of types) {
    if (type.biggestKey === undefined) continue;
    lines.push(`Biggest ${type.name.padStart(6)} found '${type.biggestKey}' has ${type.biggest} ${type.unit}`);
  }
  lines.push('');
  for (const type of types) {
    const share = percent(type.count, sampled);
    const mean = average(type.totalSize, type.count);
    lines.push(`${type.count} ${type.name}s with ${type.totalSize} ${type.unit} (${share}% of keys, avg size ${mean})`);
  }
  session.host.write(`${lines.join('\n')}\n`);
}

function average(total: number, count: number): string {
  return (count === 0 ? 0 : total / count).toFixed(2);
}
