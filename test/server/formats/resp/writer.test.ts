import { describe, expect, it } from 'vitest';
import { ReplyWriter } from '../../../../server/formats/resp/writer.ts';

function written(resp3: boolean, write: (reply: ReplyWriter) => void): string {
  const reply = new ReplyWriter();
  reply.resp3 = resp3;
  write(reply);
  return reply.buf.toString('latin1', 0, reply.pos);
}

describe('ReplyWriter', () => {
  it.each<[string, string, string, (reply: ReplyWriter) => void]>([
    ['null', '$-1\r\n', '_\r\n', (r) => r.nil()],
    ['null array', '*-1\r\n', '_\r\n', (r) => r.nilArray()],
    ['true', ':1\r\n', '#t\r\n', (r) => r.bool(true)],
    ['double', '$18\r\n3.1400000000000001\r\n', ',3.1400000000000001\r\n', (r) => r.double(3.14)],
    ['infinity', '$4\r\n-inf\r\n', ',-inf\r\n', (r) => r.double(Number.NEGATIVE_INFINITY)],
    ['map', '*4\r\n', '%2\r\n', (r) => r.map(2)],
    ['set', '*2\r\n', '~2\r\n', (r) => r.set(2)],
    ['push', '*2\r\n', '>2\r\n', (r) => r.push(2)],
    ['big number', '$3\r\n123\r\n', '(123\r\n', (r) => r.bigNumber('123')],
    ['verbatim', '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n', (r) => r.verbatim('txt', Buffer.from('hi'))],
    ['status', '+OK\r\n', '+OK\r\n', (r) => r.ok()],
    ['integer', ':-9007199254740991\r\n', ':-9007199254740991\r\n', (r) => r.int(Number.MIN_SAFE_INTEGER)],
    ['digits', '$6\r\n-12345\r\n', '$6\r\n-12345\r\n', (r) => r.bulkInt(-12345)],
  ])('writes %s in both protocols', (_name, resp2, resp3, write) => {
    expect(written(false, write)).toBe(resp2);
    expect(written(true, write)).toBe(resp3);
  });

  it('keeps an error on one line and reports it', () => {
    const reply = new ReplyWriter();
    const errors: string[] = [];
    reply.onError = (text) => errors.push(text);
    reply.error('ERR no\r\n+OK');
    expect(reply.buf.toString('latin1', 0, reply.pos)).toBe('-ERR no  +OK\r\n');
    expect(errors).toEqual(['ERR no\r\n+OK']);
  });

  it('writes ranges of any length, beyond the size of its buffer too', () => {
    const source = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i & 255));
    for (const length of [0, 1, 9, 10, 63, 64, 65, 99, 100, 70_000, 299_990]) {
      const text = written(false, (reply) => reply.bulkRange(source, 7, length));
      expect(text).toBe(`$${length}\r\n${source.toString('latin1', 7, 7 + length)}\r\n`);
    }
  });

  it('puts a count in front of what is already written', () => {
    const text = written(true, (reply) => {
      reply.ok();
      const mark = reply.beginAggregate();
      for (let i = 0; i < 12; i++) reply.int(i);
      reply.endAggregate(mark, 'set', 12);
    });
    expect(text).toBe(`+OK\r\n~12\r\n${Array.from({ length: 12 }, (_, i) => `:${i}\r\n`).join('')}`);
  });
});
