// tsredis service, as a person runs it, on instances under a real systemd and without any service manager.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localHost } from '../../src/host/host.ts';
import type { Instance } from '../../src/service/instance.ts';
import { recordFile } from '../../src/service/registry.ts';
import { renderUnit } from '../../src/service/systemd.ts';
import { type Box, boxUnavailable, startBox } from '../support/box.ts';
import { bundleProgram, confText, testContext, testInstance } from '../support/instance.ts';

const unavailable = boxUnavailable();
const program = unavailable === undefined ? await bundleProgram('tsredis') : undefined;
const reason = unavailable ?? (program === undefined ? 'the toolkit could not be bundled' : undefined);

describe.skipIf(reason !== undefined)(`tsredis service${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let box: Box;

  beforeAll(async () => {
    box = await startBox('service');
    await box.sh('getent passwd redis >/dev/null || useradd --system --user-group --no-create-home redis');
  });
  afterAll(async () => box?.stop());

  const service = async (...words: string[]) => box.exec([process.execPath, program ?? '', 'service', ...words]);
  const status = async (port: number) => {
    const result = await service('status', String(port), '--json');
    return {
      exitCode: result.exitCode,
      ...(JSON.parse(result.stdout) as { state: string; pid: number; answer: string }),
    };
  };

  async function install(instance: Instance, manager: 'systemd' | 'daemon', ...confLines: string[]) {
    const { dataDirectory, logFile, confFile, service: name } = instance;
    const prepare = 'install -d -o redis -g redis -m 750 "$1" && install -o redis -g redis -m 640 /dev/null "$2"';
    expect((await box.sh(prepare, dataDirectory, logFile)).stderr).toBe('');
    await box.write(confFile, confText(instance, ...confLines), 0o640, 'redis:redis');
    const record = recordFile(localHost(), instance, manager);
    await box.write(record.path, record.content, record.mode);
    if (manager === 'systemd') {
      await box.write(
        `/etc/systemd/system/${name}.service`,
        renderUnit(instance, testContext({ systemdVersion: 252 })),
      );
      await box.exec(['systemctl', 'daemon-reload']);
    }
  }

  test.each([
    ['systemd', 6701],
    ['daemon', 6702],
  ] as const)('%s: starts, tells, restarts, stops', async (manager, port) => {
    await install(testInstance(port), manager);
    expect(await status(port)).toMatchObject({ exitCode: 3, state: 'stopped' });
    const started = await service('start', String(port));
    expect(started).toMatchObject({ exitCode: 0, stderr: '' });
    expect(started.stdout).toContain('answers PONG');
    const first = await status(port);
    expect(first).toMatchObject({ exitCode: 0, state: 'running', answer: 'PONG', manager });
    expect((await box.sh('ps -o user= -p "$1"', String(first.pid))).stdout.trim()).toBe('redis');
    expect((await service('restart', String(port))).exitCode).toBe(0);
    expect((await status(port)).pid).not.toBe(first.pid);
    expect((await service('logs', String(port))).stdout).toContain('Ready to accept connections');
    expect((await service('stop', String(port))).exitCode).toBe(0);
    expect(await status(port)).toMatchObject({ exitCode: 3 });
  });

  test('a server that was started by hand is found and stopped all the same', async () => {
    const instance = testInstance(6703);
    await install(instance, 'systemd');
    const { executable } = instance;
    const serverPath = executable.kind === 'bundled' ? executable.serverPath : '';
    await box.sh(
      'setsid setpriv --reuid=redis --regid=redis --init-groups "$1" "$2" "$3" >/dev/null 2>&1 </dev/null & ' +
        'until [ -s "$4" ]; do sleep 0.05; done',
      process.execPath,
      serverPath,
      instance.confFile,
      instance.logFile,
    );
    expect(await status(6703)).toMatchObject({ exitCode: 0, state: 'running' });
    expect((await service('stop', '6703')).stdout).toContain('stopped');
    expect((await status(6703)).exitCode).toBe(3);
  });

  test('a port that something else holds is named, with its holder', async () => {
    await install(testInstance(6704), 'systemd');
    const listen = 'require("node:net").createServer().listen(6704, "127.0.0.1")';
    const holder = '"$1" -e "$2" >/dev/null 2>&1 & printf %s "$!"; until ss -ltn | grep -q :6704; do sleep 0.05; done';
    const pid = (await box.sh(holder, process.execPath, listen)).stdout;
    const started = await service('start', '6704');
    expect(started.exitCode).toBe(1);
    expect(started.stderr).toMatch(/port 6704 is already in use by \S+ \(pid \d+\)/);
    expect(started.stderr).toContain(`(pid ${pid})`);
    await box.exec(['kill', pid]);
  });

  test('a failing save: the reason, nothing killed; --kill ends it', async () => {
    const instance = testInstance(6705, { stopTimeoutSeconds: 1 });
    await install(instance, 'systemd');
    await box.sh('touch "$1/unsaveable"', instance.dataDirectory);
    await service('start', '6705');
    const stopped = await service('stop', '6705');
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stderr).toContain("can't exit");
    expect(stopped.stderr).toContain('--kill');
    expect(await status(6705)).toMatchObject({ state: 'running', answer: 'PONG' });
    expect((await service('stop', '6705', '--kill')).stdout).toContain('was killed');
    expect((await status(6705)).state).not.toBe('running');
  });

  test('without root it tells the status, and refuses the rest at once', async () => {
    await install(testInstance(6706), 'systemd');
    await service('start', '6706');
    const asNobody = (verb: string) =>
      box.exec([
        'setpriv',
        '--reuid=nobody',
        '--regid=nogroup',
        '--clear-groups',
        process.execPath,
        program ?? '',
        'service',
        verb,
        '6706',
      ]);
    expect((await asNobody('status')).exitCode).toBe(0);
    const stopped = await asNobody('stop');
    expect(stopped.exitCode).not.toBe(0);
    expect(stopped.stderr).not.toBe('');
    expect((await status(6706)).state).toBe('running');
    await service('stop', '6706');
  });

  test('the list of all instances; its status tells whether every one runs', async () => {
    const listed = await service('status');
    expect(listed.exitCode).not.toBe(0);
    expect(listed.stdout.split('\n')[0]).toMatch(/^SERVICE +STATE +PID +UPTIME +PORT +PING +MANAGER +CONF$/);
    expect(listed.stdout).toMatch(/^redis_6701 +stopped/m);
  });
});
