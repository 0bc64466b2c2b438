// The installer as root, in boxes of their own: the contract of install_server.sh, and none of its ten defects.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, type BoxResult, boxUnavailable, startBox } from '../support/box.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = (name: string) => `${root}dist/bin/${name}.js`;
const reason =
  boxUnavailable() ??
  (existsSync(program('tsredis-server')) && existsSync(program('tsredis-setup'))
    ? undefined
    : 'the programs are not built: npm run build');
const note = reason === undefined ? '' : ` (skipped: ${reason})`;
const redis = existsSync('/usr/bin/redis-server') ? ['--executable', '/usr/bin/redis-server'] : undefined;

/** A process 1 that is no service manager, as in a container; the support script takes this for an init that is up. */
const noInit = [
  '/bin/sh',
  '-c',
  'printf "#!/bin/sh\\necho N 2\\n" >/usr/local/sbin/runlevel; chmod 755 /usr/local/sbin/runlevel; mkfifo /run/initctl; ' +
    'exec sleep infinity',
];

const pingScript = `exec 3<>/dev/tcp/127.0.0.1/$1 && printf 'PING\\r\\n' >&3 && read -r line <&3 && printf %s "$line"`;

const toolsOf = (box: () => Box) => ({
  setup: (...args: string[]) => box().exec(['node', program('tsredis-setup'), '--yes', ...args]),
  tool: (...args: string[]) => box().exec(['node', program('tsredis'), ...args]),
  sh: async (script: string, ...args: string[]) => (await box().sh(script, ...args)).stdout.trim(),
  ping: async (port: number) => (await box().exec(['bash', '-c', pingScript, 'bash', String(port)])).stdout.trim(),
  /** Every file of the places setup writes to, with owner, mode and checksum. */
  state: async () =>
    (
      await box().sh(
        'find /etc /usr/local /var/lib /srv -xdev \\( -type f -o -type l \\) -newer /etc/machine-id ' +
          '! -path "/var/lib/systemd/*" ! -path "/var/lib/redis/*/*" -printf "%p %M %u %l " ' +
          '\\( -type f -exec md5sum {} \\; -o -printf "\\n" \\) 2>/dev/null | sort',
      )
    ).stdout,
});

const expectSuccess = (result: BoxResult) =>
  expect(result, result.stdout + result.stderr).toMatchObject({ exitCode: 0 });

describe.skipIf(reason !== undefined)(`setup under systemd${note}`, () => {
  let box: Box;
  const { setup, tool, sh, ping, state } = toolsOf(() => box);
  beforeAll(async () => {
    box = await startBox('setup');
  });
  afterAll(async () => box?.stop());

  test('installs a hardened service of its own user, and the second run changes nothing', async () => {
    expectSuccess(await setup('--port', '6401'));
    expect(await ping(6401)).toBe('+PONG');
    expect(await sh('systemctl is-active redis_6401; systemctl is-enabled redis_6401')).toBe('active\nenabled');
    const pid = await sh('systemctl show -p MainPID --value redis_6401');
    expect(await sh('ps -o user= -p "$1"', pid)).toMatch(/^(ts)?redis$/);
    expect(await sh('stat -c "%a %U" /etc/redis/6401.conf /var/lib/redis/6401 /var/log/redis_6401.log')).toMatch(
      /^640 (ts)?redis\n750 (ts)?redis\n640 (ts)?redis$/,
    );
    // Nothing that runs may be writable for the service, or lie where others write.
    const unit = await sh('cat /etc/systemd/system/redis_6401.service');
    expect(unit).toContain('/usr/local/lib/tsredis/current/dist/bin/tsredis-server.js');
    expect(await sh('find /usr/local/lib/tsredis ! -user root -o ! -type l -perm /022')).toBe('');
    const before = await state();
    const again = await setup('--port', '6401');
    expectSuccess(again);
    expect(again.stdout).toContain('nothing to do: redis_6401 is set up as asked and runs');
    expect(await state()).toBe(before);
    expect(await sh('systemctl show -p MainPID --value redis_6401')).toBe(pid);
  });

  test('a change restarts the running server', async () => {
    const pid = await sh('systemctl show -p MainPID --value redis_6401');
    expectSuccess(await setup('--port', '6401', '--set', 'maxmemory=50mb'));
    expect(await sh('systemctl show -p MainPID --value redis_6401')).not.toBe(pid);
    expect(await ping(6401)).toBe('+PONG');
  });

  test('takes any path', async () => {
    const data = `/srv/a#b & 'c' "d" 100%/data`;
    expectSuccess(await setup('--port', '6402', '--data-dir', data, '--log-file', `${data}.log`));
    expect(await ping(6402)).toBe('+PONG');
    expectSuccess(await tool('service', 'stop', '6402'));
    expectSuccess(await tool('service', 'start', '6402'));
    expect(await sh('tsredis-cli -p 6402 CONFIG SET appendonly yes')).toBe('OK');
    expectSuccess(await tool('uninstall', '6402', '--yes', '--purge-data'));
    expect(await sh('find /srv -name "data*"')).toBe('');
  });

  test('refuses a taken port and names who has it', async () => {
    const before = await state();
    const result = await setup('--port', '6401', '--config-file', '/etc/redis/other.conf', '--user');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/port 6401 is already in use by \S*(redis|node)\S*\s+\(pid \d+\)/);
    expect(await state()).toBe(before);
  });

  test("refuses a unit that is not its own, and another user's data directory", async () => {
    await box.write('/etc/systemd/system/redis_6403.service', '[Service]\nExecStart=/bin/true\n');
    const before = await state();
    const unit = await setup('--port', '6403');
    expect(unit.stderr).toContain('/etc/systemd/system/redis_6403.service exists and was not made by tsredis');
    expect(unit.exitCode).toBe(1);
    await sh('install -d -o daemon /srv/theirs');
    const data = await setup('--port', '6404', '--data-dir', '/srv/theirs');
    expect(data.stderr).toContain('/srv/theirs belongs to user id');
    expect(data.exitCode).toBe(4);
    expect(await state()).toBe(before);
  });

  test('puts everything back when the server does not start', async () => {
    const before = await state();
    const result = await setup('--port', '6405', '--set', 'unixsocket=/nonexistent/socket');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('redis_6405 did not start');
    expect(result.stdout).toContain('everything was put back as it was');
    expect(await state()).toBe(before);
    expect(await sh('systemctl list-unit-files "redis_6405*" --no-legend')).toBe('');
  });

  test('stops without credentials, whatever the configuration', async () => {
    expectSuccess(
      await box.exec(['env', 'REDIS_PASSWORD=s3cret', 'node', program('tsredis-setup'), '--yes', '--port', '6406']),
    );
    expect(await ping(6406)).toBe('-NOAUTH Authentication required.');
    // The secret is in the configuration, which only the service user may read, and nowhere else.
    expect(await sh('cat /proc/[0-9]*/cmdline /var/lib/tsredis/* /var/log/redis_6406.log')).not.toContain('s3cret');
    expectSuccess(await box.exec(['service', 'redis_6406', 'stop']));
    expect((await tool('service', 'status', '6406')).exitCode).toBe(3);
    expectSuccess(await tool('uninstall', '6406', '--yes', '--purge-data'));
  });

  test.skipIf(redis === undefined)('runs the redis-server that is named', async () => {
    expectSuccess(await setup('--port', '6407', ...(redis ?? [])));
    expect(await ping(6407)).toBe('+PONG');
    expectSuccess(await tool('uninstall', '6407', '--yes', '--purge-data'));
  });

  test('copies a Node along that services could not reach, and says when another service has the name', async () => {
    await sh('mkdir -p /root/.nvm/bin && cp "$(command -v node)" /root/.nvm/bin/node');
    expectSuccess(await box.exec(['/root/.nvm/bin/node', program('tsredis-setup'), '--yes', '--port', '6409']));
    expect(await ping(6409)).toBe('+PONG');
    const pid = await sh('systemctl show -p MainPID --value redis_6409');
    expect(await sh('readlink "/proc/$1/exe"', pid)).toMatch(/^\/usr\/local\/lib\/tsredis\/[^/]+\/bin\/node$/);
    expectSuccess(await tool('uninstall', '6409', '--yes', '--purge-data'));
    await box.write('/etc/init.d/redis_6410', '#!/bin/sh\n', 0o755);
    expect((await setup('--port', '6410')).stderr).toContain(
      '/etc/init.d/redis_6410 exists and was not made by tsredis',
    );
  });

  test('comes up again after a reboot', async () => {
    await box.reboot();
    await sh('systemctl is-system-running --wait');
    expect(await ping(6401)).toBe('+PONG');
  });

  test('creates the user it needs, and removes it with the last instance', async () => {
    expectSuccess(await tool('uninstall', '6401', '--yes', '--purge-data'));
    await sh('userdel redis; chmod 755 /var/lib/redis /etc/redis');
    expectSuccess(await setup('--port', '6408'));
    expect(await sh('getent passwd tsredis | cut -d: -f7')).toMatch(/nologin|false/);
    expectSuccess(await tool('uninstall', '6408', '--yes', '--purge-data'));
    expect(await sh('getent passwd tsredis')).toBe('');
    expect(await sh('ls -d /usr/local/lib/tsredis /var/lib/tsredis /usr/local/bin/tsredis* 2>/dev/null')).toBe('');
  });
});

describe.skipIf(reason !== undefined)(`setup in a container without service manager${note}`, () => {
  let box: Box;
  const { setup, tool, sh, ping } = toolsOf(() => box);
  beforeAll(async () => {
    box = await startBox('plain', '/', noInit);
  });
  afterAll(async () => box?.stop());

  test('serves by the init script, which service(8) finds', async () => {
    expectSuccess(await setup('--port', '6411'));
    expect(await ping(6411)).toBe('+PONG');
    expect(await sh('service redis_6411 status >/dev/null 2>&1; echo $?')).toBe('0');
    expectSuccess(await box.exec(['service', 'redis_6411', 'restart']));
    expect(await ping(6411)).toBe('+PONG');
    expect((await setup('--port', '6411')).stdout).toContain('nothing to do');
    expectSuccess(await box.exec(['service', 'redis_6411', 'stop']));
    expect(await sh('service redis_6411 status >/dev/null 2>&1; echo $?')).toBe('3');
    expectSuccess(await tool('uninstall', '6411', '--yes', '--purge-data'));
    expect(await sh('ls /etc/init.d/redis_6411 /etc/rc2.d/*6411 2>/dev/null')).toBe('');
  });

  test('asks nothing when all five variables are set', async () => {
    const variables = [
      'REDIS_PORT=6412',
      'REDIS_CONFIG_FILE=/etc/redis/6412.conf',
      'REDIS_LOG_FILE=/var/log/redis_6412.log',
      'REDIS_DATA_DIR=/var/lib/redis/6412',
      `REDIS_EXECUTABLE=${redis?.[1] ?? 'bundled'}`,
    ];
    expectSuccess(await box.exec(['env', ...variables, 'node', program('tsredis-setup')]));
    expect(await ping(6412)).toBe('+PONG');
    const incomplete = await box.exec(['env', ...variables.slice(1), 'node', program('tsredis-setup')]);
    expect(incomplete.exitCode).toBe(2);
    expect(incomplete.stderr).toContain('Port for this instance needs an answer and there is no terminal to ask at');
  });
});
