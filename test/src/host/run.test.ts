import { describe, expect, test } from 'vitest';
import { run, runChecked } from '../../../src/host/run.ts';

describe('run', () => {
  test('hands every argument over as it is, with no shell in between', async () => {
    const words = ['$HOME', 'a b', '`id`', ';', '*', ''];
    const script = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const result = await run(process.execPath, ['-e', script, '--', ...words]);
    expect(JSON.parse(result.stdout)).toEqual(words);
  });

  test('tells a missing program, a failure and a time limit apart', async () => {
    expect(await run('/nonexistent/program', [])).toMatchObject({ missing: true, exitCode: 127 });
    expect(await run(process.execPath, ['-e', 'process.exit(3)'])).toMatchObject({ missing: false, exitCode: 3 });
    const slow = await run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 300 });
    expect(slow).toMatchObject({ timedOut: true, exitCode: 124 });
  });

  test('gives its input and closes it', async () => {
    const script = 'process.stdin.pipe(process.stdout)';
    expect((await run(process.execPath, ['-e', script], { input: 'hello' })).stdout).toBe('hello');
    expect((await run(process.execPath, ['-e', script])).stdout).toBe('');
  });
});

describe('runChecked', () => {
  test('throws what went wrong', async () => {
    const failing = ['-e', 'console.error("no space left"); process.exit(4)'];
    await expect(runChecked(run, process.execPath, failing)).rejects.toMatchObject({
      code: 'command-failed',
      message: expect.stringContaining('no space left'),
    });
    await expect(runChecked(run, '/nonexistent/program', [])).rejects.toMatchObject({ code: 'command-missing' });
  });
});
