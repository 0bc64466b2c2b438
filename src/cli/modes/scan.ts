// --scan: lists the keys, one a line; and the walk over the keyspace that the sampling modes share.
import { isAggregate, textOf } from '../format.ts';
import { CliExit } from '../host.ts';
import { quote } from '../quote.ts';
import type { Session } from '../session.ts';

export async function scanMode(session: Session): Promise<number> {
  await session.connectOrExit();
  const { host, options } = session;
  for await (const keys of scanPages(session, 'ERROR: ')) {
    const text = keys.map((key) => (session.output === 'standard' ? quote(key) : key.toString('latin1')));
    if (text.length > 0) host.write(`${text.join('\n')}\n`);
    if (options.intervalSeconds > 0) await host.waitMs(options.intervalSeconds * 1000);
  }
  return 0;
}

/** Each SCAN reply's keys, in order, with --pattern and --count applied. Ends the program on an error. */
export async function* scanPages(session: Session, errorPrefix = 'SCAN error: '): AsyncGenerator<Buffer[]> {
  const { pattern, scanCount } = session.options;
  let cursor = '0';
  do {
    const reply = await session.call(
      'SCAN',
      cursor,
      ...(pattern === undefined ? [] : ['MATCH', pattern]),
      ...(scanCount === 10 ? [] : ['COUNT', scanCount]),
    );
    const [next, page] = isAggregate(reply) ? reply.items : [];
    if (next === undefined || page === undefined || !isAggregate(page)) {
      session.host.writeError(`${errorPrefix}${textOf(reply)}\n`);
      throw new CliExit(1);
    }
    cursor = textOf(next);
    yield page.items.map((item) => (item.kind === 'bulk' ? item.bytes : Buffer.alloc(0)));
  } while (cursor !== '0');
}

/** The number of keys. Ends the program on an error. */
export async function databaseSize(session: Session): Promise<number> {
  const reply = await session.call('DBSIZE');
  if (reply.kind === 'integer') return Number(reply.value);
  session.host.writeError(`Couldn't determine DBSIZE: ${textOf(reply)}\n`);
  throw new CliExit(1);
}

/** `00.42`: a percentage in five places, two of them decimals. */
export function percent(part: number, whole: number): string {
  return (whole === 0 ? 0 : (100 * part) / whole).toFixed(2).padStart(5, '0');
}

/** Sleeps at every hundredth page when -i asks to go easy on the server. */
export async function restBetweenPages(session: Session, page: number): Promise<void> {
  if (session.options.intervalSeconds > 0 && page % 100 === 0) {
    await session.host.waitMs(session.options.intervalSeconds * 1000);
  }
}
