import { describe, expect, test } from 'vitest';
import { findInitSystem, gatherFacts, parseOsRelease } from '../../../src/host/facts.ts';
import { localHost } from '../../../src/host/host.ts';
import { fakeHost } from '../../support/fake-host.ts';

describe('findInitSystem', () => {
  test.each([
    ['systemd', { '/run/systemd/system/x': '' }],
    ['openrc', { '/run/openrc/softlevel': 'default' }],
    ['sysv', { '/proc/1/comm': 'init\n', '/etc/inittab': '' }],
    ['none', { '/proc/1/comm': 'tini\n', '/etc/inittab': '' }],
    // systemctl is installed, but something else is process 1: a container.
    ['none', { '/proc/1/comm': 'node\n', '/usr/bin/systemctl': '' }],
  ])('finds %s by what it leaves behind', (expected, files) => {
    expect(findInitSystem(fakeHost({ files }))).toBe(expected);
  });

  test('is launchd on macOS', () => {
    expect(findInitSystem(fakeHost({ platform: 'darwin' }))).toBe('launchd');
  });
});

describe('gatherFacts', () => {
  test('describes a Debian in a container', async () => {
    const host = fakeHost({
      userId: 1000,
      files: {
        '/etc/os-release': 'ID=debian\nVERSION_ID="12"\nID_LIKE="a b"\n',
        '/proc/1/environ': 'PATH=/bin\0container=docker\0',
        '/usr/bin/perl': '',
      },
      run: (command) => (command === 'systemctl --version' ? 'systemd 252 (252.39-1~deb12u1)\n+PAM' : undefined),
    });
    expect(await gatherFacts(host)).toMatchObject({
      isRoot: false,
      isContainer: true,
      systemdVersion: 252,
      distribution: 'debian',
      distributionVersion: '12',
      distributionFamily: ['a', 'b'],
      perlPath: '/usr/bin/perl',
    });
  });

  test('works on the machine that runs the tests', async () => {
    const facts = await gatherFacts(localHost());
    expect(facts.platform).toBe(process.platform);
    expect(facts.nodePath).toMatch(/^\//);
  });
});

test('parseOsRelease removes quotes and skips what is no assignment', () => {
  expect(parseOsRelease('# x\nNAME="A B"\nID=\'c\'\n\nnonsense')).toEqual({ NAME: 'A B', ID: 'c' });
});
