// The generated OpenRC script under a real OpenRC, in a box of its own: start, boot, supervision, stop.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instance } from '../../src/service/instance.ts';
import { renderOpenrc } from '../../src/service/openrc.ts';
import { type Box, boxUnavailable, initLayer, startBox } from '../support/box.ts';
import { confText, testInstance } from '../support/instance.ts';

const unavailable = boxUnavailable();
const layer = unavailable === undefined ? await initLayer('openrc').catch((error: Error) => error) : unavailable;
const reason = typeof layer === 'string' ? unavailable : layer.message;
const title = `the script under OpenRC${reason === undefined ? '' : ` (skipped: ${reason.trim()})`}`;

describe.skipIf(reason !== undefined)(title, () => {
  let box: Box;

  beforeAll(async () => {
    box = await startBox('openrc', String(layer), ['/sbin/init']);
    await box.sh('getent passwd redis >/dev/null || useradd --system --user-group --no-create-home redis');
  });
  afterAll(async () => box?.stop());

  async function install(instance: Instance, ...confLines: string[]) {
    const { dataDirectory, logFile, confFile, service } = instance;
    const prepare = 'install -d -o redis -g redis -m 750 "$1" && install -o redis -g redis -m 640 /dev/null "$2"';
    expect((await box.sh(prepare, dataDirectory, logFile)).stderr).toBe('');
    await box.write(confFile, confText(instance, ...confLines), 0o640, 'redis:redis');
    await box.write(`/etc/init.d/${service}`, renderOpenrc(instance), 0o755);
    return {
      call: (verb: string) => box.exec(['rc-service', service, verb]),
      serverPid: async () => (await box.sh('pgrep -f "tsredis-server[.]js /etc/redis"')).stdout.trim(),
    };
  }

  test('starts as its user, tells the status, stops with a save', async () => {
    const instance = testInstance(6601, {
      dataDirectory: "/var/lib/my  'data' #1 & $x *",
      confFile: '/etc/redis/my  #1 & $conf.conf',
      logFile: '/var/log/my  #1 & log.log',
    });
    const { call, serverPid } = await install(instance);
    expect((await call('status')).exitCode).toBe(3);
    expect((await call('start')).exitCode).toBe(0);
    expect((await call('status')).exitCode).toBe(0);
    expect((await box.sh('ps -o user= -p "$1"', (await serverPid()).split('\n').at(-1) ?? '')).stdout.trim()).toBe(
      'redis',
    );
    expect((await call('stop')).exitCode).toBe(0);
    expect(await serverPid()).toBe('');
    expect((await box.sh('test -s "$1/saved"', instance.dataDirectory)).exitCode).toBe(0);
    expect((await call('status')).exitCode).toBe(3);
  });

  test('a broken configuration is a failed start', async () => {
    const { call } = await install(testInstance(6602, { startTimeoutSeconds: 3 }), 'broken Bad directive');
    expect((await call('start')).exitCode).not.toBe(0);
    await call('stop');
  });

  test('killed, it is started again; enabled, it runs after a reboot', async () => {
    const instance = testInstance(6603);
    const { call, serverPid } = await install(instance);
    await call('start');
    const before = (await serverPid()).split('\n').at(-1) ?? '';
    expect(Number(before)).toBeGreaterThan(1);
    const wait =
      'kill -9 "$1"; until [ -n "$(pgrep -f "tsredis-server[.]js /etc/redis")" ] && ! kill -0 "$1" 2>/dev/null; do sleep 0.1; done';
    expect((await box.exec(['timeout', '20', 'sh', '-c', wait, 'sh', before])).exitCode).toBe(0);
    expect((await box.exec(['rc-update', 'add', instance.service, 'default'])).exitCode).toBe(0);
    await box.reboot();
    expect((await call('status')).exitCode).toBe(0);
    expect(await serverPid()).not.toBe('');
    await call('stop');
  });
});
