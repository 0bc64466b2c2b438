import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLines } from '../../../../server/formats/conf/lines.ts';
import { fromByteText, quoteArgument, quoteIfNeeded, toByteText } from '../../../../server/formats/conf/quote.ts';
import { splitArguments } from '../../../../server/formats/conf/split.ts';

const byteText = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1'));

describe('splitArguments', () => {
  it.each([
    ['port 6379', ['port', '6379']],
    ['  port\t6379 \r', ['port', '6379']],
    ['save ""', ['save', '']],
    ["logfile ''", ['logfile', '']],
    ['a "b c" d', ['a', 'b c', 'd']],
    ['requirepass "\\x41\\n\\"\\\\\\q"', ['requirepass', 'A\n"\\q']],
    ["masterauth 'it\\'s \\n'", ['masterauth', "it's \\n"]],
    ['foo"bar" x', ['foobar', 'x']],
    ['dir /a#b', ['dir', '/a#b']],
    ['', []],
  ])('reads %j', (line, args) => {
    expect(splitArguments(line)).toEqual(args);
  });

  it.each(['port "abc', "port 'abc", 'a "b"c', "a 'b'c", '"\\'])('refuses %j', (line) => {
    expect(splitArguments(line)).toBeUndefined();
  });
});

describe('quoting', () => {
  it('gives back every byte, quoted always or only when needed', () => {
    fc.assert(
      fc.property(fc.array(byteText), (args) => {
        expect(splitArguments(args.map(quoteArgument).join(' '))).toEqual(args);
        expect(splitArguments(args.map(quoteIfNeeded).join(' '))).toEqual(args);
      }),
    );
  });

  it('leaves what needs no quotes as it is, umlauts included', () => {
    expect(fromByteText(quoteIfNeeded(toByteText('/var/lib/größe#1&2')))).toBe('/var/lib/größe#1&2');
    expect(quoteIfNeeded('#x')).toBe('"#x"');
    expect(quoteIfNeeded('')).toBe('""');
  });
});

describe('parseLines', () => {
  it('numbers lines and tells directives from comments, blanks and broken ones', () => {
    expect(parseLines('# top\n\n  PORT 1\r\nport "\n')).toEqual([
      { kind: 'comment', number: 1, text: '# top' },
      { kind: 'blank', number: 2, text: '' },
      { kind: 'directive', number: 3, text: 'PORT 1', name: 'port', args: ['1'] },
      { kind: 'broken', number: 4, text: 'port "' },
      { kind: 'blank', number: 5, text: '' },
    ]);
  });
});
