// The generated init script under a real sysvinit, in a box of its own: LSB exit statuses, boot, pids that lie.
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Instance } from '../../src/service/instance.ts';
import { renderScript } from '../../src/service/sysv.ts';
import { type Box, boxUnavailable, initLayer, startBox } from '../support/box.ts';
import { builtExecutable, confText, redisExecutable, testInstance } from '../support/instance.ts';

// Fetching the layer needs Debian's packages: where they cannot be had, the tests say so and are skipped.
const unavailable = boxUnavailable();
const layer = unavailable === undefined ? await initLayer('sysv').catch((error: Error) => error) : unavailable;
const reason = typeof layer === 'string' ? unavailable : layer.message;
const title = `the init script under sysvinit${reason === undefined ? '' : ` (skipped: ${reason.trim()})`}`;
const hasRedis = existsSync('/usr/bin/redis-server');
const own = reason === undefined ? await builtExecutable() : undefined;
const pingScript = `exec 3<>/dev/tcp/127.0.0.1/$1 && printf 'PING\\r\\n' >&3 && read -r line <&3 && printf %s "$line"`;

describe.skipIf(reason !== undefined)(title, () => {
  let box: Box;

  beforeAll(async () => {
    box = await startBox('sysv', String(layer), ['/sbin/init']);
    await box.sh('getent passwd redis >/dev/null || useradd --system --user-group --no-create-home redis');
  });
  afterAll(async () => box?.stop());

  async function install(instance: Instance, ...confLines: string[]) {
    const { dataDirectory, logFile, confFile, service } = instance;
    const prepare = 'install -d -o redis -g redis -m 750 "$1" && install -o redis -g redis -m 640 /dev/null "$2"';
    expect((await box.sh(prepare, dataDirectory, logFile)).stderr).toBe('');
    await box.write(confFile, confText(instance, ...confLines), 0o640, 'redis:redis');
    await box.write(`/etc/init.d/${service}`, renderScript(instance), 0o755);
    return {
      call: (verb: string) => box.exec(['service', service, verb]),
      pid: async () => (await box.sh('cat "$1"', instance.pidFile)).stdout.trim(),
      answer: async () => (await box.exec(['bash', '-c', pingScript, 'bash', String(instance.port)])).stdout.trim(),
      remove: () => box.sh('service "$1" stop; update-rc.d -f "$1" remove; rm -f "/etc/init.d/$1"', service),
    };
  }

  test.each([
    ['the stand-in', testInstance(6501), true],
    ['a real Redis', testInstance(6502, {}, redisExecutable), hasRedis],
    ['our server', testInstance(6500, {}, own), own !== undefined],
  ] as const)('%s: start, stop, status and restart with the exit statuses of the LSB', async (_, instance, runs) => {
    if (!runs) return console.warn('skipped: this server is not here');
    const { call, pid, answer, remove } = await install(instance);
    expect((await call('status')).exitCode).toBe(3);
    expect((await call('stop')).exitCode).toBe(0);
    const started = await call('start');
    expect(started).toMatchObject({ exitCode: 0, stderr: '' });
    expect(started.stdout).toContain(`started (pid ${await pid()})`);
    expect(await answer()).toBe('+PONG');
    expect((await box.sh('ps -o user= -p "$1"', await pid())).stdout.trim()).toBe('redis');
    expect((await call('status')).exitCode).toBe(0);
    const first = await pid();
    expect((await call('start')).stdout).toContain('already runs');
    expect(await pid()).toBe(first);
    expect(await call('restart')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await pid()).not.toBe(first);
    expect((await call('stop')).stdout).toContain('stopped');
    expect((await call('status')).exitCode).toBe(3);
    expect((await call('try-restart')).exitCode).toBe(0);
    expect((await call('status')).exitCode).toBe(3);
    expect((await call('reload')).exitCode).toBe(3);
    expect((await call('nonsense')).exitCode).toBe(2);
    await remove();
  });

  test('its header satisfies insserv, and update-rc.d makes it start at boot and stop at shutdown', async () => {
    const instance = testInstance(6503);
    const { call, answer, remove } = await install(instance);
    expect((await box.exec(['insserv', '-n', '-v', instance.service])).stderr).not.toMatch(/warning|error|missing/i);
    expect((await box.exec(['update-rc.d', instance.service, 'defaults'])).exitCode).toBe(0);
    await call('start');
    // The box unmounts nothing, so in its dependencies a reboot waits for nobody: without them the links' order counts.
    await box.sh('rm /etc/init.d/.depend.stop');
    await box.reboot();
    expect((await call('status')).exitCode).toBe(0);
    expect(await answer()).toBe('+PONG');
    // Going down for the reboot saved the data.
    expect((await box.sh('test -s "$1/saved"', instance.dataDirectory)).exitCode).toBe(0);
    await remove();
  });

  test('killed: status 1, and the next start works', async () => {
    const { call, pid, remove } = await install(testInstance(6504));
    await call('start');
    const before = Number(await pid());
    expect(before).toBeGreaterThan(1);
    await box.sh('kill -9 "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.05; done', String(before));
    const status = await call('status');
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toContain('is dead');
    expect((await call('start')).exitCode).toBe(0);
    expect((await call('status')).exitCode).toBe(0);
    await remove();
  });

  test('a pid that belongs to another process now is not taken for ours, and is not stopped', async () => {
    const instance = testInstance(6505);
    const { call, remove } = await install(instance);
    await box.sh('sleep 1000 >/dev/null 2>&1 & printf "%s\\n" "$!" >"$1"', instance.pidFile);
    const status = await call('status');
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toContain('belongs to another process');
    const sleeper = (await box.sh('cat "$1"', instance.pidFile)).stdout.trim();
    expect((await call('stop')).exitCode).toBe(0);
    expect((await box.sh('kill -0 "$1"', sleeper)).exitCode).toBe(0);
    expect((await call('start')).exitCode).toBe(0);
    await remove();
  });

  test('a pid with the right program but another start time is not ours', async () => {
    const instance = testInstance(6506);
    const { call, pid, remove } = await install(instance);
    await call('start');
    const running = await pid();
    const stamp = instance.pidFile.replace('.pid', '.start');
    await box.sh('cp "$1" /root/stamp; read -r pid ticks boot <"$1"; echo "$pid $((ticks - 5)) $boot" >"$1"', stamp);
    expect((await call('status')).exitCode).toBe(1);
    await box.sh('cp /root/stamp "$1"', stamp);
    expect((await call('status')).stdout).toContain(`pid ${running}`);
    await remove();
  });

  test('the pid file is gone, the server is not: it is found all the same', async () => {
    const instance = testInstance(6507);
    const { call, pid, remove } = await install(instance);
    await call('start');
    const running = await pid();
    await box.sh('rm "$1"', instance.pidFile);
    expect((await call('status')).stdout).toContain(`pid ${running}`);
    expect((await call('stop')).exitCode).toBe(0);
    expect((await box.sh('kill -0 "$1"', running)).exitCode).not.toBe(0);
    await remove();
  });

  test.each([
    ['the stand-in', testInstance(6508), true],
    ['a real Redis', testInstance(6509, {}, redisExecutable), hasRedis],
    ['our server', testInstance(6517, {}, own), own !== undefined],
  ] as const)('%s stops without its password', async (_, instance, runs) => {
    if (!runs) return console.warn('skipped: this server is not here');
    const { call, answer, remove } = await install(instance, 'requirepass secret');
    expect((await call('start')).exitCode).toBe(0);
    expect(await answer()).toContain('-NOAUTH');
    expect((await call('stop')).exitCode).toBe(0);
    expect((await call('status')).exitCode).toBe(3);
    await remove();
  });

  test('a failing save: stop gives up in time, says why, and kills nothing', async () => {
    const instance = testInstance(6510, { stopTimeoutSeconds: 1 });
    const { call, answer, remove } = await install(instance);
    await box.sh('touch "$1/unsaveable"', instance.dataDirectory);
    await call('start');
    const stopped = await call('stop');
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stderr).toContain("can't exit");
    expect(await answer()).toBe('+PONG');
    await box.sh('rm "$1/unsaveable"', instance.dataDirectory);
    expect((await call('stop')).exitCode).toBe(0);
    await remove();
  });

  test('a broken configuration, a missing one, a port in use: no success, no pid file left', async () => {
    const instance = testInstance(6511);
    const { call, remove } = await install(instance, 'broken Bad directive');
    const broken = await call('start');
    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toContain('FATAL CONFIG FILE ERROR');
    expect((await call('status')).exitCode).toBe(3);
    await box.sh('rm "$1"', instance.confFile);
    expect((await call('start')).exitCode).toBe(6);
    await remove();

    const holder = await install(testInstance(6512));
    await holder.call('start');
    const second = testInstance(6513);
    const other = await install({ ...second, port: 6512 });
    const refused = await other.call('start');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('Could not create server TCP listening socket');
    expect((await holder.call('status')).exitCode).toBe(0);
    await other.remove();
    await holder.remove();
  });

  test('paths with blanks, quotes, # and & reach the server as they are', async () => {
    const odd = '/var/lib/my data #1 & \'co\' "$HOME" \\n';
    const instance = testInstance(6514, {
      dataDirectory: odd,
      confFile: '/etc/redis/my #1 & $conf.conf',
      logFile: '/var/log/my #1 & log.log',
    });
    const { call, answer, remove } = await install(instance);
    expect(await call('start')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await answer()).toBe('+PONG');
    expect((await call('status')).exitCode).toBe(0);
    expect((await call('stop')).exitCode).toBe(0);
    expect((await box.sh('test -s "$1/saved"', odd)).exitCode).toBe(0);
    await remove();
  });

  test('without root nothing is started or stopped: status 4', async () => {
    const instance = testInstance(6515);
    const { call, remove } = await install(instance);
    const asNobody = (verb: string) =>
      box.exec([
        'setpriv',
        '--reuid=nobody',
        '--regid=nogroup',
        '--clear-groups',
        `/etc/init.d/${instance.service}`,
        verb,
      ]);
    expect((await asNobody('start')).exitCode).toBe(4);
    await call('start');
    expect((await asNobody('stop')).exitCode).toBe(4);
    expect((await asNobody('status')).exitCode).toBe(0);
    await remove();
  });

  test.each(['start-stop-daemon', 'start-stop-daemon setpriv', 'start-stop-daemon setpriv runuser'])(
    'it starts as the user without %s',
    async (hidden) => {
      const instance = testInstance(6516);
      const { call, answer, pid, remove } = await install(instance);
      for (const name of hidden.split(' ')) await box.sh('mv "$(command -v "$1")" "/root/$1"', name);
      const started = await call('start');
      const owner = (await box.sh('ps -o user=,args= -p "$1"', await pid())).stdout;
      const reply = await answer();
      const stopped = await call('stop');
      for (const name of hidden.split(' ')) await box.sh('mv "/root/$1" "/usr/bin/$1"', name);
      expect(started).toMatchObject({ exitCode: 0, stderr: '' });
      expect(owner).toMatch(/^redis\s/);
      expect(reply).toBe('+PONG');
      expect(stopped.exitCode).toBe(0);
      await remove();
    },
  );
});
