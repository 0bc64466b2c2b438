// Starting, stopping and looking at a real process through the plain daemon manager, and the subcommand on top of it.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Host, localHost } from '../../../src/host/host.ts';
import { startInstance, stopInstance } from '../../../src/service/control.ts';
import { createInstance, type Instance } from '../../../src/service/instance.ts';
import { detectManager, findManager, managers } from '../../../src/service/managers.ts';
import { findRecord, loadRecords, recordFile } from '../../../src/service/registry.ts';
import { readStatus } from '../../../src/service/status.ts';
import { formatUptime, runService } from '../../../src/subcommands/service.ts';
import { fakeHost } from '../../support/fake-host.ts';
import { freePort } from '../../support/free-port.ts';
import { bundledExecutable, confText, testContext } from '../../support/instance.ts';

const daemon = findManager('daemon');
let home: string;
let host: Host;
let instance: Instance;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tsredis-control-'));
  const local = localHost();
  // Not the instances that the machine itself may have.
  const list = (path: string) => (path === '/var/lib/tsredis' ? [] : local.list(path));
  host = { ...local, home, list, env: { PATH: process.env['PATH'] } };
  instance = createInstance(host, 'user', await freePort(), bundledExecutable, {
    startTimeoutSeconds: 20,
    stopTimeoutSeconds: 1,
  });
  for (const path of [instance.confFile, instance.logFile, join(instance.dataDirectory, 'x')]) {
    mkdirSync(dirname(path), { recursive: true });
  }
  writeFileSync(instance.confFile, confText(instance));
  const record = recordFile(host, instance, 'daemon');
  writeFileSync(record.path, record.content);
});

afterEach(async () => {
  rmSync(join(instance.dataDirectory, 'unsaveable'), { force: true });
  await stopInstance(host, instance, daemon);
  rmSync(home, { recursive: true });
});

describe('an instance without a service manager', () => {
  test('starts once, answers, and stops with a save', async () => {
    const started = await startInstance(host, instance, daemon);
    expect(started).toMatchObject({ already: false, answer: 'PONG' });
    expect(await startInstance(host, instance, daemon)).toEqual({ ...started, already: true });
    expect(await readStatus(host, instance, daemon)).toMatchObject({
      state: 'running',
      pid: started.pid,
      answer: 'PONG',
    });
    expect(await stopInstance(host, instance, daemon)).toEqual({ pid: started.pid, killed: false });
    expect(readFileSync(join(instance.dataDirectory, 'saved'), 'utf8')).toBe(String(started.pid));
    expect(await stopInstance(host, instance, daemon)).toEqual({ pid: null, killed: false });
  });

  test('needs no password for that', async () => {
    writeFileSync(instance.confFile, confText(instance, 'requirepass secret'));
    expect((await startInstance(host, instance, daemon)).answer).toBe('NOAUTH');
    expect((await stopInstance(host, instance, daemon)).killed).toBe(false);
  });

  test('does not start on a port that something else holds, and names it', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(instance.port, '127.0.0.1', resolve));
    await expect(startInstance(host, instance, daemon)).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining(`pid ${process.pid}`),
    });
    await new Promise((resolve) => holder.close(resolve));
  });

  test('says what the server said when it does not start', async () => {
    writeFileSync(instance.confFile, confText(instance, 'broken Bad directive'));
    await expect(startInstance(host, instance, daemon)).rejects.toMatchObject({
      code: 'start-failed',
      message: expect.stringContaining('FATAL CONFIG FILE ERROR'),
    });
  });

  test('is not killed when it cannot save, unless told to', async () => {
    const { pid } = await startInstance(host, instance, daemon);
    writeFileSync(join(instance.dataDirectory, 'unsaveable'), '');
    await expect(stopInstance(host, instance, daemon)).rejects.toMatchObject({
      code: 'stop-timeout',
      message: expect.stringContaining("can't exit"),
    });
    expect((await readStatus(host, instance, daemon)).pid).toBe(pid);
    expect(await stopInstance(host, instance, daemon, { kill: true })).toEqual({ pid, killed: true });
    expect((await readStatus(host, instance, daemon)).state).toBe('stopped');
  });
});

describe('tsredis service', () => {
  const call = async (verb: 'start' | 'stop' | 'restart' | 'status' | 'logs', port?: string, options = {}) => {
    const lines: string[] = [];
    const io = { host, print: (line: string) => lines.push(line), setExitStatus: () => undefined };
    return { status: await runService(io, verb, port, options), text: lines.join('\n') };
  };

  test('does its verbs on the only instance there is, as text and as JSON', async () => {
    expect(await call('status')).toMatchObject({ status: 3, text: expect.stringContaining('stopped') });
    expect((await call('start')).text).toContain('answers PONG');
    const status = await call('status', undefined, { json: true });
    expect(status.status).toBe(0);
    expect(JSON.parse(status.text)).toMatchObject([
      { port: instance.port, state: 'running', answer: 'PONG', manager: 'daemon' },
    ]);
    const restarted = JSON.parse((await call('restart', String(instance.port), { json: true })).text);
    expect(restarted).toMatchObject({ service: instance.service, already: false });
    expect((await call('logs', undefined, { lines: '1' })).text).toContain('Ready to accept connections');
    expect((await call('stop', instance.service)).text).toContain('stopped');
    expect((await call('stop')).text).toContain('is not running');
  });

  test('refuses a port that is none, and one without an instance', async () => {
    await expect(call('start', '99999')).rejects.toMatchObject({ code: 'port-range', exitStatus: 2 });
    await expect(call('start', 'x')).rejects.toMatchObject({ code: 'port-range' });
    await expect(call('start', '1')).rejects.toMatchObject({ code: 'instance-unknown' });
  });

  test('an uptime is its two largest units', () => {
    expect([0, 5, 65, 3600, 90_061].map(formatUptime)).toEqual(['0s', '5s', '1m 5s', '1h 0m', '1d 1h']);
  });
});

describe('the records of instances', () => {
  test('come back as they were written; broken ones are left out', () => {
    expect(findRecord(host, instance.port)).toEqual({
      format: 1,
      manager: 'daemon',
      instance: JSON.parse(JSON.stringify(instance)),
    });
    writeFileSync(join(dirname(recordFile(host, instance, 'daemon').path), 'redis_7.json'), '{"format":1');
    expect(loadRecords(host).filter((record) => record.instance.scope === 'user')).toHaveLength(1);
    expect(existsSync(recordFile(host, instance, 'daemon').path)).toBe(true);
  });
});

describe('the table of managers', () => {
  const choose = (facts: Parameters<typeof testContext>[0], scope: 'system' | 'user' = 'system') =>
    detectManager(testContext(facts).facts, scope).name;

  test('picks what runs, and the script or a plain daemon where nothing does', () => {
    expect(choose({ initSystem: 'systemd' })).toBe('systemd');
    expect(choose({ initSystem: 'systemd', isRoot: false }, 'user')).toBe('systemd');
    expect(choose({ initSystem: 'systemd', isRoot: false, hasUserManager: false }, 'user')).toBe('daemon');
    expect(choose({ initSystem: 'sysv' })).toBe('sysv');
    expect(choose({ initSystem: 'openrc' })).toBe('openrc');
    expect(choose({ initSystem: 'launchd', platform: 'darwin' })).toBe('launchd');
    expect(choose({ initSystem: 'none' })).toBe('sysv');
    expect(choose({ initSystem: 'none', isRoot: false }, 'user')).toBe('daemon');
  });

  test('every manager writes only absolute paths and names the service as it is called everywhere', () => {
    for (const manager of managers) {
      for (const file of manager.files(instance, testContext())) {
        expect(file.path, manager.name).toMatch(/^\/.*redis_\d+/);
        expect(file.content, manager.name).toContain(instance.service);
      }
    }
    expect(() => findManager('upstart')).toThrow('systemd, openrc, launchd, sysv, daemon, foreground');
  });

  test('launchctl is called for the domain of the scope', async () => {
    const recording = fakeHost({
      platform: 'darwin',
      userId: 501,
      run: (line) => (line.includes('print') ? { exitCode: 113 } : ''),
    });
    await findManager('launchd').start(recording, instance);
    expect(recording.commands.at(-1)).toMatch(/^launchctl bootstrap gui\/501 .*LaunchAgents\/redis_\d+\.plist$/);
    const running = fakeHost({ platform: 'darwin', run: () => '\tstate = running\n\tpid = 42\n' });
    expect(await findManager('launchd').mainPid(running, instance)).toBe(42);
  });
});
