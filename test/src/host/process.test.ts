import { describe, expect, test } from 'vitest';
import { localHost } from '../../../src/host/host.ts';
import { listProcesses, parsePsLine, parseStat, readProcess } from '../../../src/host/process.ts';
import { fakeHost } from '../../support/fake-host.ts';

const stat = (name: string, state = 'S') => `7 (${name}) ${state} 1 7 7 0 -1 4 1 0 0 0 1 1 0 0 20 0 1 0 4200 1000 1`;

describe('readProcess', () => {
  test('knows this very process', async () => {
    const found = await readProcess(localHost(), process.pid);
    expect(found).toMatchObject({ pid: process.pid, userId: process.geteuid?.() });
    expect(found?.uptimeSeconds).toBeLessThan(100_000);
  });

  test('takes a zombie, a missing pid and nonsense for no process', async () => {
    const host = fakeHost({ files: { '/proc/7/stat': stat('redis-server', 'Z') } });
    expect(await readProcess(host, 7)).toBeUndefined();
    expect(await readProcess(host, 8)).toBeUndefined();
    expect(await readProcess(host, -1)).toBeUndefined();
    expect(await readProcess(host, Number.NaN)).toBeUndefined();
  });

  test('reads names with blanks and parentheses, and programs that were replaced on disk', async () => {
    const host = fakeHost({
      files: {
        '/proc/7/stat': stat('a) R (b'),
        '/proc/7/cmdline': 'node\0/etc/my conf\0\0\0',
        '/proc/7/status': 'Name:\tx\nUid:\t1\t2\t1\t1\n',
        '/proc/uptime': '100.50 1',
      },
      links: { '/proc/7/exe': '/usr/bin/node (deleted)', '/proc/7/cwd': '/var/lib/redis/6379' },
    });
    expect(await readProcess(host, 7)).toEqual({
      pid: 7,
      name: 'a) R (b',
      startId: '4200',
      uptimeSeconds: 58,
      executable: '/usr/bin/node',
      workingDirectory: '/var/lib/redis/6379',
      args: ['node', '/etc/my conf'],
      userId: 2,
    });
  });

  test('asks ps where there is no /proc', async () => {
    const line =
      '  42   501      01:05 Mon Nov 20 10:00:00 2023     /usr/local/bin/node server.js /etc/redis/6379.conf';
    const found = await readProcess(fakeHost({ platform: 'darwin', run: () => line }), 42);
    expect(found).toMatchObject({ pid: 42, userId: 501, name: 'node', executable: '/usr/local/bin/node' });
    expect(found?.args).toContain('/etc/redis/6379.conf');
  });
});

test('listProcesses finds this process among the others', async () => {
  expect((await listProcesses(localHost())).map((found) => found.pid)).toContain(process.pid);
});

test('a line that ps did not write is no process', () => {
  expect(parsePsLine('PID TTY', 0)).toBeUndefined();
  expect(parseStat('')).toBeUndefined();
});
