import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const built = resolve('dist/bin/tsredis-server.js');
const directory = mkdtempSync(join(tmpdir(), 'tsredis launch-'));
afterAll(() => rmSync(directory, { recursive: true }));

const output = (file: string, ...args: string[]): string => execFileSync(file, args, { encoding: 'utf8' });

describe('the file of the server', () => {
  it('is a program, also by a name with a space, and hands its words over as they are', () => {
    const linked = join(directory, 'a server');
    symlinkSync(built, linked);
    for (const file of [built, linked]) expect(output(file, '--version')).toMatch(/^Redis server v=/);
    expect(() => output(linked, '--port', "$(echo 'a b')")).toThrow(/'port "\$\(echo 'a b'\)"'/);
  });

  it('is a script of Node', () => {
    expect(output(process.execPath, built, '--version')).toMatch(/^Redis server v=/);
  });
});
