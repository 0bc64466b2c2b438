import { describe, expect, it } from 'vitest';
import { Decoded, RequestDecoder } from '../../../../server/formats/resp/request.ts';

const limits = { bulkBytesMax: 512 * 1024 * 1024, authenticated: true };

function args(decoder: RequestDecoder): string[] {
  return Array.from({ length: decoder.argc }, (_, i) =>
    decoder.buf.toString('latin1', decoder.pos[i], decoder.pos[i] + decoder.len[i]),
  );
}

/** Feeds input in two pieces, as a connection does: what is incomplete is kept and decoded again with the rest. */
function decodeSplit(input: Buffer, at: number): string[][] {
  const decoder = new RequestDecoder();
  const requests: string[][] = [];
  let kept = Buffer.alloc(0);
  let partial = null;
  for (const piece of [input.subarray(0, at), input.subarray(at)]) {
    const buf = Buffer.concat([kept, piece]);
    let start = 0;
    while (start < buf.length) {
      const status = decoder.decode(buf, start, buf.length, limits, partial);
      partial = null;
      if (status === Decoded.needMore) {
        partial = decoder.suspend();
        break;
      }
      expect(status).toBe(Decoded.request);
      requests.push(args(decoder));
      start = decoder.next;
    }
    kept = Buffer.from(buf.subarray(start));
  }
  expect(kept).toHaveLength(0);
  return requests;
}

function failure(input: string, authenticated = true): string {
  const decoder = new RequestDecoder();
  const buf = Buffer.from(input, 'latin1');
  const status = decoder.decode(buf, 0, buf.length, { ...limits, authenticated }, null);
  return status === Decoded.error ? decoder.error : `status ${status}`;
}

describe('RequestDecoder', () => {
  it('decodes the same requests wherever the input is cut', () => {
    const many = `*100\r\n${'$1\r\nx\r\n'.repeat(100)}`;
    const input = Buffer.from(
      `*3\r\n$3\r\nSET\r\n$5\r\nk\r\n\x00\xff\r\n$0\r\n\r\nPING\r\n*1\r\n$4\r\nPING\r\n${many}get "a b" 'c\\'d' "\\x41\\n"\r\n`,
      'latin1',
    );
    const expected = [
      ['SET', 'k\r\n\x00\xff', ''],
      ['PING'],
      ['PING'],
      Array(100).fill('x'),
      ['get', 'a b', "c'd", 'A\n'],
    ];
    for (let at = 0; at <= input.length; at++) expect(decodeSplit(input, at)).toEqual(expected);
  });

  it('takes empty lines and empty arrays as nothing', () => {
    expect(decodeSplit(Buffer.from('\r\n*0\r\n*-1\r\nPING\r\n'), 3)).toEqual([[], [], [], ['PING']]);
  });

  it.each([
    ['*1\r\n+ping\r\n', "expected '$', got '+'"],
    ['*x\r\n', 'invalid multibulk length'],
    ['*3000000000\r\n', 'invalid multibulk length'],
    ['*1\r\n$629145600\r\n', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$04\r\nPING\r\n', 'invalid bulk length'],
    ['"abc\r\n', 'unbalanced quotes in request'],
    ['"abc"d\r\n', 'unbalanced quotes in request'],
    ['x'.repeat(70_000), 'too big inline request'],
    [`*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
  ])('refuses %j', (input, error) => {
    expect(failure(input)).toBe(error);
  });

  it('gives strangers little room', () => {
    expect(failure('*11\r\n', false)).toBe('unauthenticated multibulk length');
    expect(failure('*1\r\n$20000\r\n', false)).toBe('unauthenticated bulk length');
    expect(failure('*10\r\n', false)).toBe(`status ${Decoded.needMore}`);
  });

  it('tells how many bytes a long argument still needs', () => {
    const decoder = new RequestDecoder();
    const buf = Buffer.from('*2\r\n$3\r\nGET\r\n$1000000\r\nabc');
    expect(decoder.decode(buf, 0, buf.length, limits, null)).toBe(Decoded.needMore);
    expect(decoder.neededBytes).toBe('*2\r\n$3\r\nGET\r\n$1000000\r\n'.length + 1_000_002);
  });
});
