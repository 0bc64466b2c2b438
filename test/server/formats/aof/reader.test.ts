import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AofEncoder } from '../../../../server/formats/aof/encoder.ts';
import { AofError } from '../../../../server/formats/aof/errors.ts';
import { AofReader, type AofReaderOptions, hasRdbPreamble } from '../../../../server/formats/aof/reader.ts';

type Seen = { items: string[]; okUpTo: number; line: number };

/** Reads `bytes` in pieces of `step`. */
function read(bytes: Uint8Array, options: AofReaderOptions = {}, step = bytes.length || 1): Seen {
  const reader = new AofReader(options);
  const items: string[] = [];
  let fed = 0;
  for (;;) {
    const item = reader.next();
    if (item === 'end') return { items, okUpTo: reader.okUpTo, line: reader.line };
    if (item === 'more') {
      if (fed >= bytes.length) reader.finish();
      else reader.feed(bytes.subarray(fed, fed + step));
      fed += step;
    } else if (item === 'annotation') items.push(`#${reader.timestamp()}`);
    else {
      const words = [];
      for (let i = 0; i < reader.argumentCount; i++) words.push(Buffer.from(reader.argument(i)).toString('latin1'));
      items.push(words.join(' '));
    }
  }
}

function encode(...commands: (string | number)[][]): Buffer {
  const encoder = new AofEncoder();
  for (const words of commands) {
    encoder.command(words.length);
    for (const word of words) typeof word === 'number' ? encoder.integer(word) : encoder.text(word);
  }
  return Buffer.from(encoder.bytes());
}

describe('AofReader', () => {
  const annotated = Buffer.concat([
    encode(['SET', 'k', 'v'], ['MULTI'], ['INCRBY', 'n', -42], ['EXEC']),
    Buffer.from('#TS:1700000000\r\n#other\r\n'),
    encode(['PING']),
  ]);

  it('finds commands and annotations however they arrive', () => {
    const items = ['SET k v', 'MULTI', 'INCRBY n -42', 'EXEC', '#1700000000', '#null', 'PING'];
    for (const step of [1, 2, 7, 1000]) {
      expect(read(annotated, { windowBytes: 16 }, step)).toEqual({ items, okUpTo: annotated.length, line: 24 });
    }
  });

  it('gives back every argument, of any bytes', () => {
    const commands = fc.array(fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 100 }));
    fc.assert(
      fc.property(commands, fc.integer({ min: 1, max: 200 }), (list, step) => {
        const encoder = new AofEncoder();
        for (const words of list) {
          encoder.command(words.length);
          for (const word of words) encoder.argument(word, 0, word.length);
        }
        const expected = list.map((words) => words.map((word) => Buffer.from(word).toString('latin1')).join(' '));
        const names = new Set(['multi', 'exec']);
        if (
          list.some((words) =>
            names.has(
              Buffer.from(words[0] ?? [])
                .toString('latin1')
                .toLowerCase(),
            ),
          )
        )
          return;
        expect(read(encoder.bytes(), { windowBytes: 32 }, step).items).toEqual(expected);
      }),
    );
  });

  it('knows where a file that ends too early is still complete', () => {
    const bytes = encode(['SET', 'a', 'b'], ['MULTI'], ['SET', 'c', 'd'], ['EXEC']);
    const first = encode(['SET', 'a', 'b']).length;
    for (let length = 1; length < bytes.length; length++) {
      const reader = new AofReader();
      reader.feed(bytes.subarray(0, length));
      reader.finish();
      const all = () => {
        while (reader.next() !== 'end');
      };
      if (length === first) expect(all).not.toThrow();
      else expect(all).toThrow(AofError);
      expect(reader.okUpTo).toBe(length < first ? 0 : first);
    }
  });

  it.each([
    ['x', 'format', ''],
    ['*1\r\n:1\r\n', 'format', "Expected prefix '$', got: ':'"],
    ['*1\n', 'format', 'Expected \\r\\n, got: 0a00'],
    ['*1\r\n$4\r\nPINGxx', 'format', 'Expected \\r\\n, got: 7878'],
    ['*1\r\n$-1\r\n', 'format', 'Expected to read string of -1 bytes, which is not in the suitable range'],
    [
      '*1\r\n$9999999999\r\n',
      'format',
      'Expected to read string of 9999999999 bytes, which is not in the suitable range',
    ],
    ['*1\r\n$4\r\nPI', 'truncated', 'Expected to read 6 bytes, got 2 bytes'],
    ['*2\r\n$4\r\nPING\r\n', 'truncated', ''],
    ['*1\r\n$5\r\nMULTI\r\n', 'transaction', 'Reached EOF before reading EXEC for MULTI'],
    ['*1\r\n$4\r\nEXEC\r\n', 'transaction', 'Unexpected EXEC in AOF'],
  ])('refuses %j', (text, code, message) => {
    expect(() => read(Buffer.from(text))).toThrow(expect.objectContaining({ code, message }));
  });

  it('passes over long arguments without holding them', () => {
    const bytes = encode(['SET', 'k', 'x'.repeat(50_000)], ['GET', 'k']);
    expect(read(bytes, { windowBytes: 64, skipArgumentsOver: 100 }, 33).items).toEqual(['  ', 'GET k']);
    expect(() => read(bytes.subarray(0, 40_000), { skipArgumentsOver: 100 }, 33)).toThrow(
      expect.objectContaining({ code: 'truncated', message: 'Expected to read 50002 bytes, got 39972 bytes' }),
    );
  });

  it('counts on from where an RDB ended', () => {
    const reader = new AofReader({ offset: 1000 });
    const bytes = encode(['PING']);
    reader.feed(bytes);
    reader.finish();
    expect(reader.next()).toBe('command');
    expect(reader.itemOffset).toBe(1000);
    expect(reader.next()).toBe('end');
    expect(reader.okUpTo).toBe(1000 + bytes.length);
    expect(hasRdbPreamble(Buffer.from('REDIS0011'))).toBe(true);
    expect(hasRdbPreamble(Buffer.from('VALKEY080'))).toBe(true);
    expect(hasRdbPreamble(bytes)).toBe(false);
  });

  it('ends in a typed error or the end, whatever it reads', () => {
    const pieces = fc.constantFrom('*1\r\n', '$4\r\n', 'PING', '\r\n', '#TS:1\r\n', '*', '$', '9', '-', 'MULTI', '\n');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (parts, step) => {
        try {
          read(Buffer.from(parts.join('')), { windowBytes: 16 }, step);
        } catch (error) {
          expect(error).toBeInstanceOf(AofError);
        }
      }),
    );
  });
});

describe('AofEncoder', () => {
  it('grows, and starts over after clear', () => {
    const encoder = new AofEncoder();
    for (let i = 0; i < 50_000; i++) {
      encoder.command(2);
      encoder.text('INCR');
      encoder.integer(i);
    }
    expect(read(encoder.bytes()).items).toHaveLength(50_000);
    encoder.clear();
    encoder.timestamp(1700000000);
    encoder.raw(Buffer.from('__*1\r\n$4\r\nPING\r\n__'), 2, 16);
    expect(Buffer.from(encoder.bytes()).toString()).toBe('#TS:1700000000\r\n*1\r\n$4\r\nPING\r\n');
    expect(encoder.length).toBe(30);
  });
});
