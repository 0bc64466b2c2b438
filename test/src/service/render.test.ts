// What the generated files say, whatever they look like: each is read back by a reader of its own kind.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse as parsePlist } from 'plist';
import { afterAll, describe, expect, test } from 'vitest';
import { renderPlist } from '../../../src/service/launchd.ts';
import { logrotateFile } from '../../../src/service/logrotate.ts';
import { renderOpenrc } from '../../../src/service/openrc.ts';
import { readyWay, renderUnit } from '../../../src/service/systemd.ts';
import { renderScript } from '../../../src/service/sysv.ts';
import { bundledExecutable, redisExecutable, testContext, testInstance } from '../../support/instance.ts';

const odd = '/srv/a  b "c" \'d\' #1 & $HOME `id` 100% \\e <f>';
const directory = mkdtempSync(join(tmpdir(), 'tsredis-render-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** `Key=value` lines by key, comments left out. */
function settings(unit: string): Map<string, string[]> {
  const entries = new Map<string, string[]>();
  for (const line of unit.split('\n')) {
    const match = /^(\w+)=(.*)$/.exec(line);
    if (match) entries.set(match[1]!, [...(entries.get(match[1]!) ?? []), match[2]!]);
  }
  return entries;
}

describe('the systemd unit', () => {
  const unit = (...args: Parameters<typeof testContext>) => settings(renderUnit(testInstance(), testContext(...args)));

  test('is told that the server is ready by the best way there is', () => {
    expect(unit({ systemdVersion: 257 }).get('OpenFile')).toEqual(['/run/systemd/notify:notify']);
    expect(unit({ systemdVersion: 257 }).get('ExecStart')?.[0]).not.toContain('perl');
    expect(unit({ systemdVersion: 257 }).get('RestrictAddressFamilies')).toEqual(['AF_INET AF_INET6']);
    expect(unit({ systemdVersion: 252 }).get('ExecStart')?.[0]).toContain('/usr/bin/perl');
    expect(unit({ systemdVersion: 252 }).get('RestrictAddressFamilies')?.[0]).toContain('AF_UNIX');
    const last = unit({ systemdVersion: 252, perlPath: undefined });
    expect(last.get('Type')).toEqual(['exec']);
    expect(last.get('ExecStartPost')?.[0]).toContain('%t/redis_6379/redis.pid');
    expect(readyWay(testInstance(6379, {}, redisExecutable), testContext().facts)).toBe('native');
  });

  test('tells Node what only its command line can say', () => {
    const start = settings(renderUnit(testInstance(), testContext())).get('ExecStart')?.[0];
    const { nodePath, serverPath } = bundledExecutable;
    expect(start).toContain(` ${nodePath} --v8-pool-size=1 ${serverPath} `);
  });

  test('never kills, never runs as root, and keeps V8 alive', () => {
    const entries = unit();
    expect(entries.get('SendSIGKILL')).toEqual(['no']);
    expect(entries.get('User')).toEqual(['redis']);
    expect(entries.has('MemoryDenyWriteExecute')).toBe(false);
    expect(entries.get('SystemCallFilter')?.[0]).toContain('@pkey');
    expect(
      settings(renderUnit(testInstance(1, {}, redisExecutable), testContext())).get('MemoryDenyWriteExecute'),
    ).toEqual(['yes']);
  });

  test('leaves out what an older systemd does not know, and what a container forbids', () => {
    const old = unit({ systemdVersion: 239 });
    for (const key of ['ProtectProc', 'PrivateIPC', 'NoExecPaths', 'ProtectClock'])
      expect(old.has(key), key).toBe(false);
    expect(old.get('Type')).toEqual(['notify']);
    const reduced = settings(renderUnit(testInstance(), { ...testContext(), sandbox: 'reduced' }));
    for (const key of ['ProtectSystem', 'PrivateUsers', 'PrivateDevices']) expect(reduced.has(key), key).toBe(false);
    expect(reduced.get('NoNewPrivileges')).toEqual(['yes']);
  });

  test('lets other machines in only when the instance is meant for them', () => {
    expect(unit().get('IPAddressAllow')).toEqual(['localhost']);
    const open = settings(renderUnit(testInstance(6379, { loopbackOnly: false }), testContext()));
    expect(open.has('IPAddressDeny')).toBe(false);
    expect(open.get('After')).toEqual(['network-online.target']);
  });

  test('keeps a home directory visible when something of the instance is there', () => {
    expect(unit().get('ProtectHome')).toEqual(['yes']);
    const home = settings(renderUnit(testInstance(1, { dataDirectory: '/home/me/data' }), testContext()));
    expect(home.get('ProtectHome')).toEqual(['read-only']);
    expect(home.get('ReadWritePaths')?.[0]).toContain('/home/me/data');
    const temporary = settings(renderUnit(testInstance(1, { dataDirectory: '/tmp/data' }), testContext()));
    expect(temporary.has('PrivateTmp')).toBe(false);
  });

  test('limits memory when asked to', () => {
    expect(settings(renderUnit(testInstance(1, { memoryBytesMax: 1 << 30 }), testContext())).get('MemoryMax')).toEqual([
      '1073741824',
    ]);
  });

  test('for one user it has no user, no network to wait for, and starts with the session', () => {
    const instance = { ...testInstance(), scope: 'user' as const, user: undefined, group: undefined };
    const entries = settings(renderUnit(instance, testContext()));
    expect(entries.has('User')).toBe(false);
    expect(entries.has('After')).toBe(false);
    expect(entries.get('WantedBy')).toEqual(['default.target']);
  });
});

describe('the property list', () => {
  const read = (...args: Parameters<typeof testInstance>) =>
    parsePlist(renderPlist(testInstance(...args))) as Record<string, unknown>;

  test('parses, and has the types that launchd wants', () => {
    expect(read()).toMatchObject({
      Label: 'redis_6379',
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ExitTimeOut: 120,
      UserName: 'redis',
      GroupName: 'redis',
      SoftResourceLimits: { NumberOfFiles: 10_032 },
      HardResourceLimits: { NumberOfFiles: 10_032 },
    });
  });

  test('carries any path unchanged', () => {
    const entries = read(6379, { dataDirectory: odd, confFile: odd, logFile: odd });
    expect(entries['WorkingDirectory']).toBe(odd);
    expect(entries['ProgramArguments']).toContain(odd);
    expect(entries['StandardErrorPath']).toBe(odd);
  });

  test('for one user names no user', () => {
    expect(read(6379, { user: undefined })).not.toHaveProperty('UserName');
  });
});

describe.skipIf(process.platform === 'win32')('the scripts', () => {
  test.each([
    ['sysv', renderScript],
    ['openrc', renderOpenrc],
  ])('%s: a shell can read it, whatever the paths', (name, renderIt) => {
    const path = join(directory, name);
    writeFileSync(path, renderIt(testInstance(6379, { dataDirectory: odd, confFile: odd, logFile: odd })));
    expect(spawnSync('sh', ['-n', path], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  });

  test('sysv: its variables hold any path unchanged', () => {
    const script = renderScript(testInstance(6379, { dataDirectory: odd, confFile: odd }));
    const assignments = script.split('\n').filter((line) => /^(DATA|CONF)=/.test(line));
    const echoed = execFileSync('sh', ['-c', `${assignments.join('\n')}\nprintf '%s\\n' "$DATA" "$CONF"`], {
      encoding: 'utf8',
    });
    expect(echoed).toBe(`${odd}\n${odd}\n`);
  });

  test('openrc: its words survive being split and evaluated again', () => {
    const script = renderOpenrc(testInstance(6379, { confFile: odd }));
    const assignment = script.split('\n').find((line) => line.startsWith('command_args='));
    const echoed = execFileSync('sh', ['-c', `${assignment}\neval printf "'%s\\n'" $command_args`], {
      encoding: 'utf8',
    });
    expect(echoed.split('\n')).toContain(odd);
  });

  const shellcheck = spawnSync('shellcheck', ['--version']).status === 0;
  test.skipIf(!shellcheck)(`shellcheck finds nothing${shellcheck ? '' : ' (skipped: not installed)'}`, () => {
    const path = join(directory, 'checked');
    writeFileSync(path, renderScript(testInstance()));
    expect(spawnSync('shellcheck', ['-s', 'sh', path], { encoding: 'utf8' }).stdout).toBe('');
  });

  test('sysv: has the LSB header and the chkconfig header', () => {
    const script = renderScript(testInstance(6380));
    expect(script).toMatch(/^# chkconfig: \d+ \d+ \d+$/m);
    expect(script).toMatch(/^### BEGIN INIT INFO\n# Provides: +redis_6380\n/m);
    expect(script).toMatch(/^### END INIT INFO$/m);
    expect(script).not.toMatch(/kill -(9|KILL)/);
    expect(script).not.toContain('redis-cli');
  });
});

describe('the logrotate configuration', () => {
  test('names the log, and the user where the directory is its own', () => {
    expect(logrotateFile(testInstance())).toMatchObject({ path: '/etc/logrotate.d/redis_6379', mode: 0o644 });
    expect(logrotateFile(testInstance())?.content).toContain('"/var/log/redis_6379.log" {');
    const own = testInstance(6379, { logFile: '/var/lib/redis/6379/my log.log' });
    expect(logrotateFile(own)?.content).toContain('su redis redis');
  });

  test('there is none for a user’s own instance', () => {
    expect(logrotateFile({ ...testInstance(), scope: 'user' })).toBeUndefined();
  });
});
