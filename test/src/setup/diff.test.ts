import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../../src/setup/diff.ts';

/** What `patch` does with a unified diff. */
function patch(before: string, diff: string): string {
  const old = before === '' ? [] : before.replace(/\n$/, '').split('\n');
  const out: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2, -1)) {
    const head = /^@@ -(\d+),(\d+) \+/.exec(line);
    if (head) {
      const start = Number(head[1]) - (head[2] === '0' ? 0 : 1);
      while (at < start) out.push(old[at++] as string);
    } else if (line[0] === '+') {
      out.push(line.slice(1));
    } else {
      expect(old[at]).toBe(line.slice(1));
      if (line[0] === ' ') out.push(old[at] as string);
      at++;
    }
  }
  return [...out, ...old.slice(at)].map((text) => `${text}\n`).join('');
}

describe('unifiedDiff', () => {
  it('shows a change in its context', () => {
    const lines = (middle: string) => `a\nb\nc\nd\n${middle}\ne\nf\ng\nh\n`;
    expect(unifiedDiff('/x', lines('old'), lines('new'))).toBe(
      '--- /x\n+++ /x\n@@ -2,7 +2,7 @@\n b\n c\n d\n-old\n+new\n e\n f\n g\n',
    );
    expect(unifiedDiff('/x', undefined, 'a\n')).toBe('--- /dev/null\n+++ /x\n@@ -0,0 +1,1 @@\n+a\n');
    expect(unifiedDiff('/x', 'same', 'same')).toBe('');
  });

  it('can be applied', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd', ''))
      .map((lines) => lines.map((line) => `${line}\n`).join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = unifiedDiff('/x', before, after);
        expect(diff === '' ? before : patch(before, diff)).toBe(after);
      }),
    );
  });
});
