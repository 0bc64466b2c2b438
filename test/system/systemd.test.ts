// The generated unit under a real systemd, in a box of its own: start, stop, reboot, failures, and its sandbox.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localHost } from '../../src/host/host.ts';
import { createInstance, type Instance } from '../../src/service/instance.ts';
import type { ManagerContext } from '../../src/service/manager.ts';
import { renderUnit } from '../../src/service/systemd.ts';
import { type Box, boxUnavailable, initLayer, startBox } from '../support/box.ts';
import {
  builtExecutable,
  bundledExecutable,
  confText,
  redisExecutable,
  testContext,
  testInstance,
} from '../support/instance.ts';

const noSystemd = boxUnavailable() ?? (existsSync('/usr/bin/systemd-analyze') ? undefined : 'systemd is not installed');
const reason = noSystemd === undefined ? '' : ` (skipped: ${noSystemd})`;
const own = noSystemd === undefined ? await builtExecutable() : undefined;
const hasRedis = existsSync(redisExecutable.kind === 'redis' ? redisExecutable.path : '');

const version =
  noSystemd === undefined
    ? Number(/systemd (\d+)/.exec(execFileSync('systemctl', ['--version'], { encoding: 'utf8' }))?.[1])
    : 0;

/** A program that lies in /tmp costs its unit PrivateTmp: 0.2 of exposure. An installed one never lies there. */
const checkoutCost = /^\/(tmp|var\/tmp)\//.test(fileURLToPath(import.meta.url)) ? 2 : 0;

const pingScript = `exec 3<>/dev/tcp/127.0.0.1/$1 && printf 'PING\\r\\n' >&3 && read -r line <&3 && printf %s "$line"`;

describe.skipIf(noSystemd !== undefined)(`the unit as systemd-analyze sees it${reason}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsredis-unit-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const cases: [string, Instance, number][] = [
    ['bundled server', testInstance(6379), 9],
    ['bundled server for any address', testInstance(6380, { loopbackOnly: false }), 11],
    ['bundled server without perl', testInstance(6381), 9],
    ['a real Redis', testInstance(6382, {}, redisExecutable), 9],
    ['paths with special characters', testInstance(6383, { dataDirectory: '/var/lib/my "da\\ta" #1 & $x 100%' }), 9],
  ];
  test.each(cases)('%s: verified without a word, exposed at most as allowed', (name, instance, threshold) => {
    const path = join(directory, `${instance.service}.service`);
    const perlPath = name.includes('without perl') ? undefined : '/usr/bin/perl';
    writeFileSync(path, renderUnit(instance, testContext({ systemdVersion: version, perlPath })));
    const verify = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    expect(verify.stderr).toBe('');
    expect(verify.status).toBe(0);
    const security = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', `--threshold=${threshold + checkoutCost}`, '--no-pager', path],
      { encoding: 'utf8' },
    );
    expect(security.stderr + security.stdout.split('\n').at(-2)).toContain('Overall exposure');
    expect(security.status).toBe(0);
  });
});

// Debian's backports have a systemd that knows OpenFile=: with it, the server is handed the socket directly.
const layer = noSystemd === undefined ? await initLayer('systemd').catch((error: Error) => error) : noSystemd;
const noLayer = typeof layer === 'string' ? noSystemd : layer.message.trim();

const systems = [
  { name: 'this machine’s systemd', root: '/', skip: noSystemd },
  { name: 'the systemd of the backports', root: String(layer), skip: noLayer },
];

describe.each(systems)('$name, booted', ({ root, skip }) => {
  if (skip !== undefined) return test.skip(`skipped: ${skip}`, () => undefined);
  let box: Box;
  let context: ManagerContext;

  beforeAll(async () => {
    box = await startBox('systemd', root);
    const found = /systemd (\d+)/.exec((await box.exec(['systemctl', '--version'])).stdout)?.[1];
    context = testContext({ systemdVersion: Number(found) });
    await box.sh('getent passwd redis >/dev/null || useradd --system --user-group --no-create-home redis');
  });
  afterAll(async () => box?.stop());

  async function install(instance: Instance, confLines: string[] = [], perlPath: string | null = '/usr/bin/perl') {
    const { dataDirectory, logFile, confFile, service } = instance;
    const prepare = 'install -d -o redis -g redis -m 750 "$1" && install -o redis -g redis -m 640 /dev/null "$2"';
    expect((await box.sh(prepare, dataDirectory, logFile)).stderr).toBe('');
    await box.write(confFile, confText(instance, ...confLines), 0o640, 'redis:redis');
    await box.write(
      `/etc/systemd/system/${service}.service`,
      renderUnit(instance, { ...context, facts: { ...context.facts, perlPath: perlPath ?? undefined } }),
    );
    expect((await box.exec(['systemctl', 'daemon-reload'])).exitCode).toBe(0);
  }

  const property = async (instance: Instance, name: string) =>
    (await box.exec(['systemctl', 'show', '-p', name, '--value', instance.service])).stdout.trim();

  const ping = async (port: number) => (await box.exec(['bash', '-c', pingScript, 'bash', String(port)])).stdout.trim();

  test('the unit is verified without a word and exposed at most as allowed', async () => {
    const instance = testInstance(6400);
    await install(instance);
    const path = `/etc/systemd/system/${instance.service}.service`;
    expect(await box.exec(['systemd-analyze', 'verify', path])).toMatchObject({ exitCode: 0, stderr: '' });
    const security = await box.exec([
      'systemd-analyze',
      'security',
      '--no-pager',
      '--offline=true',
      `--threshold=${9 + checkoutCost}`,
      path,
    ]);
    expect(security.exitCode, security.stdout.split('\n').slice(-3).join()).toBe(0);
  });

  const executables = [
    {
      name: 'our server, handed the socket',
      port: 6413,
      executable: own ?? bundledExecutable,
      perlPath: '/usr/bin/perl',
      type: 'notify',
      runs: own !== undefined,
    },
    {
      name: 'our server, without perl',
      port: 6414,
      executable: own ?? bundledExecutable,
      perlPath: null,
      type: 'exec',
      runs: own !== undefined,
    },
    {
      name: 'bundled, handed the socket',
      port: 6401,
      executable: bundledExecutable,
      perlPath: '/usr/bin/perl',
      type: 'notify',
      runs: true,
    },
    {
      name: 'bundled, without perl',
      port: 6402,
      executable: bundledExecutable,
      perlPath: null,
      type: 'exec',
      runs: true,
    },
    {
      name: 'a real Redis',
      port: 6403,
      executable: redisExecutable,
      perlPath: null,
      type: 'notify',
      runs: hasRedis,
    },
    {
      name: 'a Redis that tells nobody',
      port: 6404,
      executable: { ...redisExecutable, notifies: false },
      perlPath: null,
      type: 'exec',
      runs: hasRedis,
    },
  ] as const;

  test.each(executables)('$name: starts when it listens, answers, stops with a save', async (row) => {
    if (!row.runs) return console.warn(`skipped: there is no ${row.name}`);
    const instance = testInstance(row.port, {}, row.executable);
    await install(instance, [], row.perlPath);
    const started = await box.exec(['systemctl', 'start', instance.service]);
    expect(started.stderr).toBe('');
    // A systemd that hands the socket over itself needs no perl for it.
    const handsOver = row.executable.kind === 'bundled' && (context.facts.systemdVersion ?? 0) >= 253;
    expect(await property(instance, 'Type')).toBe(handsOver ? 'notify' : row.type);
    expect(await property(instance, 'ActiveState')).toBe('active');
    expect(await ping(row.port)).toBe('+PONG');
    const pid = await property(instance, 'MainPID');
    expect((await box.sh('ps -o user= -p "$1"', pid)).stdout.trim()).toBe('redis');
    // The service manager is not left with a launcher in between.
    expect((await box.sh('readlink "/proc/$1/exe"', pid)).stdout.trim()).not.toContain('perl');
    expect((await box.exec(['systemctl', 'stop', instance.service])).exitCode).toBe(0);
    expect(await property(instance, 'Result')).toBe('success');
    expect((await box.exec(['systemctl', 'is-active', instance.service])).exitCode).toBe(3);
  });

  test('service(8) starts, restarts, tells the status and stops it', async () => {
    const instance = testInstance(6405);
    await install(instance);
    const service = async (verb: string) => (await box.exec(['service', instance.service, verb])).exitCode;
    expect(await service('status')).toBe(3);
    expect(await service('start')).toBe(0);
    expect(await service('status')).toBe(0);
    const before = await property(instance, 'MainPID');
    expect(await service('restart')).toBe(0);
    expect(await property(instance, 'MainPID')).not.toBe(before);
    expect(await service('stop')).toBe(0);
    expect(await service('status')).toBe(3);
  });

  test('a password does not keep it from starting and stopping', async () => {
    const instance = testInstance(6406);
    await install(instance, ['requirepass secret']);
    expect((await box.exec(['systemctl', 'start', instance.service])).exitCode).toBe(0);
    expect(await ping(6406)).toContain('-NOAUTH');
    expect((await box.exec(['systemctl', 'stop', instance.service])).exitCode).toBe(0);
    expect((await box.sh('cat "$1"', `${instance.dataDirectory}/saved`)).exitCode).toBe(0);
  });

  test('enabled, it runs again after a reboot', async () => {
    const instance = testInstance(6407);
    await install(instance);
    expect((await box.exec(['systemctl', 'enable', '--now', instance.service])).exitCode).toBe(0);
    await box.reboot();
    expect((await box.exec(['systemctl', 'is-active', instance.service])).stdout.trim()).toBe('active');
    expect(await ping(6407)).toBe('+PONG');
    await box.exec(['systemctl', 'disable', '--now', instance.service]);
  });

  test('killed, it comes back by itself with a new pid', async () => {
    const instance = testInstance(6408);
    await install(instance);
    await box.exec(['systemctl', 'start', instance.service]);
    const before = await property(instance, 'MainPID');
    // kill(2) takes 0 for its own process group, which reaches out of the box.
    expect(Number(before)).toBeGreaterThan(1);
    await box.sh('kill -9 "$1"', before);
    const wait =
      'until [ "$(systemctl show -p MainPID --value "$1")" != "$2" ] && systemctl -q is-active "$1"; do sleep 0.05; done';
    expect((await box.exec(['timeout', '20', 'sh', '-c', wait, 'sh', instance.service, before])).exitCode).toBe(0);
    expect(await ping(6408)).toBe('+PONG');
    await box.exec(['systemctl', 'stop', instance.service]);
  });

  test.each([null, '/usr/bin/perl'])(
    'a broken configuration fails the start, with the reason in the journal (perl: %s)',
    async (perlPath) => {
      const instance = testInstance(6409);
      await install(instance, ['broken Bad directive'], perlPath);
      expect((await box.exec(['systemctl', 'start', instance.service])).exitCode).toBe(1);
      const journal = await box.exec(['journalctl', '--no-pager', '-u', instance.service]);
      expect(journal.stdout).toContain('FATAL CONFIG FILE ERROR');
      await box.exec(['systemctl', 'stop', instance.service]);
    },
  );

  test('a server that cannot save is not killed', async () => {
    const instance = testInstance(6410, { stopTimeoutSeconds: 1 });
    await install(instance);
    await box.sh('touch "$1"', `${instance.dataDirectory}/unsaveable`);
    await box.exec(['systemctl', 'start', instance.service]);
    const pid = await property(instance, 'MainPID');
    await box.exec(['systemctl', 'stop', instance.service]);
    expect(await ping(6410)).toBe('+PONG');
    await box.sh('rm "$1" && kill -TERM "$2"', `${instance.dataDirectory}/unsaveable`, pid);
  });

  test('the fence holds: it can write its own directories and nothing else', async () => {
    const instance = testInstance(6411);
    await install(instance);
    await box.exec(['systemctl', 'start', instance.service]);
    const pid = await property(instance, 'MainPID');
    const status = (await box.sh('cat "/proc/$1/status"', pid)).stdout;
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
    expect(status).toMatch(/^CapBnd:\s+0+$/m);
    const mounts = (await box.sh('cat "/proc/$1/mountinfo"', pid)).stdout.split('\n').map((line) => line.split(' '));
    const writable = (path: string) => mounts.find((fields) => fields[4] === path)?.[5]?.startsWith('rw');
    expect(writable('/')).toBe(false);
    expect(writable(instance.dataDirectory)).toBe(true);
    expect(writable('/etc/redis')).toBe(true);
    await box.exec(['systemctl', 'stop', instance.service]);
  });

  test('paths with blanks, quotes, # and & reach the server as they are', async () => {
    const odd = "/var/lib/my data #1 & 'co' $HOME 100%";
    const instance = testInstance(6412, { dataDirectory: odd, confFile: '/etc/redis/my #1 & $conf 100%.conf' });
    await install(instance);
    expect((await box.exec(['systemctl', 'start', instance.service])).stderr).toBe('');
    expect(await ping(6412)).toBe('+PONG');
    await box.exec(['systemctl', 'stop', instance.service]);
    expect((await box.sh('test -s "$1/saved"', odd)).exitCode).toBe(0);
  });

  test('for one user: started by their own manager, no root anywhere', async () => {
    const home = '/home/someone';
    const made = await box.sh('useradd --create-home --home-dir "$1" someone && loginctl enable-linger someone', home);
    expect(made.exitCode).toBe(0);
    const userId = Number((await box.exec(['id', '-u', 'someone'])).stdout);
    const asUser = (...command: string[]) =>
      box.exec([
        'setpriv',
        '--reuid=someone',
        '--regid=someone',
        '--init-groups',
        'env',
        `XDG_RUNTIME_DIR=/run/user/${userId}`,
        `HOME=${home}`,
        ...command,
      ]);
    await box.sh('until test -S "/run/user/$1/systemd/private"; do sleep 0.05; done', String(userId));
    const host = { ...localHost(), home, env: {} };
    const instance = createInstance(host, 'user', 6415, own ?? bundledExecutable, { startTimeoutSeconds: 15 });
    const unit = renderUnit(instance, { ...context, facts: { ...context.facts, home, userId, isRoot: false } });
    const owner = 'someone:someone';
    await box.write(`${instance.dataDirectory}/.keep`, '', 0o600, owner);
    await box.write(instance.confFile, confText(instance), 0o600, owner);
    await box.write(instance.logFile, '', 0o600, owner);
    await box.write(`${home}/.config/systemd/user/${instance.service}.service`, unit, 0o644, owner);
    await box.sh('chown -R someone:someone "$1"', home);
    expect(await asUser('systemctl', '--user', 'daemon-reload')).toMatchObject({ exitCode: 0, stderr: '' });
    const started = await asUser('systemctl', '--user', 'start', instance.service);
    const journal = await box.exec(['journalctl', '--no-pager', '-n', '20']);
    expect(started.stderr, journal.stdout).toBe('');
    expect(await ping(6415)).toBe('+PONG');
    expect((await asUser('systemctl', '--user', 'stop', instance.service)).exitCode).toBe(0);
    expect((await asUser('systemctl', '--user', 'is-active', instance.service)).exitCode).toBe(3);
  });
});
