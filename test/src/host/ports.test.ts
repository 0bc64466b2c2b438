import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { localHost } from '../../../src/host/host.ts';
import { describeOwner, findPortOwners, parseLsof } from '../../../src/host/ports.ts';
import { fakeHost } from '../../support/fake-host.ts';

test('names the process that listens, and nobody once it has closed', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const owners = await findPortOwners(localHost(), port);
  expect(owners.map((owner) => owner.pid)).toContain(process.pid);
  await new Promise((resolve) => server.close(resolve));
  expect(await findPortOwners(localHost(), port)).toEqual([]);
});

test('says what little it may know of another user’s socket', async () => {
  const row = '   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 9999 1';
  const [owner] = await findPortOwners(fakeHost({ files: { '/proc/net/tcp': `  sl\n${row}\n` } }), 6379);
  expect(owner).toEqual({ pid: undefined, name: undefined, userId: 105 });
  expect(describeOwner(owner!)).toBe('a process of user id 105');
});

test('reads what lsof says', () => {
  expect(parseLsof('p12\ncnginx\nu33\np13\ncredis\n')).toEqual([
    { pid: 12, name: 'nginx', userId: 33 },
    { pid: 13, name: 'redis', userId: undefined },
  ]);
});
