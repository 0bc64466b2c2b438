// --hotkeys: walks the keyspace and keeps the keys whose access counter (LFU) is highest.
import { textOf } from '../format.ts';
import { CliExit } from '../host.ts';
import { quote } from '../quote.ts';
import type { Session } from '../session.ts';
import { databaseSize, percent, restBetweenPages, scanPages } from './scan.ts';

/** Keys in the list at the end. */
const HOT_KEYS_MAX = 16;

const INTRODUCTION = `
# Scanning the entire keyspace to find hot keys as well as
# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec
# per 100 SCAN commands (not usually needed).

`;

export async function hotKeysMode(session: Session): Promise<number> {
  await session.connectOrExit();
  const { host } = session;
  host.write(INTRODUCTION);
  const total = await databaseSize(session);
  /** Hottest last. */
  const hottest: { key: string; counter: number }[] = [];
  let sampled = 0;
  let pages = 0;
  for await (const keys of scanPages(session)) {
    const done = percent(sampled, total);
    const counters = await countersOf(session, keys);
    for (const [i, bytes] of keys.entries()) {
      sampled++;
      if (sampled % 1_000_000 === 0) host.write(`[${done}%] Sampled ${sampled} keys so far\n`);
      const counter = counters[i]!;
      const coolest = hottest.length < HOT_KEYS_MAX ? 0 : hottest[0]!.counter;
      if (counter <= coolest) continue;
      const key = quote(bytes);
      const at = hottest.findIndex((entry) => counter <= entry.counter);
      hottest.splice(at < 0 ? hottest.length : at, 0, { key, counter });
      if (hottest.length > HOT_KEYS_MAX) hottest.shift();
      host.write(`[${done}%] Hot key '${key}' found so far with counter ${counter}\n`);
    }
    await restBetweenPages(session, ++pages);
  }
  host.write(`\n-------- summary -------\n\nSampled ${sampled} keys in the keyspace!\n`);
  for (const { key, counter } of hottest.reverse()) {
    host.write(`hot key found with counter: ${counter}\tkeyname: ${key}\n`);
  }
  return 0;
}

/** Asks for all counters in one go; a key that is gone has none. */
async function countersOf(session: Session, keys: Buffer[]): Promise<number[]> {
  const replies = await Promise.all(keys.map((key) => session.call('OBJECT', 'FREQ', key)));
  return replies.map((reply, i) => {
    if (reply.kind === 'integer') return Number(reply.value);
    if (reply.kind === 'error') {
      session.host.writeError(`Error: ${textOf(reply)}\n`);
      throw new CliExit(1);
    }
    session.host.writeError(`Warning: OBJECT freq on '${quote(keys[i]!)}' failed (may have been deleted)\n`);
    return 0;
  });
}
