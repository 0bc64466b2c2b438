// No container engine is needed here: what the Dockerfile says is read and checked against the project.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

interface Instruction {
  readonly name: string;
  readonly words: string;
}

/** Instructions with continued lines joined, comments left out. */
function parse(text: string): Instruction[] {
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ');
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const match = /^([A-Z]+)\s+(.*)$/.exec(line.trim());
      if (!match) throw new Error(`no instruction: ${line}`);
      return { name: match[1]!, words: match[2]! };
    });
}

describe('Dockerfile', () => {
  const instructions = parse(readFileSync(root('Dockerfile'), 'utf8'));
  const starts = instructions.flatMap(({ name }, index) => (name === 'FROM' ? [index] : []));
  const last = instructions.slice(starts.at(-1));
  const find = (name: string) => last.find((instruction) => instruction.name === name)?.words;

  test('builds in one stage and runs in another, on a Node that the package supports', () => {
    expect(starts).toHaveLength(2);
    for (const index of starts) {
      expect(Number(/^node:(\d+)/.exec(instructions[index]!.words)?.[1])).toBeGreaterThanOrEqual(20);
    }
    expect(last.filter(({ name }) => name === 'COPY').every(({ words }) => words.startsWith('--from=build '))).toBe(
      true,
    );
  });

  test('runs as a user that it makes, and never as root', () => {
    const user = find('USER');
    expect(user).toBe('redis');
    expect(
      last.some(({ name, words }) => name === 'RUN' && words.includes(`useradd`) && words.includes(` ${user} `)),
    ).toBe(true);
    const afterUser = last.slice(last.findIndex(({ name }) => name === 'USER'));
    expect(afterUser.some(({ name }) => name === 'RUN' || name === 'COPY')).toBe(false);
  });

  test('starts the server and asks it for its health with programs of this package, without a shell', () => {
    const bins = Object.keys(JSON.parse(readFileSync(root('package.json'), 'utf8')).bin as object);
    const [server] = JSON.parse(find('ENTRYPOINT') ?? '[]') as string[];
    const health = JSON.parse(/CMD (\[.*\])$/.exec(find('HEALTHCHECK') ?? '')?.[1] ?? '[]') as string[];
    expect(server).toBe('tsredis-server');
    expect(health).toEqual(['tsredis-cli', 'ping']);
    expect(bins).toEqual(expect.arrayContaining([server, health[0]]));
    expect(find('STOPSIGNAL')).toBe('SIGTERM');
  });

  test('copies only what exists and is let in, and all that the build needs', () => {
    const allowed = readFileSync(root('.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = instructions
      .slice(0, starts[1])
      .filter(({ name }) => name === 'COPY')
      .flatMap(({ words }) => words.split(/\s+/).slice(0, -1));
    expect(copied.sort()).toEqual(allowed.sort());
    for (const path of copied) expect(existsSync(root(path)), path).toBe(true);
  });
});
