// Keys of strings beside a real redis-server: what numbers become when they are counted up, down and into fractions; what
// errors show of a client's text.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Generator } from './support/generate.ts';
import type { Command } from './support/pair.ts';
import { missingServers, type Pair, startPair } from './support/servers.ts';

const missing = missingServers();
const NUMBERS = [
  '0',
  '-1',
  '7',
  '99',
  '1e3',
  '1e40',
  '1e44',
  '-1e44',
  '1e308',
  '0.5',
  '0.001',
  '9223372036854775807',
  'x',
];

describe.skipIf(missing !== null)(missing ?? 'strings, beside redis-server', () => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await startPair([]);
  });
  afterAll(async () => {
    await pair.stop();
  });

  it('gives the same replies and encodings, whether the key is new or not', async () => {
    const g = new Generator(179424673);
    await pair.same([['flushall']]);
    const commands = g.several(1000, 1000, () => [count(g), ['object', 'encoding', 'n'], ['get', 'n']]);
    await pair.same(commands.flat());
    await pair.sameData();
  });

  it('counts up across digits, signs and the limits of doubles and of 64 bits', async () => {
    const starts = ['8', '9', '10', '89', '99', '-1', '-2', '-10', '99999', '01', '+1', '-0', ' 1', '1 '];
    const large = [
      '99999999999998',
      '999999999999998',
      '9007199254740991',
      '9223372036854775806',
      '-9223372036854775808',
    ];
    const commands = [...starts, ...large].flatMap((start): Command[] => [
      ['set', 'n', start],
      ...Array.from({ length: 3 }, (): Command[] => [
        ['incr', 'n'],
        ['get', 'n'],
        ['object', 'encoding', 'n'],
      ]).flat(),
      ['append', 'n', '0'],
      ['incr', 'n'],
      ['object', 'encoding', 'n'],
      ['expire', 'n', '1000'],
      ['incr', 'n'],
      ['setrange', 'n', '0', '7'],
      ['incr', 'n'],
      ['get', 'n'],
    ]);
    await pair.same(commands);
    await pair.sameData();
  });

  it('shows text with line breaks in errors of one line', async () => {
    const texts = ['\r\n', 'a\r\n', 'a\r\nb', '\r\na'];
    await pair.same(
      texts.flatMap((text): Command[] => [
        ['expire', 'n', '1', text],
        ['replconf', text, '1'],
        [text, text],
        ['object', text],
        ['set', 'n', 'v', text],
      ]),
    );
  });
});

function count(g: Generator): Command {
  const command = g.pick(['incrbyfloat', 'incrby', 'decrby', 'incr', 'append', 'set', 'del']);
  if (command === 'incr' || command === 'del') return [command, 'n'];
  return [command, 'n', g.pick(NUMBERS)];
}
