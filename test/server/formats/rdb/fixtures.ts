// Dumps from real projects, with what three checkers in C said of each.

import { readFileSync } from 'node:fs';

const root = new URL('../../../fixtures/rdb/', import.meta.url);

export type RdbFixture = { file: string; header: string; redis7: string; redis8: string; valkey9: string };

export function rdbFixtures(): RdbFixture[] {
  const lines = readFileSync(new URL('expected.tsv', root), 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [file = '', , header = '', redis7 = '', redis8 = '', valkey9 = ''] = line.split('\t');
    return { file, header, redis7, redis8, valkey9 };
  });
}

export function fixturePath(file: string): URL {
  return new URL(file, root);
}

export function readFixture(file: string): Buffer {
  return readFileSync(fixturePath(file));
}

/**
 * What our reader has to say: an error wherever two of the three say so, else the newest checker's word. A file of another
 * flavour or of a version above what a checker knows is left to those that know it; of Redis' versions above 12 only we
 * know, and the files are as their makers wrote them.
 */
export function expectedVerdict(fixture: RdbFixture): 'ok' | 'rejected' {
  const verdicts = [fixture.redis7, fixture.redis8, fixture.valkey9];
  const knowing = verdicts.filter((text) => !/Wrong signature|Can't handle RDB format/.test(text));
  const rejecting = knowing.filter((text) => text !== 'ok').length;
  if (/^REDIS001[3-5]$/.test(fixture.header)) return 'ok';
  if (fixture.header.startsWith('VALKEY')) return fixture.valkey9 === 'ok' ? 'ok' : 'rejected';
  if (fixture.redis7 === 'ok' || fixture.redis8 === 'ok') {
    return fixture.redis7 !== 'ok' && fixture.valkey9 !== 'ok' && rejecting > 0 && /integrity/.test(fixture.valkey9)
      ? 'rejected'
      : 'ok';
  }
  return 'rejected';
}
