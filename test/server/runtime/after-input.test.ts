// CLIENT LIST tells what other clients have sent before it, in whatever order the system reports sockets.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, RawConnection } from '../../differential/support/raw-connection.ts';
import { missingOurs, type OwnServer, startOurs } from '../../differential/support/servers.ts';

const missing = missingOurs();
const ROUNDS = 200;
const ARGUMENT_BYTES = 50_000;

describe.skipIf(missing !== null)(missing ?? 'CLIENT LIST', () => {
  let server: OwnServer;
  let asking: RawConnection;

  beforeAll(async () => {
    server = await startOurs();
    asking = server.connection;
  });
  afterAll(() => server.stop());

  it('comes after what others have sent before', async () => {
    const other = connect(server.port, '127.0.0.1');
    other.setNoDelay(true);
    const answer = () => new Promise((done) => other.once('data', done));
    other.write(encode(['client', 'setname', 'other']));
    await answer();
    const seen: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // So that its socket is the first one that the system reports in the next round.
      await asking.call(['ping']);
      other.write(`*2\r\n$4\r\necho\r\n$${ARGUMENT_BYTES}\r\n`);
      const list = (await asking.call(['client', 'list'])).toString('latin1');
      seen.push(Number(/name=other .* tot-mem=(\d+)/.exec(list)?.[1]));
      other.write(`${'x'.repeat(ARGUMENT_BYTES)}\r\n`);
      for (let bytes = 0; bytes < ARGUMENT_BYTES; ) bytes += ((await answer()) as Buffer).length;
    }
    other.destroy();
    expect(Math.min(...seen)).toBeGreaterThan(ARGUMENT_BYTES);
  });

  it('keeps its place among the requests of its client', async () => {
    const other = await RawConnection.open(server.port);
    const replies = await asking.callAll([
      ['set', 'k', '1'],
      ['client', 'list'],
      ['incr', 'k'],
      ['multi'],
      ['client', 'list'],
      ['incr', 'k'],
      ['exec'],
    ]);
    expect(replies.map((reply) => reply.toString('latin1').slice(0, 4))).toEqual([
      '+OK\r',
      expect.stringMatching(/^\$\d/),
      ':2\r\n',
      '+OK\r',
      '+QUE',
      '+QUE',
      '*2\r\n',
    ]);
    // Replies that are switched off do not come later either.
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      Buffer.concat(
        [
          ['client', 'reply', 'off'],
          ['client', 'list'],
          ['client', 'reply', 'on'],
        ].map(encode),
      ),
    );
    expect(String(await new Promise((done) => socket.once('data', done)))).toBe('+OK\r\n');
    socket.destroy();
    other.close();
  });

  it('shows the request itself, as if it had not waited', async () => {
    const other = await RawConnection.open(server.port);
    const list = String(await asking.call(['client', 'list']));
    expect(list).toMatch(/ flags=N .* qbuf=26 .* argv-mem=10 .* cmd=client\|list /);
    const calls = async () =>
      /cmdstat_client\|list:calls=(\d+)/.exec(String(await asking.call(['info', 'commandstats'])));
    const before = Number((await calls())?.[1]);
    await asking.call(['client', 'list']);
    expect(Number((await calls())?.[1])).toBe(before + 1);
    other.close();
  });
});
