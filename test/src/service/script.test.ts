// The init script run as it is, by whoever runs the tests, with every path in a temporary directory.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localHost } from '../../../src/host/host.ts';
import type { Instance } from '../../../src/service/instance.ts';
import { findInstanceProcess } from '../../../src/service/liveness.ts';
import { renderScript } from '../../../src/service/sysv.ts';
import { freePort } from '../../support/free-port.ts';
import { confText, testInstance } from '../../support/instance.ts';

describe.skipIf(process.platform !== 'linux')('the init script, without root', () => {
  let directory: string;
  let instance: Instance;
  let script: string;

  beforeEach(async () => {
    directory = join(mkdtempSync(join(tmpdir(), 'tsredis-script-')), "a b #1 & 'c'");
    instance = testInstance(await freePort(), {
      user: undefined,
      group: undefined,
      confFile: join(directory, 'redis.conf'),
      dataDirectory: join(directory, 'data'),
      logFile: join(directory, 'redis.log'),
      pidFile: join(directory, 'redis.pid'),
      startTimeoutSeconds: 20,
      stopTimeoutSeconds: 1,
    });
    script = join(directory, 'init');
    await mkdir(instance.dataDirectory, { recursive: true });
    writeFileSync(instance.confFile, confText(instance));
    writeFileSync(script, renderScript(instance));
  });
  afterEach(() => {
    rmSync(join(instance.dataDirectory, 'unsaveable'), { force: true });
    call('stop');
    rmSync(join(directory, '..'), { recursive: true });
  });

  const call = (verb: string) => spawnSync('sh', [script, verb], { encoding: 'utf8' });
  const toolkitView = () => findInstanceProcess(localHost(), instance);

  test('starts, tells its status and stops, and the toolkit sees the same', async () => {
    expect(call('status').status).toBe(3);
    expect(call('start')).toMatchObject({ status: 0, stderr: '' });
    expect(call('status').status).toBe(0);
    expect(await toolkitView()).toMatchObject({
      state: 'running',
      process: { pid: Number(readFileSync(instance.pidFile, 'utf8')) },
    });
    expect(call('stop').status).toBe(0);
    expect(existsSync(join(instance.dataDirectory, 'saved'))).toBe(true);
    expect(call('status').status).toBe(3);
    expect(await toolkitView()).toMatchObject({ state: 'stopped' });
  });

  test('another process with the recorded pid is told apart, and left alone', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    writeFileSync(instance.pidFile, `${other.pid}\n`);
    expect(call('status').status).toBe(1);
    expect(await toolkitView()).toMatchObject({ state: 'stale', isReused: true, stalePid: other.pid });
    expect(call('stop').status).toBe(0);
    expect(other.exitCode).toBeNull();
    other.kill();
  });

  test('a pid file without a process, or without a pid, is stale, and start cleans it up', async () => {
    for (const content of ['4194305\n', 'nonsense\n', '']) {
      writeFileSync(instance.pidFile, content);
      expect(call('status').status, content).toBe(1);
      expect((await toolkitView()).state).toBe('stale');
    }
    expect(call('start').status).toBe(0);
  });

  test('a failed start says why and leaves no pid file', () => {
    writeFileSync(instance.confFile, confText(instance, 'broken Bad directive'));
    const started = call('start');
    expect(started.status).toBe(1);
    expect(started.stderr).toContain('FATAL CONFIG FILE ERROR');
    expect(existsSync(instance.pidFile)).toBe(false);
  });

  test('a server that cannot save is left running, with the reason', async () => {
    call('start');
    writeFileSync(join(instance.dataDirectory, 'unsaveable'), '');
    const stopped = call('stop');
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toContain("can't exit");
    expect((await toolkitView()).state).toBe('running');
  });
});
