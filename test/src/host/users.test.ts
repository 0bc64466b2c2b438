import { describe, expect, test } from 'vitest';
import { gatherKernelFacts } from '../../../src/host/kernel.ts';
import { instancePaths, programPaths } from '../../../src/host/paths.ts';
import { createUserCommands, findUser, groupName, removeUserCommands } from '../../../src/host/users.ts';
import { fakeHost } from '../../support/fake-host.ts';

const lines = (commands: { file: string; args: readonly string[] }[]) =>
  commands.map(({ file, args }) => [file, ...args].join(' '));

describe('users', () => {
  test('finds a user by name through getent, or in /etc/passwd where there is none', async () => {
    const entry = 'redis:x:102:105::/var/lib/redis:/usr/sbin/nologin\n';
    const expected = { name: 'redis', userId: 102, groupId: 105, home: '/var/lib/redis', shell: '/usr/sbin/nologin' };
    expect(await findUser(fakeHost({ run: () => entry }), 'redis')).toEqual(expected);
    expect(await findUser(fakeHost({ files: { '/etc/passwd': entry } }), 'redis')).toEqual(expected);
    expect(await findUser(fakeHost({ run: () => ({ exitCode: 2 }) }), 'redis')).toBeUndefined();
    expect(await groupName(fakeHost({ run: () => 'redis:x:105:\n' }), 105)).toBe('redis');
  });

  test('makes a system user that nobody can log in as, with what the machine has', async () => {
    const debian = fakeHost({ programs: ['useradd', 'userdel'], files: { '/usr/sbin/nologin': '' } });
    expect(lines(await createUserCommands(debian, 'redis', '/var/lib/redis'))).toEqual([
      '/usr/sbin/useradd --system --user-group --home-dir /var/lib/redis --no-create-home --shell /usr/sbin/nologin redis',
    ]);
    expect(lines(removeUserCommands(debian, 'redis'))).toEqual(['/usr/sbin/userdel redis']);
    const alpine = fakeHost({ programs: ['adduser', 'addgroup'], files: { '/sbin/nologin': '' } });
    expect(lines(await createUserCommands(alpine, 'redis', '/var/lib/redis'))).toHaveLength(2);
  });

  test('on macOS picks an id that nobody has', async () => {
    const host = fakeHost({
      platform: 'darwin',
      run: (command) => (command.includes('-list') ? 'a 279\nb 280\n' : ''),
    });
    const commands = lines(await createUserCommands(host, 'redis', '/var/lib/redis'));
    expect(commands).toContain('/usr/bin/dscl . -create /Users/redis UniqueID 281');
  });
});

describe('paths', () => {
  test('the system layout is that of install_server.sh', () => {
    expect(instancePaths(fakeHost(), 'system', 6380)).toMatchObject({
      service: 'redis_6380',
      confFile: '/etc/redis/6380.conf',
      logFile: '/var/log/redis_6380.log',
      dataDirectory: '/var/lib/redis/6380',
      pidFile: '/var/run/redis_6380.pid',
    });
  });

  test('the user layout follows the XDG directories, ignoring relative ones', () => {
    const host = fakeHost({ env: { XDG_CONFIG_HOME: '/cfg', XDG_DATA_HOME: 'relative' } });
    expect(instancePaths(host, 'user', 6379)).toMatchObject({
      confFile: '/cfg/tsredis/6379.conf',
      dataDirectory: '/home/someone/.local/share/tsredis/6379',
      logFile: '/home/someone/.local/state/tsredis/redis_6379.log',
    });
    expect(programPaths(host, 'user', '1.2.3').binDirectory).toBe('/home/someone/.local/bin');
    expect(programPaths(host, 'system', '1.2.3').prefix).toBe('/usr/local/lib/tsredis/1.2.3');
  });
});

test('kernel facts are read from /proc and /sys, and unknown where those are missing', () => {
  const host = fakeHost({
    files: {
      '/proc/sys/vm/overcommit_memory': '1\n',
      '/sys/kernel/mm/transparent_hugepage/enabled': 'always [madvise] never\n',
      '/proc/self/limits': 'Max open files            1024                 unlimited            files\n',
      '/proc/meminfo': 'MemTotal:       2048 kB\nSwapTotal:  0 kB\n',
    },
  });
  expect(gatherKernelFacts(host)).toMatchObject({
    overcommitMemory: 1,
    transparentHugePages: 'madvise',
    openFilesSoft: 1024,
    openFilesHard: Number.POSITIVE_INFINITY,
    memoryTotalBytes: 2048 * 1024,
    swapTotalBytes: 0,
    listenBacklogMax: undefined,
  });
});
