import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReplyCounter } from '../../../../server/formats/resp/reply-counter.ts';

const REPLIES =
  '+OK\r\n:1\r\n$-1\r\n*-1\r\n$5\r\na\r\n\r\n\r\n*0\r\n*2\r\n*1\r\n:1\r\n$1\r\nb\r\n%1\r\n+k\r\n*1\r\n_\r\n~1\r\n#t\r\n' +
  ',1.5\r\n(12\r\n=5\r\ntxt:a\r\n$0\r\n\r\n';
const COUNT = 13;

describe('ReplyCounter', () => {
  it('counts top-level replies however the input is cut', () => {
    const input = Buffer.from(REPLIES);
    fc.assert(
      fc.property(fc.array(fc.nat(input.length), { maxLength: 40 }), (cuts) => {
        const counter = new ReplyCounter();
        let count = 0;
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), input.length]) {
          count += counter.feed(input.subarray(from, cut), cut - from);
          from = cut;
        }
        expect(count).toBe(COUNT);
        expect(counter.error).toBeUndefined();
      }),
    );
  });

  it('keeps the first error, whole or in pieces', () => {
    const whole = new ReplyCounter();
    expect(whole.feed(Buffer.from('+OK\r\n-ERR one\r\n-ERR two\r\n'), 25)).toBe(3);
    expect(whole.error).toBe('ERR one');
    const pieces = new ReplyCounter();
    for (const piece of ['-ER', 'R on', 'e\r', '\n']) pieces.feed(Buffer.from(piece), piece.length);
    expect(pieces.error).toBe('ERR one');
  });

  it('rejects what is not RESP', () => {
    expect(() => new ReplyCounter().feed(Buffer.from('HTTP/1.1\r\n'), 10)).toThrow('Protocol error, got "H"');
  });
});
