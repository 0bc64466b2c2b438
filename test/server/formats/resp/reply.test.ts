import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCommand } from '../../../../server/formats/resp/encode-command.ts';
import { type Reply, ReplyParser } from '../../../../server/formats/resp/reply.ts';

/** All replies in `text`, fed in one piece. */
function parse(text: string | Buffer, limits = {}): Reply[] {
  const parser = new ReplyParser(limits);
  parser.feed(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  return drain(parser);
}

function drain(parser: ReplyParser): Reply[] {
  const replies: Reply[] = [];
  for (let reply = parser.next(); reply !== undefined; reply = parser.next()) replies.push(reply);
  return replies;
}

const bulk = (text: string): Reply => ({ kind: 'bulk', bytes: Buffer.from(text, 'latin1') });

describe('ReplyParser', () => {
  it.each<[string, Reply]>([
    ['+OK\r\n', { kind: 'status', bytes: Buffer.from('OK') }],
    ['+\r\n', { kind: 'status', bytes: Buffer.from('') }],
    ['-ERR no\r\n', { kind: 'error', bytes: Buffer.from('ERR no') }],
    ['!5\r\nE\r\n x\r\n', { kind: 'error', bytes: Buffer.from('E\r\n x') }],
    [':42\r\n', { kind: 'integer', value: 42 }],
    [':-9223372036854775808\r\n', { kind: 'integer', value: -9223372036854775808n }],
    ['$5\r\na\0\r\n\xff\r\n', bulk('a\0\r\n\xff')],
    ['$0\r\n\r\n', bulk('')],
    ['$-1\r\n', { kind: 'nil' }],
    ['*-1\r\n', { kind: 'nil' }],
    ['_\r\n', { kind: 'nil' }],
    [',3.14\r\n', { kind: 'double', text: '3.14', value: 3.14 }],
    [',-inf\r\n', { kind: 'double', text: '-inf', value: -Infinity }],
    ['#t\r\n', { kind: 'boolean', value: true }],
    ['(1234567999999999999999999999\r\n', { kind: 'bignum', text: '1234567999999999999999999999' }],
    ['=8\r\ntxt:some\r\n', { kind: 'verbatim', format: 'txt', bytes: Buffer.from('some') }],
    ['*0\r\n', { kind: 'array', items: [] }],
    [
      '*2\r\n*1\r\n:1\r\n$1\r\na\r\n',
      { kind: 'array', items: [{ kind: 'array', items: [{ kind: 'integer', value: 1 }] }, bulk('a')] },
    ],
    ['%1\r\n$1\r\nk\r\n:1\r\n', { kind: 'map', items: [bulk('k'), { kind: 'integer', value: 1 }] }],
    ['~1\r\n#f\r\n', { kind: 'set', items: [{ kind: 'boolean', value: false }] }],
    ['>1\r\n+x\r\n', { kind: 'push', items: [{ kind: 'status', bytes: Buffer.from('x') }] }],
  ])('reads %j', (input, expected) => {
    expect(parse(input)).toEqual([expected]);
  });

  it('hands attributes to the reply that follows, at any depth', () => {
    const attributes = [bulk('ttl'), { kind: 'integer', value: 9 }];
    expect(parse('|1\r\n$3\r\nttl\r\n:9\r\n+OK\r\n')).toEqual([
      { kind: 'status', bytes: Buffer.from('OK'), attributes },
    ]);
    expect(parse('*2\r\n:1\r\n|1\r\n$3\r\nttl\r\n:9\r\n*1\r\n:2\r\n')).toEqual([
      {
        kind: 'array',
        items: [
          { kind: 'integer', value: 1 },
          { kind: 'array', items: [{ kind: 'integer', value: 2 }], attributes },
        ],
      },
    ]);
  });

  it('gives the same replies however the input is cut', () => {
    const input = Buffer.from(
      '*3\r\n$5\r\na\0\r\nz\r\n%1\r\n+k\r\n,1.5\r\n|1\r\n+a\r\n:1\r\n_\r\n=7\r\ntxt:a\r\n\r\n-ERR x\r\n$70\r\n' +
        `${'y'.repeat(70)}\r\n>1\r\n#t\r\n`,
      'latin1',
    );
    const whole = parse(input);
    expect(whole).toHaveLength(5);
    fc.assert(
      fc.property(fc.array(fc.nat(input.length), { maxLength: 30 }), (cuts) => {
        const parser = new ReplyParser();
        const replies: Reply[] = [];
        let from = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), input.length]) {
          parser.feed(Buffer.from(input.subarray(from, cut)));
          replies.push(...drain(parser));
          from = cut;
        }
        expect(replies).toEqual(whole);
        expect(parser.idle).toBe(true);
      }),
    );
  });

  it('keeps earlier replies intact when more input arrives', () => {
    const parser = new ReplyParser();
    parser.feed(Buffer.from('$3\r\nabc\r\n$3\r\nd'));
    const [first] = drain(parser);
    parser.feed(Buffer.from('ef\r\n$3\r\ngh'));
    const [second] = drain(parser);
    parser.feed(Buffer.from(`i\r\n${'$1\r\nx\r\n'.repeat(5000)}`));
    drain(parser);
    expect([first, second]).toEqual([bulk('abc'), bulk('def')]);
  });

  it.each([
    ['HTTP/1.1 400', 'Protocol error, got "H" as reply type byte'],
    ['\x01', 'Protocol error, got "\\x01" as reply type byte'],
    [':12a\r\n', 'Bad integer value'],
    [':9223372036854775808\r\n', 'Bad integer value'],
    ['$-2\r\n', 'Bad Bulk string length'],
    ['$1\r\nabc', 'Bulk string not followed by CRLF'],
    ['#x\r\n', 'Bad bool value'],
    [',1.2.3\r\n', 'Bad double value'],
    ['(12x\r\n', 'Bad bignum value'],
    ['=3\r\nabc\r\n', 'Verbatim string 4 bytes of content type are missing'],
    ['_x\r\n', 'Bad nil value'],
  ])('rejects %j', (input, message) => {
    expect(() => parse(input)).toThrow(expect.objectContaining({ name: 'ReplySyntaxError', message }));
  });

  it('tells where the input went wrong', () => {
    const parser = new ReplyParser();
    parser.feed(Buffer.from('+OK\r\n'));
    drain(parser);
    parser.feed(Buffer.from(':1\r\n?'));
    expect(() => drain(parser)).toThrow(expect.objectContaining({ offset: 9 }));
  });

  it('keeps to its limits', () => {
    expect(() => parse('$11\r\n', { bulkBytesMax: 10 })).toThrow('Bulk string length out of range');
    expect(() => parse('*11\r\n', { elementsMax: 10 })).toThrow('Multi-bulk length out of range');
    expect(() => parse('*1\r\n'.repeat(4), { depthMax: 3 })).toThrow('Too deeply nested reply');
    expect(() => parse(`+${'x'.repeat(20)}`, { lineBytesMax: 10 })).toThrow('Line too long');
  });

  it('reads back what encodeCommand wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array(), { minLength: 1 }), (args) => {
        const [reply] = parse(encodeCommand(args));
        expect(reply).toEqual({
          kind: 'array',
          items: args.map((bytes) => ({ kind: 'bulk', bytes: Buffer.from(bytes) })),
        });
      }),
    );
    expect(encodeCommand(['SET', 'é', 12]).toString()).toBe('*3\r\n$3\r\nSET\r\n$2\r\né\r\n$2\r\n12\r\n');
  });
});
