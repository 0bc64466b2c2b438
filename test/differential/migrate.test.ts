// MIGRATE between ours and a real redis-server, in both directions.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawConnection } from './support/raw-connection.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();

describe.skipIf(missing !== null).each(['ours', 'real'] as const)(missing ?? 'MIGRATE from %s to the other', (from) => {
  let pair: Pair;
  let source: RawConnection;
  let target: RawConnection;
  let port: string;

  beforeAll(async () => {
    pair = await startPair([['repl-diskless-sync-delay', '0']]);
    [source, target] = from === 'ours' ? [pair.ours, pair.real] : [pair.real, pair.ours];
    port = String(from === 'ours' ? pair.realPort : pair.ourPort);
    await target.call(['select', '3']);
  });
  afterAll(async () => {
    await pair.stop();
  });

  const text = async (server: RawConnection, ...words: string[]) => (await server.call(words)).toString('latin1');
  const migrate = (...words: string[]) => text(source, 'migrate', '127.0.0.1', port, ...words);

  it('moves a key with its expiry', async () => {
    await source.callAll([
      ['set', 'k', 'v', 'ex', '1000'],
      ['rpush', 'l', '1', '2', '3'],
    ]);
    expect(await migrate('k', '3', '5000')).toBe('+OK\r\n');
    expect(await text(source, 'exists', 'k')).toBe(':0\r\n');
    expect(await text(target, 'get', 'k')).toBe('$1\r\nv\r\n');
    expect(await text(target, 'ttl', 'k')).toMatch(/^:(1000|999)\r\n/);
  });

  it('moves several, copies, and replaces what is there only when asked to', async () => {
    await source.callAll([
      ['set', 'a', '1'],
      ['zadd', 'b', '1', 'x'],
    ]);
    expect(await migrate('', '3', '5000', 'COPY', 'KEYS', 'a', 'b', 'none', 'l')).toBe('+OK\r\n');
    expect(await text(source, 'exists', 'a', 'b', 'l')).toBe(':3\r\n');
    expect(await migrate('', '3', '5000', 'KEYS', 'a', 'b')).toBe(
      '-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n',
    );
    expect(await text(source, 'exists', 'a', 'b')).toBe(':2\r\n');
    expect(await migrate('', '3', '5000', 'REPLACE', 'KEYS', 'a', 'b')).toBe('+OK\r\n');
    expect(await text(source, 'exists', 'a', 'b')).toBe(':0\r\n');
    expect(await text(target, 'exists', 'a', 'b', 'l')).toBe(':3\r\n');
  });

  it('says why not', async () => {
    await source.call(['set', 'a', '1']);
    expect(await migrate('nothing', '3', '5000')).toBe('+NOKEY\r\n');
    expect(await migrate('a', '99', '5000')).toMatch(/^-ERR Target instance replied with error: ERR /);
    expect(await migrate('a', '3', '5000', 'KEYS', 'b')).toMatch(/^-ERR When using MIGRATE KEYS option/);
    expect(await migrate('a', '3', '5000', 'NONSENSE')).toBe('-ERR syntax error\r\n');
    expect(await text(source, 'migrate', '127.0.0.1', '1', 'a', '0', '1000')).toMatch(/^-IOERR error or timeout /);
    expect(await text(source, 'get', 'a')).toBe('$1\r\n1\r\n');
  });

  it('tells replicas of the deletion, in one command', async () => {
    const stream = await pair.openStream(from);
    await source.callAll([
      ['set', 'p', '1'],
      ['set', 'q', '1'],
    ]);
    await migrate('', '3', '5000', 'REPLACE', 'KEYS', 'p', 'q');
    await source.call(['publish', 'the', 'end']);
    const commands = (await stream.upTo('publish', 'the', 'end')).map((words) => words.join(' '));
    stream.close();
    expect(commands).toEqual(['select 0', 'set p 1', 'set q 1', 'del p q', 'publish the end']);
  });
});
